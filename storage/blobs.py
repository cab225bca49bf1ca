"""Opaque bytes under random names: what every store of blobs promises, and the store that is a folder."""

import errno
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import NewType, Protocol, Self

from storage.errors import BlobDamaged, BlobMissing, StorageFull, StoreUnreachable

BlobName = NewType("BlobName", str)
CHUNK = 1024 * 1024
NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Stored:
    """A blob that is now durable. `sha256` (32 bytes) was computed over the bytes as they were given."""

    name: BlobName
    size: int
    sha256: bytes


@dataclass(frozen=True)
class Held:
    """A blob that the store holds, for the sweep of orphans. `modified` is in UTC."""

    name: BlobName
    size: int
    modified: datetime


class BlobWriter(Protocol):
    """A blob being written; it exists for nobody before `commit`. Leaving its `with` block without commit abandons it."""

    name: BlobName

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes. Raises StorageFull, StoreUnreachable; the writer is then abandoned."""

    def digest(self) -> bytes:
        """SHA-256 of the bytes given so far: after the last one, what `commit` will tell."""

    def commit(self) -> Stored:
        """Make the blob durable and readable. Raises StorageFull, StoreUnreachable, BlobDamaged; nothing is left then."""

    def abandon(self) -> None:
        """Remove what was written. Never raises; safe to repeat; does nothing after commit."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class BlobReader(Protocol):
    """A blob open for reading any range of it."""

    name: BlobName
    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Read `length` bytes from `offset`, fewer only at the end of the blob. Raises BlobDamaged, StoreUnreachable."""

    def chunks(self, offset: int = 0, length: int | None = None, *, size: int = CHUNK) -> Iterator[bytes]:
        """Read a range, or all that follows `offset`, in pieces of `size` bytes."""

    def close(self) -> None:
        """Let go of the blob. Safe to repeat."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class BlobStore(Protocol):
    """Where blobs are kept. Safe to share between threads."""

    def writer(self, name: BlobName | None = None) -> BlobWriter:
        """Begin a blob under a new random name; under a given one only to put back what had it before."""

    def open(self, name: BlobName) -> BlobReader:
        """Open a blob. Raises BlobMissing, StoreUnreachable."""

    def delete(self, name: BlobName) -> None:
        """Remove a blob with all its versions; no error when there is none, so that the step can be repeated."""

    def inventory(self) -> Iterator[Held]:
        """Tell all blobs, in no order."""

    def every(self) -> Iterator[tuple[BlobReader, bool]]:
        """Open all that can still be read, one after the other: each blob, and each hidden version of one (then True)."""

    def clean(self, before: datetime) -> int:
        """Remove what dead writers left: a folder knows which are dead, S3 believes it of those that began before that moment."""

    def check(self) -> None:
        """Raise StoreUnreachable when the store cannot be used."""

    def close(self) -> None:
        """Close connections."""


def new_name() -> BlobName:
    """Draw a name that nobody can guess: 128 random bits, in hexadecimal."""
    return BlobName(secrets.token_hex(16))


def well_formed(untrusted_name: str) -> BlobName:
    """Refuse, as missing, what this package cannot have drawn: no path and no key is ever built from anything else."""
    if not NAME.fullmatch(untrusted_name):
        raise BlobMissing("no blob has such a name")
    return BlobName(untrusted_name)


