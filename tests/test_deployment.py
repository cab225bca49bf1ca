"""What an installation starts from: a half-made restore is seen by whoever would serve it, and keys reach no image and no commit."""

import fnmatch
import http.server
import re
import runpy
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from vault import training

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one.get("image") == "abri:latest"}
LISTEN_OR_RESTORE = ("service", "tasks", "migrate", "backup")


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Where each volume of a service stands, and what it is."""
    return {target: source for source, target, *_ in (re.split(r":(?=/)", one) for one in service.get("volumes", []))}


def tmpfs(service: dict[str, Any]) -> list[str]:
    """The folders of a service that end with it."""
    return [one.partition(":")[0] for one in service.get("tmpfs", [])]


def bound() -> list[str]:
    """The folders beside the source that are mounted as they are, by their names there."""
    found = [source for one in COMPOSE["services"].values() for source in mounts(one).values()]
    found += [one["file"] for one in COMPOSE["secrets"].values()]
    named = [re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", one) for one in found]
    return sorted({one.removeprefix("./") for one in named if one.startswith("./") and not one.startswith("./deploy/")})


@pytest.mark.parametrize("name", LISTEN_OR_RESTORE)
def test_whoever_would_serve_sees_the_mark_of_a_restore(name: str) -> None:
    folder = OURS[name]["environment"]["ABRI_FOLDER"]
    assert mounts(OURS[name])[folder] == mounts(OURS["backup"])[folder] == "restoring"
    assert "restoring" in COMPOSE["volumes"]
    hidden = [one for one in tmpfs(OURS[name]) if PurePosixPath(folder).is_relative_to(one)]
    assert hidden == []
    assert f"{folder}/{training.FOLDER}" in tmpfs(OURS[name])  # rooms do not outlive the container


def test_every_folder_of_an_installation_is_prepared_by_the_page() -> None:
    """What is missing Docker makes as root, and the service is another user: the first backup would fail."""
    page = (ROOT / "docs" / "operations.md").read_text()
    (user,) = re.findall(r"--uid (\d+)", (ROOT / "Dockerfile").read_text())
    lines = re.findall(rf"^install -d -m 700 -o {user} (.*?)(?:\s+#.*)?$", page, re.MULTILINE)
    prepared = {one for line in lines for one in line.split()}
    assert {"backups/rows", "backups/tombstones", "backups/vault", "secrets"} <= set(bound())
    missing = [one for one in bound() if not {one, str(PurePosixPath(one).parent)} & prepared]
    assert missing == []


@pytest.mark.parametrize("file", [".gitignore", ".dockerignore"])
@pytest.mark.parametrize("secret", [".env", "demo/access.json", "data/abri.sqlite3", *bound()])
def test_what_an_installation_keeps_beside_the_source_is_left_out(file: str, secret: str) -> None:
    patterns = [one.strip("/") for one in (ROOT / file).read_text().splitlines() if one and not one.startswith("#")]
    assert not [one for one in patterns if one.startswith("!")]
    names = [secret, *map(str, PurePosixPath(secret).parents)]
    assert any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)


class KnowsNoLifecycle(http.server.BaseHTTPRequestHandler):
    """As much of an S3 store as `deploy/bucket.py` asks, with the one answer that some stores give."""

    asked: list[str]

    def _answer(self, status: int, body: str) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self) -> None:
        self._answer(200, "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>")

    def do_PUT(self) -> None:
        refused = self.path.endswith("?lifecycle")
        self._answer(501 if refused else 200, "<Error><Code>NotImplemented</Code></Error>" if refused else "")

    def log_message(self, *_: object) -> None:
        """Nothing is written."""


@pytest.fixture
def store() -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it is asked."""
    asked: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Store", (KnowsNoLifecycle,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_store_that_knows_no_lifecycle_keeps_no_service_from_starting(
    store: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service and the background work wait for a good end of `bucket`; such a store will do."""
    assert COMPOSE["services"]["service"]["depends_on"]["bucket"] == {"condition": "service_completed_successfully"}
    address, asked = store
    for name, value in {
        "ABRI_BLOBS": "s3:abri", "ABRI_S3_ENDPOINT": address, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        "NO_PROXY": "127.0.0.1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert runpy.run_path(str(ROOT / "deploy" / "bucket.py"))["main"]() == 0
    assert asked == ["GET /", "PUT /abri", "PUT /abri?versioning", "PUT /abri?lifecycle"]
    assert "refused the lifecycle (NotImplemented)" in capsys.readouterr().err
