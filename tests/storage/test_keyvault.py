"""The key vault on both engines: above all, that what is destroyed is nowhere any more."""

import os
import random
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from storage.errors import NotSecured, RowGone, VaultUnreachable
from storage.keyvault import KINDS, KeyVault, Kind
from storage.migrate import Urls
from storage.tables import vault_rows, vault_sessions
from tests.engines import sqlite_urls
from tests.servers import Postgres
from tests.storage.contracts import NOW
from tests.storage.keyvault_contract import KeyVaultContract


def secrets_of(vault: KeyVault) -> dict[tuple[str, str], bytes]:
    """Read all rows, as only a thief or a test does."""
    with vault.database.transaction(read_only=True) as connection:
        rows = {
            (kind, row_id): row
            for kind, row_id, row in connection.execute(select(vault_rows.c.kind, vault_rows.c.id, vault_rows.c.row))
        }
        return rows | {
            ("session", row_id): row for row_id, row in connection.execute(select(vault_sessions.c.id, vault_sessions.c.row))
        }


def live_and_die(vault: KeyVault, rounds: int, check: Callable[[list[bytes]], None]) -> None:
    """Make and destroy rows at random, as years of use do, and look for what should be gone."""
    chance = random.Random(20261123)
    living: list[tuple[Kind, str]] = []
    dead: list[bytes] = []
    for turn in range(rounds):
        for _ in range(chance.randint(1, 20)):
            kind = chance.choice(KINDS)
            living.append((kind, secrets.token_hex(16)))
            vault.create(*living[-1], owner=secrets.token_hex(16))
        chance.shuffle(living)
        doomed = [living.pop() for _ in range(chance.randint(0, min(15, len(living))))]
        known = secrets_of(vault)
        dead += [known[row] for row in doomed]
        vault.destroy(doomed, NOW)
        if turn % 5 == 4:
            check(dead)
    assert len(dead) > rounds
    assert set(living) < set(secrets_of(vault))


