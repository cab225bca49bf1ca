"""Blobs in any S3-compatible store, through boto3, with a SHA-256 sent with every body and compared with what the store says.

A small blob is one PUT; a larger one is a multipart upload, of which one part at a time is in memory. The bucket may keep
versions: a blob is deleted version by version, delete markers too, since a hidden version is still there to be read.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

from storage.blobs import CHUNK, NAME, BlobName, BlobReader, Held, Stored, new_name, well_formed
from storage.errors import BlobDamaged, BlobMissing, StorageError, StorageFull, StoreUnreachable

PART = 5 * 1024 * 1024  # the smallest part that S3 accepts, and so the most that a writer keeps in memory
_MISSING = {"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed"}  # the last one: a delete marker asked by version
_FULL = {"InsufficientStorage", "XMinioStorageFull", "QuotaExceeded", "507"}
_CHANGED = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}


@dataclass(frozen=True)
class S3Settings:
    """Where the bucket is. Without keys, boto3 looks for a role of the machine; without `endpoint_url`, it speaks to Amazon.

    `connect_seconds`, `read_seconds`: how long one attempt waits; `attempts`: how many there are.
    """

    bucket: str
    endpoint_url: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    prefix: str = ""
    connect_seconds: float = 3
    read_seconds: float = 10
    attempts: int = 3


class S3Store:
    """A bucket. Every request has a time limit and a bounded number of attempts; it then ends in StoreUnreachable."""

    def __init__(self, settings: S3Settings) -> None:
        self.settings = settings
        self.client = _client(settings, settings.attempts)
        self._last_word = _client(settings, 1)  # tidies up after a failure, which should not become much longer by it

    def writer(self, name: BlobName | None = None) -> "S3Writer":
        """Begin a blob; the store hears of it with the first full part."""
        return S3Writer(self, well_formed(name) if name else new_name())

    def open(self, name: BlobName) -> "S3Reader":
        """Open a blob, and read its first MiB in the same request."""
        return S3Reader(self, well_formed(name))

    def delete(self, name: BlobName) -> None:
        """Remove every version of a blob and every delete marker."""
        with suppress(BlobMissing):
            self._delete(self.client, self.key_of(name))

    def _delete(self, client: Any, key: str) -> None:
        with _renamed():
            for version in self._versions(client, key):
                if version["Key"] == key:
                    client.delete_object(Bucket=self.settings.bucket, Key=key, VersionId=version["VersionId"])

    def _versions(self, client: Any, prefix: str) -> list[dict[str, Any]]:
        pages = client.get_paginator("list_object_versions").paginate(Bucket=self.settings.bucket, Prefix=prefix)
        return [version for page in pages for version in page.get("Versions", []) + page.get("DeleteMarkers", [])]

    def inventory(self) -> Iterator[Held]:
        """Tell all blobs, those that only have a hidden version or a delete marker too: the sweep must see them."""
        pages = self.client.get_paginator("list_object_versions").paginate(
            Bucket=self.settings.bucket, Prefix=self.settings.prefix
        )
        told = ""
        with _renamed():
            for page in pages:
                versions = page.get("Versions", []) + page.get("DeleteMarkers", [])
                for version in sorted(versions, key=lambda one: (one["Key"], not one["IsLatest"])):
                    name = version["Key"].removeprefix(self.settings.prefix)
                    if name != told and NAME.fullmatch(name):
                        told = name
                        yield Held(BlobName(name), version.get("Size", 0), version["LastModified"])

    def every(self) -> Iterator[tuple[BlobReader, bool]]:
        """Each version of each blob; True for those that a later one or a delete marker hides. A marker itself holds nothing to read."""
        pages = self.client.get_paginator("list_object_versions").paginate(
            Bucket=self.settings.bucket, Prefix=self.settings.prefix
        )
        with _renamed():
            for page in pages:
                for version in page.get("Versions", []):
                    name = version["Key"].removeprefix(self.settings.prefix)
                    if NAME.fullmatch(name):
                        with suppress(BlobMissing), S3Reader(self, BlobName(name), version["VersionId"]) as reader:
                            yield reader, not version["IsLatest"]

    def clean(self, before: datetime) -> int:
        """Abort the multipart uploads that began before that moment."""
        removed = 0
        with _renamed():
            pages = self.client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.settings.bucket, Prefix=self.settings.prefix
            )
            for upload in [upload for page in pages for upload in page.get("Uploads", [])]:
                if upload["Initiated"] < before:
                    self.abort(upload["Key"], upload["UploadId"])
                    removed += 1
        return removed

    def abort(self, key: str, upload: str) -> None:
        """Forget the parts of a multipart upload."""
        self._last_word.abort_multipart_upload(Bucket=self.settings.bucket, Key=key, UploadId=upload)

    def tidy(self, key: str, upload: str | None) -> None:
        """After a failure, remove whatever reached the store, as far as it answers; never raises.

        What it does not answer for is found by `clean` (parts) and by the sweep of orphans (blobs).
        """
        with suppress(StorageError), _renamed():
            if upload is not None:
                self.abort(key, upload)
        with suppress(StorageError):
            self._delete(self._last_word, key)

    def check(self) -> None:
        """Look whether the bucket answers and tells versions."""
        with _renamed():
            self.client.list_object_versions(Bucket=self.settings.bucket, Prefix=self.settings.prefix, MaxKeys=1)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        self._last_word.close()

    def key_of(self, name: BlobName) -> str:
        """Tell under which key a blob stands."""
        return self.settings.prefix + well_formed(name)


class S3Writer:
    """Keeps at most one part in memory; the first full part begins a multipart upload.

    The buffer grows until it holds a part, and every later part is written over it: a body of any length takes this memory once,
    and leaves no holes of five MiB behind in the memory of the thread that came by.
    """

    def __init__(self, store: S3Store, name: BlobName) -> None:
        self.name = name
        self._store = store
        self._where = {"Bucket": store.settings.bucket, "Key": store.key_of(name)}
        self._buffer: bytearray | None = bytearray()
        self._filled = 0
        self._digest = hashlib.sha256()
        self._size = 0
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._part_digests = hashlib.sha256()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes; each full part leaves at once."""
        view = memoryview(data).cast("B")
        self._digest.update(view)
        self._size += view.nbytes
        while view:
            buffer, end = self._open_buffer(), min(self._filled + view.nbytes, PART)
            taken = end - self._filled
            buffer[self._filled : end] = view[:taken]
            self._filled, view = end, view[taken:]
            if end == PART:
                self._or_abandon(self._send_part)

    def digest(self) -> bytes:
        """Of what was given so far."""
        return self._digest.digest()

    def commit(self) -> Stored:
        """Send the rest, and compare the store's digest with ours."""
        del self._open_buffer()[self._filled :]  # what an earlier part left
        self._or_abandon(self._put if self._upload is None else self._complete)
        self._buffer = None
        return Stored(self.name, self._size, self._digest.digest())

    def abandon(self) -> None:
        """Abort the upload."""
        if self._buffer is not None:
            self._buffer = None
            if self._upload is not None:
                self._store.tidy(self._where["Key"], self._upload)

    def _put(self) -> None:
        told = self._store.client.put_object(
            **self._where, Body=self._buffer, ChecksumSHA256=_base64(self._digest), ContentType="application/octet-stream"
        )
        _compare(told, _base64(self._digest))

    def _send_part(self) -> None:
        if self._upload is None:
            told = self._store.client.create_multipart_upload(
                **self._where, ChecksumAlgorithm="SHA256", ContentType="application/octet-stream"
            )
            self._upload = told["UploadId"]
        digest = hashlib.sha256(self._open_buffer())
        number = len(self._parts) + 1
        told = self._store.client.upload_part(
            **self._where, UploadId=self._upload, PartNumber=number, Body=self._buffer, ChecksumSHA256=_base64(digest)
        )
        _compare(told, _base64(digest))
        self._parts.append({"PartNumber": number, "ETag": told["ETag"], "ChecksumSHA256": _base64(digest)})
        self._part_digests.update(digest.digest())
        self._filled = 0

    def _complete(self) -> None:
        if self._filled:
            self._send_part()
        told = self._store.client.complete_multipart_upload(
            **self._where, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
        )
        _compare(told, f"{_base64(self._part_digests)}-{len(self._parts)}")

    def _open_buffer(self) -> bytearray:
        if self._buffer is None:
            raise ValueError("this blob is already committed or abandoned")
        return self._buffer

    def _or_abandon(self, send: Callable[[], None]) -> None:
        try:
            with _renamed():
                send()
        except BaseException:
            self._buffer = None
            self._store.tidy(self._where["Key"], self._upload)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.abandon()


