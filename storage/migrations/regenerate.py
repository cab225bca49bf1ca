"""`python -m storage.migrations.regenerate`: write the first revision anew from `storage.tables`.

Only before the first release: it refuses as soon as a second revision exists, since databases in service follow the revisions.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from storage.database import Database
from storage.migrate import FOLDER, TABLES, Which, configuration

FIRST = "0001"


def regenerate(which: Which) -> Path:
    """Compare the tables with an empty database, and write the difference."""
    versions = FOLDER / "versions" / which
    versions.mkdir(parents=True, exist_ok=True)
    for old in versions.glob("*.py"):
        if not old.name.startswith(FIRST):
            raise SystemExit(f"{old.name} exists: add a revision instead of rewriting the first")
    for old in versions.glob("*.py"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.sqlite3")
        with database.engine.connect() as connection:
            config = configuration(which, connection)
            config.attributes["batch"] = False
            config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            command.revision(config, "The first tables.", autogenerate=True, rev_id=FIRST, version_path=str(versions))
        database.close()
    (written,) = versions.glob("*.py")
    lines = written.read_text().splitlines(keepends=True)
    written.write_text("".join(line for line in lines if not line.strip().startswith("# ###")))
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", written], check=True)  # noqa: S603 (our own formatter)
    return written


if __name__ == "__main__":
    for name in TABLES:
        sys.stdout.write(f"{regenerate(name)}\n")
