"""The front door to what a person does with their own safe: opening it, unlocking it, its means, and what its first page says."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, func, select, update

from crypto import contexts
from crypto.errors import Undecryptable
from crypto.sealing import unseal_text, unseal_value
from storage.tables import circle_members, circles, grants, papers, persons
from vault import (
    accounts,
    audit,
    faces_given,
    freezing,
    labels,
    looking,
    means,
    notices,
    opening,
    preferences,
    protecting,
    sessions,
    shown_cards,
    unlocking,
    who,
)
from vault.context import Context
from vault.events import Event
from vault.means import Slip
from vault.notices import Notice
from vault.opening import Accepted, Choices, Opened
from vault.preferences import Preferences
from vault.protecting import Protected
from vault.sessions import Session
from vault.trying import Tried, settle
from vault.unlocking import Chosen

__all__ = [
    "Accepted", "Choices", "Chosen", "Me", "Opened", "Protected", "Slip", "Tried", "attempts_told", "card_of", "change_code", "check_card",
    "conditions", "confirm_secret", "face", "freeze", "freeze_number", "freeze_person", "freeze_ward", "give_words", "keep_choices",
    "lift_freeze", "lift_wait", "lift_wait_of_words", "me", "not_today", "number_of", "open_safe", "opening_choices",
    "own_preferences", "person_keys", "person_of",
    "prepare_card_slot", "present_card", "protect", "redraw", "refuse_protecting", "rename", "replace_card", "reviewed", "settle",
    "show_places",
    "start_opening", "stay", "try_card", "unlock", "unlock_with_pictures", "unlock_with_words", "way_in",
]  # fmt: skip

start_opening, opening_choices, keep_choices = opening.start, opening.choices, opening.keep
open_safe, not_today = opening.finish, opening.not_today
present_card, card_of, person_of = unlocking.present_card, unlocking.card_of, shown_cards.person_of
unlock, unlock_with_pictures = unlocking.unlock, unlocking.unlock_with_pictures
unlock_with_words, confirm_secret, try_card = unlocking.unlock_with_words, unlocking.confirm, unlocking.try_card
lift_wait, lift_wait_of_words, lift_freeze = unlocking.lift_wait, unlocking.lift_wait_of_words, unlocking.lift_freeze
change_code, replace_card, give_words, number_of = means.change_code, means.replace_card, means.give_words, means.number_of
prepare_card_slot = means.prepare_card_slot
freeze, freeze_ward, freeze_person = protecting.freeze, protecting.freeze_ward, freezing.freeze_person
protect, freeze_number, check_card = protecting.protect, protecting.freeze_number, protecting.check_card
refuse_protecting = protecting.refuse_too_early
way_in, stay = unlocking.way_in, unlocking.stay
person_keys = accounts.public_keys

READABLE = ("kept", "to-read")


@dataclass(frozen=True)
class Me:
    """What the first page says. `failed_attempts`: since the opening whose first page told them; `missing`: what would make the safe
    complete."""

    name: str | None = field(repr=False)
    drawing: str
    papers: int
    last_opened: dt.datetime | None
    failed_attempts: int
    missing: tuple[str, ...]  # first-guardian, second-guardian, first-share
    to_review: bool
    show_places: bool
    notices: tuple[Notice, ...]


def me(context: Context, session: Session, again: Sequence[str] = ()) -> Me:
    """What the person's first page says of their own safe. `again`: sentences that were read already, and are to be said once more."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        name, drawing = face(connection, session)
        kept = preferences.read(connection, session.account, keys)
        mine = (papers.c.person == session.account, papers.c.state.in_(READABLE))
        count = connection.execute(select(func.count()).select_from(papers).where(*mine)).scalar_one()
        looks = looking.new(connection, session, "safe.counted")
        missing = tuple(_missing(connection, session.account))
        waits = notices.waiting_for(context, connection, session, again)
        waiting = tuple(one for one in waits if one.key not in notices.QUESTIONS)
    looking.say_own(context, session, looks)
    return Me(name, drawing, count, kept.before, kept.failed, missing, kept.to_review, kept.show_places, waiting)


