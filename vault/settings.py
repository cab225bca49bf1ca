"""The environment, read once into frozen settings. Unsafe values are refused with a sentence that says what to change.

Three modes: `demo` (false papers, loopback only, its own folder), `embedded` (one machine, SQLite and a folder) and `production`.
Service keys live in a file of their own with mode 0600; root keys are the administrators' public signing keys.
"""

import datetime as dt
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from crypto import agerecipients
from crypto.agerecipients import HybridRecipient, X25519Recipient
from crypto.errors import Malformed
from crypto.kem import KemPublic, kem_public
from crypto.keys import SecretBytes, SignSeed
from crypto.notes import ML_DSA_44, NoteKey, checked_name
from crypto.signing import SignPublic, sign_public_from
from crypto.unlock import Cost

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
    silent_told_months: tuple[int, ...] = (12, 24)
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
    trace_name: str = ""
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


def _read_key_file(path: Path, *, make: bool) -> dict[str, Any]:
    if not path.exists():
        if not make:
            raise UnsafeSettings(f"{path} is missing: `abri keys make` makes the service's keys, once; they are kept apart.")
        make_key_file(path)
    if path.stat().st_mode & 0o077:
        raise UnsafeSettings(f"{path} can be read by others: chmod 600 it.")
    values: dict[str, Any] = json.loads(path.read_text())
    return values


def earlier_keys(written: dict[str, Any]) -> tuple[EarlierKeys, ...]:
    """The service's keys of before, from the file of its keys."""
    return tuple(
        EarlierKeys(
            public=sign_public_from(bytes.fromhex(one["public"])), trace=bytes.fromhex(one["trace"]),
            seal=SealKey(bytes.fromhex(one["seal"])), until=dt.date.fromisoformat(one["until"]), next=bytes.fromhex(one["next"]),
            signature=bytes.fromhex(one["signature"]), sign=SignSeed(bytes.fromhex(one["sign"])) if one.get("sign") else None,
        )
        for one in written.get("earlier", ())
    )  # fmt: skip


def _folder(environment: Mapping[str, str], mode: str) -> Path:
    return Path(environment.get("ABRI_FOLDER", "demo/data" if mode == "demo" else "data")).absolute()


def service_keys_place(environment: Mapping[str, str]) -> Path:
    """Where the service's keys are."""
    folder = _folder(environment, environment.get("ABRI_MODE", "embedded"))
    return Path(environment.get("ABRI_SERVICE_KEYS", folder / "service-keys.json"))


def public_keys_place(environment: Mapping[str, str]) -> Path:
    """Where root keys and the incident key's public half are."""
    folder = _folder(environment, environment.get("ABRI_MODE", "embedded"))
    return Path(environment.get("ABRI_PUBLIC_KEYS", folder / "public-keys.json"))


def read_public_keys(path: Path) -> tuple[dict[str, SignPublic], KemPublic]:
    """Root keys of administrators and the incident key's public half, from the file that the installation wrote."""
    if not path.exists():
        raise UnsafeSettings(f"{path} is missing: `abri keys roots` writes the administrators' public keys and the incident key.")
    content = json.loads(path.read_text())
    roots = {name: sign_public_from(bytes.fromhex(key)) for name, key in content["roots"].items()}
    return roots, kem_public(bytes.fromhex(content["incident"]))


def read_witnesses(path: Path) -> tuple[WitnessAt, ...]:
    """Witnesses of the trace: a file of lines, each an address, a space, a verifier key (`abri witness key` prints it)."""
    found = []
    for line in path.read_text().splitlines():
        address, _, vkey = line.partition(" ")
        try:
            key = NoteKey.from_vkey(vkey)
        except Malformed as error:
            raise UnsafeSettings(f"{path}: a line is an address, a space and a witness's key ({error}).") from error
        if key.kind != ML_DSA_44 or not address.startswith(("https://", "http://")):
            raise UnsafeSettings(f"{path}: witnesses have an http(s) address and sign with ML-DSA-44.")
        found.append(WitnessAt(address.rstrip("/"), key))
    return tuple(found)


def marked(settings: Settings, mark: str) -> bool:
    """Whether any store of these settings lies in a folder with this mark."""
    files = [url.removeprefix("sqlite:///") for url in (settings.database_url, settings.vault_url, settings.tombstones_url)]
    folders = {settings.folder, *(Path(one).parent for one in files if "://" not in one)}
    kind, _, place = settings.blobs.partition(":")
    if kind == "folder":
        folders |= {Path(place), Path(place).parent}
    return any((folder / mark).exists() for folder in folders)


