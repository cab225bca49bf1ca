"""What the service is set to, read once and frozen; `vault.reading_settings` reads it from the environment and refuses what is unsafe.

Three modes: `demo` (false papers, loopback only, its own folder), `embedded` (one machine, SQLite and a folder) and `production`.
Service keys live in a file of their own with mode 0600; root keys are the administrators' public signing keys.
"""

import datetime as dt
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from crypto.agerecipients import HybridRecipient, X25519Recipient
from crypto.errors import BadSignature, CryptoError, Malformed
from crypto.kem import KemPublic, kem_public
from crypto.keys import SecretBytes, SignSeed
from crypto.notes import NoteKey
from crypto.signing import SignPublic, sign_public_from
from crypto.unlock import Cost
from vault import root_keys

Mode = Literal["demo", "embedded", "production", "training"]
MODES: tuple[Mode, ...] = ("demo", "embedded", "production")
DEMO_MARK = "DEMONSTRATION"  # a file of this name marks a folder of false papers, which `abri serve` refuses
TRAINING_MARK = "FORMATION"  # the same of a room for training, which only `vault.training` makes and opens
RIBBONS: Mapping[str, str] = {"demo": "demo.ribbon", "training": "training.ribbon"}


class UnsafeSettings(Exception):
    """The service does not start like this; the message says what to change."""


class SealKey(SecretBytes):
    """The service's own key for what guards pages and not papers (one-time passwords)."""

    SIZE = 32


@dataclass(frozen=True)
class Limits:
    """What a person and a request may weigh; times of `docs/operations.md`. Bytes, pages, seconds."""

    person_bytes: int = 1_000_000_000
    person_pages: int = 2000
    idle_seconds: int = 180
    absolute_seconds: int = 1800
    extended_seconds: int = 7200
    worker_idle_seconds: int = 600
    worker_absolute_seconds: int = 8 * 3600
    opening_seconds: int = 1800
    derivations_at_once: int = 2
    derivations_waiting: int = 12


@dataclass(frozen=True)
class Retention:
    """How long things are kept: the one source of what is enforced and of what the conditions say. Days."""

    bin: int = 7
    trace: int = 3 * 365
    attempts: int = 365
    backups: int = 30
    cooling_off_hours: int = 72
    receipts_years: int = 5
    registers_years: int = 5
    worker_months: int = 12  # after a worker has left: then a pseudonym stands in their place
    silent_months: int = 36  # a safe that nobody opens: told at 12 and 24, erased at 36, never before
    silent_told_months: tuple[int, int] = (12, 24)
    notice_months: int = 3  # before the service closes
    retrieval_months: int = 12  # after it has closed, or after the last means was lost


@dataclass(frozen=True)
class Hosting:
    """The certificate of whoever hosts health data (CSP L1111-8): its number, the host, its last day. Shown in the conditions."""

    number: str
    host: str
    ends: dt.date


@dataclass(frozen=True)
class Places:
    """Where backups go: rows with papers, the key vault, tombstones. Three folders, on three machines when there are three."""

    rows: Path
    vault: Path
    tombstones: Path


@dataclass(frozen=True)
class WitnessAt:
    """A witness of the trace: where it is asked, and the one key by which it signs."""

    address: str
    key: NoteKey


@dataclass(frozen=True)
class EarlierKeys:
    """The service's two keys of before: what still verifies and opens.

    `sign` signs heads of the trace beside the present key until it is retired.
    """

    public: SignPublic
    trace: bytes  # the two public keys of the trace, 32 and 1312 bytes
    seal: SealKey = field(repr=False)
    until: dt.date
    next: bytes  # the statement that names the key after it, and this key's signature over it
    signature: bytes
    sign: SignSeed | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything that the service takes from outside."""

    mode: Mode
    folder: Path
    database_url: str
    vault_url: str
    tombstones_url: str
    blobs: str  # "folder:PATH" or "s3:BUCKET"
    s3_endpoint: str | None
    s3_region: str
    s3_access_key: str | None = field(repr=False)
    s3_secret_key: str | None = field(repr=False)
    host: str
    port: int
    origins: tuple[str, ...]  # addresses under which pages are served, scheme included
    certificate: Path | None
    private_key: Path | None
    service_sign: SignSeed = field(repr=False)
    service_seal: SealKey = field(repr=False)
    root_keys: Mapping[str, SignPublic]  # administrator's id -> public signing key
    incident_key: KemPublic
    cost: Cost
    former_roots: Mapping[str, SignPublic] = field(
        default_factory=dict
    )  # of administrators who left: what they signed goes on holding
    trace_name: str = ""
    former_trace_names: tuple[str, ...] = ()  # what was signed under them is still judged by our keys
    witnesses: tuple[WitnessAt, ...] = ()
    api: bool = False
    workers: int = 1
    contact: str = ""
    help_numbers: tuple[tuple[str, str], ...] = ()  # whom to call when one is afraid: a name and a number
    hosting: Hosting | None = None
    data_protection: str = ""  # how the data protection officer is reached (GDPR 13(1)(b))
    backups: Places | None = None
    backup_recipients: tuple[X25519Recipient | HybridRecipient, ...] = ()  # whom rows and key vault are sealed for
    earlier: tuple[EarlierKeys, ...] = ()  # the service's keys of before, the latest first
    prefix: str = ""  # what stands before every address of a room for training
    limits: Limits = Limits()
    retention: Retention = Retention()

    @property
    def trace_origin(self) -> str:
        """The name under which the trace is signed: an address without its scheme, the same for ever."""
        return self.trace_name or (self.origins[0].partition("://")[2] if self.origins else "localhost") + "/trace"

    @property
    def demo(self) -> bool:
        """Whether everything in this store is false, and says so: a demonstration, or a room for training."""
        return self.mode in RIBBONS

    @property
    def ribbon(self) -> str:
        """The sentence that says so on every page; the demonstration's where nothing is false."""
        return RIBBONS.get(self.mode, RIBBONS["demo"])


