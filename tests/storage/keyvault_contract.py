"""What the key vault promises on both engines; each adapter's test class inherits these tests and brings its own fixtures."""

import hashlib
import hmac
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from storage.errors import RowGone
from storage.keyvault import KINDS, KeyVault, Kind
from storage.tables import tombstones, vault_rows, vault_sessions
from tests.storage.contracts import NOW


class KeyVaultContract:
    """The key vault over both engines."""

    def row(self, vault: KeyVault, row_id: str) -> bytes:
        """Read what no caller may read: only these tests do."""
        with vault.database.transaction(read_only=True) as connection:
            found = connection.scalar(select(vault_rows.c.row).where(vault_rows.c.id == row_id))
            found = found or connection.scalar(select(vault_sessions.c.row).where(vault_sessions.c.id == row_id))
        assert found is not None
        return bytes(found)

    @pytest.mark.parametrize("kind", KINDS)
    def test_derive_is_hmac_of_the_row(self, vault: KeyVault, kind: Kind) -> None:
        vault.create(kind, "a")
        row = self.row(vault, "a")
        assert len(row) == 32
        assert vault.derive(kind, "a", b"context") == hmac.digest(row, b"context", "sha256")
        assert vault.derive(kind, "a", b"other") != vault.derive(kind, "a", b"context")

    def test_rows_differ(self, vault: KeyVault) -> None:
        for kind in KINDS:
            vault.create(kind, "a")
            vault.create(kind, "b")
        derived = {vault.derive(kind, one, b"c") for kind in KINDS for one in "ab"}
        assert len(derived) == 8

    @pytest.mark.parametrize("count", [1, 3, 30])
    def test_derive_many_gives_each_in_order(self, vault: KeyVault, count: int) -> None:
        wanted: list[tuple[Kind, str, bytes]] = []
        for number in range(count):
            kind = KINDS[number % 4]
            vault.create(kind, f"r{number}")
            wanted += [(kind, f"r{number}", b"x"), (kind, f"r{number}", b"y")]
        wanted.reverse()
        assert vault.derive_many(wanted) == [vault.derive(*one) for one in wanted]
        assert vault.derive_many([]) == []
        with pytest.raises(RowGone):
            vault.derive_many([*wanted, ("slot", "not there", b"x")])

    @pytest.mark.parametrize("kind", ["person", "session"])
    def test_creating_again_changes_nothing(self, vault: KeyVault, kind: Kind) -> None:
        vault.create(kind, "a")
        before = vault.derive(kind, "a", b"x")
        vault.create(kind, "a")
        assert vault.derive(kind, "a", b"x") == before

    def test_many_create_the_same_row_at_once(self, vault: KeyVault) -> None:
        def create(_: int) -> bytes:
            vault.create("slot", "a")
            return vault.derive("slot", "a", b"x")

        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(create, range(16)))) == 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_destroyed_row_is_dead_at_once_everywhere(self, vault: KeyVault, again: Callable[[], KeyVault], kind: Kind) -> None:
        other_process = again()
        for one in ("a", "b"):
            vault.create(kind, one)
            assert other_process.derive(kind, one, b"x") == vault.derive(kind, one, b"x")
        for _ in range(2):
            vault.destroy([(kind, "a")], NOW)
            for each in (vault, other_process):
                assert not each.exists(kind, "a")
                assert each.exists(kind, "b")
                each.derive(kind, "b", b"x")
                with pytest.raises(RowGone):
                    each.derive(kind, "a", b"x")
                with pytest.raises(RowGone):
                    each.derive_many([(kind, "a", b"x")])

    def test_a_destroyed_row_is_not_made_again(self, vault: KeyVault) -> None:
        vault.create("slot", "a")
        vault.destroy([("slot", "a")], NOW)
        with pytest.raises(RowGone):
            vault.create("slot", "a")
        vault.create("grant", "a")  # another kind is another row
        vault.derive("grant", "a", b"x")

    def test_nothing_to_destroy(self, vault: KeyVault) -> None:
        vault.destroy([], NOW)
        vault.destroy([("person", "never was")], NOW)

    def test_many_destroy_the_same_rows_at_once(self, vault: KeyVault) -> None:
        rows: list[tuple[Kind, str]] = [("slot", f"s{number}") for number in range(30)]
        for kind, row_id in rows:
            vault.create(kind, row_id)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: vault.destroy(rows, NOW), range(4)))
        assert not any(vault.exists(*row) for row in rows)

    def test_what_belongs_to_one_goes_together(self, vault: KeyVault) -> None:
        vault.create("person", "anna", "anna")
        for number in range(3):
            vault.create("slot", f"slot {number}", "anna")
            vault.create("session", f"session {number}", "anna")
        vault.create("person", "boris", "boris")
        vault.create("slot", "slot of boris", "boris")
        assert len(vault.owned("anna")) == 7
        assert vault.destroy_owned("anna", NOW, kinds=["session"]) == 3
        assert vault.destroy_owned("anna", NOW) == 4
        assert vault.owned("anna") == []
        assert sorted(vault.owned("boris")) == [("person", "boris"), ("slot", "slot of boris")]

    def test_sessions_stand_apart(self, vault: KeyVault) -> None:
        """A backup of the vault is a backup of `vault_rows`: no session may be in it, and none needs a tombstone."""
        vault.create("session", "a", "anna")
        vault.create("slot", "b", "anna")
        with vault.database.transaction(read_only=True) as connection:
            assert list(connection.scalars(select(vault_rows.c.id))) == ["b"]
            assert list(connection.scalars(select(vault_sessions.c.id))) == ["a"]
        vault.destroy([("session", "a"), ("slot", "b")], NOW)
        with vault.graveyard.transaction(read_only=True) as connection:
            assert list(connection.scalars(select(tombstones.c.digest))) == [hashlib.sha256(b"slot/b").hexdigest()]

    def test_tombstones_kill_what_a_backup_brings_back(self, vault: KeyVault) -> None:
        rows: list[tuple[Kind, str]] = [("person", "a"), ("slot", "b"), ("grant", "c"), ("session", "d")]
        for kind, row_id in rows:
            vault.create(kind, row_id)
        with vault.database.transaction(read_only=True) as connection:
            backup = [dict(row) for row in connection.execute(select(vault_rows)).mappings()]
        vault.destroy([("person", "a"), ("grant", "c")], NOW)
        with vault.database.transaction() as connection:
            connection.execute(vault_rows.delete())
            connection.execute(insert(vault_rows), backup)
        assert vault.exists("person", "a")
        assert vault.apply_tombstones() == 2
        assert [vault.exists(*row) for row in rows] == [False, True, False, False]
        assert vault.apply_tombstones() == 0

    def test_old_tombstones_can_be_forgotten(self, vault: KeyVault) -> None:
        vault.create("slot", "old")
        vault.create("slot", "new")
        vault.destroy([("slot", "old")], NOW - timedelta(days=40))
        vault.destroy([("slot", "new")], NOW)
        assert vault.forget_tombstones(NOW - timedelta(days=31)) == 1
        with pytest.raises(RowGone):
            vault.create("slot", "new")

    def test_check_accepts_a_vault_that_works(self, vault: KeyVault) -> None:
        vault.check()

    def test_readers_and_destroyers_side_by_side(self, vault: KeyVault) -> None:
        """Destroying rewrites the table: whoever reads meanwhile gets the right answer or RowGone, nothing else."""
        vault.create("person", "stays")
        right = vault.derive("person", "stays", b"x")
        for number in range(12):
            vault.create("slot", f"s{number}")
        over = threading.Event()

        def read() -> int:
            count = 0
            while not over.is_set():
                assert vault.derive("person", "stays", b"x") == right
                count += 1
            return count

        with ThreadPoolExecutor(3) as threads:
            readers = [threads.submit(read) for _ in range(3)]
            try:
                for number in range(12):
                    vault.destroy([("slot", f"s{number}")], NOW)
            finally:
                over.set()
            assert all(reader.result() > 0 for reader in readers)
