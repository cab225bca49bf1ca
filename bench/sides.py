"""The two that are compared: the service and its twin, each with its own folder, its own server and its own process inside."""

import dataclasses
import hashlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from bench.bodies import MIB
from storage.blobs import FolderStore
from storage.migrate import upgrade
from tests.engines import sqlite_urls
from tests.faults import service
from tests.faults.service import SERVE, Service, Stores

TWIN_SERVES = ("bench.twin",)


@dataclass(frozen=True)
class Person:
    """Somebody with a card, and the token of their open session."""

    number: int
    token: str


@dataclass
class Side:
    """One of the two. `people` counts those made so far."""

    name: str
    stores: Stores
    service: Service
    inside: "subprocess.Popen[str]"
    people: int = 0

    def ask(self, do: str, **order: object) -> Any:
        """Let the process inside do something."""
        assert self.inside.stdin is not None
        assert self.inside.stdout is not None
        self.inside.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self.inside.stdin.flush()
        line = self.inside.stdout.readline()
        if not line:
            raise RuntimeError(f"the process inside {self.name} ended: see above")
        return json.loads(line)

    def new_people(self, many: int) -> list[Person]:
        """People who have just opened a safe, each with a session over HTTP."""
        found = []
        for made in self.ask("make_people", many=many):
            with self.service.client() as client:
                answer = client.post("/unlock", json=made).raise_for_status()
            found.append(Person(self.people, str(answer.json()["token"])))
            self.people += 1
        return found

    def processor_seconds(self) -> float:
        """What the server and all that it started have used of the processor, those that have ended included."""
        total = 0.0
        for one in self.service.tree():
            used = one.cpu_times()
            total += used.user + used.system + used.children_user + used.children_system
        return total

    def files(self) -> list[int]:
        """How long each kept file is."""
        return sorted(one.size for one in FolderStore(self.stores.folder / "papers").inventory())


class Client:
    """A program with a kept connection and somebody's session."""

    def __init__(self, side: Side, person: Person) -> None:
        self._connection = http.client.HTTPConnection(side.service.base.partition("//")[2], timeout=120)
        self._headers = {"Authorization": f"Bearer {person.token}"}

    def deposit(self, content: bytes, keep: str) -> str:
        """Put a paper in; its id."""
        path = f"/api/v1/papers?shelf=money&title=Avis&keep={keep}"
        status, answer = self._ask("POST", path, content, **{"Content-Type": "image/jpeg"})
        assert status == 201, answer
        return str(json.loads(answer)["id"])

    def open(self, paper: str, size: int) -> None:
        """Read all of a paper as it was received."""
        status, answer = self._ask("GET", f"/api/v1/papers/{paper}/received")
        assert status == 200, answer
        assert len(answer) == size

    def list_papers(self) -> int:
        """List the papers; how many."""
        status, answer = self._ask("GET", "/api/v1/papers")
        assert status == 200, answer
        return len(json.loads(answer))

    def _ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        self._connection.request(method, path, body, {**self._headers, **headers})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@contextmanager
def both(folder: Path) -> Iterator[tuple[Side, Side]]:
    """Start the service and its twin, false papers alone in both; stopped at the end."""
    sides = [_start(folder, "abri"), _start(folder, "twin")]
    try:
        for side in sides:
            service.wait(side.stores, side.service)
        yield sides[0], sides[1]
    finally:
        for side in sides:
            side.service.stop()
            if side.inside.stdin is not None:
                side.inside.stdin.close()
            side.inside.wait(20)


def _start(folder: Path, name: str) -> Side:
    own = folder / name
    own.mkdir()
    urls = sqlite_urls(own)
    upgrade(urls)
    stores = service.stores(own, urls, own / "papers")
    cheap = {"ABRI_MODE": "demo", "ABRI_INSECURE_FAST_KDF": "yes"}  # nothing measured here derives a code
    stores = dataclasses.replace(stores, environment={**stores.environment, **cheap})
    server = service.start(stores, program=SERVE if name == "abri" else TWIN_SERVES)
    inside = subprocess.Popen(
        [sys.executable, "-m", "bench.inside", *(["--twin"] if name == "twin" else [])],
        env=dict(stores.environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return Side(name, stores, server, inside)


def _fastest(act: Callable[[], object]) -> float:
    took = []
    for _ in range(20):
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return round(1000 * min(took), 2)


def machine(folder: Path) -> dict[str, object]:
    """What the measures were taken on, how fast it is at what they are made of, and how busy it was with other things."""
    mebibyte, cipher = bytes(MIB), ChaCha20Poly1305(bytes(32))
    place = max(
        (part for part in psutil.disk_partitions(all=True) if folder.is_relative_to(part.mountpoint)),
        key=lambda part: len(part.mountpoint),
    )  # fmt: skip
    return {
        "cores": psutil.cpu_count(),
        "python": sys.version.split()[0],
        "file_system": place.fstype,
        "sha256_ms_per_mib": _fastest(lambda: hashlib.sha256(mebibyte).digest()),
        "cipher_ms_per_mib": _fastest(lambda: cipher.encrypt(bytes(12), mebibyte, None)),
        "load": [round(one, 1) for one in psutil.getloadavg()],
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
