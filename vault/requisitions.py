"""What the police or a judge may be given for an account number: the columns that are in clear, of its rows, and nothing else.

Which columns is said by the schema itself (`storage.columns.CLEAR`), as in `docs/data-inventory.md`; a name is never searched, and
nothing here reads a sealed column, a blob or the key vault. Two administrators have approved before; each extract is written down; the
person is told, at once or on the day until which the paper forbids it (code of criminal procedure 60-1, 77-1-1, 99-3).
"""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, or_, select, update

from storage.columns import CLEAR
from storage.tables import accounts, metadata, rights_requests
from vault import administrators as office
from vault import audit, certificates, notices
from vault.context import Context
from vault.errors import Conflict, NotThere
from vault.events import Event
from vault.notices import Notice
from vault.one_by_one import each
from vault.sessions import Session
from vault.settings import today_in_paris

FORMAT = "abri-requisition-1"
OWNERS = ("person", "account")
NOT_THEIRS = ("rights_requests", "death_reports", "workers", "administrators", "certificate_signatures", "invitations")
"""The register is the association's own, and staff are no safe."""


def clear_columns(table: Table) -> list[Column[Any]]:
    """The columns of a table that are readable by whoever holds the rows, and that an authority may be given."""
    return [column for column in table.columns if column.info["data"] in CLEAR]


def tables_of_a_person() -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Every table with rows of one person, and which rows: by their own column, or by the rows that they hang on. `:person` is bound."""
    person: ColumnElement[str] = bindparam("person")
    theirs: dict[str, ColumnElement[bool]] = {"accounts": accounts.c.id == person}
    for table in metadata.sorted_tables:
        if table.name in NOT_THEIRS:
            continue
        if table.name not in theirs:
            owner = next((table.columns[name] for name in OWNERS if name in table.columns), None)
            hangs = [
                column.in_(select(key.column).where(theirs[key.column.table.name]))
                for column in table.columns
                for key in column.foreign_keys
                if key.column.table.name in theirs and key.column.table.name != "accounts"
            ]
            if owner is None and not hangs:
                continue
            theirs[table.name] = owner == person if owner is not None else or_(*hangs)
        yield table, theirs[table.name]


def extract(context: Context, session: Session, request: str) -> bytes:
    """What is in clear for the account number of a requisition, as one JSON text. Traced, each time.

    NotThere for another operator's, Conflict before two have approved, after it was closed, or when no number was given: a name
    cannot be searched. A number that nobody has gives no rows.
    """
    with context.database.transaction() as connection:
        ours = (rights_requests.c.id == request, rights_requests.c.operator == office.operator_of(connection, session))
        row = connection.execute(select(rights_requests).where(*ours).with_for_update()).mappings().one_or_none()
        if row is None:
            raise NotThere
        if row["kind"] != "requisition" or row["state"] != "carrying-out" or not row["numbered"]:
            raise Conflict
        name = office.first_name(connection, session.account)
        told = Event("requisition.extracted", by=session.account, by_name=name, detail=certificates.number_of(request))
        audit.record(context, connection, session, told, worker=session.account)
        found = _rows(connection, row["person"]) if row["person"] else {}
    content = {
        "format": FORMAT,
        "number": certificates.number_of(request),
        "day": today_in_paris(context.clock()),
        "tables": found,
    }
    return (json.dumps(content, ensure_ascii=False, indent=1, default=_plain) + "\n").encode()


def _rows(connection: Connection, person: str) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for table, which in tables_of_a_person():
        columns = clear_columns(table)
        rows = connection.execute(select(*columns).where(which), {"person": person}).mappings().all()
        if rows:
            found[table.name] = [dict(row) for row in rows]
    return found


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def tell(context: Context, connection: Connection, request: str, person: str, day: dt.date) -> None:
    """The person is told of a requisition, in the caller's transaction: in their history and at their next opening."""
    notices.tell(context, connection, person, Notice("requisition", {"day": day.isoformat()}))
    audit.record(context, connection, None, Event("requisition.answered"), person=person)
    told = update(rights_requests).where(rights_requests.c.id == request)
    connection.execute(told.values(told=today_in_paris(context.clock())))


def tell_due(context: Context) -> int:
    """Tell those whom an authority had forbidden to tell, on the day from which it may be said; a scheduled task."""
    today = today_in_paris(context.clock())
    wanted = (
        rights_requests.c.kind == "requisition", rights_requests.c.state.in_(("carrying-out", "closed")),
        rights_requests.c.person.is_not(None), rights_requests.c.told.is_(None), rights_requests.c.opens <= today,
    )  # fmt: skip
    with context.database.transaction(read_only=True) as connection:
        due = connection.scalars(select(rights_requests.c.id).where(*wanted)).all()

    def tell_one(request: str) -> bool:
        with context.database.transaction() as connection:
            held = select(rights_requests.c.person, rights_requests.c.received).where(rights_requests.c.id == request, *wanted)
            row = connection.execute(held.with_for_update()).one_or_none()
            if row is not None:
                tell(context, connection, request, row.person, row.received)
        return row is not None

    return each("requisition", due, tell_one)
