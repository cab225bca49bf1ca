"""The key vault: random rows of 32 bytes, each destroyed alone, in a database of their own with backups of their own.

A row never leaves this module: it is only used as the key of HMAC-SHA256 over a caller's context, so that a key management
service could stand here. Nothing is remembered between two calls: a destroyed row is dead at the next request, in any process.

Each destroyed row leaves a tombstone, SHA-256 of its kind and id. Tombstones live in a third database (any URL; a second SQLite
file by default) because they must survive the loss of the vault and must never be rolled back with a backup of it; `restore`
applies them before it listens. Session rows have a table of their own that no backup contains, and so need no tombstone.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterator, Sequence, Set
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from sqlalchemy import URL, ColumnElement, Table, bindparam, delete, func, or_, select

from storage.database import WAIT_SECONDS, Database, LookUp, insert_once
from storage.errors import DatabaseBusy, DatabaseUnreachable, RowGone, StorageFull, VaultUnreachable
from storage.tables import tombstones, vault_rows, vault_sessions

Kind = Literal["person", "slot", "grant", "session"]
KINDS: tuple[Kind, ...] = ("person", "slot", "grant", "session")
BATCH = 400  # rows named in one statement
FEW = 4  # rows that are quicker to look up one by one
_ROW = select(vault_rows.c.row).where(vault_rows.c.kind == bindparam("kind"), vault_rows.c.id == bindparam("id"))
_SESSION_ROW = select(vault_sessions.c.row).where(vault_sessions.c.id == bindparam("id"))


class KeyVault:
    """Creates, uses and destroys rows. `url` and `tombstones_url` are databases as `storage.database.Database` takes them."""

    def __init__(self, url: str | URL, tombstones_url: str | URL, *, pool_size: int = 20, wait: float = WAIT_SECONDS) -> None:
        self.database = Database(url, pool_size=pool_size, wait=wait)
        self.graveyard = Database(tombstones_url, pool_size=2, wait=wait)
        self._look_up = LookUp(self.database, _ROW)
        self._look_up_session = LookUp(self.database, _SESSION_ROW)

    def create(self, kind: Kind, row_id: str, owner: str | None = None, *, at: datetime | None = None) -> None:
        """Draw a row, durable when this returns; safe to repeat. Raises RowGone when that row was destroyed before.

        `at`: the time, which the row of a session keeps, so that `sessions_before` finds it.
        """
        with _renamed():
            if kind != "session" and self._buried([(kind, row_id)]):
                raise RowGone("a destroyed row is not made again")
            values: dict[str, object] = {"id": row_id, "owner": owner, "row": secrets.token_bytes(32)}
            values |= {"created": at} if kind == "session" else {"kind": kind}
            with self.database.transaction() as connection:
                insert_once(connection, _table(kind), values)

    def derive(self, kind: Kind, row_id: str, context: bytes) -> bytes:
        """Compute HMAC-SHA256(row, context), 32 bytes. Raises RowGone, VaultUnreachable."""
        return hmac.digest(self._row(kind, row_id), context, "sha256")

    def derive_many(self, wanted: Sequence[tuple[Kind, str, bytes]]) -> list[bytes]:
        """Compute `derive` for each (kind, row_id, context) in order, reading each row once. RowGone if any is missing."""
        rows = self._rows({(kind, row_id) for kind, row_id, _ in wanted})
        # One of these copied a hundred times costs a third of a hundred new ones.
        ready = {name: hmac.new(row, digestmod="sha256") for name, row in rows.items()}
        return [_answer(ready[kind, row_id], context) for kind, row_id, context in wanted]

    def _row(self, kind: Kind, row_id: str) -> bytes:
        with _renamed():
            found = self._look_up_session({"id": row_id}) if kind == "session" else self._look_up({"kind": kind, "id": row_id})
        if found is None:
            raise RowGone(f"no {kind} row")
        return bytes(found[0])

    def _rows(self, wanted: Set[tuple[Kind, str]]) -> dict[tuple[Kind, str], bytes]:
        if len(wanted) <= FEW:
            return {(kind, row_id): self._row(kind, row_id) for kind, row_id in wanted}
        rows: dict[tuple[Kind, str], bytes] = {}
        with _renamed(), self.database.transaction(read_only=True) as connection:
            for kind, ids in _by_kind(wanted):
                found = connection.execute(select(_table(kind).c.id, _table(kind).c.row).where(*_is(kind, ids)))
                rows.update({(kind, row_id): row for row_id, row in found})
        if rows.keys() != wanted:
            raise RowGone("a row is missing")
        return rows

    def exists(self, kind: Kind, row_id: str) -> bool:
        """Tell whether a row lives."""
        with _renamed(), self.database.transaction(read_only=True) as connection:
            return bool(connection.scalar(select(func.count()).where(*_is(kind, [row_id]))))

    def owned(self, owner: str) -> list[tuple[Kind, str]]:
        """Tell the rows of one person or worker: their own, and those made in their name."""
        with _renamed(), self.database.transaction(read_only=True) as connection:
            kept = connection.execute(select(vault_rows.c.kind, vault_rows.c.id).where(_belongs(vault_rows, owner)))
            open_ones = connection.scalars(select(vault_sessions.c.id).where(_belongs(vault_sessions, owner)))
            return [(kind, row_id) for kind, row_id in kept] + [("session", row_id) for row_id in open_ones]

    def sessions_before(self, before: datetime) -> list[str]:
        """Tell the sessions that began before then."""
        with _renamed(), self.database.transaction(read_only=True) as connection:
            return list(connection.scalars(select(vault_sessions.c.id).where(vault_sessions.c.created < before)))

    def destroy(self, rows: Sequence[tuple[Kind, str]], at: datetime) -> None:
        """Destroy rows: tombstones first, then the rows, then what the files of the database still hold of them.

        When this returns the bytes are gone from the live database; backups keep them 30 days at most. Safe to repeat: rows that
        are already gone are no error. Raises VaultUnreachable, NotSecured: the rows may then live, or their bytes remain.
        """
        if not rows:
            return
        with _renamed():
            self._bury([row for row in rows if row[0] != "session"], at)
            with self.database.transaction() as connection:
                for kind, ids in _by_kind(rows):
                    connection.execute(delete(_table(kind)).where(*_is(kind, ids)))
            self.database.secure(*{_table(kind) for kind, _ in rows}, rewrite=True)

    def destroy_owned(self, owner: str, at: datetime, kinds: Sequence[Kind] = KINDS) -> int:
        """Destroy the rows of one person or worker, all kinds or some; tells how many."""
        rows = [row for row in self.owned(owner) if row[0] in kinds]
        self.destroy(rows, at)
        return len(rows)

    def apply_tombstones(self) -> int:
        """After a restore and before listening: destroy again what was destroyed since that backup; tells how many rows."""
        with _renamed():
            risen = self.risen()
            with self.database.transaction() as connection:
                for kind, ids in _by_kind(risen):
                    connection.execute(delete(vault_rows).where(*_is(kind, ids)))
                connection.execute(delete(vault_sessions))
            self.database.secure(vault_rows, vault_sessions, rewrite=True)
        return len(risen)

    def risen(self) -> list[tuple[Kind, str]]:
        """After a restore: the rows that a tombstone says were destroyed, and that are here."""
        with _renamed():
            with self.graveyard.transaction(read_only=True) as connection:
                dead = set(connection.scalars(select(tombstones.c.digest)))
            with self.database.transaction(read_only=True) as connection:
                living = connection.execute(select(vault_rows.c.kind, vault_rows.c.id)).all()
        return [(kind, row_id) for kind, row_id in living if _digest(kind, row_id) in dead]

    def forget_tombstones(self, before: datetime) -> int:
        """Remove the tombstones of rows that no backup can hold any more; tells how many."""
        with _renamed(), self.graveyard.transaction() as connection:
            return connection.execute(delete(tombstones).where(tombstones.c.destroyed < before)).rowcount

    def forget_log(self) -> None:
        """Once a day: what the database's own log of changes repeats of destroyed rows goes too. Raises NotSecured."""
        with _renamed():
            self.database.forget_log()

    def check(self) -> None:
        """Raise VaultUnreachable when rows cannot be read or tombstones cannot be looked up."""
        with _renamed():
            self._look_up({"kind": "person", "id": ""})
            self._buried([("person", "")])

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
        self.graveyard.close()

    def _buried(self, rows: Sequence[tuple[Kind, str]]) -> set[str]:
        digests = [_digest(kind, row_id) for kind, row_id in rows]
        with self.graveyard.transaction(read_only=True) as connection:
            return {
                digest
                for start in range(0, len(digests), BATCH)
                for digest in connection.scalars(
                    select(tombstones.c.digest).where(tombstones.c.digest.in_(digests[start : start + BATCH]))
                )
            }

    def _bury(self, rows: Sequence[tuple[Kind, str]], at: datetime) -> None:
        stones = [{"digest": _digest(kind, row_id), "destroyed": at} for kind, row_id in rows]
        if stones:
            with self.graveyard.transaction() as connection:
                insert_once(connection, tombstones, *stones)