class FolderStore:
    """Blobs as files: `<root>/ab/abcd…`, in 256 folders, readable by their owner alone.

    A blob is written under `<root>/partial/`, flushed to the disk, then moved; its folder is flushed too. Each partial file is
    locked by its writer, so that cleaning can tell the files of the dead from those of the living, also between processes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._partial = root / "partial"
        with _renamed():
            self.root.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self.root, self._partial):
                if _made_folder(folder):
                    flush_folder(folder.parent)

    def writer(self, name: BlobName | None = None) -> "FileWriter":
        """Begin a blob."""
        return FileWriter(self, well_formed(name) if name else new_name())

    def open(self, name: BlobName) -> "FileReader":
        """Open a blob."""
        return FileReader(self.path_of(name), name)

    def delete(self, name: BlobName) -> None:
        """Remove the file, durably."""
        with suppress(BlobMissing):
            folder = self.root / well_formed(name)[:2]
            with _renamed(), suppress(FileNotFoundError):
                os.unlink(os.path.join(folder, name))  # no Path: the interpreter would keep each name in a table of its own
                flush_folder(folder)

    def inventory(self) -> Iterator[Held]:
        """Walk through the 256 folders."""
        with _renamed():
            folders = [entry.path for entry in os.scandir(self.root) if re.fullmatch(r"[0-9a-f]{2}", entry.name)]
        for folder in folders:
            with _renamed():
                entries = list(os.scandir(folder))
            for entry in entries:
                if NAME.fullmatch(entry.name):
                    with suppress(FileNotFoundError):  # deleted since the folder was read
                        told = entry.stat()
                        yield Held(BlobName(entry.name), told.st_size, datetime.fromtimestamp(told.st_mtime, UTC))

    def every(self) -> Iterator[tuple[BlobReader, bool]]:
        """Each file: a folder keeps no other version of it."""
        for held in self.inventory():
            with suppress(BlobMissing), self.open(held.name) as reader:  # deleted since the folder was read
                yield reader, False

    def clean(self, before: datetime) -> int:  # noqa: ARG002 (the lock on each file says better than its age whether it lives)
        """Remove the partial files whose writer died."""
        removed = 0
        with _renamed():
            for path in self._partial.iterdir():
                with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                    removed += 1
        return removed

    def check(self) -> None:
        """Look whether the folder can be written in."""
        with _renamed():
            if not os.access(self._partial, os.R_OK | os.W_OK | os.X_OK):
                raise StoreUnreachable("the folder of blobs cannot be written in")

    def close(self) -> None:
        """Nothing stays open between two calls."""

    def path_of(self, name: BlobName) -> Path:
        """Tell where a blob stands."""
        return self.root / well_formed(name)[:2] / name

    def partial_path_of(self, name: BlobName) -> Path:
        """Tell where a blob being written stands."""
        return self._partial / name


class FileWriter:
    """A file under `partial/` that commit moves to its place."""

    def __init__(self, store: FolderStore, name: BlobName) -> None:
        self.name = name
        self._path = store.partial_path_of(name)
        self._place = store.path_of(name)
        self._digest = hashlib.sha256()
        self._size = 0
        with _renamed():
            self._file = _locked_new_file(self._path)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes."""
        descriptor, rest = self._descriptor(), memoryview(data).cast("B")
        self._digest.update(rest)
        self._size += rest.nbytes
        try:
            with _renamed():
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
        except BaseException:
            self.abandon()
            raise

    def digest(self) -> bytes:
        """Of what was written so far."""
        return self._digest.digest()

    def commit(self) -> Stored:
        """Flush, move, flush the folder."""
        descriptor = self._descriptor()
        try:
            with _renamed():
                os.fsync(descriptor)
                made = _made_folder(self._place.parent)
                self._path.rename(self._place)
                flush_folder(self._place.parent)
                if made:
                    flush_folder(self._place.parent.parent)
        except BaseException:
            with suppress(OSError):
                self._place.unlink(missing_ok=True)
            self.abandon()
            raise
        self._close()
        return Stored(self.name, self._size, self._digest.digest())

    def abandon(self) -> None:
        """Remove the partial file; a disk that refuses even that leaves it to `clean`."""
        if self._file is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            self._close()

    def _descriptor(self) -> int:
        if self._file is None:
            raise ValueError("this blob is already committed or abandoned")
        return self._file

    def _close(self) -> None:
        descriptor, self._file = self._file, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.abandon()


class FileReader:
    """A file, read by position: several threads may share it."""

    def __init__(self, path: Path, name: BlobName) -> None:
        self.name = name
        try:
            self._file: int | None = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise BlobMissing("no blob has this name") from None
        except OSError as error:
            raise StoreUnreachable("the folder of blobs cannot be read") from error
        self.size = os.fstat(self._file).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Read a range."""
        if self._file is None:
            raise ValueError("this blob is closed")
        wanted = max(0, min(length, self.size - offset))
        pieces: list[bytes] = []
        while wanted:
            try:
                piece = os.pread(self._file, wanted, offset)
            except OSError as error:
                raise BlobDamaged("the disk does not give these bytes back") from error
            if not piece:
                raise BlobDamaged("the file became shorter while it was read")
            pieces.append(piece)
            offset += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def chunks(self, offset: int = 0, length: int | None = None, *, size: int = CHUNK) -> Iterator[bytes]:
        """Read a range in pieces."""
        end = self.size if length is None else min(self.size, offset + length)
        for start in range(offset, end, size):
            yield self.read_at(start, min(size, end - start))

    def close(self) -> None:
        """Close the file."""
        descriptor, self._file = self._file, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _made_folder(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def _locked_new_file(path: Path) -> int | None:
    """Create a file that only its owner reads and that this process alone holds."""
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # a cleaner took it for a dead writer's file between the two calls: once more


@contextmanager
def _renamed() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull("no room is left on the disk of blobs") from error
        raise StoreUnreachable("the folder of blobs cannot be used") from error
