"""What a person takes away, as texts: JSON that anybody can read, in one form, so that another Abri reads it back without loss.

`papers.json` alone makes a safe again; the others tell what happened here and are kept as they are by whoever receives them.
What is read back was written by somebody else: strictly this form, bounded, then each value through the same checks as typing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from consent.purposes import ShelfKind
from crypto.canonical import parse_instant
from crypto.errors import Malformed
from vault.archive import NotOurs
from vault.arranging import LONGEST_NOTE
from vault.errors import BadInput
from vault.kinds import Kind
from vault.paper_cards import checked_sort, tame_file_name, title_from_elsewhere
from vault.shelves import checked_kind

FORMAT = "abri-export-1"
PAPERS, ME, SHARES, RECEIPTS, HISTORY, EARLIER = (
    "data/papers.json", "data/me.json", "data/shares.json", "data/receipts.json", "data/history.json", "data/earlier.json",
)  # fmt: skip
TEXTS = (ME, SHARES, RECEIPTS, HISTORY, EARLIER)
MOST_TEXT = 32 * 1024 * 1024
MOST_VERSIONS = 20_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


def write(value: Mapping[str, Any]) -> bytes:
    """Named values as JSON that a person can read too."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def read(text: bytes) -> dict[str, Any]:
    """Read what `write` wrote; NotOurs for any other form."""
    try:
        value = json.loads(text)
        if not isinstance(value, dict) or value.get("format") != FORMAT or write(value) != text:
            raise NotOurs("a text is not in the one form")
    except (ValueError, RecursionError):
        raise NotOurs("a text is not JSON") from None
    return value


@dataclass(frozen=True)
class Version:
    """One version of a paper, as the archive tells it."""

    file: str
    kind: Kind
    size: int
    sha256: str
    pages: int
    added: str
    title: str = field(repr=False)
    sort: str
    file_name: str = field(repr=False)
    findings: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """As the archive writes it."""
        return {**vars(self), "kind": self.kind.value, "findings": list(self.findings)}


@dataclass(frozen=True)
class Paper:
    """A paper with all its versions, the current one last."""

    drawer: ShelfKind
    note: str = field(repr=False)
    in_bin: bool
    versions: tuple[Version, ...]

    def told(self) -> dict[str, Any]:
        """As the archive writes it."""
        return {
            "drawer": self.drawer, "note": self.note, "in_bin": self.in_bin, "versions": [one.told() for one in self.versions],
        }  # fmt: skip


def papers_text(papers: Sequence[Paper], lost: int) -> bytes:
    """The list of papers. `lost`: how many do not open any more, so that the loss is not hidden."""
    return write({"format": FORMAT, "lost": lost, "papers": [one.told() for one in papers]})


def read_papers(text: bytes) -> list[Paper]:
    """The papers of an archive that somebody brought; NotOurs for a value that no page would take."""
    listed = read(text).get("papers")
    if not isinstance(listed, list):
        raise NotOurs("papers are a list")
    try:
        found = [_paper(one) for one in listed]
    except (BadInput, Malformed, KeyError, TypeError, ValueError):
        raise NotOurs("a paper is not told as it should be") from None
    names = [one.file for paper in found for one in paper.versions]
    if len(names) > MOST_VERSIONS or len(set(names)) != len(names):
        raise NotOurs("too many papers, or one file twice")
    return found


def _paper(told: Mapping[str, Any]) -> Paper:
    versions = tuple(_version(one) for one in told["versions"])
    note, in_bin = _text(told["note"], LONGEST_NOTE), told["in_bin"]
    if not versions or type(in_bin) is not bool or len(told) != 4:
        raise NotOurs("a paper without a file")
    return Paper(checked_kind(told["drawer"]), note, in_bin, versions)


def _version(told: Mapping[str, Any]) -> Version:
    size, pages, findings = told["size"], told["pages"], told["findings"]
    if type(size) is not int or type(pages) is not int or not 0 < pages <= 10_000 or len(told) != 10:
        raise NotOurs("a size or a number of pages that cannot be")
    if not _SHA256.fullmatch(_text(told["sha256"], 64)) or not isinstance(findings, list):
        raise NotOurs("a digest that cannot be")
    parse_instant(told["added"])
    return Version(
        _text(told["file"], 64), Kind(told["kind"]), size, told["sha256"], pages, told["added"],
        title_from_elsewhere(_text(told["title"], 500)), checked_sort(_text(told["sort"], 100)),
        tame_file_name(_text(told["file_name"], 500)), tuple(_text(one, 40) for one in findings),
    )  # fmt: skip


def _text(told: object, most: int) -> str:
    if not isinstance(told, str) or len(told) > most:
        raise NotOurs("a text that is none, or too long")
    return told