def _answer(ready: hmac.HMAC, context: bytes) -> bytes:
    one = ready.copy()
    one.update(context)
    return one.digest()


def _table(kind: Kind) -> Table:
    return vault_sessions if kind == "session" else vault_rows


def _is(kind: Kind, ids: Sequence[str]) -> list[ColumnElement[bool]]:
    if kind == "session":
        return [vault_sessions.c.id.in_(ids)]
    return [vault_rows.c.kind == kind, vault_rows.c.id.in_(ids)]


def _belongs(table: Table, owner: str) -> ColumnElement[bool]:
    return or_(table.c.owner == owner, table.c.id == owner)


def _by_kind(rows: Collection[tuple[Kind, str]]) -> Iterator[tuple[Kind, list[str]]]:
    """Group rows into statements of a bounded size."""
    for kind in KINDS:
        ids = sorted({row_id for known, row_id in rows if known == kind})
        for start in range(0, len(ids), BATCH):
            yield kind, ids[start : start + BATCH]


def _digest(kind: Kind, row_id: str) -> str:
    return hashlib.sha256(f"{kind}/{row_id}".encode()).hexdigest()


@contextmanager
def _renamed() -> Iterator[None]:
    try:
        yield
    except (DatabaseBusy, DatabaseUnreachable, StorageFull) as error:
        raise VaultUnreachable("the key vault does not answer") from error