def _refuse_unsafe(settings: Settings, *, installing: bool) -> Settings:
    try:
        checked_name(settings.trace_origin)
    except Malformed as error:
        raise UnsafeSettings(f"ABRI_TRACE_NAME names the trace for ever, like abri.example/trace: {error}.") from error
    loopback = settings.host == "localhost" or ip_address(settings.host).is_loopback
    if settings.mode == "demo" and not loopback:
        raise UnsafeSettings("The demonstration answers on a loopback address only: ABRI_HOST=127.0.0.1.")
    if settings.mode != "demo" and marked(settings, DEMO_MARK):
        raise UnsafeSettings("This folder holds a demonstration: its papers are false. Choose another ABRI_FOLDER.")
    if marked(settings, TRAINING_MARK):
        raise UnsafeSettings("This folder holds a room for training: its papers are false. Choose another ABRI_FOLDER.")
    if settings.mode != "demo" and len(settings.root_keys) < 2 and not installing:
        raise UnsafeSettings("Two administrators' root keys are needed: every certificate carries two signatures.")
    if settings.mode == "production":
        _refuse_for_people(settings)
    if settings.cost.m < 65536 and settings.mode == "embedded":
        raise UnsafeSettings("ABRI_INSECURE_FAST_KDF is for tests and load alone.")
    return settings


def _refuse_for_people(settings: Settings) -> None:
    """What must be there before a first person: each with the sentence that says what to change."""
    needed = {
        "ABRI_CONTACT": settings.contact, "ABRI_HOSTING_CERTIFICATE": settings.hosting, "ABRI_ORIGINS": settings.origins,
        "ABRI_DATA_PROTECTION": settings.data_protection,
    }  # fmt: skip
    if missing := [name for name, value in needed.items() if not value]:
        raise UnsafeSettings(f"Production needs {', '.join(missing)}.")
    if any(not origin.startswith("https://") for origin in settings.origins):
        raise UnsafeSettings("Production pages are served over https:// alone: see ABRI_ORIGINS.")
    if settings.cost.m < 65536 or settings.cost.t < 3:
        raise UnsafeSettings("Production derives codes with Argon2id at 64 MiB and 3 passes or more.")
    vault, rows, stones = (_database(url) for url in (settings.vault_url, settings.database_url, settings.tombstones_url))
    if vault is None or vault == rows:
        raise UnsafeSettings("Production keeps the key vault in a PostgreSQL database of its own: ABRI_VAULT_URL.")
    if stones is None or stones in (vault, rows):
        raise UnsafeSettings(
            "Tombstones are never rolled back with rows or key vault: a database of their own, ABRI_TOMBSTONES_URL."
        )
    if any(not getattr(settings.retention, one.name) for one in fields(settings.retention)):
        raise UnsafeSettings("Each term of the conditions is a figure above zero: see vault.settings.Retention.")


def _database(url: str) -> tuple[object, ...] | None:
    """Which PostgreSQL database an address leads to, whoever connects and by whatever driver; None for SQLite."""
    found = make_url(url)
    if found.get_backend_name() == "sqlite":
        return None
    return found.host or found.query.get("host"), found.port or 5432, found.database


