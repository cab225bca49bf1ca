"""What the documents say is what the code does: settings, figures, the inventory, links, commands that operators copy."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
import yaml

from storage.database import Database
from storage.keyvault import KeyVault
from storage.migrate import Urls, upgrade
from storage.s3 import S3Settings
from tests.servers import Postgres, Weed
from tools import inventory, processing
from vault.settings import Limits, Retention

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
OPERATIONS = DOCS / "operations.md"
LAW = DOCS / "law.md"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def names_of(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def known_settings() -> set[str]:
    """The variables that `read_settings` takes, read from its own source and from that of the places of its files."""
    trees = [ast.parse((ROOT / "vault" / name).read_text()) for name in ("reading_settings.py", "settings.py")]
    known: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Set) and ast.unparse(node.targets[0]) == "known":
            known |= {f"ABRI_{name}" for name in ast.literal_eval(node.value)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "environment.get":
            known.add(ast.literal_eval(node.args[0]))
    return known


def rows_of(page: Path, heading: str) -> Iterator[list[str]]:
    """The cells of the tables below a heading, up to the next one."""
    part = re.split(r"^#+ ", page.read_text().split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    for line in part.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_setting_is_in_the_table_of_operations_and_no_other() -> None:
    known = known_settings()
    assert {"ABRI_MODE", "ABRI_VAULT_URL", "AWS_REGION"} <= known
    told = {name for row in rows_of(OPERATIONS, "Settings") for name in re.findall(r"`((?:ABRI|AWS)_\w+)`", row[0])}
    assert told == known


@pytest.mark.parametrize(("heading", "kind"), [("Limits", Limits), ("How long things are kept", Retention)])
def test_figures_are_those_that_are_enforced(heading: str, kind: type[Limits] | type[Retention]) -> None:
    told = {row[0].strip("`"): row[1] for row in rows_of(OPERATIONS, heading) if row[0].startswith("`")}
    assert told == {one.name: str(getattr(kind(), one.name)) for one in fields(kind)}


def test_the_inventory_is_what_the_schema_says() -> None:
    assert inventory.PLACE.read_text() == inventory.inventory(), "python -m tools.inventory"


def test_the_register_of_processing_and_the_times_are_what_the_schema_says() -> None:
    """Article 30 and point 6: each table belongs to one processing with its ground; the times are those that are enforced."""
    assert processing.unassigned() == [], "name it in tools/processing.py"
    assert processing.REGISTER.read_text() == processing.register(), "python -m tools.processing"
    assert processing.RETENTION.read_text() == processing.retention(), "python -m tools.processing"


def test_the_inventory_explains_every_kind_and_rule() -> None:
    text = inventory.inventory()
    used = {
        row[column] for row in (line.strip("|").split("|") for line in text.splitlines()) if len(row) == 4 for column in (2, 3)
    }
    assert {one.strip() for one in used} - {"data", "erased", "---"} <= {*inventory.DATA, *inventory.ERASURE}


@pytest.mark.parametrize("name", names_of(PAGES))
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)|<img[^>]*src=\"([^\"]+)\"", text):
        place, _, anchor = (target[0] or target[1]).partition("#")
        if re.match(r"[a-z]+:", place):
            continue
        found = (page.parent / place) if place else page
        if not found.exists():
            lost.append(place)
        elif anchor and anchor not in {slug(title) for title in re.findall(r"^#+ (.*)$", found.read_text(), flags=re.MULTILINE)}:
            lost.append(f"{place}#{anchor}")
    assert lost == []


def slug(title: str) -> str:
    """The name that a heading has as a target of links."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_every_decision_that_is_named_is_written() -> None:
    written = {page.name[:4] for page in (DOCS / "adr").glob("*.md")}
    named: dict[str, str] = {}
    for page in [*PAGES, *(path for room in ("crypto", "consent", "storage", "vault") for path in (ROOT / room).rglob("*.py"))]:
        named |= dict.fromkeys(re.findall(r"ADR (\d{4})", page.read_text()), page.name)
    assert named
    assert {number: page for number, page in named.items() if number not in written} == {}


def test_every_file_and_test_that_the_page_of_the_law_names_is_there() -> None:
    text = LAW.read_text()
    lost = []
    for place, test in re.findall(r"`((?:tests|vault|crypto|consent|storage)/[\w/]+\.py)(?:::(\w+))?`", text):
        path = ROOT / place
        if not path.exists() or (test and f"def {test}(" not in path.read_text()):
            lost.append(f"{place}::{test}")
    assert lost == []
    assert len(re.findall(r"`tests/[\w/]+\.py", text)) > 40


