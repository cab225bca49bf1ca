"""Lists of papers as an operator's administrators keep them: each change is a new edition, with who and when; all stay readable.

The file that the service is delivered with is edition 0. Workers read their own operator's editions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from crypto.canonical import canonical, parse
from crypto.errors import Malformed
from storage.tables import administrators, procedure_editions, structures, workers
from vault import administrators as office
from vault import audit, who
from vault.context import Context
from vault.errors import BadInput, Conflict, NotThere, Tampered
from vault.events import Event
from vault.procedures import Procedure, seed
from vault.sessions import Session


@dataclass(frozen=True)
class Edition:
    """A procedure as it stood from one change to the next. `by` is empty for the delivered list and for an account that is gone."""

    number: int
    procedure: Procedure
    by: str
    at: datetime | None


def _read(content: str) -> Procedure:
    try:
        return Procedure.from_value(parse(content.encode()))
    except Malformed:
        raise Tampered from None


def _of_operator(connection: Connection, operator: str) -> dict[str, Edition]:
    """Each procedure in its last edition, in the order of the file."""
    rows = connection.execute(
        select(procedure_editions, administrators.c.first_name)
        .outerjoin(administrators, administrators.c.account == procedure_editions.c.by)
        .where(procedure_editions.c.operator == operator)
        .order_by(procedure_editions.c.number)
    )
    found = {slug: Edition(0, procedure, "", None) for slug, procedure in seed().items()}
    for row in rows:
        found[row.procedure] = Edition(row.number, _read(row.content), row.first_name or "", row.at)
    return found


def _operator_of_worker(connection: Connection, worker: str) -> str:
    query = select(structures.c.operator).join(workers, workers.c.structure == structures.c.id)
    operator: str | None = connection.execute(query.where(workers.c.account == worker)).scalar_one_or_none()
    if operator is None:
        raise NotThere
    return operator


def for_worker(context: Context, session: Session) -> Mapping[str, Procedure]:
    """The procedures of the worker's operator, by slug."""
    who.worker(session)
    return asked_by(context, session.account)


def asked_by(context: Context, worker: str) -> Mapping[str, Procedure]:
    """The same for whoever is asked by this worker: both read one list."""
    with context.database.transaction(read_only=True) as connection:
        found = _of_operator(connection, _operator_of_worker(connection, worker))
    return {slug: edition.procedure for slug, edition in found.items()}


def of_office(context: Context, session: Session) -> Mapping[str, Edition]:
    """The procedures of the administrator's operator, each in its last edition."""
    with context.database.transaction(read_only=True) as connection:
        return _of_operator(connection, office.operator_of(connection, session))


def editions(context: Context, session: Session, slug: str) -> list[Edition]:
    """Every edition of one procedure, the last first; NotThere."""
    if slug not in seed():
        raise NotThere
    with context.database.transaction(read_only=True) as connection:
        operator = office.operator_of(connection, session)
        rows = connection.execute(
            select(procedure_editions, administrators.c.first_name)
            .outerjoin(administrators, administrators.c.account == procedure_editions.c.by)
            .where(procedure_editions.c.operator == operator, procedure_editions.c.procedure == slug)
            .order_by(procedure_editions.c.number.desc())
        )
        changed = [Edition(row.number, _read(row.content), row.first_name or "", row.at) for row in rows]
    return [*changed, Edition(0, seed()[slug], "", None)]


def change(context: Context, session: Session, procedure: Procedure, *, based_on: int) -> int:
    """Keep a new edition and give its number. Conflict when somebody changed it since edition `based_on`; BadInput."""
    if procedure.id not in seed():
        raise NotThere
    if not procedure.source:
        raise BadInput("source")
    now = context.clock()
    with context.database.transaction() as connection:
        operator = office.operator_of(connection, session)
        last = _of_operator(connection, operator)[procedure.id]
        if last.number != based_on:
            raise Conflict
        if last.procedure == procedure:
            return last.number
        connection.execute(
            insert(procedure_editions).values(
                operator=operator, procedure=procedure.id, number=last.number + 1, by=session.account, at=now,
                content=canonical(procedure.to_value()).decode(),
            )
        )  # fmt: skip
        event = Event(
            "procedure.changed", by=session.account, by_name=office.first_name(connection, session.account), detail=procedure.id
        )  # fmt: skip
        audit.record(context, connection, session, event, worker=session.account)
    return last.number + 1
