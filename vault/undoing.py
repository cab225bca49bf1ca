"""What two have decided is undone by two: the first administrator asks, with a reason; another one says the same, or it stays.

Refusing what was approved, refusing a death that guardians have signed, closing a judge's order and so lifting it. Taking back the
asking needs nobody: then everything is as it was decided.
"""

from sqlalchemy import Connection, RowMapping, update

from storage.tables import rights_requests
from vault import register_lines
from vault.context import Context
from vault.errors import Conflict, NotAllowed
from vault.sessions import Session


def refusing_takes_two(row: RowMapping) -> bool:
    """Whether refusing this line undoes what two have decided or signed."""
    return bool(row["state"] == "approved" or (row["kind"] == "death" and row["state"] == "identified"))


def closing_takes_two(row: RowMapping) -> bool:
    """Whether closing this line undoes what two have decided: a judge's order, which closing lifts."""
    return bool(row["kind"] == "court-order" and row["person"] and row["state"] == "carrying-out")


def seconded(context: Context, connection: Connection, session: Session, row: RowMapping, reason: str) -> bool:
    """Whether another administrator has asked for it already; otherwise it is asked now. NotAllowed for the one who has asked."""
    if row["undoing"] == session.account:
        raise NotAllowed
    if row["undoing"] is not None:
        return True
    _write(connection, row["id"], session.account, reason)
    register_lines.tell(context, connection, session, row, "rights.undo-asked", None)
    return False


def forget(connection: Connection, request: str) -> None:
    """The line has moved on: what was asked before is asked no more, in the caller's transaction."""
    _write(connection, request, None, None)


def keep(context: Context, session: Session, request: str) -> None:
    """It stays as it was decided. Conflict when nobody has asked for anything else."""
    with context.database.transaction() as connection:
        row = register_lines.mine(connection, session, request)
        if row["undoing"] is None or row["closed"] is not None:
            raise Conflict
        forget(connection, request)
        register_lines.tell(context, connection, session, row, "rights.undo-kept", None)


def _write(connection: Connection, request: str, by: str | None, reason: str | None) -> None:
    values = {"undoing": by, "undoing_reason": reason}
    connection.execute(update(rights_requests).where(rights_requests.c.id == request).values(**values))
