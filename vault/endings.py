"""What must die after a transaction: rows of the key vault, blobs in the store. They live elsewhere and cannot commit with it.

The transaction writes down what is to die (an intention, a doomed blob); it dies right after the commit; if the process dies
first, the background work finishes it. Every step may run twice.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from storage import intentions
from storage.blobs import BlobName
from storage.database import after_commit
from storage.errors import StorageError
from storage.keyvault import Kind
from storage.tables import doomed_blobs
from vault.context import Context

_PREFIX = "end-"  # intentions of the kinds end-slot, end-grant, end-person
BATCH = 200
AWAY = 3  # so many blobs one after the other that do not go: it is the store that is away
SOON = dt.timedelta(seconds=60)  # what a living process is finishing by itself right now is left to it


def end_rows(context: Context, connection: Connection, rows: Iterable[tuple[Kind, str]]) -> None:
    """Destroy these rows of the key vault as soon as the transaction is durable, whatever happens to this process."""
    at = context.clock()
    begun = [
        intentions.declare(connection, intention=context.new_id(), kind=f"{_PREFIX}{kind}", subject=row, at=at)
        for kind, row in rows
    ]
    if begun:
        after_commit(connection, partial(_end, context, begun))


def end_row(context: Context, connection: Connection, kind: Kind, row: str) -> None:
    """Destroy one row of the key vault as soon as the transaction is durable."""
    end_rows(context, connection, [(kind, row)])


def doom(context: Context, connection: Connection, blobs: Sequence[str]) -> None:
    """Delete these blobs, all their versions, as soon as the transaction is durable."""
    if not blobs:
        return
    put = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    at = context.clock()
    connection.execute(put(doomed_blobs).on_conflict_do_nothing(), [{"blob": blob, "since": at} for blob in blobs])
    after_commit(connection, partial(_delete_at_once, context, list(blobs)))


def doom_of_erasure(context: Context, connection: Connection, blobs: Select[Any], erasure: str) -> None:
    """Write down the blobs that a query names, as many as there are, without fetching one, for the erasure that waits for them:
    whoever calls this calls `finish` with it next."""
    put = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    since, waits = literal(context.clock(), doomed_blobs.c.since.type), literal(erasure, doomed_blobs.c.erasure.type)
    named = put(doomed_blobs).from_select(["blob", "since", "erasure"], blobs.add_columns(since, waits))
    connection.execute(named.on_conflict_do_update(index_elements=["blob"], set_={"erasure": erasure}))


def finish(context: Context, before: dt.datetime | None = None, *, erasure: str | None = None) -> int:
    """Finish what a process left behind; a scheduled task. `before`: only what was begun earlier. Tells how many things ended.

    A blob that the store does not delete keeps no other from going: what it answered is raised at the end. `AWAY` of them in a row
    end this run, and the next one begins elsewhere. With `erasure`, only when one of that erasure's own is left: its certificate waits
    for nobody else's.
    """
    with context.database.transaction(read_only=True) as connection:
        begun = [one for one in intentions.pending(connection) if one.kind.startswith(_PREFIX)]
    begun = [one for one in begun if before is None or one.created <= before]
    for start in range(0, len(begun), BATCH):
        _end(context, begun[start : start + BATCH])
    due = [] if before is None else [doomed_blobs.c.since <= before]
    if erasure is None:
        return len(begun) + _finish_blobs(context, *due)
    ended = len(begun) + _finish_blobs(context, doomed_blobs.c.erasure == erasure)
    with suppress(StorageError):
        ended += _finish_blobs(context, *due)
    return ended


def _finish_blobs(context: Context, *which: ColumnElement[bool]) -> int:
    ended, left, start = 0, None, secrets.token_hex(16)  # somewhere in the round of all names
    for last, side in ((start, doomed_blobs.c.blob > start), ("", doomed_blobs.c.blob <= start)):
        while blobs := _doomed(context, last, side, *which):
            gone, failed = _delete_blobs(context, blobs)
            ended, last, left = ended + gone, blobs[-1], failed or left
    if left is not None:
        raise left
    return ended


def _doomed(context: Context, last: str, *which: ColumnElement[bool]) -> Sequence[str]:
    """The next blobs that are to die, a batch at a time: their names are never all in memory."""
    query = select(doomed_blobs.c.blob).where(doomed_blobs.c.blob > last, *which).order_by(doomed_blobs.c.blob).limit(BATCH)
    with context.database.transaction(read_only=True) as connection:
        return connection.scalars(query).all()


def _end(context: Context, begun: Sequence[intentions.Intention]) -> None:
    rows: list[tuple[Kind, str]] = [(_kind(one.kind), one.subject) for one in begun]
    context.keyvault.destroy(rows, context.clock())
    with context.database.transaction() as connection:
        for one in begun:
            intentions.finish(connection, one.id)


def _kind(name: str) -> Kind:
    match name.removeprefix(_PREFIX):
        case "slot":
            return "slot"
        case "grant":
            return "grant"
        case "person":
            return "person"
    raise ValueError(f"no row of the key vault ends as {name}")


def _delete_at_once(context: Context, blobs: Sequence[str]) -> None:
    """What the transaction did holds, whatever the store answers now: what is written down dies later."""
    with suppress(StorageError):
        _delete_blobs(context, blobs)


def _delete_blobs(context: Context, blobs: Sequence[str]) -> tuple[int, StorageError | None]:
    """Delete what can be; gives how many went, and what the store answered to one that did not. Raises when it answers to none."""
    gone: list[str] = []
    failed, in_a_row = None, 0
    for blob in blobs:
        try:
            context.blobs.delete(BlobName(blob))
        except StorageError as error:
            failed, in_a_row = error, in_a_row + 1
            if in_a_row == AWAY:
                break
        else:
            gone.append(blob)
            in_a_row = 0
    if gone:
        with context.database.transaction() as connection:
            named = doomed_blobs.c.blob == bindparam("gone")
            connection.execute(delete(doomed_blobs).where(named), [{"gone": blob} for blob in gone])
    if failed is not None and in_a_row == AWAY:
        raise failed
    return len(gone), failed
