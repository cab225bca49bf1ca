"""The trace: typed events, sealed for the parties they concern, written in the transaction of what they tell.

The person, the worker and the incident key each get an envelope of their own under a key of this session and party (formats:
`docs/formats.md`). A use case calls `record` inside its own transaction; if that rolls back, no entry is left.
"""

import datetime as dt
import hashlib
import secrets
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import Connection, Select, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from crypto import contexts
from crypto import trace as sealed_trace
from crypto.canonical import instant, parse_instant
from crypto.errors import CryptoError, Malformed, Undecryptable
from crypto.kem import KemPrivate, KemPublic, kem_public
from crypto.keys import TraceKey, kdf
from storage import journal
from storage.errors import RowGone
from storage.tables import accounts, entries, entry_copies, trace_keys
from vault import labels
from vault.context import NOBODY, Context
from vault.errors import Tampered
from vault.events import UNREADABLE, Event
from vault.sessions import Session

PERSON: journal.Party = "person"
WORKER: journal.Party = "worker"
INCIDENT: journal.Party = "incident"
UNSEALED = (RowGone, CryptoError, Tampered)
"""What sealing for an account raises whose row of the key vault is gone, or whose public keys are not what they were."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Entry:
    """One line of somebody's history. `number` is its place in the tree, None until the sequencer has numbered it."""

    id: str
    number: int | None
    at: dt.datetime
    event: Event


@dataclass(frozen=True)
class _Party:
    name: journal.Party
    row: str  # whose row of the key vault seals it
    address: str  # the `party` of the contexts: an account's id, or "incident"
    event: Event


@dataclass(frozen=True)
class _Key:
    """The trace key of a session and party, and the id by which it is kept."""

    id: str
    secret: TraceKey


_POSTED = select(trace_keys.c.id).where(trace_keys.c.id.in_(bindparam("wanted", expanding=True)))

Publics = Callable[[], Mapping[str, KemPublic]]
"""Public keys by address: read only when a key has to be posted, once for each session and party."""


def record(
    context: Context,
    connection: Connection,
    session: Session | None,
    event: Event,
    *,
    person: str | None = None,
    worker: str | None = None,
    entry: str | None = None,
) -> str:
    """Write one entry for those it concerns and give its id, drawn unless `entry` gives it.

    Without a session (a failed attempt, maintenance) its keys are drawn for it alone. `entry`: the id, when something that was signed
    already names it.
    """
    wanted = [one for one in (person, worker) if one]
    if not wanted:
        raise ValueError("an entry concerns a person or a worker")
    parties = list(_parties(event, person, worker))
    entry = entry or context.new_id()
    # Without a person the incident's copy is under the worker's row, and so must its key be: one session certifies many workers.
    return _write(
        context, connection, session, parties, person or worker or NOBODY, lambda: _publics(context, connection, wanted), entry
    )


def record_if_sealed(
    context: Context, connection: Connection, event: Event, *, person: str | None = None, worker: str | None = None
) -> bool:  # fmt: skip
    """The same without a session, beside what must happen whatever a damaged row says: an account whose keys are gone or do not hold
    gets no line, and keeps nobody else waiting. Tells whether it was written."""
    try:
        with connection.begin_nested():
            record(context, connection, None, event, person=person, worker=worker)
    except UNSEALED as error:
        log.error("an entry was not written: the keys of an account do not hold", tag=event.tag, error=type(error).__name__)
        return False
    return True


def rehearse(context: Context, connection: Connection, event: Event) -> None:
    """Do for nobody the work of `record`, then undo it: a card that nobody knows must not be answered sooner than another."""
    parties = [_Party(name, NOBODY, contexts.INCIDENT, event) for name in (PERSON, INCIDENT)]
    with connection.begin_nested() as undone:
        _write(context, connection, None, parties, NOBODY, lambda: _publics(context, connection, [NOBODY]), context.new_id())
        undone.rollback()


