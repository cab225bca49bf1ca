"""The papers that a procedure asks for: a typed reading of `catalogue/procedures.json`, and what somebody has of them.

The file is the seed; what an administrator has changed since is in the database (`procedure_editing`). Pure: the day is an argument.
"""

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from consent.days import add_months, paris_day
from consent.fields import plain, shape, text, texts
from consent.ids import KindId, PaperId, checked_slug
from consent.purposes import PurposeId, purpose
from crypto.canonical import Value
from crypto.errors import Malformed
from vault.pictograms import KINDS

FILE = Path(__file__).parent / "catalogue" / "procedures.json"
FRESH_MONTHS = 6  # after that a list is no longer called up to date
LONGEST_TEXT = 300
MOST_PIECES, MOST_KINDS, MOST_REMINDERS = 20, 12, 6
CONFIDENCES = ("A", "B", "C")  # official text read, reliable secondary source, partial


class NeedKind(StrEnum):
    """Whether a piece must be there."""

    REQUIRED = "required"
    ONE_OF = "one_of"
    IF = "if"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Need:
    """Required; one of a group; if a condition holds, in words; or never to be handed over. `about` names the group or the condition."""

    kind: NeedKind
    about: str = ""

    def __post_init__(self) -> None:
        """A group and a condition are said, nothing else is."""
        if bool(self.about) != (self.kind in (NeedKind.ONE_OF, NeedKind.IF)):
            raise Malformed("a need names its group or its condition, and only then")
        plain(self.about, "need", 80, empty=True)

    def told(self) -> str:
        """As the file writes it."""
        return f"{self.kind.value}:{self.about}" if self.about else self.kind.value

    @classmethod
    def read(cls, told: str) -> "Need":
        """From the file; Malformed."""
        kind, _, about = told.partition(":")
        try:
            need = cls(NeedKind(kind), about)
        except ValueError:
            raise Malformed("no such need") from None
        if need.told() != told:
            raise Malformed("a need is written in one way only")
        return need


