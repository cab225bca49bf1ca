"""What is made before a transaction, because it lives elsewhere: blobs in the store, rows of the key vault.

It goes again when the transaction does not hold. An exception alone does not say that: what follows a commit may fail too, and
then what was made belongs to rows that are there. So the rows are asked first, and whoever cannot tell leaves everything.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, select

from storage.errors import DatabaseUnreachable, StorageError
from vault.context import Context

Written = Callable[[Connection], bool]


@contextmanager
def undone_unless(context: Context, written: Written, undo: Callable[[], object]) -> Iterator[None]:
    """Run `undo` when the block raises and the rows do not know what was made. Around the transaction that writes it.

    A database that went away in the commit may have kept everything: nothing is undone then. A sweep finds blobs that no row names.
    """
    try:
        yield
    except DatabaseUnreachable:
        raise
    except BaseException:
        with suppress(StorageError):
            if not _asked(context, written):
                undo()
        raise


@contextmanager
def vault_row(context: Context, person: str, row: str, column: Column[Any]) -> Iterator[None]:
    """A row of the key vault for a share, or what lives as one: it dies when the transaction inside does not write `column`."""
    context.keyvault.create("grant", row, person)
    dies = partial(context.keyvault.destroy, [("grant", row)], context.clock())
    with undone_unless(context, row_is_there(column, row), dies):
        yield


def row_is_there(column: Column[Any], value: str) -> Written:
    """Whether a table has a row of this name."""
    return lambda connection: connection.execute(select(column).where(column == value)).first() is not None


def _asked(context: Context, written: Written) -> bool:
    with context.database.transaction(read_only=True) as connection:
        return written(connection)