def attempts_told(context: Context, session: Session) -> None:
    """The first page told how many attempts failed: the next opening counts from nothing again."""
    with own_preferences(context, session) as (connection, kept):
        if kept.failed and not kept.told:
            preferences.write(connection, session.account, session.opened(), replace(kept, told=True))


def face(connection: Connection, session: Session) -> tuple[str | None, str]:
    """The name and the drawing that the person chose; none where there is none, or where it does not open any more."""
    keys, person = session.opened(), session.account
    query = select(persons.c.sealed_name, persons.c.sealed_drawing).where(persons.c.account == person)
    row = connection.execute(query).one()
    name, drawing = None, ""
    with suppress(Undecryptable):
        drawing = unseal_text(keys.values, contexts.drawing(person=person, id=person), row.sealed_drawing)
    if row.sealed_name is not None:
        with suppress(Undecryptable):
            name = unseal_text(keys.values, contexts.name(person=person, id=person), row.sealed_name)
    return name, drawing


def rename(context: Context, session: Session, name: str | None) -> None:
    """Another name to use, or none."""
    opening.check_name(name)
    _face(context, session, "safe.renamed", name=name)


def redraw(context: Context, session: Session, drawing: str) -> None:
    """Another drawing."""
    opening.check_drawing(drawing)
    _face(context, session, "safe.redrawn", drawing=drawing)


def show_places(context: Context, session: Session, shown: bool) -> None:
    """Show where things happened in the person's own history, or hide it again."""
    with own_preferences(context, session) as (connection, kept):
        preferences.write(connection, session.account, session.opened(), replace(kept, show_places=shown))


def places_shown(context: Context, session: Session) -> bool:
    """Whether the person asked to see where things happened."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        return preferences.read(connection, session.account, keys).show_places


def reviewed(context: Context, session: Session) -> None:
    """Guardians and shares were looked at one by one after "je me protège"."""
    with own_preferences(context, session) as (connection, kept):
        preferences.write(connection, session.account, session.opened(), replace(kept, to_review=False, reviewed=()))


def conditions(context: Context, session: Session) -> Accepted:
    """The proof of what was told before opening: version, hash, language, heard aloud. One that does not open proves nothing, and the
    conditions are asked again."""
    keys, person = who.person(session), session.account
    with context.database.transaction(read_only=True) as connection:
        sealed = connection.execute(select(persons.c.sealed_conditions).where(persons.c.account == person)).scalar_one()
    try:
        fields = unseal_value(keys.values, labels.preference(person=person, name="conditions"), sealed)
    except Undecryptable:
        return Accepted(version="", sha256="", language="", heard=False, interpreter=False)
    return Accepted(
        version=str(fields["version"]),
        sha256=str(fields["sha256"]),
        language=str(fields["language"]),
        heard=fields["heard"] is True,
        interpreter=fields["interpreter"] is True,
    )


def _missing(connection: Connection, person: str) -> Iterator[str]:
    living = (circles.c.person == person, circles.c.state == "living")
    members = (
        select(func.count()).select_from(circle_members).join(circles, circles.c.id == circle_members.c.circle).where(*living)
    )
    guardians = connection.execute(members).scalar_one()
    if guardians == 0:
        yield "first-guardian"
    if guardians < 2:
        yield "second-guardian"
    if connection.execute(select(grants.c.id).where(grants.c.person == person).limit(1)).first() is None:
        yield "first-share"


def _face(context: Context, session: Session, tag: str, *, name: str | None = None, drawing: str | None = None) -> None:
    keys, person = who.person(session), session.account
    with sessions.acting(context, session) as connection:
        now, drawn = face(connection, session)
        name, drawing = now if drawing else name, drawing or drawn
        values = opening.seal_face(keys, person, name, drawing)
        connection.execute(update(persons).where(persons.c.account == person).values(**values))
        faces_given.give_again(context, connection, session, name or "", drawing)
        audit.record(context, connection, session, Event(tag, by=person), person=person)


@contextmanager
def own_preferences(context: Context, session: Session) -> Iterator[tuple[Connection, Preferences]]:
    """The person's preferences in a write transaction, their row held until it ends."""
    keys = who.person(session)
    with context.database.transaction() as connection:
        connection.execute(select(persons.c.account).where(persons.c.account == session.account).with_for_update())
        yield connection, preferences.read(connection, session.account, keys)
