"""Named workers of structures: invited in person, with six drawn words and an authenticator; certified by two administrators.

Names are first names. Roles that do not last have an end date; a suspended worker opens nothing and comes back to what was still
granted; who ends never comes back, and every share to them ends in the same instant.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, or_, select, update

from consent.days import PARIS
from consent.errors import ConsentError
from consent.ids import WorkerId
from consent.recipients import RecipientEvent, RecipientState, next_state
from crypto.errors import CryptoError
from storage.tables import accounts, structures, workers
from vault import administrators, audit, certifying, confirming, passkeys, sessions, slots, staff
from vault.certifying import certify, recipient, verified_certificate
from vault.confirming import Act, Proof
from vault.context import Context, StructureId
from vault.errors import Absent, Conflict, NotAllowed, NotCertified, NotThere, WrongSecret
from vault.events import Event
from vault.inviting import Acceptance, Invitation, accept, acceptance, cancel_invitation, invitations, invite, start_accepting
from vault.places import structure_of
from vault.sessions import Session
from vault.settings import today_in_paris

__all__ = [
    "Acceptance", "Invitation", "KnownWorker", "Structure", "WorkerLine", "accept", "acceptance", "cancel_invitation", "certify",
    "create_structure", "end", "end_due", "invitations", "invite", "me", "of_office", "recipient", "recipients", "return_",
    "shown", "sign_in", "start_accepting", "structures_of", "suspend", "verified_certificate",
]  # fmt: skip


@dataclass(frozen=True)
class Structure:
    """A place of an operator where people are received."""

    id: StructureId
    name: str
    contact: str


@dataclass(frozen=True)
class KnownWorker:
    """A worker as people see them: first name, role, structure. `here`: in the structure of the kiosk that is looked at."""

    id: WorkerId
    first_name: str
    role: str
    structure: StructureId
    structure_name: str
    state: RecipientState
    absent_until: dt.date | None
    here: bool = False


@dataclass(frozen=True)
class WorkerLine:
    """A worker as their administrators see them."""

    id: WorkerId
    first_name: str
    role: str
    structure_name: str
    state: RecipientState
    ends: dt.date | None
    absent_until: dt.date | None
    code: str
    signed_by: tuple[str, ...]
    may_i_sign: bool


def create_structure(context: Context, session: Session, name: str, contact: str) -> StructureId:
    """A new structure of the administrator's operator; receipts say its name and its contact. BadInput("name"), ("contact")."""
    structure = StructureId(context.new_id())
    with context.database.transaction() as connection:
        operator = administrators.operator_of(connection, session)
        said = {"name": administrators.checked_name(name), "contact": administrators.checked_contact(contact)}
        connection.execute(insert(structures).values(id=structure, operator=operator, **said))
    return structure


def structures_of(context: Context, session: Session) -> list[Structure]:
    """The structures of the administrator's operator."""
    with context.database.transaction(read_only=True) as connection:
        operator = administrators.operator_of(connection, session)
        rows = connection.execute(select(structures).where(structures.c.operator == operator).order_by(structures.c.name))
        return [Structure(StructureId(row.id), row.name, row.contact) for row in rows]


def sign_in(context: Context, code: str, words: Sequence[str] | str, second: str, kiosk: str | None = None) -> str:
    """A session of the desk. `second`: six digits, or the words of the sheet. WrongSecret, MustWait, Busy, BadInput; Absent for a
    suspended worker, NotCertified for a new one.
    """
    return staff.sign_in(context, "worker", code, words, second, kiosk=kiosk, admit=admission(context))


def admission(context: Context) -> staff.Admit:
    """Who may come in to the desk: gives their first name. WrongSecret for who has left, Absent, NotCertified."""
    today = today_in_paris(context.clock())

    def admit(connection: Connection, account: str) -> str:
        row = connection.execute(select(workers).where(workers.c.account == account)).one()
        if row.state == RecipientState.ENDED or (row.ends is not None and row.ends < today):
            raise WrongSecret
        if row.state == RecipientState.SUSPENDED:
            raise Absent(row.absent_until)
        if row.state != RecipientState.CERTIFIED:
            raise NotCertified
        name: str = row.first_name
        return name

    return admit


