"""From nothing to the tables of `storage.tables`, by the revisions alone, on both engines."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, text

from storage.database import Database
from storage.errors import WrongRevision
from storage.migrate import FOLDER, TABLES, Urls, Which, current, pending, upgrade
from storage.migrations import regenerate
from storage.tables import operators
from tests.engines import sqlite_urls

REPOSITORY = Path(__file__).parents[2]
HEADS = {which: ["0001"] for which in TABLES}


class MigrationContract:
    """Three empty databases."""

    def differences(self, urls: Urls) -> list[object]:
        found: list[object] = []
        for which, tables in TABLES.items():
            database = Database(urls.of(which))
            with database.engine.connect() as connection:
                context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
                found += compare_metadata(context, tables)
            database.close()
        return found

    def test_from_nothing_to_the_tables_of_this_version(self, urls: Urls) -> None:
        assert len(self.differences(urls)) >= 45, "the comparison sees missing tables"
        assert pending(urls) == HEADS
        assert current(urls) == dict.fromkeys(TABLES)
        upgrade(urls)
        assert self.differences(urls) == []
        assert pending(urls) == {which: [] for which in TABLES}
        assert current(urls) == dict.fromkeys(TABLES, "0001")

    def test_a_second_run_changes_nothing(self, urls: Urls) -> None:
        upgrade(urls)
        database = Database(urls.main)
        with database.transaction() as connection:
            connection.execute(insert(operators).values(id="o", name="n", contact="c"))
        upgrade(urls)
        with database.transaction(read_only=True) as connection:
            assert connection.execute(operators.select()).all() == [("o", "n", "c")]
        database.close()

    def test_several_processes_at_once(self, urls: Urls) -> None:
        script = f"from storage.migrate import Urls, upgrade; upgrade({urls})"
        processes = [subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY) for _ in range(2)]
        assert [process.wait(60) for process in processes] == [0, 0]
        assert self.differences(urls) == []

    def test_a_comparison_sees_a_changed_column(self, urls: Urls) -> None:
        upgrade(urls)
        database = Database(urls.main)
        with database.transaction() as connection:
            connection.execute(text("ALTER TABLE operators ADD COLUMN more TEXT"))
        database.close()
        assert len(self.differences(urls)) == 1

    @pytest.mark.parametrize("which", TABLES)
    def test_a_database_of_a_newer_version_is_refused(self, urls: Urls, which: Which) -> None:
        upgrade(urls)
        database = Database(urls.of(which))
        with database.transaction() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        database.close()
        for act in (upgrade, pending):
            with pytest.raises(WrongRevision):
                act(urls)


class TestSqliteMigrations(MigrationContract):
    """SQLite."""

    @pytest.fixture
    def urls(self, tmp_path: Path) -> Urls:
        return sqlite_urls(tmp_path)


@pytest.mark.postgres
class TestPostgresMigrations(MigrationContract):
    """PostgreSQL."""

    @pytest.fixture
    def urls(self, postgres_url: Callable[[], str]) -> Urls:
        return Urls(postgres_url(), postgres_url(), postgres_url())


@pytest.fixture
def other_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the revisions, to which a test may add some."""
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder)
    monkeypatch.setattr("storage.migrate.FOLDER", folder)
    monkeypatch.setattr("storage.migrations.regenerate.FOLDER", folder)
    return folder


SECOND = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None

def upgrade():
    with op.batch_alter_table("operators") as table:
        table.alter_column("contact", new_column_name="address")
    op.execute({after!r})
"""


@pytest.mark.usefixtures("other_folder")
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
class TestLaterRevisions:
    """A table with rows that others point to is changed, or is left as it was."""

    @pytest.fixture
    def urls(self, kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Urls:
        if kind == "sqlite":
            return sqlite_urls(tmp_path)
        make = request.getfixturevalue("postgres_url")
        return Urls(make(), make(), make())

    @pytest.fixture
    def filled(self, urls: Urls) -> Database:
        upgrade(urls)
        database = Database(urls.main)
        with database.transaction() as connection:
            connection.execute(text("INSERT INTO operators VALUES ('o', 'name', 'contact')"))
            connection.execute(text("INSERT INTO structures VALUES ('s', 'o', 'name', 'contact')"))
        database.close()
        return database

    def test_rows_survive(self, filled: Database, urls: Urls, other_folder: Path) -> None:
        (other_folder / "versions/main/0002_second.py").write_text(SECOND.format(after="SELECT 1"))
        assert pending(urls)["main"] == ["0002"]
        upgrade(urls)
        assert current(urls)["main"] == "0002"
        with filled.transaction(read_only=True) as connection:
            assert connection.execute(text("SELECT address FROM operators")).all() == [("contact",)]
            assert connection.execute(text("SELECT operator FROM structures")).all() == [("o",)]
        filled.close()

    @pytest.mark.parametrize("after", ["DELETE FROM operators", "SELECT nonsense"])
    def test_a_revision_that_fails_leaves_everything_as_it_was(
        self, filled: Database, urls: Urls, other_folder: Path, after: str
    ) -> None:
        (other_folder / "versions/main/0002_second.py").write_text(SECOND.format(after=after))
        with pytest.raises(Exception, match=r"ties between tables|nonsense|foreign key"):
            upgrade(urls)
        assert current(urls)["main"] == "0001"
        with filled.transaction(read_only=True) as connection:
            assert connection.execute(text("SELECT contact FROM operators")).all() == [("contact",)]
        filled.close()


def test_the_first_revisions_are_what_the_command_writes(other_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m storage.migrations.regenerate` after a change of the tables: this fails when it was forgotten."""
    for which in TABLES:
        committed = FOLDER / "versions" / which / "0001_the_first_tables.py"
        assert regenerate.regenerate(which).read_text() == committed.read_text()
    capsys.readouterr()


def test_the_first_revision_is_not_rewritten_once_there_is_a_second(other_folder: Path) -> None:
    (other_folder / "versions/main/0002_second.py").write_text(SECOND.format(after="SELECT 1"))
    with pytest.raises(SystemExit):
        regenerate.regenerate("main")
    assert (other_folder / "versions/main/0001_the_first_tables.py").exists()
