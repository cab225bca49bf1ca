"""A restore comes to its end whatever its backup holds: a row of the key vault that is not there, keys that do not hold."""

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Connection, delete, exists, insert, make_url, select, update

from consent.grant import GrantState
from storage.blobs import BlobStore
from storage.database import Database
from storage.tables import accounts, grants, metadata, slots, vault_rows, workers, wraps
from tests.faults.test_locked_house import live
from tests.vault.builders import OTHER_CODE, make_person, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import make_circle
from tests.vault.papers import SAID, keep
from tests.vault.test_afresh import Meanwhile
from tests.vault.test_erasure import share
from tests.vault.test_restore import FOR_RECOVERY, new_machine, opened, put_back, three
from vault import audit, backups, erasing, erasure, notices, restoring, withdrawing
from vault import workers as working
from vault.context import Context
from vault.errors import WrongSecret


def test_of_every_account_the_row_of_the_key_vault_may_be_gone(house: Context, clock: Clock, tmp_path: Path) -> None:
    """Everything that a life writes into the rows is there, about somebody. Of each account in turn the vault's row is not in the backup,
    without a tombstone; every way in of each worker died since. Whoever is a person is erased then, and nobody else."""
    awa = live(house).awa
    with pytest.raises(WrongSecret):
        unlock(house, awa, code=OTHER_CODE)
    with house.database.transaction(read_only=True) as connection:
        everybody = {row.id: row.kind for row in connection.execute(select(accounts.c.id, accounts.c.kind))}
        filled = {table.name for table in erasing.OF_A_PERSON if connection.execute(select(exists(select(table)))).scalar_one()}
        left = set(connection.scalars(select(workers.c.account)))
    assert {table.name for table in erasing.OF_A_PERSON} == filled
    assert set(everybody.values()) >= {"person", "worker", "administrator"}
    persons = {one for one, kind in everybody.items() if kind == "person"}
    gone = make_person(house, "Flo")
    where = three(tmp_path)
    made = {}
    for account in everybody:
        clock.forward(seconds=1)
        with without_its_row(house, account) as meanwhile:
            made[account] = backups.make(dataclasses.replace(house, blobs=meanwhile), where, FOR_RECOVERY).name
    clock.forward(days=1)
    with house.database.transaction(read_only=True) as connection:
        ways = [("slot", one) for worker in left for one in ways_of(connection, worker)]
    house.keyvault.destroy([("person", gone.id), *ways], clock.now)
    for account, name in made.items():
        there = with_its_own_tombstones(new_machine(house, tmp_path / account), tmp_path / account)
        done = put_back(there, where, name)
        assert done.erased == (2 if account in persons else 1)
        restoring.refuse_half_made(there.settings)
        new = opened(there)
        try:
            with new.database.transaction(read_only=True) as connection:
                assert set(connection.scalars(select(accounts.c.id).where(accounts.c.kind == "person"))) == persons - {account}
                assert set(connection.scalars(select(workers.c.state))) == {"ended"}
                assert account not in persons or tables_naming(connection, account) == set()
        finally:
            new.database.close()
            new.keyvault.close()


@contextmanager
def without_its_row(house: Context, account: str) -> Iterator[BlobStore]:
    """While a backup lists the papers of this store, after the rows and before the key vault, the row of an account goes; it is there
    again for the next one."""
    vault = Database(house.settings.vault_url)
    its = (vault_rows.c.kind == "person", vault_rows.c.id == account)

    def forget() -> None:
        with vault.transaction() as connection:
            connection.execute(delete(vault_rows).where(*its))

    try:
        with vault.transaction(read_only=True) as connection:
            row = dict(connection.execute(select(vault_rows).where(*its)).mappings().one())
        yield cast("BlobStore", Meanwhile(house.blobs, forget))
        with vault.transaction() as connection:
            connection.execute(insert(vault_rows).values(**row))
    finally:
        vault.close()