def _write(
    context: Context, connection: Connection, session: Session | None, parties: Sequence[_Party], person: str, publics: Publics,
    entry: str,
) -> str:  # fmt: skip
    """Seal the event for each party; the database and the key vault are each asked once when the session's keys are posted already."""
    at = context.clock()
    session_id = session.id if session else context.new_id()
    keys = {party.name: _key(context, session, party, person) for party in parties}
    posted = _posted(connection, session, keys)
    new = [party for party in parties if party.name not in posted]
    tag_place = contexts.trace_tag(month=at.year * 100 + at.month)
    places = {party.name: contexts.trace_key(session=session_id, party=party.address) for party in new}
    asked = [(party.row, tag_place) for party in parties] + [(party.row, places[party.name]) for party in new]
    answers = _vaulted(context, asked)
    if new:
        known = publics()
        _post(connection, session_id, [
            (party, keys[party.name], sealed_trace.post_trace_key(
                known[party.address], answers[party.row, places[party.name]], places[party.name], keys[party.name].secret
            )) for party in new
        ])  # fmt: skip
    copies: dict[journal.Party, journal.Copy] = {}
    for party in parties:
        place = contexts.trace(entry=entry, party=party.address)
        sealed = sealed_trace.seal_event(keys[party.name].secret, place, party.event.fields(instant(at)))
        copies[party.name] = journal.Copy(sealed_trace.tag(answers[party.row, tag_place]), keys[party.name].id, sealed)
    journal.append(connection, entry, copies)
    return entry


def _vaulted(context: Context, asked: Sequence[tuple[str, bytes]]) -> dict[tuple[str, bytes], bytes]:
    """The key vault's answers; each row is read once."""
    try:
        answers = context.keyvault.derive_many([("person", row, place) for row, place in asked])
    except RowGone:
        if any(row != NOBODY for row, _ in asked):
            raise
        answers = [secrets.token_bytes(32) for _ in asked]
    return dict(zip(asked, answers, strict=True))


def _parties(event: Event, person: str | None, worker: str | None) -> Iterator[_Party]:
    if person:
        yield _Party(PERSON, person, person, event.for_person())
    if worker:
        yield _Party(WORKER, worker, worker, event.for_worker(worker))
    yield _Party(INCIDENT, person or worker or NOBODY, contexts.INCIDENT, event.for_incident())


def _publics(context: Context, connection: Connection, wanted: Sequence[str]) -> dict[str, KemPublic]:
    rows = connection.execute(select(accounts.c.id, accounts.c.kem_public).where(accounts.c.id.in_(wanted)))
    return {**{row.id: kem_public(row.kem_public) for row in rows}, contexts.INCIDENT: context.settings.incident_key}


def _key(context: Context, session: Session | None, party: _Party, person: str) -> _Key:
    """Found again by derivation, so that nothing has to be remembered; drawn for this entry alone without a session."""
    if session is None:
        return _Key(context.new_id(), TraceKey.random())
    # An open session posts another key as soon as the incident key is another one.
    address = f"{party.address} {_fingerprint(context.settings.incident_key)}" if party.name == INCIDENT else party.address
    secret = kdf(session.key, labels.trace_secret(session=session.id, party=address, person=person), 64)
    return _Key(secret[32:].hex(), TraceKey(secret[:32]))


@lru_cache(maxsize=8)
def _fingerprint(key: KemPublic) -> str:
    return hashlib.sha256(key).hexdigest()[:16]


def _posted(connection: Connection, session: Session | None, keys: Mapping[journal.Party, _Key]) -> set[journal.Party]:
    """Whose keys this session has posted before."""
    if session is None:
        return set()
    found = set(connection.scalars(_POSTED, {"wanted": [key.id for key in keys.values()]}))
    return {party for party, key in keys.items() if key.id in found}


def _post(connection: Connection, session_id: str, posted: Sequence[tuple[_Party, _Key, bytes]]) -> None:
    rows = [{"id": key.id, "session": session_id, "party": party.name, "posted": sealed} for party, key, sealed in posted]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(trace_keys).on_conflict_do_nothing(), rows)


def months(since: dt.date, until: dt.date) -> Iterable[int]:
    """The months between two days, both included, as 202611."""
    year, month = since.year, since.month
    while (year, month) <= (until.year, until.month):
        yield year * 100 + month
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def history(
    context: Context, session: Session, *, newest: int | None = None, since: dt.date | None = None
) -> list[Entry]:  # fmt: skip
    """The session's own history, newest first: what the person reads as "Qui a regardé ?", what a worker reads as their acts.

    It opens everything: a page shows a part of it (`vault.looking_back`). `since`: the months before that day are not opened.
    """
    with context.database.transaction(read_only=True) as connection:
        found = opened(
            context, connection, session, copies_of(session, [tag for _, tag in tags_of(context, connection, session, since)])
        )
    return found[:newest]


