"""Erasing everything: what goes, what stays and why, the 72 hours in which the card can still say no, a witness who makes it now.

It looks done at once: from the moment it is asked the card meets the page of an unknown card, and workers find nothing. The card
and the code cancel it within 72 hours; so do the number and the five words (ADR 0099), and a recovery. Nothing disappears before:
`vault.erasing` carries it out.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Literal

import structlog
from sqlalchemy import ColumnElement, Connection, func, insert, not_, select, update

from consent.days import add_months
from consent.recipients import role
from crypto.unlock import Kind
from storage.tables import (
    accounts,
    erasures,
    persons,
    rights_requests,
    shelves,
    workers,
)
from storage.tables import slots as ways
from vault import (
    aftermath,
    audit,
    cards,
    certificates,
    erasing,
    mourning,
    notices,
    restricting,
    sessions,
    staff,
    trying,
    unlocking,
    who,
)
from vault import workers as working
from vault.context import Context
from vault.errors import BadInput, Conflict, NotAllowed, WrongSecret
from vault.events import Event
from vault.given_to import Recipient, recipients
from vault.notices import Notice
from vault.one_by_one import FAILURES
from vault.sessions import Session
from vault.settings import Retention, today_in_paris
from vault.trying import Tried
from vault.unlocking import Chosen, try_card, try_words

log = structlog.get_logger()

Ground = Literal["claims", "law"]
"""To prove what was done (GDPR 17(3)(e)); because the law asks for it (GDPR 17(3)(b), CPCE R55-4)."""


@dataclass(frozen=True)
class Kept:
    """What outlives the erasure (sentence `kept.<what>`), on what ground (`kept.ground.<ground>`), and until when at the latest.

    None is for good: what the tree of the trace is verified with (ADR 0046); or, with `years`, so long after a day that nobody knows
    yet: that on which a complaint or an authority is answered.
    """

    what: str
    ground: Ground
    until: dt.date | None
    years: int = 0


@dataclass(frozen=True)
class Plan:
    """What the person reads before saying yes. `by_words`: they opened with their number and five words, which will cancel it too."""

    papers: int
    pages: int
    bytes: int
    shelves: int
    grants: int
    receipts: int
    entries: int
    recipients: tuple[Recipient, ...]
    kept: tuple[Kept, ...]
    backups_until: dt.date
    hours: int
    by_words: bool


@dataclass(frozen=True)
class Asked:
    """An erasure that was asked: the number to keep for the certificate, and when it will be carried out. `finished`: it was.

    `by_words`: the person opened with their five words, which cancel it as their card would.
    """

    number: str
    due: dt.datetime
    id: str
    finished: bool = False
    by_words: bool = False


@dataclass(frozen=True)
class Witness:
    """What a worker types at the kiosk to witness that the person wants it now."""

    code: str
    words: str = field(repr=False)
    totp: str = field(repr=False)


def plan(context: Context, session: Session) -> Plan:
    """Count what goes, tell what stays and who received something. Changes nothing."""
    who.person(session)
    retention, person, today = context.settings.retention, session.account, today_in_paris(context.clock())
    gone = today_in_paris(context.clock() + dt.timedelta(hours=retention.cooling_off_hours))
    history = audit.history(context, session)
    given = recipients(context, session, {entry.event.by for entry in history if entry.event.tag == "paper.taken"})
    of_person = rights_requests.c.person == person
    with context.database.transaction(read_only=True) as connection:
        space = connection.execute(select(persons.c.pages_kept, persons.c.bytes_kept).where(persons.c.account == person)).one()
        went = erasing.count(connection, person)
        return Plan(
            papers=went.papers,
            pages=space.pages_kept,
            bytes=space.bytes_kept,
            shelves=_count(
                connection, select(func.count()).select_from(shelves).where(shelves.c.person == person, shelves.c.current)
            ),
            grants=went.shares,
            receipts=went.receipts,
            entries=len(history),
            recipients=given,
            kept=_kept(
                gone,
                retention,
                told=any(not one.outside for one in given),
                closing=_any(connection, of_person, not_(erasing.OUTLIVES)),
                answered_later=_any(connection, of_person, erasing.OUTLIVES),
            ),
            backups_until=today + dt.timedelta(days=retention.backups) + dt.timedelta(hours=retention.cooling_off_hours),
            hours=retention.cooling_off_hours,
            by_words=_by_words(connection, session),
        )


def _by_words(connection: Connection, session: Session) -> bool:
    """Whether this person opened without their card, which may be lost."""
    kind = select(ways.c.id).where(ways.c.id == session.slot, ways.c.kind == Kind.WORDS.value)
    return connection.execute(kind).first() is not None


def _kept(gone: dt.date, retention: Retention, *, told: bool, closing: bool, answered_later: bool) -> tuple[Kept, ...]:
    registers, receipts = (add_months(gone, 12 * years) for years in (retention.registers_years, retention.receipts_years))
    # A month of the trace goes when its last day is over its term.
    traces = add_months(gone.replace(day=1), 1) + dt.timedelta(days=retention.trace)
    return (
        Kept("certificate", "claims", registers),
        Kept("receipts", "claims", receipts),
        *([Kept("answers", "claims", registers)] if told else []),
        *([Kept("requests", "claims", registers)] if closing else []),
        *([Kept("requests-open", "claims", None, retention.registers_years)] if answered_later else []),
        Kept("worker-traces", "law", traces),
        Kept("hashes", "law", None),
        Kept("removal", "law", None),
    )


def _any(connection: Connection, *which: ColumnElement[bool]) -> bool:
    """Whether the register has such a line."""
    return _count(connection, select(func.count()).select_from(rights_requests).where(*which)) > 0


def _count(connection: Connection, query: object) -> int:
    return int(connection.execute(query).scalar_one())  # type: ignore[call-overload]  # any select that counts


def ask(context: Context, session: Session, chosen: Chosen) -> Asked:
    """Ask for everything to be erased; the code is asked again. It looks done at once and is done 72 hours later."""
    who.person(session)
    unlocking.confirm(context, session, chosen)
    with sessions.acting(context, session) as connection:
        return begin(context, connection, session.account, session=session)


def with_witness(context: Context, session: Session, chosen: Chosen, witness: Witness) -> Asked:
    """Erase now, before a worker who signs in as a witness. It is done when this returns, or goes on by itself (`finished`): a store
    that does not answer then takes back nothing of what was decided (ADR 0088).

    BadInput("witness") when what the witness typed is not six words: nothing was tried then.
    """
    who.person(session)
    try:
        staff.password_of(witness.words)
    except BadInput as error:
        raise BadInput("witness", "error.witness-words") from error
    unlocking.confirm(context, session, chosen)
    seeing = sessions.find(context, working.sign_in(context, witness.code, witness.words, witness.totp))
    try:
        with sessions.acting(context, session) as connection:
            name = _may_witness(connection, seeing)
            asked = begin(context, connection, session.account, session=session, witness=seeing.account)
            seen = Event("erasure.witnessed", by=seeing.account, by_name=name)
            audit.record(context, connection, seeing, seen, person=session.account, worker=seeing.account)
    finally:
        sessions.end(context, seeing)
    return replace(asked, finished=_carried_out(context, asked.id))


def _carried_out(context: Context, erasure: str) -> bool:
    try:
        erasing.carry_out(context, erasure)
    except FAILURES as error:
        log.error("an erasure goes on by itself", error=type(error).__name__)
        return False
    return True


def _may_witness(connection: Connection, witness: Session) -> str:
    query = select(workers.c.first_name, workers.c.role, workers.c.state).where(workers.c.account == witness.account)
    row = connection.execute(query).one()
    if row.state != "certified" or not role(row.role).may_guard:
        raise NotAllowed
    return str(row.first_name)


def begin(
    context: Context,
    connection: Connection,
    person: str,
    *,
    session: Session | None,
    witness: str | None = None,
    register: str | None = None,
    of: tuple[str, ...] = ("open",),
    ordered: bool = False,
) -> Asked:
    """Begin the 72 hours (or none, with a witness), in the caller's transaction. Raises AfterRecovery, Restricted, Conflict.

    `of`: the states of an account that this may begin from. `ordered`: by a judge, whom a restriction does not hold back.
    """
    aftermath.refuse_while_held(context, connection, person)
    state = connection.execute(select(accounts.c.state).where(accounts.c.id == person).with_for_update()).scalar_one()
    if state not in of:
        raise Conflict
    if not ordered:
        restricting.refuse(connection, person)
    now, erasure = context.clock(), context.new_id()
    when = now if witness else now + dt.timedelta(hours=context.settings.retention.cooling_off_hours)
    connection.execute(
        insert(erasures).values(
            id=erasure, person=person, state=erasing.ASKED, asked=now, due=when, done=None, witness=witness, register=register
        )
    )
    audit.record(context, connection, session, Event("erasure.asked", by=person if session else ""), person=person)
    connection.execute(update(accounts).where(accounts.c.id == person).values(state="leaving"))
    connection.execute(update(ways).where(*_ways(person, "live")).values(state="leaving"))
    by_words = session is not None and _by_words(connection, session)
    sessions.end_all(context, connection, account=person)
    return Asked(certificates.number_of(erasure), when, erasure, by_words=by_words)


def _ways(person: str, state: str) -> tuple[ColumnElement[bool], ...]:
    """What a person shows to open: everything but their guardians, who can still bring them back."""
    return ways.c.account == person, ways.c.state == state, ways.c.kind != Kind.RECOVERY.value


def cancel(context: Context, kiosk: str | None, card: str, chosen: Chosen) -> None:
    """The card and the code say no within 72 hours: everything is there again. WrongSecret for anything else, and afterwards."""
    _cancel(context, try_card(context, kiosk, cards.read(card), chosen, states=("leaving",)))


def cancel_with_words(context: Context, kiosk: str | None, number: str, words: str) -> None:
    """The same with the number and the five words, for whoever has no card any more. WrongSecret, BadInput("number") or ("words")."""
    _cancel(context, try_words(context, kiosk, number, words, states=("leaving",)))


def _cancel(context: Context, tried: Tried) -> None:
    with context.database.transaction() as connection:
        trying.settle(connection, tried)
        cancelled = cancel_all(context, connection, tried.slot.account)
    if not cancelled:  # outside: a right secret stays counted as a right one
        raise WrongSecret


def cancel_all(context: Context, connection: Connection, person: str, *, by: str | None = None) -> bool:
    """Cancel what was asked for this person and not begun, in the caller's transaction. Tells whether there was something.

    `by`: who, for the history; themselves unless it says "" (the service).
    """
    asked = (erasures.c.person == person, erasures.c.state == erasing.ASKED)
    rows = connection.execute(select(erasures.c.id, erasures.c.register).where(*asked).with_for_update()).all()
    if not rows:
        return False
    connection.execute(update(erasures).where(*asked).values(state=erasing.CANCELLED, done=context.clock()))
    registers = [row.register for row in rows if row.register]
    closing = {"state": "closed", "closed": today_in_paris(context.clock()), "reason": "cancelled"}
    connection.execute(update(rights_requests).where(rights_requests.c.id.in_(registers)).values(**closing))
    mourning.close_lines(context, connection, person, "cancelled")  # whoever says no is not dead, in any register
    before = "frozen" if mourning.frozen_too(connection, person) else "open"  # a card that was blocked gains nothing by this
    connection.execute(update(accounts).where(accounts.c.id == person, accounts.c.state == "leaving").values(state=before))
    connection.execute(update(ways).where(*_ways(person, "leaving")).values(state="live"))
    if by == "":
        audit.record_if_sealed(context, connection, Event("erasure.cancelled"), person=person)
        notices.tell_if_told(context, connection, person, Notice("erasure-cancelled"))
    else:
        audit.record(context, connection, None, Event("erasure.cancelled", by=by or person), person=person)
        notices.tell(context, connection, person, Notice("erasure-cancelled"))
    return True