def suspend(context: Context, session: Session, worker: str, until: dt.date | None) -> None:
    """The worker is away: sessions end, nothing opens; what was granted waits for them, and each person is asked who else meanwhile."""
    from vault import succession  # it knows workers

    with context.database.transaction() as connection:
        _move(connection, session, worker, RecipientEvent.SUSPEND, absent_until=until, away_since=context.clock())
        sessions.end_all(context, connection, account=worker)
        succession.tell_of_absence(context, connection, worker)
        _record(context, connection, session, worker, "worker.suspended")


def return_(context: Context, session: Session, worker: str) -> None:
    """The worker is back: everything still granted opens again."""
    with context.database.transaction() as connection:
        _move(connection, session, worker, RecipientEvent.RETURN, absent_until=None, away_since=None)
        _record(context, connection, session, worker, "worker.returned")


def ending(context: Context, session: Session, worker: str) -> Act:
    """What is confirmed before a worker is ended. NotThere for a worker of another operator."""
    with context.database.transaction(read_only=True) as connection:
        row = connection.execute(select(workers.c.structure).where(workers.c.account == worker)).one_or_none()
        if row is None:
            raise NotThere
        administrators.check_structure(connection, session, row.structure)
    return Act.on("worker.end", worker)


def end(context: Context, session: Session, worker: str, proof: Proof | None = None) -> None:
    """The worker leaves for good: shares, sessions and the way into their keys end together. `proof`: see `confirming.require`."""
    confirming.require(context, session, ending(context, session, worker), proof)
    with context.database.transaction() as connection:
        _move(connection, session, worker, RecipientEvent.END, absent_until=None)
        _close(context, connection, worker)
        _record(context, connection, session, worker, "worker.ended")


def end_due(context: Context) -> int:
    """End the accounts whose last day is over; a scheduled task. Gives how many."""
    today = today_in_paris(context.clock())
    due = select(workers.c.account).where(workers.c.ends < today, workers.c.state != RecipientState.ENDED)
    with context.database.transaction(read_only=True) as connection:
        waiting = list(connection.scalars(due))
    for worker in waiting:  # one transaction each: a long one would keep everybody waiting
        end_by_service(context, worker)
    return len(waiting)


def end_by_service(context: Context, worker: str) -> None:
    """End an account without anybody there: its day is over, or a restore finds every way into it dead."""
    with context.database.transaction() as connection:
        same = (workers.c.account == worker, workers.c.state != RecipientState.ENDED)
        if connection.execute(update(workers).where(*same).values(state=RecipientState.ENDED.value)).rowcount:
            _close(context, connection, worker)
            audit.record_if_sealed(context, connection, Event("worker.ended"), worker=worker)


def of_office(context: Context, session: Session) -> list[WorkerLine]:
    """The workers of the administrator's operator, those who wait for a signature first."""
    with context.database.transaction(read_only=True) as connection:
        operator = administrators.operator_of(connection, session)
        query = _all().where(structures.c.operator == operator).order_by(workers.c.state.desc(), workers.c.first_name)
        lines = [_line(context, connection, session, row) for row in connection.execute(query).all()]
    return sorted(lines, key=lambda line: line.state != RecipientState.INVITED)


def me(context: Context, session: Session) -> KnownWorker:
    """Who is signed in at the desk."""
    if session.kind != "worker":
        raise NotAllowed
    with context.database.transaction(read_only=True) as connection:
        return shown(connection, session.account)


def shown(connection: Connection, worker: str) -> KnownWorker:
    """A worker's shown name, role and structure, as the rows say; raises NotThere."""
    row = connection.execute(_all().where(workers.c.account == worker)).one_or_none()
    if row is None:
        raise NotThere
    return _known(row, None)