class S3Reader:
    """One version of an object, read by ranges; its first MiB came with the opening."""

    def __init__(self, store: S3Store, name: BlobName, version: str | None = None) -> None:
        self.name = name
        self._store = store
        self._where = {"Bucket": store.settings.bucket, "Key": store.key_of(name)}
        if version is not None:  # of the present one otherwise
            self._where["VersionId"] = version
        try:
            with _renamed():
                told = store.client.get_object(**self._where, Range=f"bytes=0-{CHUNK - 1}")
                self._first: bytes | None = told["Body"].read()
        except _EmptyRange:
            self.size, self._first = 0, b""
            return
        self.size = int(told["ContentRange"].rpartition("/")[2])
        if told.get("VersionId") is not None:
            self._where["VersionId"] = told["VersionId"]
        if len(self._opened()) != min(self.size, CHUNK):
            raise BlobDamaged("the store gave fewer bytes than it has")

    def read_at(self, offset: int, length: int) -> bytes:
        """Read a range."""
        first, end = self._opened(), min(self.size, offset + length)
        if offset >= end:
            return b""
        if end <= len(first):
            return first[offset:end]
        with self._range(offset, end) as body:
            return _exactly(body, end - offset)

    def chunks(self, offset: int = 0, length: int | None = None, *, size: int = CHUNK) -> Iterator[bytes]:
        """Read a range in pieces, all from one request when the first MiB is not enough."""
        end = self.size if length is None else min(self.size, offset + length)
        first = self._opened()
        if end <= len(first):
            yield from (first[start : min(start + size, end)] for start in range(offset, end, size))
            return
        if offset < end:
            with self._range(offset, end) as body:
                for start in range(offset, end, size):
                    yield _exactly(body, min(size, end - start))

    @contextmanager
    def _range(self, offset: int, end: int) -> Iterator[Any]:
        try:
            with _renamed():
                body = self._store.client.get_object(**self._where, Range=f"bytes={offset}-{end - 1}")["Body"]
        except _EmptyRange as error:
            raise BlobDamaged("the object became shorter while it was read") from error
        try:
            with _renamed():
                yield body
        finally:
            body.close()

    def close(self) -> None:
        """Let go of the first MiB."""
        self._first = None

    def _opened(self) -> bytes:
        if self._first is None:
            raise ValueError("this blob is closed")
        return self._first

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _EmptyRange(StorageError):
    """Asked for the first MiB of an object of no bytes: S3 answers 416."""


