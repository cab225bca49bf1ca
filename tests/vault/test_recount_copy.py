"""Files that somebody kept elsewhere, changed after they were kept: the count says which file and which entry, and ends with 1."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vault.trace_scene import ALONE, copy_published, rewrite, write
from vault import checkpoints, recount, trace_commands
from vault.__main__ import main
from vault.context import Context

ONE = 2 + 113  # an entry in a bundle, behind its length
Change = Callable[[Path], None]


def drop_a_bundle(entries: Path) -> None:
    (entries / "001").unlink()


def drop_the_last_bundle(entries: Path) -> None:
    shutil.rmtree(entries / "002.p")


def insert_a_bundle(entries: Path) -> None:
    """It takes the second place; those behind move on."""
    (entries / "003.p").mkdir()
    (entries / "002.p" / "8").rename(entries / "003.p" / "8")
    (entries / "001").rename(entries / "002")
    shutil.copy(entries / "000", entries / "001")


def reorder_bundles(entries: Path) -> None:
    for old, new in (("000", "other"), ("001", "000"), ("other", "001")):
        (entries / old).rename(entries / new)


def alter_an_entry(entries: Path) -> None:
    octets = bytearray((entries / "000").read_bytes())
    octets[3 * ONE + 50] ^= 1
    (entries / "000").write_bytes(octets)


def drop_an_entry(entries: Path) -> None:
    octets = (entries / "000").read_bytes()
    (entries / "000").write_bytes(octets[: 3 * ONE] + octets[4 * ONE :])


def insert_an_entry(entries: Path) -> None:
    octets = (entries / "000").read_bytes()
    (entries / "000").write_bytes(octets[: 3 * ONE] + octets[:2] + b"\1" + bytes(112) + octets[3 * ONE :])


def reorder_entries(entries: Path) -> None:
    octets = (entries / "000").read_bytes()
    three, five = octets[3 * ONE : 4 * ONE], octets[5 * ONE : 6 * ONE]
    (entries / "000").write_bytes(octets[: 3 * ONE] + five + octets[4 * ONE : 5 * ONE] + three + octets[6 * ONE :])


def cut_short(entries: Path) -> None:
    """Half of what the last entry of a file says."""
    octets = (entries / "002.p" / "8").read_bytes()
    (entries / "002.p" / "8").write_bytes(octets[:-50])


CHANGES: list[tuple[Change, dict[int, str]]] = [
    (drop_a_bundle, {256: "entries/001 is not there"}),
    (drop_the_last_bundle, {512: "entries/002 is not there"}),
    (insert_a_bundle, {
        256: "entries/001 holds what belongs into 000", 512: "entries/002 holds what belongs into 001",
        768: "entries/003 stands behind the last entry",
    }),
    (reorder_bundles, {0: "entries/000 holds what belongs into 001", 256: "entries/001 holds what belongs into 000"}),
    (alter_an_entry, {3: "entries/000: entry 3 is not as it was signed"}),
    (drop_an_entry, {3: "entries/000: entry 3 is gone"}),
    (insert_an_entry, {3: "entries/000: entry 3 was put there"}),
    (reorder_entries, {3: "entries/000: entry 3 stands in another place", 5: "entries/000: entry 5 stands in another place"}),
    (cut_short, {519: "entries/002: entry 519 is not as it was signed"}),
]  # fmt: skip


def alone(copy: Path) -> object:
    """What the small program that shares no code says of the same files."""
    keys = [ALONE["Key"](line) for line in (copy / "keys").read_text().splitlines()]
    return ALONE["check_log"](ALONE["Place"](str(copy)), [keys], [], None)


@pytest.fixture
def said(house: Context, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """`abri trace verify` over this house: its exit status and what it says."""
    monkeypatch.setattr(trace_commands, "read_settings", lambda _: house.settings)

    def verify(*more: object) -> tuple[int, str]:
        capsys.readouterr()
        return main(["trace", "verify", *map(str, more)]), capsys.readouterr().out

    return verify


def test_whatever_is_changed_in_kept_files_is_found_and_named(
    house: Context, tmp_path: Path, said: Callable[..., tuple[int, str]]
) -> None:
    """One house for all: 520 entries, three bundles. The rows are right, and nothing is said of them."""
    write(house, 520)
    checkpoints.publish(house)
    kept = copy_published(house, tmp_path / "kept")
    assert recount.count(house, kept).faults == ()
    assert said("--copy", kept)[0] == 0
    assert alone(kept)
    for turn, (change, expected) in enumerate(CHANGES):
        copy = Path(shutil.copytree(kept, tmp_path / change.__name__))
        if turn % 2:  # as the small program keeps it: without tiles
            shutil.rmtree(copy / "tile" / "0")
        change(copy / "tile" / "entries")
        faults = recount.count(house, copy).faults
        found = {fault.place: fault.words for fault in faults if fault.what == "file"}
        assert (found.keys(), len(faults)) == (expected.keys(), len(expected)), change.__name__
        assert all(words in found[place] for place, words in expected.items()), found
        with pytest.raises((ALONE["DoesNotHold"], ALONE["Unreadable"], OSError)):
            alone(copy)
    status, told = said("--copy", copy)
    assert status == 1
    assert "NO  file: " in told
    assert "entries/002: entry 519 is not as it was signed" in told


def test_files_and_rows_that_both_lead_nowhere(house: Context, tmp_path: Path, said: Callable[..., tuple[int, str]]) -> None:
    """Then nobody can tell which file was changed; the head that lies with them is still held against the rows."""
    made = write(house, 8)
    checkpoints.publish(house)
    kept = copy_published(house, tmp_path / "kept")
    shutil.rmtree(kept / "tile" / "0")
    assert said("--copy", kept)[0] == said()[0] == 0
    rewrite(house, made)
    octets = bytearray((kept / "tile" / "entries" / "000.p" / "8").read_bytes())
    octets[5 * ONE + 50] ^= 1
    (kept / "tile" / "entries" / "000.p" / "8").write_bytes(octets)
    found = {(fault.what, fault.place) for fault in recount.count(house, kept).faults}
    assert found == {("file", None), ("between", 0)}
    status, told = said("--copy", kept)
    assert (status, told.count("NO  ")) == (1, 2)