def with_its_own_tombstones(there: Context, folder: Path) -> Context:
    """A machine on which the tombstones of no other restore lie."""
    kept, own = make_url(there.settings.tombstones_url), folder / "stones"
    with closing(sqlite3.connect(str(kept.database))) as now, closing(sqlite3.connect(own)) as copy:
        now.backup(copy)
    settings = dataclasses.replace(there.settings, tombstones_url=kept.set(database=str(own)).render_as_string())
    return dataclasses.replace(there, settings=settings)


def ways_of(connection: Connection, worker: str) -> list[str]:
    """Every way in of an account, by its id."""
    return list(connection.scalars(select(slots.c.id).where(slots.c.account == worker)))


def tables_naming(connection: Connection, account: str) -> set[str]:
    """Tables of which a row holds this account's id."""
    return {table.name for table in metadata.sorted_tables if any(account in row for row in connection.execute(select(table)))}


# --- Keys that do not hold --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["person", "worker"])
@pytest.mark.parametrize("since", ["left", "taken-back", "called-off", "nothing"])
def test_one_damaged_row_of_the_backup_keeps_nobody_out(
    house: Context, clock: Clock, tmp_path: Path, since: str, whose: str
) -> None:
    """Awa's public key, or Marc's, is damaged in the rows of that day. What has ended since has ended, without a line for whom nothing
    can be sealed; Flo is told, and Ben reads that Marc has left."""
    made = make_circle(house)
    flo, ben, gone = (make_person(house, name, kiosk=made.tilleuls.kiosk) for name in ("Flo", "Ben", "Lou"))
    shown = {one.id: share(house, one, made.marc, [keep(house, unlock(house, one), "Bail")]) for one in (made.awa, ben)}
    if since == "called-off":
        erasure.ask(house, unlock(house, made.awa), made.awa.code)
    where = three(tmp_path)
    with damaged(house, made.awa.id if whose == "person" else made.marc.id):
        name = backups.make(house, where, FOR_RECOVERY).name
    clock.forward(days=5)
    acts: dict[str, Callable[[], object]] = {
        "left": lambda: working.end(house, sign_in_administrator(house, made.canal.administrators[0]), made.marc.id),
        "taken-back": lambda: withdrawing.withdraw(house, unlock(house, made.awa), shown[made.awa.id], SAID),
    }
    acts.get(since, lambda: None)()
    house.keyvault.destroy([("person", gone.id)], clock.now)
    there = new_machine(house, tmp_path / "new")
    done = put_back(there, where, name)
    restoring.refuse_half_made(there.settings)
    assert done.cancelled == (1 if since == "called-off" else 0)

    new = opened(there)
    try:
        with new.database.transaction(read_only=True) as connection:
            state = {row.id: row.state for row in connection.execute(select(grants.c.id, grants.c.state))}
            opens = set(connection.scalars(select(wraps.c.grant)))
            (marc,) = connection.scalars(select(workers.c.state).where(workers.c.account == made.marc.id))
            (awa,) = connection.scalars(select(accounts.c.state).where(accounts.c.id == made.awa.id))
        over = {"left": set(shown.values()), "taken-back": {shown[made.awa.id]}}.get(since, set())
        assert {one for one in shown.values() if state[one] not in (GrantState.GIVEN.value,)} == over
        assert opens.isdisjoint(over)
        assert (marc == "ended", awa) == (since == "left", "open")
        told = {one.key for one in notices.waiting(new, unlock(new, ben))}
        assert ("worker-left" in told, "restored" in told) == (since == "left", True)
        ended = {one.event.tag for one in audit.history(new, unlock(new, ben))}
        assert ("share.ended" in ended) == (since == "left" and whose == "person")
        assert "restored" in {one.key for one in notices.waiting(new, unlock(new, flo))}
    finally:
        new.database.close()
        new.keyvault.close()


@contextmanager
def damaged(house: Context, account: str) -> Iterator[None]:
    """The public key of an account is not one, for as long as this lasts."""
    its = accounts.c.id == account
    with house.database.transaction() as connection:
        key = connection.execute(select(accounts.c.kem_public).where(its)).scalar_one()
        connection.execute(update(accounts).where(its).values(kem_public=b"x"))
    yield
    with house.database.transaction() as connection:
        connection.execute(update(accounts).where(its).values(kem_public=key))
