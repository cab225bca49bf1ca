"""The card of a paper: what a list shows of it, sealed with it. No title, name, kind or digest stands anywhere else."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from consent.fields import shows
from consent.ids import checked_slug
from crypto.canonical import Value
from crypto.errors import Malformed, Undecryptable
from vault.errors import BadInput
from vault.kinds import BESIDE_PAGES, Finding, Kind
from vault.typed import line, one_line

Role = Literal["received", "view", "preview"]
ROLES: tuple[Role, ...] = ("received", "view", "preview")
LONGEST_TITLE = 120
LONGEST_FILE_NAME = 200
VERSION = 1
_NAMED = ("title", "sort", "file", "added", "findings")
_TEXTS, _ROLES = {str}, frozenset(ROLES)
_NOTHING: frozenset[Finding] = frozenset()
_KINDS = frozenset(kind.value for kind in Kind)
_THING = re.compile(r"([a-z]+) (0|[1-9][0-9]*) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Thing:
    """One of the objects of a version as it was before sealing: its kind, its size in bytes, its SHA-256."""

    kind: Kind
    size: int
    sha256: bytes

    def told(self) -> str:
        """As a card says it."""
        return f"{self.kind.value} {self.size} {self.sha256.hex()}"

    @classmethod
    def read(cls, told: str) -> "Thing":
        """Read what a card says; Undecryptable for anything that we would not have written."""
        found = _THING.fullmatch(told)
        if found is None or found[1] not in _KINDS:
            raise Undecryptable
        return cls(Kind(found[1]), int(found[2]), bytes.fromhex(found[3]))


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of one version of a paper. `sort` is the kind of paper ("tax-notice"), empty when nobody said.

    `added` is written as `crypto.canonical.instant` does; `told` says what the objects are, as `Thing` writes it.
    """

    title: str = field(repr=False)
    sort: str
    untrusted_file_name: str = field(repr=False)
    pages: int
    added: str
    findings: frozenset[Finding]
    told: Mapping[Role, str]

    def thing(self, role: Role) -> Thing:
        """What an object was before sealing; Undecryptable when the card does not say."""
        return Thing.read(self.told.get(role, ""))

    @property
    def more_than_pages(self) -> bool:
        """Whether the received bytes hold what no page shows: a program, another file, a form of its own."""
        return not BESIDE_PAGES.isdisjoint(self.findings)

    def to_value(self) -> dict[str, Value]:
        """The card as it is sealed: flat, because a list opens a hundred of them."""
        return {
            "v": VERSION, "title": self.title, "sort": self.sort, "file": self.untrusted_file_name, "pages": self.pages,
            "added": self.added, "findings": " ".join(sorted(self.findings)), **{str(role): one for role, one in self.told.items()},
        }  # fmt: skip

    @classmethod
    def from_value(cls, value: Mapping[str, Value]) -> "Card":
        """Read what was sealed. Whoever holds the paper's key wrote it: anything unexpected does not open."""
        texts = dict(value)  # one question about all of them costs a fifth of a question about each: a list reads a hundred cards
        pages, version = texts.pop("pages", None), texts.pop("v", None)
        if type(pages) is not int or version != VERSION or set(map(type, texts.values())) != _TEXTS:
            raise Undecryptable
        said = cast("dict[str, str]", texts)
        try:
            title, sort, name, added, found = map(said.pop, _NAMED)
            findings = frozenset(map(Finding, found.split())) if found else _NOTHING
        except (KeyError, ValueError):
            raise Undecryptable from None
        if not said.keys() <= _ROLES:
            raise Undecryptable
        return cls(title, sort, name, pages, added, findings, cast("dict[Role, str]", said))


def checked_title(untrusted: str) -> str:
    """A title as it can be shown: one line, NFC, no character that hides or turns the reading order; or BadInput."""
    said = one_line(untrusted)
    return line(said, "title", LONGEST_TITLE, empty="error.name-empty") if said else ""


def title_from_elsewhere(untrusted: str) -> str:
    """The same for a title that was kept elsewhere, by rules of its own time: one that shows nothing is none, and stops no paper."""
    return checked_title(untrusted) if shows(untrusted) else ""


def checked_sort(untrusted: str) -> str:
    """The slug of a kind of paper, or nothing; BadInput otherwise."""
    try:
        return checked_slug(untrusted) if untrusted else ""
    except Malformed:
        raise BadInput("sort") from None


def tame_file_name(untrusted_name: str) -> str:
    """A file name as it came, without its folders and without what cannot be shown; only ever shown, never opened."""
    last = unicodedata.normalize("NFC", untrusted_name.replace("\\", "/").rsplit("/", 1)[-1])
    shown = "".join(one for one in last if one == " " or unicodedata.category(one)[0] not in "CZ")
    return shown.strip()[:LONGEST_FILE_NAME].strip()
