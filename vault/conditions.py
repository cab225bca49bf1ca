"""The five cards that come before a safe is opened (CPCE R55-1), with the version and the digest of the text that was shown.

The version is the digest of the French text and of the figures in it: a changed word or a changed figure is another version.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from crypto.canonical import Value
from crypto.sealing import seal_value
from storage.tables import condition_versions, persons
from vault import audit, labels, people, retaining, who
from vault.context import Context
from vault.errors import Conflict, NotThere
from vault.events import Event
from vault.languages import Catalogues, Sentences
from vault.sessions import Session
from vault.settings import Settings, today_in_paris

CARDS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Conditions:
    """What a person was shown: the five cards in one language. `values` are the figures and the contact in them."""

    version: str
    language: str
    sha256: bytes
    values: dict[str, str]


def figures(settings: Settings, sentences: Sentences) -> dict[str, str]:
    """The values in the cards, from the one source of what is enforced."""
    years = settings.retention.trace // 365
    return {"duration": sentences.plain("duration.years", years), "contact": settings.contact or "Abri"}


def text_of(settings: Settings, sentences: Sentences) -> str:
    """The five cards as text, in order, with their figures; then how long each thing is kept."""
    values = figures(settings, sentences)
    parts = [f"{sentences.plain(f'k03.card{n}.title')}\n{sentences.plain(f'k03.card{n}.text', None, **values)}" for n in CARDS]
    terms = retaining.terms(settings.retention, settings.limits)
    kept = [f"{sentences.plain(f'keeps.{one.what}')}{sentences.language.colon} {one.said(sentences)}" for one in terms]
    keeper = [sentences.plain(key, None, **values) for key, values in keepers(settings, sentences)]
    return "\n\n".join([*parts, "\n".join(kept), *(["\n".join(keeper)] if keeper else [])])


def keepers(settings: Settings, sentences: Sentences) -> list[tuple[str, dict[str, str]]]:
    """Who keeps the machines, by which certificate until when (CSP L1111-8), and who watches over the data (GDPR 13(1)(b))."""
    found: list[tuple[str, dict[str, str]]] = []
    if settings.hosting is not None:
        values = {"host": settings.hosting.host, "number": settings.hosting.number, "day": sentences.day(settings.hosting.ends)}
        found.append(("k03.hosting", values))
    if settings.data_protection:
        found.append(("k03.data_protection", {"contact": settings.data_protection}))
    return found


def current(settings: Settings, sentences: Sentences) -> Conditions:
    """The conditions of today in a language. The version is the same in all languages: that of the French text."""
    french = sentences.fallback or sentences
    version = hashlib.sha256(text_of(settings, french).encode()).hexdigest()[:8]
    shown = text_of(settings, sentences)
    return Conditions(version, sentences.language.code, hashlib.sha256(shown.encode()).digest(), figures(settings, sentences))


def in_language(settings: Settings, catalogues: Catalogues, code: str) -> Conditions:
    """The same, by the code of the language."""
    return current(settings, catalogues[code])


# --- Versions, and a new one ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Version:
    """A text that was shown here, and since when."""

    version: str
    first: dt.date
    text: str


def publish(context: Context, french: Sentences) -> None:
    """Freeze the text of today, once: whoever agreed to it can read it later as it was."""
    now = current(context.settings, french)
    with context.database.transaction(read_only=True) as connection:
        if connection.execute(select(condition_versions.c.version).where(condition_versions.c.version == now.version)).first():
            return
    with context.database.transaction() as connection:
        put = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        row = {"version": now.version, "text": text_of(context.settings, french), "first": today_in_paris(context.clock())}
        connection.execute(put(condition_versions).values(**row).on_conflict_do_nothing())


def versions(context: Context) -> list[Version]:
    """Every version that was shown here, the newest first."""
    with context.database.transaction(read_only=True) as connection:
        rows = connection.execute(select(condition_versions)).all()
    found = [Version(row.version, row.first, row.text) for row in rows]
    return sorted(found, key=lambda one: (one.first, one.version), reverse=True)


def one_version(context: Context, version: str) -> Version:
    """A version as it was shown; NotThere."""
    for one in versions(context):
        if one.version == version:
            return one
    raise NotThere


def changed(context: Context, session: Session, sentences: Sentences) -> bool:
    """Whether the person agreed to another text than today's: then it is shown and asked again."""
    return people.conditions(context, session).version != current(context.settings, sentences).version


def accept(
    context: Context, session: Session, sentences: Sentences, version: str, *, heard: bool, interpreter: bool = False
) -> None:
    """The person has understood the new text; its version and language are kept with the safe. Conflict for another than today's."""
    keys, now = who.person(session), current(context.settings, sentences)
    if version != now.version:
        raise Conflict
    said = people.Accepted(now.version, now.sha256.hex(), now.language, heard=heard, interpreter=interpreter)
    with context.database.transaction() as connection:
        _keep(connection, session.account, seal_value(keys.values, _place(session.account), _proof(said)))
        event = Event("safe.conditions-accepted", by=session.account, detail=now.version)
        audit.record(context, connection, session, event, person=session.account)


def _place(person: str) -> bytes:
    return labels.preference(person=person, name="conditions")


def _proof(said: people.Accepted) -> dict[str, Value]:
    return {"v": 1, **vars(said)}


def _keep(connection: Connection, person: str, sealed: bytes) -> None:
    connection.execute(update(persons).where(persons.c.account == person).values(sealed_conditions=sealed))
