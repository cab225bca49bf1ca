"""What the interface for programs takes and gives, as JSON. An unknown field is an error: a typing mistake must not be silent."""

import datetime as dt
from typing import Literal

import msgspec

from vault.audit import Entry
from vault.documents import PaperCard
from vault.showing import ShareCard
from vault.workers import KnownWorker


class Taken(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What every body is made from."""


class Unlock(Taken):
    """A card's text with a code or five pictures (numbers from 0 to 15); or an account number with five words."""

    card: str = ""
    code: str = ""
    pictures: list[int] = []
    number: str = ""
    words: str = ""


class How(Taken):
    """How somebody said it: which text they were shown, in which language, read aloud or not. Its digest is signed."""

    language: str
    text_version: str
    text_sha256: str
    heard: bool = False
    interpreter: bool = False


class NewShare(Taken):
    """A share: papers by their ids, or one drawer; what may be done, what for, until when."""

    worker: str
    purpose: str
    acts: list[Literal["see", "take", "deposit", "replace"]]
    until: dt.date
    said: How
    papers: list[str] = []
    shelf: str = ""
    own_words: str = ""


class Withdrawal(Taken):
    """Stopping needs no reason; only how it was said."""

    said: How


class Secret(Taken):
    """The code (or five words) again, or five pictures."""

    code: str = ""
    pictures: list[int] = []


class Opened(msgspec.Struct):
    """The token is the session: whoever has it has what the code opened, until it ends."""

    token: str
    idle_seconds: int
    term: dt.datetime


class Paper(msgspec.Struct):
    """A paper as its owner sees it. A damaged one says nothing but that it is there."""

    id: str
    title: str
    shelf: str | None
    kind: str
    media_type: str | None
    pages: int
    size: int
    added: dt.datetime | None
    by: str
    state: str
    damaged: bool


class Kept(msgspec.Struct):
    """What was just kept."""

    id: str


class Worker(msgspec.Struct):
    """Somebody to whom papers can be shown."""

    id: str
    first_name: str
    role: str
    structure: str


class Share(msgspec.Struct):
    """A share as the person sees it."""

    id: str
    worker: str
    worker_name: str
    state: str
    purpose: str | None
    own_words: str
    acts: list[str]
    until: dt.date
    shelf: str | None
    papers: list[str]
    openings: int
    copies: int


class Line(msgspec.Struct):
    """One line of the person's history."""

    id: str
    number: int | None
    at: dt.datetime
    event: str
    by_name: str
    paper: str
    title: str
    share: str
    purpose: str
    place: str
    detail: str


class Asked(msgspec.Struct):
    """An erasure that waits: its number finds the certificate, the card cancels it until `due`."""

    number: str
    due: dt.datetime


def paper(card: PaperCard) -> Paper:
    """From the list's card."""
    return Paper(
        id=card.paper, title=card.title, shelf=card.shelf, kind=card.sort, pages=card.pages, size=card.size, added=card.added,
        media_type=card.kind.media_type if card.kind else None, by=card.by, state=card.state, damaged=card.damaged,
    )  # fmt: skip


def worker(known: KnownWorker) -> Worker:
    """From the list of recipients."""
    return Worker(known.id, known.first_name, known.role, known.structure_name)


def share(card: ShareCard) -> Share:
    """From "Qui peut voir ?"."""
    return Share(
        id=card.grant, worker=card.worker, worker_name=card.worker_name, state=card.state.value, purpose=card.purpose or None,
        own_words=card.own_words or "", acts=sorted(act.value for act in card.acts), until=card.until, shelf=card.shelf,
        papers=[one.paper for one in card.papers], openings=len(card.opened), copies=card.copies,
    )  # fmt: skip


def line(entry: Entry) -> Line:
    """From "Qui a regardé ?"."""
    event = entry.event
    return Line(
        entry.id, entry.number, entry.at, event.tag, event.by_name, event.paper, event.title, event.grant, event.purpose, event.place,
        event.detail,
    )  # fmt: skip
