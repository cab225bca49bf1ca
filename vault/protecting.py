""" "Je me protège" and "tout bloquer": one flow for theft and for violence. Old ways end, or answer nobody; nothing is lost."""

import datetime as dt
import math
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select, update

from crypto.keys import AccountSecret, kdf
from crypto.unlock import Kind
from storage.database import insert_once
from storage.tables import attempts, circle_members, persons
from storage.tables import circles as circle_rows
from storage.tables import slots as ways
from vault import (
    account_numbers,
    aftermath,
    audit,
    cards,
    circles,
    freezing,
    labels,
    preferences,
    rekeying,
    sessions,
    slots,
    waiting,
    who,
)
from vault.circles import Owner
from vault.context import Context
from vault.errors import AlreadyKnown, MustWait, NoSession, NotAllowed, NotThere
from vault.events import Event
from vault.means import prepare_card_slot, reopen, take_card
from vault.opening import check_chosen, seal_number
from vault.sessions import Session
from vault.shown_cards import person_of
from vault.unlocking import Chosen, confirm
from vault.workers import verified_certificate

FREEZES_A_DAY = 5  # by number, for each worker and each administrator
DAY = dt.timedelta(hours=24)
ENDED = (*slots.CARD_KINDS, Kind.WORDS, Kind.ASSIST)
SEALING = ("live", "barred", "leaving", "pending")


@dataclass(frozen=True)
class Protected:
    """A safe under its new means. `number` goes on a new slip: the old one designates nothing any more."""

    cookie: str = field(repr=False)
    number: str = field(repr=False)


def freeze(context: Context, session: Session) -> None:
    """Block everything now: every way answers as an unknown one, every session ends. With the card alone too.

    A card that nobody knows gets the same answer.
    """
    if session.kind not in ("person", "assisted", "card"):
        raise NotAllowed
    with context.database.transaction() as connection:
        person = person_of(connection, session, of=("open", *freezing.UNDER))
        if person is not None:
            if session.kind == "person":  # card and code: what they may end, they end, unless they were blocked meanwhile
                with suppress(NoSession):
                    sessions.hold(connection, session)
                    waiting.end(context, connection, person, session)
            freezing.freeze_person(context, connection, person, session=session, by=person)
            waiting.delay(context, connection, person)
        sessions.end_one(context, connection, session)


def freeze_ward(context: Context, session: Session, member: str) -> None:
    """A guardian at their desk blocks the safe of somebody who counts on them (`member`, from their own list). NotThere."""
    who.worker(session)
    with context.database.transaction() as connection:
        sessions.still(connection, session)
        name = verified_certificate(context, connection, session.account).name
        query = select(circle_rows.c.person).join(circle_members, circle_members.c.circle == circle_rows.c.id)
        mine = (circle_members.c.id == member, circle_members.c.worker == session.account, circle_rows.c.state == "living")
        person = connection.execute(query.where(*mine)).scalar_one_or_none()
        if person is None:
            raise NotThere
        freezing.freeze_person(context, connection, person, session=session, by=session.account, by_name=name)
        waiting.delay(context, connection, person)


def freeze_number(context: Context, session: Session, number: str) -> None:
    """A worker blocks the safe that an account number designates, because somebody asks for it at their desk or by telephone.

    The same answer, and the same line in the worker's own history, for a number that nobody has. BadInput for a number that cannot
    be one, MustWait after a few on one day.
    """
    who.worker(session)
    read = account_numbers.read(number)
    with context.database.transaction() as connection:
        sessions.still(connection, session)
        told = account_numbers.looked_up(context, connection, read)
        name = verified_certificate(context, connection, session.account).name
        count_freeze(context, connection, session.account)
        query = select(persons.c.account).where(persons.c.number_digest == told)
        person = connection.execute(query).scalar_one_or_none()
        if person is not None:
            freezing.freeze_person(context, connection, person, session=session, by=session.account, by_name=name, told=False)
            waiting.delay(context, connection, person)
        else:  # as much work for nobody: time tells nothing either
            audit.rehearse(context, connection, Event("means.frozen", by=session.account, by_name=name))
        asked = Event("worker.asked-to-block", by=session.account, by_name=name)
        audit.record(context, connection, session, asked, worker=session.account)


