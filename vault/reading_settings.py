"""How the settings are read from ABRI_* variables, and what is refused before anything starts: each refusal says what to change."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import make_url

from crypto import agerecipients
from crypto.agerecipients import HybridRecipient, X25519Recipient
from crypto.errors import Malformed
from crypto.keys import SignSeed
from crypto.notes import ML_DSA_44, NoteKey, checked_name
from crypto.unlock import Cost
from vault.settings import (
    DEMO_MARK,
    MODES,
    TRAINING_MARK,
    Hosting,
    Mode,
    Places,
    SealKey,
    Settings,
    UnsafeSettings,
    WitnessAt,
    earlier_keys,
    folder_of,
    insecure_fast_kdf,
    read_key_file,
    read_public_keys,
)


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
    folder = folder_of(environment, kind)
    keys = read_key_file(Path(given.get("SERVICE_KEYS", folder / "service-keys.json")), make=kind != "production")
    public = read_public_keys(Path(given.get("PUBLIC_KEYS", folder / "public-keys.json")))
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
        root_keys=public.roots,
        former_roots=public.former,
        incident_key=public.incident,
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
