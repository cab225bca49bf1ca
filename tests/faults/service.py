"""Whole services on stores of one's choice: `abri serve` in processes of its own, over HTTP, with the interface for programs on.

Settings are those of a real house: derivations cost what they cost in production. `Stores.context` works on the same stores from
inside the test, to make people and to look.
"""

import http.client
import json
import os
import resource
import secrets
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from crypto.kem import public_key
from crypto.keys import KemSeed, SignSeed
from crypto.signing import sign_public
from storage.migrate import Urls
from storage.s3 import S3Settings, S3Store
from tests.servers import die_with_parent, free_ports
from tests.vault import builders
from vault.confinement import Confinement
from vault.context import Context, open_context
from vault.reading_settings import read_settings

STARTS_WITHIN, ENDS_WITHIN = 90, 40
MIB = 1024 * 1024
MARK = b"ceci-est-du-texte-en-clair."
PLAIN = (MARK * (MIB // 4 // len(MARK) + 1))[: MIB // 4]  # what papers of these tests are made of


@dataclass(frozen=True)
class Stores:
    """Where everything is kept, and the keys of the service: what two of its processes share."""

    folder: Path
    environment: Mapping[str, str]

    @contextmanager
    def context(self) -> Iterator[Context]:
        """The same stores from inside this process; no parser is started."""
        context = open_context(read_settings(self.environment), confinement=Confinement())
        try:
            yield context
        finally:
            context.blobs.close()
            context.close()


def stores(folder: Path, urls: Urls, place: Path | S3Settings) -> Stores:
    """Write the key files of a new service on these databases and this store of papers."""
    keys = folder / "service-keys.json"
    keys.write_text(json.dumps({"seal": secrets.token_hex(32), "sign": secrets.token_hex(32)}))
    keys.chmod(0o600)
    roots = {str(number): bytes(sign_public(SignSeed.random())).hex() for number in range(2)}
    (folder / "public-keys.json").write_text(
        json.dumps({"roots": roots, "incident": bytes(public_key(KemSeed.random())).hex()})
    )  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ABRI_", "AWS_"))}
    environment = {
        **kept, "ABRI_MODE": "embedded", "ABRI_FOLDER": str(folder), "ABRI_API": "yes", "ABRI_DATABASE_URL": urls.main,
        "ABRI_VAULT_URL": urls.vault, "ABRI_TOMBSTONES_URL": urls.tombstones, "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    if isinstance(place, Path):
        return Stores(folder, {**environment, "ABRI_BLOBS": f"folder:{place}"})
    return Stores(
        folder,
        {
            **environment, "ABRI_BLOBS": f"s3:{place.bucket}", "ABRI_S3_ENDPOINT": place.endpoint_url or "",
            "AWS_REGION": place.region, "AWS_ACCESS_KEY_ID": place.access_key or "",
            "AWS_SECRET_ACCESS_KEY": place.secret_key or "",
        },
    )  # fmt: skip


def own_bucket(near: S3Settings) -> S3Settings:
    """A bucket for one service alone, on the server of these settings: services know no prefix, and sweep all that they find."""
    settings = S3Settings(
        bucket=f"abri-{secrets.token_hex(6)}", endpoint_url=near.endpoint_url, access_key=near.access_key, secret_key=near.secret_key
    )  # fmt: skip
    store = S3Store(settings)
    store.client.create_bucket(Bucket=settings.bucket)
    store.client.put_bucket_versioning(Bucket=settings.bucket, VersioningConfiguration={"Status": "Enabled"})
    store.close()
    return settings


@dataclass(frozen=True)
class Service:
    """One `abri serve` and how it is reached."""

    base: str
    process: "subprocess.Popen[bytes]"

    def client(self, token: str = "") -> httpx.Client:
        """A program that talks to it, with the token of a session."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"{self.base}/api/v1", headers=headers, timeout=60, trust_env=False)

    def tree(self) -> list[psutil.Process]:
        """The process and all that it started."""
        whole = psutil.Process(self.process.pid)
        return [whole, *whole.children(recursive=True)]

    def resident(self) -> int:
        """Bytes of memory that the tree holds now."""
        total = 0
        for one in self.tree():
            try:
                total += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total

    @contextmanager
    def room_for_files(self, limit: int) -> Iterator[None]:
        """Inside this block no file that the tree writes grows beyond `limit` bytes, wherever it is and even if it has no name.

        The kernel refuses (EFBIG); what writes finds no more room on the disk.
        """
        self._limit_files(limit)
        try:
            yield
        finally:
            self._limit_files(resource.RLIM_INFINITY)

    def _limit_files(self, limit: int) -> None:
        for one in self.tree():
            one.rlimit(psutil.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def unlock(self, person: builders.MadePerson) -> str:
        """Open a session and give its token."""
        with self.client() as client:
            answer = client.post("/unlock", json={"card": person.card, "code": person.code})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def stop(self) -> int:
        """Ask it to end; gives its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            for one in self.tree():
                one.kill()
            return self.process.wait(ENDS_WITHIN)


SERVE = ("vault", "serve", "--without-tasks")


def start(stores: Stores, *, program: Sequence[str] = SERVE, **settings: str) -> Service:
    """One process of the service; `wait` says when it answers."""
    (port,) = free_ports(1)
    environment = {**stores.environment, "ABRI_PORT": str(port), **settings}
    with (stores.folder / f"server-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *program],
            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent, start_new_session=True,
        )  # fmt: skip
    return Service(f"http://127.0.0.1:{port}", process)


def wait(stores: Stores, *services: Service) -> None:
    """Wait until all of them answer."""
    end = time.monotonic() + STARTS_WITHIN
    for one in services:
        while not _answers(one):
            log = stores.folder / f"server-{one.base.rpartition(':')[2]}.log"
            assert one.process.poll() is None and time.monotonic() < end, log.read_text(errors="replace")[-4000:]  # noqa: PT018
            time.sleep(0.1)


def _answers(service: Service) -> bool:
    try:
        with service.client() as client:
            return client.get("/papers").status_code == 401
    except httpx.TransportError:
        return False


@contextmanager
def running(stores: Stores, count: int = 1, **settings: str) -> Iterator[list[Service]]:
    """So many processes of the service on the same stores, stopped at the end."""
    services = [start(stores, **settings) for _ in range(count)]
    try:
        wait(stores, *services)
        yield services
    finally:
        for one in services:
            one.stop()


class Upload:
    """A paper on its way, piece by piece, kept as received. `size` is what was announced; whoever leaves sends less."""

    def __init__(self, service: Service, token: str, size: int, *, title: str = "", form: bool = False) -> None:
        self.left, self._first = size, b"\xff\xd8\xff\xe0"
        self._tail = b"\r\n--limit--\r\n" if form else b""
        head = (
            b'--limit\r\nContent-Disposition: form-data; name="shelf"\r\n\r\nmoney\r\n--limit\r\n'
            b'Content-Disposition: form-data; name="file"; filename="photo.jpg"\r\n\r\n'
        )  # fmt: skip
        self._connection = http.client.HTTPConnection(service.base.partition("//")[2], timeout=60)
        query = urllib.parse.urlencode({"keep": "received", "shelf": "money", "title": title})
        self._connection.putrequest("POST", f"/api/v1/papers?{query}")
        self._connection.putheader("Authorization", f"Bearer {token}")
        self._connection.putheader("Content-Type", "multipart/form-data; boundary=limit" if form else "image/jpeg")
        self._connection.putheader("Content-Length", str(size + (len(head) + len(self._tail) if form else 0)))
        self._connection.endheaders()
        if form:
            self._connection.send(head)

    def send(self, size: int | None = None) -> None:
        """Send so many bytes more, or all that is left. A service that has refused already does not listen any more."""
        rest = self.left if size is None else min(size, self.left)
        self.left -= rest
        with suppress(BrokenPipeError, ConnectionResetError):
            while rest:
                block = self._first + PLAIN[len(self._first) : min(rest, len(PLAIN))]
                self._first = b""
                self._connection.send(block)
                rest -= len(block)

    def answer(self) -> int:
        """Say that it is whole, and give the status of the answer."""
        try:
            with suppress(BrokenPipeError, ConnectionResetError):
                self._connection.send(self._tail)
            answer = self._connection.getresponse()
            answer.read()
            return answer.status
        finally:
            self._connection.close()

    def leave(self) -> None:
        """Go away in the middle."""
        self._connection.close()


def titles(client: httpx.Client) -> list[str]:
    """The titles of a person's papers."""
    listed: list[dict[str, Any]] = client.get("/papers").raise_for_status().json()
    return [one["title"] for one in listed]