def recipients(context: Context, session: Session) -> list[KnownWorker]:
    """Who the person may choose: certified workers whose certificate holds, those of this kiosk's structure first."""
    today = today_in_paris(context.clock())
    with context.database.transaction(read_only=True) as connection:
        here = structure_of(connection, session.kiosk)
        query = _all().where(
            workers.c.state == RecipientState.CERTIFIED.value, or_(workers.c.ends.is_(None), workers.c.ends >= today)
        )
        found = [_known(row, here) for row in connection.execute(query).all() if _verifies(context, connection, row.account)]
    return sorted(found, key=lambda one: (not one.here, one.structure_name, one.first_name))


def _verifies(context: Context, connection: Connection, worker: str) -> bool:
    try:
        verified_certificate(context, connection, worker)
    except (CryptoError, NotThere):
        return False
    return True


def _all() -> Select[Any]:
    return select(workers, structures.c.name.label("structure_name"), structures.c.operator).join(
        structures, structures.c.id == workers.c.structure
    )


def _known(row: Row[Any], here: str | None) -> KnownWorker:
    return KnownWorker(
        WorkerId(row.account), row.first_name, row.role, StructureId(row.structure), row.structure_name,
        RecipientState(row.state), row.absent_until, here=row.structure == here,
    )  # fmt: skip


def _line(context: Context, connection: Connection, session: Session, row: Row[Any]) -> WorkerLine:
    by = certifying.signed_by(context, connection, row.account)
    names = tuple(sorted(administrators.first_name(connection, one) for one in by))
    waits = row.state == RecipientState.INVITED and row.charter_version is not None
    return WorkerLine(
        WorkerId(row.account), row.first_name, row.role, row.structure_name, RecipientState(row.state), row.ends,
        row.absent_until, row.code, names, waits and session.account not in by,
    )  # fmt: skip


def _move(
    connection: Connection, session: Session, worker: str, event: RecipientEvent, **more: dt.date | dt.datetime | None
) -> None:
    """One step of a worker's account, by an administrator of their operator, and what it changes: NotThere, Conflict."""
    row = connection.execute(
        select(workers.c.structure, workers.c.state).where(workers.c.account == worker).with_for_update()
    ).first()
    if row is None:
        raise NotThere
    administrators.check_structure(connection, session, row.structure)
    try:
        after = next_state(RecipientState(row.state), event)
    except ConsentError as error:
        raise Conflict from error
    connection.execute(update(workers).where(workers.c.account == worker).values(state=after.value, **more))


def _close(context: Context, connection: Connection, worker: str) -> None:
    from vault import deaths, guardians, withdrawing  # they know workers; only here does a worker's end reach them

    deaths.guardian_left(connection, worker)  # first: an approval holds its line of the register before it writes into the trace
    name: str = connection.execute(select(workers.c.first_name).where(workers.c.account == worker)).scalar_one()
    withdrawing.end_grants_of(context, connection, worker)
    guardians.guardian_left(context, connection, worker, name)
    slots.end(context, connection, slots.living(connection, worker))
    passkeys.forget(connection, worker)
    sessions.end_all(context, connection, account=worker)
    connection.execute(update(accounts).where(accounts.c.id == worker).values(state="ended"))
    today = today_in_paris(context.clock())  # from this day on their name is kept for twelve months
    leaving = (workers.c.account == worker, workers.c.left_on.is_(None))
    # Who was suspended earlier on this very day is away since the end: of two moments of one day the row could not tell which it holds.
    midnight = dt.datetime.combine(today, dt.time(), PARIS).astimezone(dt.UTC)
    until_today = workers.c.away_since.is_(None) | (workers.c.away_since >= midnight)
    connection.execute(update(workers).where(*leaving, until_today).values(away_since=context.clock()))
    connection.execute(update(workers).where(*leaving).values(left_on=today))


def _record(context: Context, connection: Connection, session: Session, worker: str, tag: str) -> None:
    event = Event(tag, by=session.account, by_name=administrators.first_name(connection, session.account))
    audit.record(context, connection, session, event, worker=worker)