def test_each_requirement_stands_once_and_says_where_it_is_met_or_that_it_is_not() -> None:
    rows = [
        cells
        for line in LAW.read_text().splitlines()
        if re.match(r"\| [RGL]\d+ \|", line)
        for cells in [line.strip("|").split("|")]
    ]
    ids = [row[0].strip() for row in rows]
    assert len(ids) == len(set(ids))
    assert len(ids) > 60
    for row in rows:
        assert len(row) == 5, row[0]
        assert row[3].strip() in {"met", "partly", "not yet", "not code"}, row[0]
        assert row[3].strip() != "met" or "`tests/" in row[4], f"{row[0]} is met and names no test"


def test_every_mechanism_of_the_code_is_compared_with_the_rules() -> None:
    """Whatever is imported from the library of primitives stands in the table, by its name."""
    used = set()
    for path in sorted(one for folder in ("crypto", "consent", "storage", "vault") for one in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cryptography.hazmat.primitives"):
                used |= {alias.name for alias in node.names if alias.name.endswith("PrivateKey") or "Public" not in alias.name}
    rows = [line for line in (DOCS / "cryptography.md").read_text().splitlines() if line.startswith("| ")]
    named = {name for line in rows for name in re.findall(r"`(\w+)`", line.split(" | ")[0])}
    assert used - named - {"HashAlgorithm", "Suite"} == set(), "a mechanism without its row in docs/cryptography.md"
    assert len(used) > 8


def test_pictures_are_few_and_light() -> None:
    pictures = sorted((DOCS / "pictures").glob("*.png"))
    assert 0 < len(pictures) <= 12
    assert {path.name: path.stat().st_size for path in pictures if path.stat().st_size > 150_000} == {}
    shown = (ROOT / "README.md").read_text()
    assert [path.name for path in pictures if path.name not in shown] == []


def test_the_compose_file_gives_settings_that_exist() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("service", "tasks", "migrate", "install", "bucket", "backup"):
        given = set(services[name]["environment"])
        assert given <= known_settings(), name
    assert "wal_recycle=off" in services["keyvault"]["command"]
    for name, script in (("database", "database.sql"), ("keyvault", "keyvault.sql")):
        assert any(script in volume for volume in services[name]["volumes"])


@pytest.fixture
def bare_server() -> Iterator[Postgres]:
    """A PostgreSQL that nothing was prepared on."""
    server = Postgres()
    yield server
    server.remove()


def prepare(server: Postgres, script: str, **passwords: str) -> None:
    """Run one of the files of `deploy/` as the superuser, as operators do."""
    psql = shutil.which("psql")
    if psql is None:
        pytest.skip("psql is missing: install Debian's package postgresql-client")
    command = [psql, "-X", "-v", "ON_ERROR_STOP=1", "-h", str(server.folder), "-U", "abri", "-d", "postgres"]
    done = subprocess.run(
        [*command, "-f", str(ROOT / "deploy" / script)],
        env={**os.environ, **passwords},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.postgres
def test_the_roles_of_deploy_have_what_the_service_needs_and_no_more(bare_server: Postgres) -> None:
    prepare(bare_server, "database.sql", ABRI_DATABASE_PASSWORD="one")
    prepare(bare_server, "keyvault.sql", ABRI_VAULT_PASSWORD="two")
    at = f"?host={bare_server.folder}"
    urls = Urls(
        *(f"postgresql://{place}{at}" for place in ("abri_service@/abri", "abri_vault@/vault", "abri_service@/tombstones"))
    )
    upgrade(urls)
    vault = KeyVault(urls.vault, urls.tombstones)
    vault.create("grant", "00000000-0000-4000-8000-000000000001")
    vault.destroy([("grant", "00000000-0000-4000-8000-000000000001")], NOW)
    vault.forget_log()
    vault.close()
    for url in (urls.main, urls.vault):
        database = Database(url)
        with database.transaction(read_only=True) as connection:
            assert connection.exec_driver_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").scalar() is False
        database.close()


@pytest.mark.s3
def test_the_bucket_keeps_versions_and_making_it_again_changes_nothing(s3_server: Weed) -> None:
    settings: S3Settings = s3_server.bucket()
    assert settings.access_key
    assert settings.secret_key
    keys = {"AWS_ACCESS_KEY_ID": settings.access_key, "AWS_SECRET_ACCESS_KEY": settings.secret_key}
    environment = {**os.environ, **keys, "ABRI_BLOBS": "s3:abri-made", "ABRI_S3_ENDPOINT": str(settings.endpoint_url)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(ROOT / "deploy/bucket.py")], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    client = boto3.client(
        "s3", endpoint_url=settings.endpoint_url, region_name="us-east-1",
        aws_access_key_id=settings.access_key, aws_secret_access_key=settings.secret_key,
    )  # fmt: skip
    assert client.get_bucket_versioning(Bucket="abri-made")["Status"] == "Enabled"
    rules = client.get_bucket_lifecycle_configuration(Bucket="abri-made")["Rules"]
    assert any(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays") == Retention().backups for rule in rules)
    client.close()