@cache
def _session() -> Any:
    """Boto3's description of S3, read once: it takes 0.2 s. Making clients from it is for one thread at a time."""
    return boto3.session.Session()


def _client(settings: S3Settings, attempts: int) -> Any:
    return _session().client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        config=Config(
            connect_timeout=settings.connect_seconds,
            read_timeout=settings.read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=50,
            tcp_keepalive=True,
            s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
        ),
    )


def _base64(digest: Any) -> str:
    return base64.b64encode(digest.digest()).decode()


def _exactly(body: Any, length: int) -> bytes:
    """Read so many bytes. A body that ends early raises, unless the store announced too few."""
    pieces: list[bytes] = []
    while length:
        piece: bytes = body.read(length)
        if not piece:
            raise BlobDamaged("the store gave fewer bytes than it has")
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _compare(told: dict[str, Any], ours: str) -> None:
    """Refuse a store that took other bytes in. A store too old to say is believed: it got the digest with the bytes."""
    if told.get("ChecksumSHA256", ours) != ours:
        raise BlobDamaged("the store took other bytes in than were sent")


@contextmanager
def _renamed() -> Iterator[None]:
    try:
        yield
    except FlexibleChecksumError as error:
        raise BlobDamaged("the bytes changed on their way") from error
    except ClientError as error:
        raise _rename(error) from error
    except BotoCoreError as error:
        raise StoreUnreachable("the S3 store does not answer") from error


def _rename(error: ClientError) -> StorageError:
    code = error.response.get("Error", {}).get("Code", "")
    if code in _MISSING:
        return BlobMissing("no blob has this name")
    if code == "InvalidRange":
        return _EmptyRange("no such range")
    if code in _CHANGED:
        return BlobDamaged("the bytes changed on their way")
    if code in _FULL:
        return StorageFull("no room is left in the S3 store")
    return StoreUnreachable(f"the S3 store refuses: {code}")