def make_key_file(path: Path) -> None:
    """Draw the service's keys into a file that only its owner reads."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({"seal": secrets.token_hex(32), "sign": secrets.token_hex(32)}, file)


@dataclass(frozen=True)
class ServiceKeys:
    """The service's own keys, and those of before."""

    sign: SignSeed = field(repr=False)
    seal: SealKey = field(repr=False)
    earlier: tuple[EarlierKeys, ...] = ()


def read_key_file(path: Path, *, make: bool) -> ServiceKeys:
    """The service's keys from their file, made if it may be. UnsafeSettings."""
    if not path.exists():
        if not make:
            raise UnsafeSettings(f"{path} is missing: `abri keys make` makes the service's keys, once; they are kept apart.")
        make_key_file(path)
    if path.stat().st_mode & 0o077:
        raise UnsafeSettings(f"{path} can be read by others: chmod 600 it.")
    return keys_of(written_keys(path))


def written_keys(path: Path) -> dict[str, Any]:
    """What stands in the file of the service's keys, whole. UnsafeSettings."""
    try:
        written: dict[str, Any] = json.loads(path.read_text())
        keys_of(written)
    except (ValueError, TypeError, KeyError, AttributeError, CryptoError):  # whose words might repeat a key
        raise UnsafeSettings(f"{path} is damaged: put back the copy of the service's keys that is kept apart.") from None
    return written


def keys_of(written: Mapping[str, Any]) -> ServiceKeys:
    """The service's keys as their file has them."""
    earlier = tuple(
        EarlierKeys(
            public=sign_public_from(bytes.fromhex(one["public"])), trace=bytes.fromhex(one["trace"]),
            seal=SealKey(bytes.fromhex(one["seal"])), until=dt.date.fromisoformat(one["until"]), next=bytes.fromhex(one["next"]),
            signature=bytes.fromhex(one["signature"]), sign=SignSeed(bytes.fromhex(one["sign"])) if one.get("sign") else None,
        )
        for one in written.get("earlier", ())
    )  # fmt: skip
    return ServiceKeys(SignSeed(bytes.fromhex(written["sign"])), SealKey(bytes.fromhex(written["seal"])), earlier)


def folder_of(environment: Mapping[str, str], mode: str) -> Path:
    """Where everything lies unless a variable says otherwise."""
    return Path(environment.get("ABRI_FOLDER", "demo/data" if mode == "demo" else "data")).absolute()


def service_keys_place(environment: Mapping[str, str]) -> Path:
    """Where the service's keys are."""
    folder = folder_of(environment, environment.get("ABRI_MODE", "embedded"))
    return Path(environment.get("ABRI_SERVICE_KEYS", folder / "service-keys.json"))


def public_keys_place(environment: Mapping[str, str]) -> Path:
    """Where root keys and the incident key's public half are."""
    folder = folder_of(environment, environment.get("ABRI_MODE", "embedded"))
    return Path(environment.get("ABRI_PUBLIC_KEYS", folder / "public-keys.json"))


@dataclass(frozen=True)
class PublicKeys:
    """What the installation wrote: whose keys sign certificates, whose did, and the incident key's public half."""

    roots: Mapping[str, SignPublic]
    former: Mapping[str, SignPublic]
    incident: KemPublic


def read_public_keys(path: Path) -> PublicKeys:
    """The file of public keys; refused when its root keys do not follow from the first ones, each change signed by two."""
    if not path.exists():
        raise UnsafeSettings(f"{path} is missing: `abri keys roots` writes the administrators' public keys and the incident key.")
    try:
        content = json.loads(path.read_text())
        known = root_keys.read(content)
        return PublicKeys(known.roots, known.former, kem_public(bytes.fromhex(content["incident"])))
    except root_keys.SameKey as error:
        raise UnsafeSettings(
            f"{path}: two administrators have the same root key. Each of the two who sign holds their own."
        ) from error
    except (AttributeError, BadSignature, Malformed, KeyError, TypeError, ValueError) as error:
        raise UnsafeSettings(
            f"{path}: the administrators' root keys do not follow from the first ones. Put back the file that `abri keys` wrote."
        ) from error


def insecure_fast_kdf() -> Cost:
    """A cost that protects nothing, for tests and load: 64 KiB, one pass."""
    return Cost(64, 1)


def today_in_paris(at: dt.datetime) -> dt.date:
    """The day that a person in Paris would name."""
    return at.astimezone(ZoneInfo("Europe/Paris")).date()
