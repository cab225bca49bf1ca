"""One backup of every store: rows, papers, key vault, tombstones, in three places; signed, dated, dead after 30 days.

Rows and key vault are sealed as they are read, for a recovery key whose secret half is on paper: nothing is written in clear. Papers
are as in the store, under their own names, in one pool that all backups of a folder share: only new ones are copied. Rows come
first, then papers and vault: every row then has its paper. Open sessions are in no backup. A backup counts from the moment its signed
list of files stands in its place; whatever dies before leaves `.partial` names, which the next run removes.
"""

import datetime as dt
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from crypto.agefile import FileDecryptor, FileEncryptor
from crypto.agerecipients import Identity, Recipient
from crypto.canonical import Value, canonical, instant, parse_instant, parse_object
from crypto.errors import BadSignature, CryptoError
from crypto.signing import SignPublic, SignRing, Verifier
from crypto.signing import verify as verify_signature
from crypto.statements import BackupMade
from storage import copies
from storage.blobs import CHUNK, BlobName, flush_folder
from storage.errors import BlobMissing
from storage.tables import sessions, tombstones, vault_sessions
from vault.context import Context
from vault.errors import AbriError
from vault.settings import Places, today_in_paris

KIND, PARTIAL = "abri-backup", ".partial"
ROWS, PAPERS, MANIFEST, SIGNATURE, POOL = "rows.age", "papers.txt", "manifest.json", "manifest.sig", "papers"
VAULT, STONES = ".vault.age", ".tombstones"
FILES = ("rows", "papers", "vault", "tombstones")
_SET = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ")


class BadBackup(AbriError):
    """A backup that cannot be made or used like this; the message says why."""


@dataclass(frozen=True)
class Backup:
    """One that is whole: its name, when it was made, the digests of its files by what they hold, on which engine, and whose key signed."""

    name: str
    made: dt.datetime
    engine: str
    files: dict[str, str]
    by: SignPublic

    @property
    def day(self) -> dt.date:
        """The day on which it was made, in Paris."""
        return today_in_paris(self.made)


@dataclass(frozen=True)
class Made:
    """What a run did."""

    name: str
    papers: int
    copied: int
    pruned: tuple[str, ...]


def make(context: Context, places: Places, recipients: Sequence[Recipient]) -> Made:
    """Back everything up, now, and remove what is too old. Raises BadBackup and what the stores raise: no backup is then there."""
    checked(places)
    now = context.clock().replace(microsecond=0)
    name = _named(now)
    with _alone(places):
        pruned = _prune(context, places)
        if (places.rows / name).exists():
            raise BadBackup("there is a backup of this second already")
        before = _known(places)
        folder = places.rows / f"{name}{PARTIAL}"
        folder.mkdir(mode=0o700)
        settings, none_open = context.settings, (sessions.name,)
        written = {"rows": _seal(folder / ROWS, copies.dump(settings.database_url, none_open), recipients)}
        kept, copied = _papers(context, places, before)
        written["papers"] = _write(
            folder / PAPERS, (f"{blob} {size} {digest}\n".encode() for blob, (size, digest) in kept.items())
        )
        vault = copies.dump(settings.vault_url, (vault_sessions.name,))
        written["vault"] = _placed(places.vault / f"{name}{VAULT}", lambda file: _seal(file, vault, recipients))
        written["tombstones"] = _placed(places.tombstones / f"{name}{STONES}", lambda file: _write(file, _stones(context)))
        said: dict[str, Value] = {
            "kind": KIND, "v": "1", "made": instant(now), "engine": copies.kind_of(settings.database_url), "files": dict(written),
        }  # fmt: skip
        manifest = canonical(said)
        _write(folder / MANIFEST, [manifest])
        signature = context.service.sign(BackupMade(instant(now), hashlib.sha256(manifest).digest()))
        _write(folder / SIGNATURE, [signature.hex().encode()])
        flush_folder(folder)
        folder.rename(places.rows / name)
        flush_folder(places.rows)
    return Made(name, len(kept), copied, pruned)