@dataclass(frozen=True, slots=True)
class Piece:
    """One line of a procedure. `kinds`: the kinds of paper that answer it, the one to ask for first; none: a form to fill in."""

    id: str
    name: str
    need: Need
    note: str = ""
    max_age_months: int | None = None
    kinds: tuple[KindId, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be shown."""
        checked_slug(self.id)
        plain(self.name, "name", LONGEST_TEXT)
        plain(self.note, "note", LONGEST_TEXT, empty=True)
        _months(self.max_age_months)
        if len(set(self.kinds)) != len(self.kinds) or not set(self.kinds) <= set(KINDS) or len(self.kinds) > MOST_KINDS:
            raise Malformed("kinds of paper are known, none twice")

    @property
    def asked_as(self) -> KindId | None:
        """The kind that a request names for this piece; None for what is never asked for, or is filled in together."""
        return self.kinds[0] if self.kinds and self.need.kind is not NeedKind.NEVER else None

    def to_value(self) -> dict[str, Value]:
        """As the file writes it."""
        return {
            "id": self.id, "name": self.name, "need": self.need.told(), "note": self.note, "max_age_months": self.max_age_months,
            "kinds": list(self.kinds),
        }  # fmt: skip

    @classmethod
    def from_value(cls, untrusted: Value) -> "Piece":
        """Read strictly; Malformed."""
        fields = shape(untrusted, ("id", "name", "need", "note", "max_age_months", "kinds"))
        return cls(
            text(fields, "id", 40), text(fields, "name", LONGEST_TEXT), Need.read(text(fields, "need", 100)),
            text(fields, "note", LONGEST_TEXT, empty=True), _whole(fields["max_age_months"]),
            tuple(KindId(kind) for kind in texts(fields, "kinds", MOST_KINDS)),
        )  # fmt: skip


class Freshness(StrEnum):
    """Whether somebody compared the list with the official page lately."""

    FRESH = "fresh"
    STALE = "stale"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Procedure:
    """What is asked for, where that is written, and when somebody last compared the two."""

    id: str
    name: str
    purpose: PurposeId
    confidence: str
    source: str
    verified_on: date | None
    validity_months: int | None
    reminders: tuple[str, ...]
    pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        """Refuse what could not be shown, or asked for in one request."""
        checked_slug(self.id)
        plain(self.name, "name", LONGEST_TEXT)
        plain(self.source, "source", LONGEST_TEXT)
        if purpose(self.purpose).own_words or self.confidence not in CONFIDENCES:
            raise Malformed("a procedure has a purpose and a confidence of the list")
        _months(self.validity_months)
        if len(self.reminders) > MOST_REMINDERS or not 1 <= len(self.pieces) <= MOST_PIECES:
            raise Malformed("a procedure has pieces, and few reminders")
        for reminder in self.reminders:
            plain(reminder, "reminder", LONGEST_TEXT)
        for names in ([piece.id for piece in self.pieces], [piece.asked_as for piece in self.pieces if piece.asked_as]):
            if len(set(names)) != len(names):
                raise Malformed("two pieces have one name, or would be asked for by the same kind")

    def freshness(self, today: date) -> Freshness:
        """Up to date for six months after it was verified."""
        if self.verified_on is None:
            return Freshness.NEVER
        return Freshness.FRESH if today <= add_months(self.verified_on, FRESH_MONTHS) else Freshness.STALE

    @property
    def never(self) -> tuple[Piece, ...]:
        """What must not be handed over."""
        return tuple(piece for piece in self.pieces if piece.need.kind is NeedKind.NEVER)

    def asked_by(self, kind: str) -> Piece | None:
        """The piece that a request for this kind is about."""
        return next((piece for piece in self.pieces if piece.asked_as == kind), None)

    def warning(self, kind: str) -> str:
        """Why a paper of this kind should not go along: "never", "not-asked", or nothing."""
        if any(kind in piece.kinds for piece in self.never):
            return "never"
        return "" if any(kind in piece.kinds for piece in self.pieces) else "not-asked"

    def to_value(self) -> dict[str, Value]:
        """As the file writes it."""
        return {
            "id": self.id, "name": self.name, "purpose": self.purpose, "confidence": self.confidence, "source": self.source,
            "verified_on": self.verified_on.isoformat() if self.verified_on else None, "validity_months": self.validity_months,
            "reminders": list(self.reminders), "pieces": [piece.to_value() for piece in self.pieces],
        }  # fmt: skip

    @classmethod
    def from_value(cls, untrusted: Value) -> "Procedure":
        """Read strictly; Malformed for an unknown field, a missing one, or what this program would not have written."""
        fields = shape(
            untrusted,
            ("id", "name", "purpose", "confidence", "source", "verified_on", "validity_months", "reminders", "pieces"),
        )
        pieces = fields["pieces"]
        if not isinstance(pieces, list):
            raise Malformed("pieces are a list")
        return cls(
            text(fields, "id", 40), text(fields, "name", LONGEST_TEXT), purpose(fields["purpose"]).id, text(fields, "confidence", 1),
            text(fields, "source", LONGEST_TEXT), _day(fields["verified_on"]), _whole(fields["validity_months"]),
            texts(fields, "reminders", MOST_REMINDERS), tuple(Piece.from_value(piece) for piece in pieces),
        )  # fmt: skip


def _months(months: int | None) -> None:
    if months is not None and not 1 <= months <= 120:
        raise Malformed("a number of months is between 1 and 120")


def _whole(untrusted: Value) -> int | None:
    if untrusted is None or type(untrusted) is int:
        return untrusted
    raise Malformed("not a number of months")


def _day(untrusted: Value) -> date | None:
    if untrusted is None:
        return None
    if not isinstance(untrusted, str) or len(untrusted) != 10:
        raise Malformed("not a day")
    try:
        return date.fromisoformat(untrusted)
    except ValueError:
        raise Malformed("not a day") from None


def read(content: str) -> dict[str, Procedure]:
    """The procedures of a file, by their slug, in its order; Malformed."""
    try:
        told: Any = json.loads(content)
    except ValueError:
        raise Malformed("not JSON") from None
    fields = shape(told, ("about", "procedures"))
    untrusted = fields["procedures"]
    if not isinstance(untrusted, list):
        raise Malformed("procedures are a list")
    found = [Procedure.from_value(one) for one in untrusted]
    if len({one.id for one in found}) != len(found):
        raise Malformed("two procedures have one name")
    return {one.id: one for one in found}


@functools.cache
def seed() -> Mapping[str, Procedure]:
    """What the service is delivered with."""
    return read(FILE.read_text())


# --- What somebody has of it ----------------------------------------------------------------------------------------------


class State(StrEnum):
    """What a checklist says of a piece. `TOGETHER`: a form to fill in; `SHOWN_NEVER`: among what is shown and not to be handed over."""

    THERE = "there"
    OLD = "old"
    EXPIRED = "expired"
    MISSING = "missing"
    TOGETHER = "together"
    NEVER = "never"
    SHOWN_NEVER = "shown-never"


@dataclass(frozen=True, slots=True)
class Held:
    """A paper that may answer a piece. `ends`: its last day, where somebody said so."""

    paper: PaperId
    sort: str
    added: datetime
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of a procedure, and the papers that answer it, newest first."""

    piece: Piece
    state: State
    papers: tuple[Held, ...] = ()


def checklist(procedure: Procedure, held: Iterable[Held], today: date) -> list[Line]:
    """What is there, too old, over, missing, never to hand over. One of a group is enough for the group."""
    papers = sorted(held, key=lambda one: (one.added, one.paper), reverse=True)
    lines = [_line(piece, [one for one in papers if one.sort in piece.kinds], today) for piece in procedure.pieces]
    answered = {line.piece.need for line in lines if line.state is State.THERE and line.piece.need.kind is NeedKind.ONE_OF}
    return [line for line in lines if line.state is not State.MISSING or line.piece.need not in answered]


def _line(piece: Piece, found: Sequence[Held], today: date) -> Line:
    if piece.need.kind is NeedKind.NEVER:
        return Line(piece, State.SHOWN_NEVER if found else State.NEVER, tuple(found))
    if not piece.kinds:
        return Line(piece, State.TOGETHER)
    if not found:
        return Line(piece, State.MISSING)
    states = [_state(piece, one, today) for one in found]
    best = min(states, key=[State.THERE, State.OLD, State.EXPIRED].index)
    return Line(piece, best, tuple(found))


def _state(piece: Piece, one: Held, today: date) -> State:
    if one.ends is not None and one.ends < today:
        return State.EXPIRED
    # Nobody says when a paper was written: it is at least as old as the day when it was put in.
    if piece.max_age_months is not None and add_months(paris_day(one.added), piece.max_age_months) < today:
        return State.OLD
    return State.THERE