def read_settings(environment: Mapping[str, str], *, mode: Mode | None = None, installing: bool = False) -> Settings:
    """Settings from ABRI_* variables; an unknown one is refused, because a typing error must not be silent.

    `installing`: before the first administrators have their root keys.
    """
    known = {
        "MODE", "FOLDER", "DATABASE_URL", "VAULT_URL", "TOMBSTONES_URL", "BLOBS", "S3_ENDPOINT", "HOST", "PORT", "ORIGINS",
        "CERTIFICATE", "PRIVATE_KEY", "SERVICE_KEYS", "PUBLIC_KEYS", "API", "WORKERS", "CONTACT", "HELP_NUMBERS", "HOSTING_CERTIFICATE",
        "DATA_PROTECTION",        "NO_SKIPS", "INSECURE_FAST_KDF", "TRACE_NAME", "WITNESSES", "BACKUPS", "BACKUP_RECIPIENT",
    }  # fmt: skip
    given = {name[5:]: value for name, value in environment.items() if name.startswith("ABRI_")}
    if unknown := sorted(given.keys() - known):
        raise UnsafeSettings(f"Unknown settings: {', '.join('ABRI_' + name for name in unknown)}.")
    chosen = mode or given.get("MODE", "embedded")
    if chosen not in MODES:
        raise UnsafeSettings(f"ABRI_MODE is one of {', '.join(MODES)}.")
    kind: Mode = chosen
    folder = _folder(environment, kind)
    keys = _read_key_file(Path(given.get("SERVICE_KEYS", folder / "service-keys.json")), make=kind != "production")
    roots, incident = read_public_keys(Path(given.get("PUBLIC_KEYS", folder / "public-keys.json")))
    host, port = given.get("HOST", "127.0.0.1"), int(given.get("PORT", "8000"))
    certificate = Path(given["CERTIFICATE"]) if "CERTIFICATE" in given else None
    scheme = "https" if certificate else "http"
    origins = given.get("ORIGINS", f"{scheme}://localhost:{port} {scheme}://127.0.0.1:{port}" if kind != "production" else "")
    found = Settings(
        mode=kind,
        folder=folder,
        database_url=given.get("DATABASE_URL", f"sqlite:///{folder}/abri.sqlite3"),
        vault_url=given.get("VAULT_URL", f"sqlite:///{folder}/vault.sqlite3"),
        tombstones_url=given.get("TOMBSTONES_URL", f"sqlite:///{folder}/tombstones.sqlite3"),
        blobs=given.get("BLOBS", f"folder:{folder}/papers"),
        s3_endpoint=given.get("S3_ENDPOINT"),
        s3_region=environment.get("AWS_REGION", "us-east-1"),
        s3_access_key=environment.get("AWS_ACCESS_KEY_ID"),
        s3_secret_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        host=host,
        port=port,
        origins=tuple(origins.split()),
        certificate=certificate,
        private_key=Path(given["PRIVATE_KEY"]) if "PRIVATE_KEY" in given else None,
        service_sign=SignSeed(bytes.fromhex(keys["sign"])),
        service_seal=SealKey(bytes.fromhex(keys["seal"])),
        earlier=earlier_keys(keys),
        root_keys=roots,
        incident_key=incident,
        cost=_cost(kind, insecure=given.get("INSECURE_FAST_KDF") == "yes"),
        trace_name=given.get("TRACE_NAME", ""),
        witnesses=read_witnesses(Path(given["WITNESSES"])) if "WITNESSES" in given else (),
        api=given.get("API") == "yes",
        workers=int(given.get("WORKERS", "1")),
        contact=given.get("CONTACT", ""),
        help_numbers=_help_numbers(given.get("HELP_NUMBERS", "")),
        hosting=_hosting(given.get("HOSTING_CERTIFICATE", "")),
        data_protection=given.get("DATA_PROTECTION", "").strip(),
        backups=places(given["BACKUPS"]) if "BACKUPS" in given else None,
        backup_recipients=_recipients(given.get("BACKUP_RECIPIENT", "")),
    )
    return _refuse_unsafe(found, installing=installing)


def _hosting(text: str) -> Hosting | None:
    """`NUMBER; HOST; YEAR-MONTH-DAY`, or nothing."""
    number, host, ends = ([one.strip() for one in text.split(";")] + ["", "", ""])[:3]
    try:
        if text.strip() and not (number and host and text.count(";") == 2):
            raise ValueError
        return Hosting(number, host, dt.date.fromisoformat(ends)) if text.strip() else None
    except ValueError:
        raise UnsafeSettings("ABRI_HOSTING_CERTIFICATE: `number; host; last day`, as `HDS-1; Hébergeur; 2028-05-31`.") from None


def places(text: str) -> Places:
    """`ROWS:VAULT:TOMBSTONES`, three folders."""
    folders = [Path(one).absolute() for one in text.split(":") if one]
    if len(folders) != 3 or len(set(folders)) != 3:
        raise UnsafeSettings("Backups go to three folders, rows:key vault:tombstones, best on three machines (ABRI_BACKUPS).")
    return Places(*folders)


def _recipients(text: str) -> tuple[X25519Recipient | HybridRecipient, ...]:
    try:
        return tuple(agerecipients.recipient(one) for one in text.split())
    except Malformed as error:
        raise UnsafeSettings("ABRI_BACKUP_RECIPIENT is an age recipient, age1...: `abri keys recovery` makes one.") from error


def _help_numbers(text: str) -> tuple[tuple[str, str], ...]:
    """`name: number; name: number`, at most four: what the page of "Je me protège" shows to whoever is afraid."""
    pairs = [one.partition(":") for one in text.split(";") if one.strip()]
    found = tuple((name.strip(), number.strip()) for name, _, number in pairs)
    if len(found) > 4 or not all(name and number and set(number) <= set("0123456789 +") for name, number in found):
        raise UnsafeSettings("ABRI_HELP_NUMBERS is written `name: number; name: number`, at most four.")
    return found


def _cost(mode: Mode, *, insecure: bool) -> Cost:
    """Argon2id at 64 MiB and 3 passes; 19 MiB and 2 where every paper is false, so that a demonstration is made in seconds."""
    if insecure:
        return insecure_fast_kdf()
    return Cost(19456, 2) if mode == "demo" else Cost(65536, 3)


def insecure_fast_kdf() -> Cost:
    """A cost that protects nothing, for tests and load: 64 KiB, one pass."""
    return Cost(64, 1)


def today_in_paris(at: dt.datetime) -> dt.date:
    """The day that a person in Paris would name."""
    return at.astimezone(ZoneInfo("Europe/Paris")).date()
