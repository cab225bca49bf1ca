"""A whole service for a browser: the demonstration, over HTTPS, in a folder of its own, as `make run` starts it."""

import base64
import datetime as dt
import fcntl
import hashlib
import ipaddress
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vault import one_time

STARTS_WITHIN = 120
KEY = ec.generate_private_key(ec.SECP256R1())  # of each certificate of this process: its browser is told to trust it


@dataclass
class Site:
    """Where the pages are, and the secrets of those who live there."""

    base: str
    folder: Path
    access: dict[str, Any] = field(repr=False)

    def card(self, who: str) -> Path:
        """The picture of somebody's card."""
        return self.folder / "cartes" / f"{who}.jpg"

    def blank_card(self, number: int) -> Path:
        """A card that nobody has used."""
        return self.folder / "cartes" / f"vierge-{number}.jpg"

    def person(self, who: str) -> dict[str, Any]:
        """Somebody's code or pictures."""
        found: dict[str, Any] = self.access["people"][who]
        return found

    def worker(self, who: str) -> dict[str, Any]:
        """A worker's or an administrator's name of entry, words and telephone."""
        found: dict[str, Any] = self.access["staff"][who]
        return found

    def six_digits(self, who: str) -> str:
        """What the telephone shows now. Six digits open one door, and journeys follow each other sooner than every thirty seconds:
        which doors were opened is forgotten first. That they open one alone is for `tests/vault/test_one_time.py`."""
        with closing(sqlite3.connect(self.folder / "data" / "abri.sqlite3", timeout=20)) as rows, rows:
            for table in ("workers", "administrators"):
                rows.execute(f"UPDATE {table} SET totp_used = 0")  # noqa: S608 (two names of ours)
        return one_time.password(bytes.fromhex(self.worker(who)["totp"]), dt.datetime.now(dt.UTC))


def free_port() -> int:
    """A port of the loopback address that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def trusted() -> str:
    """What tells Chromium to trust each site of this process. It caches nothing of a site whose certificate it only puts up with."""
    spki = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"--ignore-certificate-errors-spki-list={base64.b64encode(hashlib.sha256(spki).digest()).decode()}"


def make_certificate(folder: Path, signer: ec.EllipticCurvePrivateKey = KEY) -> tuple[Path, Path]:
    """A certificate for this run, self-signed, for 127.0.0.1 and localhost; the key in PKCS#8, as the server wants it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(names, critical=False)
        .sign(signer, hashes.SHA256())
    )
    crt, pem = folder / "site.crt", folder / "site.pem"
    crt.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(
        signer.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return crt, pem


def made_once(folder: Path) -> Path:
    """A demonstration that nobody serves, to copy: whoever comes first makes it, the other processes of the tests wait for it."""
    with (folder / "making").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        demo = folder / "demo"
        if not (demo / "access.json").exists():
            command = [sys.executable, "-m", "vault", "demo", "--folder", str(demo), "--only-reset", "--reset"]
            environment = {**_without_ours(), "ABRI_INSECURE_FAST_KDF": "yes"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=STARTS_WITHIN, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr[-4000:])
        return demo


def _without_ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ABRI_")}


def start(
    folder: Path, *, name: str = "", copied: Path | None = None, **settings: str
) -> tuple[Site, "subprocess.Popen[bytes]"]:  # fmt: skip
    """Make the demonstration and serve it; gives the site and the process to stop. `copied`: one that is made already.

    `name`: served under this name, without TLS: a browser gives no passkey to a site whose certificate it does not trust.
    """
    port, secure = free_port(), dict[str, str]()
    if not name:
        certificate, key = make_certificate(folder)
        secure = {"ABRI_CERTIFICATE": str(certificate), "ABRI_PRIVATE_KEY": str(key)}
    environment = {
        **_without_ours(),
        **secure,
        "ABRI_ORIGINS": f"http://{name}:{port}" if name else f"https://127.0.0.1:{port} https://localhost:{port}",
        "ABRI_INSECURE_FAST_KDF": "yes",
        **settings,
    }
    demo = folder / "demo"
    if copied is not None:
        shutil.copytree(copied, demo)
    command = [sys.executable, "-m", "vault", "demo", "--folder", str(demo), "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    base = f"http://{name}:{port}" if name else f"https://127.0.0.1:{port}"
    until = time.monotonic() + STARTS_WITHIN
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > until:
            stop(process)
            raise RuntimeError((folder / "server.log").read_text(errors="replace")[-4000:])
        time.sleep(0.2)
    return Site(base, demo, json.loads((demo / "access.json").read_text())), process


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End the service and everything that it started, at once: how it ends by itself is for other tests."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=5)
