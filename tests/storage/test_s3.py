"""Blobs in S3, on a real server, and what happens when it is lost, lies, or is far away."""

import dataclasses
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psutil
import pytest

from storage.errors import BlobDamaged, BlobMissing, StoreUnreachable
from storage.s3 import PART, S3Settings, S3Store
from tests.servers import Weed
from tests.storage.contracts import BlobStoreContract

pytestmark = pytest.mark.s3
TOMORROW = datetime.now(UTC) + timedelta(days=1)


def leftovers(blobs: S3Store) -> list[str]:
    """Everything the bucket knows: versions, delete markers, uploads that were never completed."""
    where = {"Bucket": blobs.settings.bucket, "Prefix": blobs.settings.prefix}
    told, uploads = blobs.client.list_object_versions(**where), blobs.client.list_multipart_uploads(**where)
    found = told.get("Versions", []) + told.get("DeleteMarkers", []) + uploads.get("Uploads", [])
    return [one["Key"].removeprefix(blobs.settings.prefix) for one in found]


class TestS3(BlobStoreContract):
    """The S3 store."""

    @pytest.fixture
    def settings(self, s3_bucket: Callable[[], S3Settings]) -> S3Settings:
        return s3_bucket()

    @pytest.fixture
    def blobs(self, settings: S3Settings) -> Iterator[S3Store]:
        store = S3Store(settings)
        yield store
        store.close()

    def test_deleting_leaves_no_version_and_no_marker(self, blobs: S3Store) -> None:
        stored = self.put(blobs, b"first")
        where = {"Bucket": blobs.settings.bucket, "Key": blobs.key_of(stored.name)}
        blobs.client.put_object(**where, Body=b"second")  # another hand wrote over it
        blobs.client.delete_object(**where)  # and hid it
        assert len(leftovers(blobs)) == 3
        with pytest.raises(BlobMissing):
            blobs.open(stored.name)
        assert [held.name for held in blobs.inventory()] == [stored.name], "the sweep must see what is only hidden"
        assert sorted((b"".join(reader.chunks()), hidden) for reader, hidden in blobs.every()) == [
            (b"first", True),
            (b"second", True),
        ]
        blobs.delete(stored.name)
        assert leftovers(blobs) == []

    def test_a_deleted_blob_is_dead_for_who_has_it_open(self, blobs: S3Store) -> None:
        stored = self.put(blobs, bytes(3 * 1024 * 1024))
        with blobs.open(stored.name) as reader:
            blobs.delete(stored.name)
            with pytest.raises(BlobMissing):
                reader.read_at(2 * 1024 * 1024, 10)

    def test_a_reader_stays_with_its_version(self, blobs: S3Store) -> None:
        data = secrets.token_bytes(3 * 1024 * 1024)
        stored = self.put(blobs, data)
        with blobs.open(stored.name) as reader:
            blobs.client.put_object(Bucket=blobs.settings.bucket, Key=blobs.key_of(stored.name), Body=bytes(len(data)))
            assert b"".join(reader.chunks()) == data

    def test_the_server_keeps_our_digest(self, blobs: S3Store) -> None:
        import base64

        stored = self.put(blobs, b"a paper")
        told = blobs.client.head_object(Bucket=blobs.settings.bucket, Key=blobs.key_of(stored.name), ChecksumMode="ENABLED")
        assert base64.b64decode(told["ChecksumSHA256"]) == stored.sha256

    def test_prefixes_keep_stores_apart(self, blobs: S3Store) -> None:
        left, right = (
            S3Store(dataclasses.replace(blobs.settings, prefix=blobs.settings.prefix + side)) for side in ("left/", "right/")
        )
        try:
            stored = self.put(left, b"x")
            assert [held.name for held in left.inventory()] == [stored.name]
            assert list(right.inventory()) == []
            assert list(blobs.inventory()) == []
            right.delete(stored.name)
            with left.open(stored.name) as reader:
                assert reader.read_at(0, 1) == b"x"
        finally:
            left.close()
            right.close()

    def test_uploads_left_by_the_dead_are_aborted_by_age(self, blobs: S3Store) -> None:
        writer = blobs.writer()
        writer.write(bytes(PART + 1))  # and its process is killed here
        assert blobs.clean(datetime.now(UTC) - timedelta(hours=1)) == 0, "too young: its writer may live"
        assert leftovers(blobs) == [writer.name]
        assert blobs.clean(TOMORROW) == 1
        assert leftovers(blobs) == []

    def test_a_large_blob_takes_little_memory(self, blobs: S3Store) -> None:
        piece = secrets.token_bytes(1024 * 1024)
        self.put(blobs, piece * 12)  # what is paid once: connections, buffers of the allocator
        process, worst = psutil.Process(), 0
        before = process.memory_info().rss
        with blobs.writer() as writer:
            for _ in range(100):
                writer.write(piece)
                worst = max(worst, process.memory_info().rss - before)
            stored = writer.commit()
        with blobs.open(stored.name) as reader:
            for _ in reader.chunks():
                worst = max(worst, process.memory_info().rss - before)
        assert worst < 16 * 1024 * 1024

    def test_the_sweep_sees_every_blob_on_every_page(self, blobs: S3Store) -> None:
        names = {self.put(blobs, b"x").name for _ in range(7)}
        real = blobs.client.get_paginator("list_object_versions")
        assert len(list(real.paginate(Bucket=blobs.settings.bucket, Prefix=blobs.settings.prefix, MaxKeys=2))) > 2
        assert {held.name for held in blobs.inventory()} == names

    def test_a_store_killed_during_an_upload(self, settings: S3Settings, s3_server: Weed) -> None:
        store = S3Store(dataclasses.replace(settings, attempts=2))
        writer = store.writer()
        writer.write(bytes(2 * PART))
        s3_server.kill()
        try:
            with pytest.raises(StoreUnreachable):
                writer.write(bytes(PART))
            with pytest.raises(ValueError, match="already"):
                writer.commit()
            for act in (
                store.check,
                lambda: self.put(store, b"x"),
                lambda: store.open(writer.name),
                lambda: store.delete(writer.name),
            ):
                with pytest.raises(StoreUnreachable):
                    act()
        finally:
            s3_server.start()
        assert list(store.inventory()) == []
        store.clean(TOMORROW)
        assert leftovers(store) == []
        store.close()

    def test_a_store_that_never_answers_does_not_keep_us(self, settings: S3Settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            far = dataclasses.replace(
                settings,
                endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}",
                read_seconds=0.2,
                connect_seconds=0.2,
                attempts=2,
            )
            store = S3Store(far)
            with pytest.raises(StoreUnreachable):
                self.put(store, b"x")
            store.close()

    def test_wrong_keys(self, settings: S3Settings) -> None:
        store = S3Store(dataclasses.replace(settings, secret_key="wrong"))
        for act in (store.check, lambda: self.put(store, b"x"), lambda: list(store.inventory())):
            with pytest.raises(StoreUnreachable):
                act()
        store.close()

    def test_no_such_bucket(self, settings: S3Settings) -> None:
        store = S3Store(dataclasses.replace(settings, bucket="not-there-at-all"))
        with pytest.raises(StoreUnreachable):
            store.check()
        store.close()

    @pytest.mark.parametrize("size", [1000, PART + 1000])
    def test_bytes_changed_on_their_way_are_refused_and_leave_nothing(self, blobs: S3Store, size: int) -> None:
        marker = secrets.token_bytes(16)
        with proxy(blobs.settings, going=(marker, bytes(16))) as between:
            store = S3Store(between)
            writer = store.writer()

            def write() -> None:
                with writer:
                    writer.write(marker.rjust(size, b"x"))
                    writer.commit()

            with pytest.raises(BlobDamaged):
                write()
            store.close()
        assert leftovers(blobs) == []

    @pytest.mark.parametrize("size", [1000, PART + 1000])
    def test_a_store_that_tells_another_digest_is_not_believed(self, blobs: S3Store, size: int) -> None:
        """The answer's digest is replaced on its way, as from a store that took other bytes in."""
        import base64
        import hashlib

        data = secrets.token_bytes(size)
        digest = hashlib.sha256(data)
        if size > PART:
            digest = hashlib.sha256(hashlib.sha256(data[:PART]).digest() + hashlib.sha256(data[PART:]).digest())
        told = base64.b64encode(digest.digest())
        with proxy(blobs.settings, coming=(told, base64.b64encode(bytes(32)))) as between:
            store = S3Store(between)
            with pytest.raises(BlobDamaged):
                self.put(store, data)
            store.close()
        assert leftovers(blobs) == []

    def test_a_connection_cut_while_reading(self, blobs: S3Store) -> None:
        data = secrets.token_bytes(4 * 1024 * 1024)
        stored = self.put(blobs, data)
        with proxy(blobs.settings, cut_after=2_500_000) as between:
            store = S3Store(between)
            with store.open(stored.name) as reader:
                with pytest.raises(StoreUnreachable):
                    reader.read_at(0, len(data))
                with pytest.raises(StoreUnreachable):
                    list(reader.chunks())
            store.close()

    def test_secrets_are_not_shown(self, settings: S3Settings) -> None:
        assert settings.secret_key
        assert settings.secret_key not in repr(settings)


