"""Blobs in a folder, and what happens to them when processes die and disks are full."""

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.blobs import FolderStore
from storage.errors import BlobDamaged, StorageFull, StoreUnreachable
from tests.storage.contracts import BlobStoreContract

REPOSITORY = Path(__file__).parents[2]


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def in_another_process(script: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


WRITE_AND_WAIT = """
import sys
from pathlib import Path
from storage.blobs import FolderStore
writer = FolderStore(Path(sys.argv[1])).writer()
writer.write(b"half of a paper" * 100_000)
print(writer.name, flush=True)
sys.stdin.readline()
writer.commit()
"""

WRITE_WITHIN_LIMIT = """
import resource, sys
from pathlib import Path
from storage.blobs import FolderStore
from storage.errors import StorageFull
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    with FolderStore(Path(sys.argv[1])).writer() as writer:
        for _ in range(20):
            writer.write(bytes(100_000))
        writer.commit()
except StorageFull:
    print("full")
"""


class TestFolder(BlobStoreContract):
    """The folder store."""

    @pytest.fixture
    def blobs(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path / "blobs")

    def test_nobody_else_may_read(self, blobs: FolderStore) -> None:
        os.umask(previous := os.umask(0))
        try:
            os.umask(0)
            path = blobs.path_of(self.put(blobs, b"x").name)
            again = FolderStore(blobs.root.parent / "again")
        finally:
            os.umask(previous)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for folder in (path.parent, blobs.root, again.root, again.root / "partial"):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    def test_a_writer_killed_in_the_middle_leaves_no_blob(self, blobs: FolderStore) -> None:
        with in_another_process(WRITE_AND_WAIT, blobs.root) as other:
            assert other.stdout is not None
            assert len(other.stdout.readline().strip()) == 32
            assert blobs.clean(datetime.now(UTC)) == 0, "a living writer's file was taken for a dead one's"
            os.kill(other.pid, signal.SIGKILL)
        assert list(blobs.inventory()) == []
        assert len(files(blobs.root)) == 1
        assert blobs.clean(datetime.now(UTC)) == 1
        assert files(blobs.root) == []

    def test_cleaning_does_not_disturb_a_writer_in_another_process(self, blobs: FolderStore) -> None:
        with in_another_process(WRITE_AND_WAIT, blobs.root) as other:
            assert other.stdout is not None
            assert other.stdin is not None
            name = other.stdout.readline().strip()
            assert blobs.clean(datetime.now(UTC)) == 0
            other.communicate("\n")
        assert other.returncode == 0
        assert [(held.name, held.size) for held in blobs.inventory()] == [(name, 1_500_000)]

    def test_a_writer_whose_file_a_cleaner_took_in_between_begins_anew(
        self, blobs: FolderStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between creating and locking, a cleaner may come by: here it does, the first time."""
        import fcntl

        real, calls = fcntl.flock, []

        def lock_late(descriptor: int, operation: int) -> None:
            calls.append(operation)
            if len(calls) == 1:
                assert blobs.clean(datetime.now(UTC)) == 1
            real(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", lock_late)
        stored = self.put(blobs, b"safe")
        with blobs.open(stored.name) as reader:
            assert reader.read_at(0, 9) == b"safe"

    def test_a_size_limit_leaves_nothing(self, blobs: FolderStore) -> None:
        with in_another_process(WRITE_WITHIN_LIMIT, blobs.root) as other:
            told, _ = other.communicate()
        assert (told, other.returncode) == ("full\n", 0)
        assert files(blobs.root) == []

    def test_a_full_disk_leaves_nothing_and_works_again(self, small_disk: Path) -> None:
        blobs = FolderStore(small_disk / "blobs")
        kept = self.put(blobs, bytes(300_000))

        def fill() -> None:
            with blobs.writer() as writer:
                for _ in range(40):
                    writer.write(bytes(100_000))
                writer.commit()

        with pytest.raises(StorageFull):
            fill()
        assert files(blobs.root) == [blobs.path_of(kept.name)]
        self.put(blobs, bytes(300_000))

    def test_a_file_cut_short_while_it_is_read(self, blobs: FolderStore) -> None:
        stored = self.put(blobs, bytes(10_000))
        with blobs.open(stored.name) as reader:
            os.truncate(blobs.path_of(stored.name), 5_000)
            assert len(reader.read_at(0, 5_000)) == 5_000
            with pytest.raises(BlobDamaged):
                reader.read_at(0, 10_000)
            with pytest.raises(BlobDamaged):
                list(reader.chunks(size=3_000))

    def test_a_link_planted_under_a_name_is_not_followed(self, blobs: FolderStore) -> None:
        stored = self.put(blobs, b"x")
        path = blobs.path_of(stored.name)
        path.unlink()
        path.symlink_to("/etc/passwd")
        with pytest.raises(StoreUnreachable):
            blobs.open(stored.name)

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(StoreUnreachable):
            FolderStore(tmp_path / "file" / "blobs")

    def test_a_folder_that_went_away(self, blobs: FolderStore) -> None:
        shutil.rmtree(blobs.root)
        with pytest.raises(StoreUnreachable):
            blobs.check()
        with pytest.raises(StoreUnreachable):
            blobs.writer()

    def test_descriptors_are_given_back(self, blobs: FolderStore) -> None:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            stored = self.put(blobs, b"x")
            blobs.open(stored.name).close()
            blobs.writer().abandon()
        assert len(os.listdir("/proc/self/fd")) == before
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", place], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("a full disk can only be made by root, where mounting is allowed")
    yield place
    subprocess.run(["umount", "-l", place], check=True)