def count_freeze(context: Context, connection: Connection, worker: str) -> None:
    """A few a day: a desk or an office helps who stands there or writes, and is no way to block everybody. MustWait."""
    now, digest = context.clock(), kdf(context.settings.service_seal, labels.freezes(worker=worker), 32).hex()
    insert_once(connection, attempts, {"shown_digest": digest, "wrong": 0, "last": now})
    row = connection.execute(
        select(attempts.c.wrong, attempts.c.last).where(attempts.c.shown_digest == digest).with_for_update()
    ).one()
    since, done = (row.last, row.wrong) if now - row.last < DAY else (now, 0)
    if done >= FREEZES_A_DAY:
        raise MustWait(math.ceil((since + DAY - now).total_seconds()))
    connection.execute(update(attempts).where(attempts.c.shown_digest == digest).values(wrong=done + 1, last=since))


def refuse_too_early(context: Context, session: Session) -> None:
    """Before the first question of "je me protège": AfterRecovery when its last answer would be refused (`circles.void_sheets`)."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        circles.refuse_without_a_set(context, connection, session.account)


def check_card(context: Context, session: Session, text: str) -> None:
    """Whether a card may become the new one, before the last question is asked. WrongSecret for another square, AlreadyKnown.

    It is asked again when it is taken: in between, somebody else may have.
    """
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        if slots.known(connection, cards.digest(cards.read(text))):
            raise AlreadyKnown


def protect(context: Context, session: Session, chosen: Chosen, text: str, new: Chosen) -> Protected:
    """Leave everything that somebody else may know: new card, new code, new number, new keys; words and printed sheets are void.

    The account's secret and its three keys turn too: whoever had them reads nothing of what comes after. Guardians and shares stay, to
    be reviewed one by one; places are hidden. WrongSecret, WeakSecret, AlreadyKnown, BadInput, AfterRecovery.
    """
    check_chosen(new)
    refuse_too_early(context, session)
    secret, card, fresh = confirm(context, session, chosen), cards.read(text), AccountSecret.random()
    person, number = session.account, account_numbers.draw()
    way = prepare_card_slot(context, session.kiosk, person, fresh, card, new)
    with slots.given_up(context, way), sessions.acting(context, session) as connection:
        take_card(connection, way)
        if session.slot not in {slot.id for slot in slots.living(connection, person)}:
            raise NoSession
        old = _ways_of(connection, person)
        keys = rekeying.renew(context, connection, person, secret, under=fresh)
        slots.keep(context, connection, way)
        cookie = reopen(context, connection, session, way, card, keys=keys)
        aftermath.end_ways(context, connection, old)
        waiting.end(context, connection, person, None)
        freezing.end_links(connection, person)
        circles.void_sheets(context, connection, Owner(person, keys, fresh))
        told = {"number_digest": account_numbers.digest(context, number), "sealed_number": seal_number(keys, person, number)}
        connection.execute(update(persons).where(persons.c.account == person).values(**told))
        kept = preferences.read(connection, person, keys)
        preferences.write(connection, person, keys, replace(kept, show_places=False, to_review=True, reviewed=()))
        audit.record(context, connection, None, Event("means.protected", by=person), person=person)
    return Protected(cookie, number)


def _ways_of(connection: Connection, person: str) -> list[str]:
    """Every way that seals the account's secret, or waits to: none of them opens anything any more. The circle's own ends with it."""
    theirs = (ways.c.account == person, ways.c.kind.in_([kind.value for kind in ENDED]), ways.c.state.in_(SEALING))
    return list(connection.scalars(select(ways.c.id).where(*theirs).with_for_update()))
