"""What an installation starts from: a half-made restore is seen by whoever would serve it, and keys reach no image and no commit."""

import fnmatch
import re
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
