"""The rules of the house, as checks that fail when one is broken: `CONTRIBUTING.md` says them in words."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from storage import tables
from vault.events import WORDS
from vault.languages import WORKER_LANGUAGES, read_catalogues
from vault.web import room
from vault.web.forms import read_form
from vault.web.routes import all_routes

ROOT = Path(__file__).parents[1]
PACKAGES = ("crypto", "consent", "storage", "vault")
TEMPLATES = ROOT / "vault/web/templates"


def modules(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text())


def handlers() -> list[HTTPRouteHandler]:
    screens = Router("/", route_handlers=[*all_routes("demo"), *room.ROUTES], dependencies={"form": Provide(read_form)})
    app = Litestar([screens], openapi_config=None)
    return [
        one
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for one in route.route_handlers
        if one.fn.__module__.startswith("vault.")
    ]


def there(*names: str) -> set[str]:
    """The modules that a rule leaves out. A name of none would leave out whatever is called so one day."""
    gone = [name for name in names if not (ROOT / name).is_file()]
    assert gone == [], "take these out of the list: they are no modules"
    return set(names)


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_walls_between_rooms_stand() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_route_says_who_may_reach_it() -> None:
    silent = [str(handler.paths) for handler in handlers() if not handler.opt.get("who")]
    assert silent == []


def test_every_form_that_is_received_has_its_token_checked() -> None:
    """A handler of an unsafe method takes the parsed form (whose token is compared), or streams and compares it itself."""
    unchecked = []
    for handler in handlers():
        unsafe = handler.http_methods & {"POST", "PUT", "PATCH", "DELETE"}
        if unsafe and "form" not in handler.fn.__annotations__ and not handler.opt.get("streams"):
            unchecked.append(str(handler.paths))
    assert unchecked == []


def test_every_form_on_a_page_carries_its_token() -> None:
    without = []
    for path in TEMPLATES.rglob("*.html"):
        for form in re.findall(r"<form\b.*?</form>", path.read_text(), flags=re.DOTALL):
            if 'method="get"' not in form and "token" not in form and "csrf" not in form:
                without.append(path.name)
    assert without == []


@pytest.mark.parametrize("metadata", [tables.metadata, tables.vault_metadata, tables.tombstone_metadata])
def test_every_column_names_its_data_class_and_its_erasure_rule(metadata: Any) -> None:
    for table in metadata.tables.values():
        for column in table.columns:
            assert set(column.info) == {"data", "erasure"}, f"{table.name}.{column.name}"


def test_no_column_is_an_age_a_birth_date_or_a_social_security_number() -> None:
    """Law: LIL 45 and the rule of the CNIL on the NIR (docs/law.md, L9 and R37)."""
    forbidden = re.compile(r"birth|naissance|\bage\b|\bnir\b|nationality|gender|sexe?\b")
    names = [f"{t.name}.{c.name}" for t in tables.metadata.tables.values() for c in t.columns]
    assert [name for name in names if forbidden.search(name)] == []


WIRING = {"app", "serve", "__main__"}


def test_use_cases_know_no_page() -> None:
    """Every module of `vault` but those that wire it, so that a page is reached from none of them, however far."""
    found = []
    for path in sorted((ROOT / "vault").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            named = [one.name for one in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            if isinstance(node, ast.ImportFrom):
                named = [f"{node.module}.{one}" for one in named]
            if path.stem not in WIRING and any(re.match(r"vault\.(?:web|app|serve|__main__)(?:\.|$)", one) for one in named):
                found.append(f"{path.name}: {ast.unparse(node)}")
    assert found == []


def test_every_event_has_a_sentence_in_every_language() -> None:
    catalogues = read_catalogues()
    missing = [
        (sentences.language.code, tag) for sentences in catalogues for tag in WORDS if not sentences.has(f"event.{tag}")
    ]  # fmt: skip
    assert missing == []


def test_no_template_is_unused() -> None:
    sources = "\n".join(path.read_text() for folder in ("vault", "tests", "tools") for path in (ROOT / folder).rglob("*.py"))
    sources += "\n".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    unused = []
    for path in TEMPLATES.rglob("*.html"):
        name = str(path.relative_to(TEMPLATES))
        if f'"{name}"' not in sources and f"'{name}'" not in sources:
            unused.append(name)
    assert unused == []


def test_clocks_are_read_at_the_edge_only() -> None:
    """Time is an argument everywhere but in the context, the background loop and the tools."""
    allowed = there("vault/context.py", "vault/tasks.py", "vault/demonstration.py")
    clocks = re.compile(
        r"(?:dt|datetime)\.(?:datetime\.)?(?:now|utcnow|today)$|^date\.today$|^dt\.date\.today$|^time\.time(_ns)?$"
    )
    found = [
        f"{path}: {call}" for path, tree in modules() if str(path) not in allowed for call in calls(tree) if clocks.search(call)
    ]
    assert [one for one in found if "/assets/" not in one] == []


def test_the_environment_is_read_at_the_edge_only() -> None:
    allowed = there(
        "vault/__main__.py", "vault/serve.py", "vault/launching.py", "vault/confinement.py", "storage/migrations/env.py",
        "vault/trace_commands.py", "vault/inquiry_commands.py", "vault/backup_commands.py", "vault/key_commands.py",
    )  # fmt: skip
    found = []
    for path, tree in modules():
        if str(path) in allowed or "assets" in path.parts or "confined" in path.parts:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv"):
                found.append(str(path))
    assert found == []


def test_no_temporary_file_and_no_pickle_in_the_service() -> None:
    forbidden = {"tempfile", "pickle", "shelve", "marshal"}
    found = [f"{path}: {name}" for path, tree in modules() for name in imports(tree) if name.split(".")[0] in forbidden]
    assert [one for one in found if "/assets/" not in one and "regenerate" not in one] == []


def test_foreign_files_are_parsed_in_the_confined_child_alone() -> None:
    parsers = {"PIL", "cv2", "pypdfium2", "pikepdf", "img2pdf", "zxingcpp", "pi_heif"}
    found = [
        f"{path}: {name}"
        for path, tree in modules()
        for name in imports(tree)
        if name.split(".")[0] in parsers and not {"confined", "assets"} & set(path.parts)
    ]
    assert found == []


def test_the_framework_s_own_form_parsing_is_never_used() -> None:
    """It spools bodies to a disk in clear (ADR 0002)."""
    found = [
        f"{path}: {call}" for path, tree in modules("vault") for call in calls(tree) if call.endswith(("request.form", "CSRFConfig"))
    ]  # fmt: skip
    assert found == []


def test_pages_know_no_storage_and_no_cipher() -> None:
    """Screens call use cases; only the map from errors to pages knows the errors of other rooms."""
    allowed = there("vault/web/errors.py")
    found = []
    for path, tree in modules("vault"):
        if "web" in path.parts and str(path) not in allowed:
            found += [
                f"{path}: {name}" for name in imports(tree) if name.split(".")[0] in ("storage", "sqlalchemy", "cryptography")
            ]
    assert found == []


def test_the_word_that_the_law_reserves_is_on_no_page() -> None:
    texts = [*TEMPLATES.rglob("*.html"), *(ROOT / "vault/locales").rglob("*.po"), *(ROOT / "vault/catalogue").glob("*.json")]
    assert texts
    assert [path.name for path in texts if re.search(r"coffre", path.read_text(), re.IGNORECASE)] == []


def test_the_repository_names_no_machine_and_no_registry() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    forbidden = re.compile(r"/work/|/root/|index-url|registry\.npmjs|pypi\.org|files\.pythonhosted")
    found = []
    for name in listed:
        path = ROOT / name
        read = (
            path.suffix in {".py", ".txt", ".in", ".json", ".toml", ".yml", ".md", ".html", ".js", ".css", ""}
            and path.is_file()
            and path != Path(__file__)
        )
        if read and forbidden.search(path.read_text(errors="replace")):
            found.append(name)
    assert [one for one in found if one != "Makefile"] == []


ON_ONE_PAGE = there("storage/tables.py", "storage/migrations/versions/main/0001_the_first_tables.py")


def test_modules_stay_readable() -> None:
    """About 400 lines; the schema is on one page on purpose."""
    long = {str(path): len((ROOT / path).read_text().splitlines()) for path, _ in modules()}
    assert {path: lines for path, lines in long.items() if lines > 420 and path not in ON_ONE_PAGE} == {}


def test_the_compose_file_is_valid_and_bound_to_loopback() -> None:
    import yaml

    content = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = content["services"]
    assert {"service", "tasks", "migrate", "database", "keyvault", "papers", "proxy"} <= set(services)
    for name, service in services.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name
    environment = services["service"]["environment"]
    assert environment["ABRI_VAULT_URL"] != environment["ABRI_DATABASE_URL"]
    for secret in content["secrets"].values():
        assert secret["file"].startswith("./secrets/")


def test_every_language_of_the_desk_is_one_of_the_kiosk() -> None:
    assert set(WORKER_LANGUAGES) <= {language.code for language in read_catalogues().offered()}


@pytest.mark.parametrize("door", ["vault.serve", "vault.tasks", "vault.app", "vault.web.routes", "vault.demonstration"])
def test_each_door_opens_first(door: str) -> None:
    """A circle of imports is seen only by who comes in by the right door: each process begins with another module."""
    done = subprocess.run([sys.executable, "-c", f"import {door}"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