def prune(context: Context, places: Places) -> tuple[str, ...]:
    """Remove the backups whose 30 days are over, wherever a part of them lies, and the papers that no other one names."""
    checked(places)
    with _alone(places):
        return _prune(context, places)


def every(places: Places) -> list[str]:
    """The names of all backups that are whole, oldest first; their signatures are not looked at."""
    if not places.rows.is_dir():
        return []
    return sorted(one.name for one in places.rows.iterdir() if _SET.fullmatch(one.name) and (one / SIGNATURE).exists())


def stale(places: Places, today: dt.date, days: int) -> list[str]:
    """Whatever lies in the three places and is older than promised, by the days in the names; parts of dead runs too."""
    found = set()
    for folder in (places.rows, places.vault, places.tombstones):
        for one in folder.iterdir() if folder.is_dir() else ():
            named = _SET.match(one.name)
            if named and (today - day_of(named[0])).days > days:
                found.add(str(one))
    return sorted(found)


def day_of(name: str) -> dt.date:
    """The day in Paris on which a backup of this name was begun."""
    return today_in_paris(dt.datetime.strptime(name, "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=dt.UTC))


def read(places: Places, name: str, service: Verifier) -> Backup:
    """A backup whose list of files the service signed, by any key of its ring, and whose files are as listed. Raises BadBackup."""
    folder = places.rows / name
    try:
        manifest, signature = (folder / MANIFEST).read_bytes(), bytes.fromhex((folder / SIGNATURE).read_text())
        said = parse_object(manifest)
        made = str(said["made"])
        by = _signer(service, BackupMade(made, hashlib.sha256(manifest).digest()), signature)
        files = {str(key): str(value) for key, value in dict(said["files"]).items()}  # type: ignore[arg-type]  # a signed form
        found = Backup(name, parse_instant(made), str(said["engine"]), files, by)
    except OSError as error:
        raise BadBackup(f"{folder} is not a whole backup") from error
    except (CryptoError, ValueError, KeyError, TypeError) as error:
        raise BadBackup(f"{folder} is not what this service signed") from error
    if _named(found.made) != name:
        raise BadBackup(f"{folder} was signed as the backup {_named(found.made)}: somebody gave it another name")
    for what in FILES:
        path = place_of(places, name, what)
        if not path.exists():
            raise BadBackup(f"{path} is missing")
        if _digest(path) != found.files.get(what):
            raise BadBackup(f"{path} is not the file that was signed")
    return found


def _named(made: dt.datetime) -> str:
    return made.strftime("%Y-%m-%dT%H-%M-%SZ")


def _signer(service: Verifier, said: BackupMade, signature: bytes) -> SignPublic:
    """The key that signed this. BadSignature."""
    for one in service if isinstance(service, SignRing) else (service,):
        with suppress(BadSignature):
            verify_signature(one, said, signature)
            return one
    raise BadSignature


def place_of(places: Places, name: str, what: str) -> Path:
    """Where a part of a backup lies: `rows`, `papers` (their list), `vault` or `tombstones`."""
    return {
        "rows": places.rows / name / ROWS,
        "papers": places.rows / name / PAPERS,
        "vault": places.vault / f"{name}{VAULT}",
        "tombstones": places.tombstones / f"{name}{STONES}",
    }[what]


def papers_of(places: Places, name: str) -> Iterator[tuple[BlobName, int, str]]:
    """The papers of a backup: blob, size, SHA-256 in hexadecimal."""
    with place_of(places, name, "papers").open() as file:
        for line in file:
            blob, size, digest = line.split()
            yield BlobName(blob), int(size), digest


def pooled(places: Places, blob: str) -> Path:
    """Where the pool keeps a blob."""
    return places.rows / POOL / blob[:2] / blob


def pool_of(places: Places) -> list[Path]:
    """Every paper that the pool holds, named by a backup or not yet removed."""
    return sorted((places.rows / POOL).glob("*/*"))


def opened(file: Path, identities: Sequence[Identity]) -> Iterator[bytes]:
    """What a sealed part holds. Raises CryptoError when no key opens it, or when it was cut."""
    decryptor = FileDecryptor(identities)
    for piece in sealed_pieces(file):
        if plain := decryptor.update(piece):
            yield plain
    yield decryptor.finish()


def checked(places: Places) -> None:
    """Three places, none inside another: whoever takes one must not have taken the next. Raises BadBackup."""
    folders = [one.resolve() for one in (places.rows, places.vault, places.tombstones)]
    for one in folders:
        if any(one is not other and (one == other or one in other.parents) for other in folders):
            raise BadBackup("rows, key vault and tombstones go to three folders, none inside another: best on three machines")


# --- Writing --------------------------------------------------------------------------------------------------------------------


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """One run at a time; what dead runs left is removed first."""
    for folder in (places.rows, places.vault, places.tombstones, places.rows / POOL):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(places.rows / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadBackup("another run is making a backup here") from None
        whole = set(every(places))
        for folder in (places.rows, places.vault, places.tombstones):
            for one in list(folder.iterdir()):
                named = _SET.match(one.name)
                if named and named[0] not in whole:
                    _remove(one)
        for one in (places.rows / POOL).glob(f"*/*{PARTIAL}"):
            one.unlink()
        yield
    finally:
        os.close(handle)


def _prune(context: Context, places: Places) -> tuple[str, ...]:
    today, days = today_in_paris(context.clock()), context.settings.retention.backups
    old = tuple(name for name in every(places) if (today - day_of(name)).days >= days)
    for name in old:
        # The list of files goes first: half a backup is none.
        (places.rows / name / SIGNATURE).unlink()
        for what in ("vault", "tombstones"):
            place_of(places, name, what).unlink(missing_ok=True)
        shutil.rmtree(places.rows / name)
    kept = {blob for name in every(places) for blob, _, _ in papers_of(places, name)}
    for path in list((places.rows / POOL).glob("*/*")):
        if path.name not in kept:
            path.unlink()
    return old


def _known(places: Places) -> dict[str, tuple[int, str]]:
    """Papers that the pool holds already, as the last backups list them: they are not read again."""
    return {blob: (size, digest) for name in every(places) for blob, size, digest in papers_of(places, name)}


def _papers(context: Context, places: Places, before: dict[str, tuple[int, str]]) -> tuple[dict[str, tuple[int, str]], int]:
    kept: dict[str, tuple[int, str]] = {}
    copied = 0
    for held in context.blobs.inventory():
        if held.name in before and pooled(places, held.name).exists():
            kept[held.name] = before[held.name]
            continue
        with suppress(BlobMissing), context.blobs.open(held.name) as reader:  # missing: erased since it was listed
            path = pooled(places, held.name)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            digest = _placed(path, lambda file, reader=reader: _write(file, reader.chunks()))  # type: ignore[misc]  # this turn's
            kept[held.name] = (reader.size, digest)
            copied += 1
    return kept, copied


def _stones(context: Context) -> Iterator[bytes]:
    with context.keyvault.graveyard.transaction(read_only=True) as connection:
        for row in connection.execute(select(tombstones).order_by(tombstones.c.digest)):
            yield f"{row.digest} {instant(row.destroyed)}\n".encode()


def _seal(file: Path, pieces: Iterable[bytes], recipients: Sequence[Recipient]) -> str:
    def sealed() -> Iterator[bytes]:
        encryptor = FileEncryptor(recipients)
        for piece in pieces:
            yield encryptor.update(piece)
        yield encryptor.finish()

    return _write(file, sealed())


def _placed(path: Path, write: Callable[[Path], str]) -> str:
    """Written beside its place, then renamed: a name without `.partial` is whole."""
    beside = path.with_name(path.name + PARTIAL)
    digest = write(beside)
    beside.replace(path)
    flush_folder(path.parent)
    return digest


def _write(file: Path, pieces: Iterable[bytes]) -> str:
    """A new file that its owner alone reads, on the disk when this returns; its SHA-256."""
    digest = hashlib.sha256()
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as written:
        for piece in pieces:
            digest.update(piece)
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    return digest.hexdigest()


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sealed_pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a MiB at a time."""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece
