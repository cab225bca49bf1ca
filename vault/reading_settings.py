"""How the settings are read from ABRI_* variables, and what is refused before anything starts: each refusal says what to change."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import fields
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from crypto import agerecipients
from crypto.agerecipients import HybridRecipient, X25519Recipient
from crypto.errors import Malformed
from crypto.notes import ML_DSA_44, NoteKey, checked_name
from crypto.unlock import Cost
from vault.settings import (
    DEMO_MARK,
    MODES,
    TRAINING_MARK,
    Hosting,
    Mode,
    Places,
    Settings,
    UnsafeSettings,
    WitnessAt,
    folder_of,
    insecure_fast_kdf,
    read_key_file,
    read_public_keys,
)

REACHED_BY = re.compile(r"[^\s@]+@[^\s@]+|[0-9]")  # an e-mail; a telephone or the number of a house


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
        for name in (settings.trace_origin, *settings.former_trace_names):
            checked_name(name)
    except Malformed as error:
        raise UnsafeSettings(f"ABRI_TRACE_NAME names the trace for ever, like abri.example/trace: {error}.") from error
    if settings.mode == "demo":
        refuse_reachable(settings.host)
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


def refuse_reachable(host: str) -> None:
    """What is false answers to this machine alone. Raises UnsafeSettings."""
    if not ip_address(host).is_loopback:
        raise UnsafeSettings("The demonstration answers on a loopback address only: ABRI_HOST=127.0.0.1.")


def _refuse_for_people(settings: Settings) -> None:
    """What must be there before a first person: each with the sentence that says what to change."""
    needed = {
        "ABRI_CONTACT": settings.contact, "ABRI_HOSTING_CERTIFICATE": settings.hosting, "ABRI_ORIGINS": settings.origins,
        "ABRI_DATA_PROTECTION": settings.data_protection,
    }  # fmt: skip
    if missing := [name for name, value in needed.items() if not value]:
        raise UnsafeSettings(f"Production needs {', '.join(missing)}.")
    if unreachable := [name for name in ("ABRI_CONTACT", "ABRI_DATA_PROTECTION") if not REACHED_BY.search(str(needed[name]))]:
        raise UnsafeSettings(f"People reach whoever answers by an e-mail, a number or an address: see {', '.join(unreachable)}.")
    if settings.s3_endpoint is not None and not _stays_here(settings.s3_endpoint):
        raise UnsafeSettings("Papers go to a store on another machine by https:// alone: see ABRI_S3_ENDPOINT.")
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
    if not settings.blobs.startswith("s3:"):
        raise UnsafeSettings("Production keeps papers in an S3 store, apart from rows and keys: ABRI_BLOBS=s3:BUCKET.")
    if any(not getattr(settings.retention, one.name) for one in fields(settings.retention)):
        raise UnsafeSettings("Each term of the conditions is a figure above zero: see vault.settings.Retention.")


def _stays_here(endpoint: str) -> bool:
    """Whether nothing passes in clear between machines: TLS, this machine, or a name without a dot, in a network of its containers."""
    found = urlsplit(endpoint)
    host = found.hostname or ""
    try:
        return found.scheme == "https" or ip_address(host).is_loopback
    except ValueError:
        return "." not in host


def _database(url: str) -> tuple[object, ...] | None:
    """Which PostgreSQL database an address leads to, whoever connects and by whatever driver; None for SQLite."""
    found = make_url(url)
    if found.get_backend_name() == "sqlite":
        return None
    return found.host or found.query.get("host"), found.port or 5432, found.database


def listens_at(given: Mapping[str, str]) -> tuple[str, int]:
    """The address and the port, from variables without their ABRI_. Raises UnsafeSettings."""
    host = given.get("HOST", "127.0.0.1")
    try:
        host = "127.0.0.1" if host == "localhost" else str(ip_address(host))
    except ValueError:
        raise UnsafeSettings("ABRI_HOST is an address of this machine, as 127.0.0.1 or ::1, and no name.") from None
    return host, _number(given, "PORT", 8000, 65535)


def _number(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= most:
        raise UnsafeSettings(f"ABRI_{name} is a number from 1 to {most}.")
    return int(text)


def _stores(given: Mapping[str, str], folder: Path) -> list[str]:
    """Where the three databases are. What was given is not repeated in a refusal: it may hold a password."""
    found = []
    for name, file in (("DATABASE_URL", "abri"), ("VAULT_URL", "vault"), ("TOMBSTONES_URL", "tombstones")):
        found.append(given.get(name, f"sqlite:///{folder}/{file}.sqlite3"))
        try:
            read = make_url(found[-1])
            kept = read.database not in (None, "", ":memory:")
            good = read.get_backend_name() == "postgresql" or (read.get_backend_name() == "sqlite" and kept)
        except (ArgumentError, ValueError):
            good = False
        if not good:
            raise UnsafeSettings(f"ABRI_{name} is postgresql://role:password@host/name, or sqlite:////a/file.")
    return found


def _blobs(given: Mapping[str, str], folder: Path) -> str:
    """Where papers are kept: nothing else may be meant by a typing error than what is written."""
    text = given.get("BLOBS", f"folder:{folder}/papers")
    kind, _, place = text.partition(":")
    if (kind == "folder" and Path(place).is_absolute()) or (
        kind == "s3" and re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", place)
    ):
        return text
    raise UnsafeSettings("ABRI_BLOBS is folder:/AN/ABSOLUTE/PATH or s3:BUCKET.")


def _endpoint(given: Mapping[str, str]) -> str | None:
    text = given.get("S3_ENDPOINT")
    try:
        if text is not None and (urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname):
            raise ValueError
    except ValueError:
        raise UnsafeSettings("ABRI_S3_ENDPOINT is the address of an S3 store, https://...") from None
    return text


def _own_tls(given: Mapping[str, str]) -> tuple[Path | None, Path | None]:
    """Certificate and key, when the service speaks TLS by itself: both, or none."""
    found = [Path(given[name]) if name in given else None for name in ("CERTIFICATE", "PRIVATE_KEY")]
    if (found[0] is None) != (found[1] is None) or any(one is not None and not one.is_file() for one in found):
        raise UnsafeSettings("ABRI_CERTIFICATE and ABRI_PRIVATE_KEY are two files that are there, both or none.")
    return found[0], found[1]


def read_settings(environment: Mapping[str, str], *, mode: Mode | None = None, installing: bool = False) -> Settings:
    """Settings from ABRI_* variables; an unknown one is refused, because a typing error must not be silent.

    `installing`: before the first administrators have their root keys.
    """
    known = {
        "MODE", "FOLDER", "DATABASE_URL", "VAULT_URL", "TOMBSTONES_URL", "BLOBS", "S3_ENDPOINT", "HOST", "PORT", "ORIGINS",
        "CERTIFICATE", "PRIVATE_KEY", "SERVICE_KEYS", "PUBLIC_KEYS", "API", "WORKERS", "CONTACT", "HELP_NUMBERS", "HOSTING_CERTIFICATE",
        "DATA_PROTECTION", "NO_SKIPS", "INSECURE_FAST_KDF", "TRACE_NAME", "FORMER_TRACE_NAMES", "WITNESSES", "BACKUPS", "BACKUP_RECIPIENT",
    }  # fmt: skip
    given = {name[5:]: value for name, value in environment.items() if name.startswith("ABRI_")}
    if unknown := sorted(given.keys() - known):
        raise UnsafeSettings(f"Unknown settings: {', '.join('ABRI_' + name for name in unknown)}.")
    chosen = mode or given.get("MODE", "embedded")
    if chosen not in MODES:
        raise UnsafeSettings(f"ABRI_MODE is one of {', '.join(MODES)}.")
    kind: Mode = chosen
    folder = folder_of(environment, kind)
    keys = read_key_file(Path(given.get("SERVICE_KEYS", folder / "service-keys.json")), make=kind != "production")
    public = read_public_keys(Path(given.get("PUBLIC_KEYS", folder / "public-keys.json")))
    host, port = listens_at(given)
    certificate, private_key = _own_tls(given)
    rows, vault, stones = _stores(given, folder)
    scheme = "https" if certificate else "http"
    origins = given.get("ORIGINS", f"{scheme}://localhost:{port} {scheme}://127.0.0.1:{port}" if kind != "production" else "")
    found = Settings(
        mode=kind,
        folder=folder,
        database_url=rows,
        vault_url=vault,
        tombstones_url=stones,
        blobs=_blobs(given, folder),
        s3_endpoint=_endpoint(given),
        s3_region=environment.get("AWS_REGION", "us-east-1"),
        s3_access_key=environment.get("AWS_ACCESS_KEY_ID"),
        s3_secret_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        host=host,
        port=port,
        origins=tuple(origins.split()),
        certificate=certificate,
        private_key=private_key,
        service_sign=keys.sign,
        service_seal=keys.seal,
        earlier=keys.earlier,
        root_keys=public.roots,
        former_roots=public.former,
        incident_key=public.incident,
        cost=_cost(kind, insecure=given.get("INSECURE_FAST_KDF") == "yes"),
        trace_name=given.get("TRACE_NAME", ""),
        former_trace_names=tuple(given.get("FORMER_TRACE_NAMES", "").split()),
        witnesses=read_witnesses(Path(given["WITNESSES"])) if "WITNESSES" in given else (),
        api=given.get("API") == "yes",
        workers=_number(given, "WORKERS", 1, 64),
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
