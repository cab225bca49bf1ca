"""A copy of the published files, kept elsewhere: whether it is still what was published, and what it says of the rows.

Files that lead to the heads that lie with them are a measure for rows and tree. Files that do not were changed after they were kept, or
fetched in part, and nothing here is said of the rows by them: where rows, tree, or the other kind of files still lead to that head, each
file is held against those, and the report names the file and the entry.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crypto.checkpoint import Checkpoint
from vault.recount_removals import Fault
from vault.recount_tree import Row, Tree, walk

WIDTH = 256
KINDS = ("entries", "0")  # bundles of entries, tiles of the hashes of leaves
WORDS = {
    "altered": "is not as it was signed", "dropped": "is gone", "inserted": "was put there",
    "moved": "stands in another place than it was signed in",
}  # fmt: skip


@dataclass(frozen=True)
class PublishedCopy:
    """The heads of a copy, the hashes of leaves as far as they lead to one of them, and what is not as it was published."""

    heads: dict[int, bytes]
    hashes: list[bytes]
    faults: list[Fault]


@dataclass(frozen=True)
class _Files:
    """One kind of files of a copy: what each says, by its number."""

    kind: str
    rows: dict[int, list[Row]]

    def name(self, number: int) -> str:
        return f"tile/{self.kind}/{_digits(number)}"

    def hashes(self) -> list[bytes]:
        """As far as they go without a gap."""
        found: list[bytes] = []
        for number in range(len(self.rows)):
            rows = self.rows.get(number, [])
            found += [row.hash for row in rows]
            if len(rows) != WIDTH:
                break
        return found


def read_copy(folder: Path, signed: Callable[[str], Checkpoint | None], known: Sequence[Sequence[bytes]]) -> PublishedCopy:
    """What a folder says: its heads (`checkpoint*`), and its files. `known`: lists of hashes that may lead to the same heads."""
    heads, faults = dict[int, bytes](), list[Fault]()
    for path in sorted(folder.glob("checkpoint*")):
        head = signed(path.read_text())
        if head is None:
            faults.append(Fault("head", None, f"{path.name} in the copy is not a head that this log signed"))
        else:
            heads[head.head.size] = head.head.root
    read = [files for kind in KINDS if (files := _files(folder / "tile" / kind, kind)).rows]
    hashes = {files.kind: files.hashes() for files in read}
    best = list[bytes]()
    for files in read if heads else ():
        faults += _of_files(files, heads, [*known, *hashes.values()])
        sound = _sound(hashes[files.kind], heads)
        best = max(best, hashes[files.kind][:sound], key=len)
    return PublishedCopy(heads, best, faults)


def _sound(hashes: Sequence[bytes], heads: dict[int, bytes]) -> int:
    """The greatest of these heads that the hashes lead to."""
    tree = Tree(hashes)
    return max((size for size, root in heads.items() if size <= len(hashes) and tree.root(size) == root), default=0)


def _of_files(files: _Files, heads: dict[int, bytes], known: Sequence[Sequence[bytes]]) -> Iterator[Fault]:
    """What in these files is not what the greatest head covers."""
    size, hashes = max(heads), files.hashes()
    if len(hashes) == size and len(files.rows) == -(-size // WIDTH) and _sound(hashes, heads) == size:
        return
    right = next((one[:size] for one in known if len(one) >= size and Tree(one).root(size) == heads[size]), None)
    if right is None:
        words = f"the files in tile/{files.kind} do not lead to the head of {size} that lies with them, nor do rows or tree: "
        yield Fault("file", None, f"{words}which one was changed cannot be told")
        return
    true = {start // WIDTH: list(right[start : start + WIDTH]) for start in range(0, size, WIDTH)}
    for number in sorted(true.keys() | files.rows.keys()):
        start, there = number * WIDTH, files.rows.get(number)
        if there is None:
            yield Fault("file", start, f"{files.name(number)} is not there: its entries were left out, or not fetched")
        elif number not in true:
            yield Fault("file", start, f"{files.name(number)} stands behind the last entry that the head of {size} covers")
        elif (found := [row.hash for row in there]) != true[number]:
            other = next((place for place, hashes in true.items() if hashes == found), None)
            if other is not None:
                yield Fault("file", start, f"{files.name(number)} holds what belongs into {_digits(other)}")
                continue
            yield from _of_entries(f"{files.name(number)}: entry", start, there, true[number])


def _of_entries(said: str, start: int, there: Sequence[Row], true: Sequence[bytes]) -> Iterator[Fault]:
    """Which entries of one file are not what was signed."""
    found = {start + one.place: WORDS[one.what] for one in walk(there, true, lambda _: "") if one.place is not None}
    if not found:
        found = {start + len(true): "stands behind the last one that was signed"}
    for place, words in found.items():
        yield Fault("file", place, f"{said} {place} {words}")


def _files(folder: Path, kind: str) -> _Files:
    """Every file of a kind, the widest of each number."""
    widest: dict[int, tuple[int, Path]] = {}
    for path in folder.rglob("*"):
        partial = path.parent.name.endswith(".p")
        place = (path.parent.with_name(path.parent.name[:-2]) if partial else path).relative_to(folder)
        digits, width = "".join(one.removeprefix("x") for one in place.parts), path.name if partial else str(WIDTH)
        if path.is_file() and digits.isdecimal() and width.isdecimal():
            widest[int(digits)] = max(widest.get(int(digits), (0, path)), (int(width), path))
    cut = _of_bundle if kind == "entries" else _of_tile
    return _Files(
        kind,
        {
            number: [Row("", place, one) for place, one in enumerate(cut(path.read_bytes()))]
            for number, (_, path) in widest.items()
        },
    )


def _digits(number: int) -> str:
    digits = f"{number:0{-(-len(str(number)) // 3) * 3}d}"
    parts = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    return "/".join([*[f"x{one}" for one in parts[:-1]], parts[-1]])


def _of_bundle(octets: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(octets):
        end = start + 2 + int.from_bytes(octets[start : start + 2], "big")
        yield hashlib.sha256(b"\0" + octets[start + 2 : end]).digest()
        start = end


def _of_tile(octets: bytes) -> Iterator[bytes]:
    return (octets[start : start + 32] for start in range(0, len(octets), 32))