class TestSqliteKeyVault(KeyVaultContract):
    """The key vault in SQLite files."""

    @pytest.fixture
    def urls(self, tmp_path: Path, sqlite_templates: Path) -> Urls:
        for path in sqlite_templates.glob("*.sqlite3"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        return sqlite_urls(tmp_path)

    @pytest.fixture
    def again(self, urls: Urls) -> Iterator[Callable[[], KeyVault]]:
        yield from _vaults(urls)

    @pytest.fixture
    def vault(self, again: Callable[[], KeyVault]) -> KeyVault:
        return again()

    def test_destroyed_rows_are_nowhere_in_the_files(self, vault: KeyVault, tmp_path: Path) -> None:
        def check(dead: list[bytes]) -> None:
            files = b"".join(path.read_bytes() for path in tmp_path.glob("*.sqlite3*"))
            assert [row for row in dead if row in files] == []

        vault.create("slot", "witness")
        row = self.row(vault, "witness")
        assert any(row in path.read_bytes() for path in tmp_path.glob("vault.sqlite3*")), "this test looks in the wrong files"
        live_and_die(vault, 40, check)

    def test_a_reader_that_keeps_old_rows_is_reported(self, urls: Urls) -> None:
        vault = KeyVault(urls.vault, urls.tombstones, wait=0.3)
        vault.create("slot", "a")
        with vault.database.transaction(read_only=True) as reader:
            reader.execute(select(vault_rows)).all()
            with pytest.raises(NotSecured):
                vault.destroy([("slot", "a")], NOW)
            with pytest.raises(RowGone):
                vault.derive("slot", "a", b"x")
        vault.destroy([("slot", "a")], NOW)
        vault.close()

    def test_files_that_are_not_there(self, tmp_path: Path) -> None:
        _expect_unreachable(KeyVault(f"sqlite:///{tmp_path}/no/vault", f"sqlite:///{tmp_path}/no/tombstones"))

    def test_without_tombstones_nothing_is_made_and_nothing_destroyed(self, urls: Urls, tmp_path: Path) -> None:
        whole = KeyVault(urls.vault, urls.tombstones)
        whole.create("slot", "a")
        whole.close()
        lame = KeyVault(urls.vault, f"sqlite:///{tmp_path}/no/tombstones")
        with pytest.raises(VaultUnreachable):
            lame.check()
        with pytest.raises(VaultUnreachable):
            lame.create("slot", "b")
        with pytest.raises(VaultUnreachable):
            lame.destroy([("slot", "a")], NOW)
        assert lame.exists("slot", "a"), "a row must not die without its tombstone: a restored backup would bring it back"
        assert not lame.exists("slot", "b")
        lame.close()


@pytest.mark.postgres
class TestPostgresKeyVault(KeyVaultContract):
    """The key vault in PostgreSQL."""

    @pytest.fixture
    def urls(self, postgres_server: Postgres) -> Iterator[Urls]:
        urls = postgres_server.migrated()
        yield urls
        postgres_server.give_back(urls)

    @pytest.fixture
    def again(self, urls: Urls) -> Iterator[Callable[[], KeyVault]]:
        yield from _vaults(urls)

    @pytest.fixture
    def vault(self, again: Callable[[], KeyVault]) -> KeyVault:
        return again()

    def test_destroyed_rows_are_nowhere_in_the_files(self, vault: KeyVault, postgres_server: Postgres) -> None:
        def every_file() -> bytes:
            with vault.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("CHECKPOINT"))
                number = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
            return b"".join(path.read_bytes() for path in _files(postgres_server.folder / "data" / "base" / str(number)))

        def check(dead: list[bytes]) -> None:
            files = every_file()
            assert [row for row in dead if row in files] == []

        vault.create("slot", "witness")
        assert self.row(vault, "witness") in every_file(), "this test looks in the wrong files"
        live_and_die(vault, 20, check)

    def test_the_log_of_changes_forgets_them_too(self, vault: KeyVault, postgres_server: Postgres) -> None:
        def log() -> bytes:
            return b"".join(path.read_bytes() for path in _files(postgres_server.folder / "data" / "pg_wal"))

        vault.create("slot", "a")
        row = self.row(vault, "a")
        vault.destroy([("slot", "a")], NOW)
        assert row in log(), "this test looks in the wrong files"
        vault.forget_log()
        assert row not in log()

    def test_a_lost_server(self, vault: KeyVault, postgres_server: Postgres) -> None:
        vault.create("person", "a")
        derived = vault.derive("person", "a", b"x")
        postgres_server.kill()
        try:
            _expect_unreachable(vault)
        finally:
            postgres_server.start()
        assert vault.derive("person", "a", b"x") == derived


def _vaults(urls: Urls) -> Iterator[Callable[[], KeyVault]]:
    made: list[KeyVault] = []

    def make() -> KeyVault:
        made.append(KeyVault(urls.vault, urls.tombstones))
        return made[-1]

    yield make
    for vault in made:
        vault.close()


def _expect_unreachable(vault: KeyVault) -> None:
    acts: list[Callable[[], object]] = [
        vault.check,
        vault.apply_tombstones,
        lambda: vault.create("person", "b"),
        lambda: vault.create("session", "b"),
        lambda: vault.derive("person", "a", b"x"),
        lambda: vault.derive("session", "a", b"x"),
        lambda: vault.derive_many([("person", str(number), b"x") for number in range(20)]),
        lambda: vault.exists("person", "a"),
        lambda: vault.owned("a"),
        lambda: vault.destroy([("person", "a")], NOW),
        lambda: vault.destroy([("session", "a")], NOW),
        lambda: vault.forget_tombstones(NOW),
        vault.forget_log,
    ]
    for act in acts:
        with pytest.raises(VaultUnreachable):
            act()


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place) / name for name in names if not re.fullmatch(r"PG_VERSION|.*\.conf|postmaster\.\w+", name))