def copies_of(session: Session, tags: Sequence[bytes]) -> Select[Any]:
    """The session's own copies under these tags, with what `opened` needs."""
    query = select(
        entry_copies.c.entry, entry_copies.c.envelope, entry_copies.c.key, entries.c.number,
        trace_keys.c.posted, trace_keys.c.session,
    )  # fmt: skip
    # A key that is gone takes no line away: the copy is there, and does not open.
    query = query.outerjoin(trace_keys, trace_keys.c.id == entry_copies.c.key).join(entries, entries.c.id == entry_copies.c.entry)
    return query.where(entry_copies.c.tag.in_(tags), entry_copies.c.party == party_of(session))


def party_of(session: Session) -> journal.Party:
    """Whose copies a session reads."""
    return WORKER if session.kind in ("worker", "administrator") else PERSON


def opened(context: Context, connection: Connection, session: Session, query: Select[Any]) -> list[Entry]:
    """The entries that a query of `copies_of` finds, newest first. One that does not open is a line that says so, in its place."""
    keys, account = session.opened(), session.account
    rows = connection.execute(query).all()
    places: dict[str, tuple[contexts.TraceKeyContext, bytes]] = {}
    for row in rows:
        with suppress(ValueError):  # an id that somebody wrote otherwise
            if row.session is not None:
                places[row.key] = contexts.trace_key(session=row.session, party=account), row.posted
    answers = context.keyvault.derive_many([("person", account, place) for place, _ in places.values()])
    private = KemPrivate(keys.kem)
    secret: dict[str, TraceKey] = {}
    for (key, (place, posted)), answer in zip(places.items(), answers, strict=True):
        with suppress(Undecryptable):
            secret[key] = sealed_trace.open_trace_key(private, answer, place, posted)
    found, unread = [], []
    for row in rows:
        try:
            fields = sealed_trace.open_event(secret[row.key], contexts.trace(entry=row.entry, party=account), row.envelope)
            found.append(_entry(row.entry, row.number, fields))
        except (KeyError, ValueError, Undecryptable):
            unread.append(Entry(row.entry, row.number, context.clock(), Event(UNREADABLE)))
    found += _beside(found, unread)
    # Ties (one transaction, one second) keep the order in which they were numbered.
    found.sort(key=lambda entry: (entry.at, _place(entry)), reverse=True)
    return found


def _place(entry: Entry) -> int:
    return entry.number if entry.number is not None else 1 << 62


def _beside(read: Sequence[Entry], unread: Sequence[Entry]) -> list[Entry]:
    """What does not open has its moment sealed with the rest: it stands beside the entry that was numbered before it, or the first."""
    ordered = sorted(read, key=_place)
    places = [_place(one) for one in ordered]
    return [replace(one, at=ordered[max(bisect_right(places, _place(one)) - 1, 0)].at) if ordered else one for one in unread]


def tags_of(
    context: Context, connection: Connection, session: Session, since: dt.date | None = None
) -> list[tuple[int, bytes]]:  # fmt: skip
    """The months of a session's history (202611), the oldest first, each with the tag that its copies are found by."""
    account = session.account
    created = connection.execute(select(accounts.c.created).where(accounts.c.id == account)).scalar_one()
    today, day = context.clock().date(), dt.timedelta(days=1)  # a day on each side: days are Paris's, months are in UTC
    first = min(max(created, since) if since else created, today) - day
    wanted = list(months(first, today + day))
    answers = context.keyvault.derive_many([("person", account, contexts.trace_tag(month=month)) for month in wanted])
    return [(month, sealed_trace.tag(answer)) for month, answer in zip(wanted, answers, strict=True)]


def _entry(entry: str, number: int | None, fields: Mapping[str, object]) -> Entry:
    texts = dict(fields)
    version, at = texts.pop("v", None), texts.pop("at", None)
    if version != 1 or not isinstance(at, str):
        raise Undecryptable
    try:
        return Entry(entry, number, parse_instant(at), Event(**{name: str(value) for name, value in texts.items()}))
    except (Malformed, TypeError):
        raise Undecryptable from None  # whoever holds the key of the session wrote something that is no event