@contextmanager
def proxy(
    settings: S3Settings,
    going: tuple[bytes, bytes] | None = None,
    coming: tuple[bytes, bytes] | None = None,
    cut_after: int | None = None,
) -> Iterator[S3Settings]:
    """Stand between: replace bytes that go or come, or cut each answer after so many bytes."""
    real = urlsplit(settings.endpoint_url or "")
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []

    def carry(source: socket.socket, target: socket.socket, change: tuple[bytes, bytes] | None, limit: int | None) -> None:
        carried, held = 0, b""
        try:
            while data := source.recv(65_536):
                if change:
                    data, held = (held + data).replace(*change), b""
                    if len(data) > len(change[0]) and any(data.endswith(change[0][:n]) for n in range(1, len(change[0]))):
                        data, held = data[: -len(change[0])], data[-len(change[0]) :]
                target.sendall(data)
                carried += len(data)
                if limit is not None and carried > limit:
                    break
            target.sendall(held)
        except OSError:
            pass
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                ours, _ = listener.accept()
            except OSError:
                return
            theirs = socket.create_connection((real.hostname, real.port))
            sockets.extend((ours, theirs))
            for arguments in ((ours, theirs, going, None), (theirs, ours, coming, cut_after)):
                threads.append(threading.Thread(target=carry, args=arguments, daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve, args=(listener,), daemon=True)
        serving.start()
        yield dataclasses.replace(settings, endpoint_url=f"http://127.0.0.1:{listener.getsockname()[1]}", attempts=1)
        listener.shutdown(socket.SHUT_RDWR)
        serving.join(5)
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(5)
    for one in sockets:
        one.close()
