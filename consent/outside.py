"""Something given once to somebody outside: one named recipient, one purpose, a few papers, seven days, three openings.

The body is what the receipt says was agreed: its digest stands in the signed record, so that neither changes without the other.
Pure: time is an argument.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from consent.days import paris_day, whole_second
from consent.errors import TermsReason, TermsRefused
from consent.fields import plain, shape, text, texts
from consent.grant import GrantState
from consent.ids import GrantId, KindId, PaperId, PersonId, checked_id
from consent.purposes import SPECIAL, PurposeId, ShelfKind, purpose, sensitivities, shelf
from consent.receipt import Frame
from consent.record import Category, Change, Notice, Processing, Receipt
from consent.scope import Act
from consent.terms import LONGEST_OWN_WORDS, GivenHow, is_first_day
from crypto.canonical import Value, canonical, instant, parse, parse_instant
from crypto.errors import Malformed

DAYS = 7
OPENINGS = 3
MOST_PAPERS = 20
LONGEST_NAME = 80
ACTS = frozenset({Act.SEE, Act.TAKE})
"""What somebody outside may do: look at the pages, and keep them as one file. Never the bytes as received."""

_FIELDS = ("v", "share", "person", "recipient", "purpose", "own_words", "papers", "until", "openings", "marked", "given")


class OutsideReason(StrEnum):
    """Why a link opens nothing now. Whoever holds it is told none of this."""

    NOT_LIVE = "not-live"
    OVER = "over"
    NO_OPENING_LEFT = "no-opening-left"


@dataclass(frozen=True, slots=True)
class OutsideBody:
    """What the person agreed to. `papers` in the order in which they are shown; `marked`: name, purpose and day on every page."""

    share: GrantId
    person: PersonId
    recipient: str
    purpose: PurposeId
    own_words: str
    papers: tuple[PaperId, ...]
    until: datetime
    openings: int
    marked: bool
    given: datetime

    def __post_init__(self) -> None:
        """Refuse what could not be shown on one page, or written and read back the same."""
        for name in (self.share, self.person, *self.papers):
            checked_id(name)
        plain(self.recipient, "recipient", LONGEST_NAME)
        what_for = purpose(self.purpose)
        plain(self.own_words, "own words", LONGEST_OWN_WORDS, empty=not what_for.own_words)
        if self.own_words and not what_for.own_words:
            raise Malformed('only "something else" carries words')
        if not 1 <= len(self.papers) <= MOST_PAPERS or len(set(self.papers)) != len(self.papers):
            raise Malformed(f"somebody outside is given 1 to {MOST_PAPERS} papers, none twice")
        if (self.until, self.given) != (whole_second(self.until), whole_second(self.given)):
            raise Malformed("moments are whole seconds")
        if not 1 <= self.openings <= OPENINGS or not self.given < self.until <= self.given + timedelta(days=DAYS):
            raise Malformed(f"at most {OPENINGS} openings within {DAYS} days")

    def to_value(self) -> dict[str, Value]:
        """The body as JSON values."""
        return {
            "v": "1", "share": self.share, "person": self.person, "recipient": self.recipient, "purpose": self.purpose,
            "own_words": self.own_words, "papers": list(self.papers), "until": instant(self.until), "openings": str(self.openings),
            "marked": "yes" if self.marked else "no", "given": instant(self.given),
        }  # fmt: skip

    def to_bytes(self) -> bytes:
        """The canonical bytes (RFC 8785): posted to the person and to the link."""
        return canonical(self.to_value())

    def digest(self) -> bytes:
        """What the receipt names."""
        return sha256(self.to_bytes()).digest()

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "OutsideBody":
        """Read canonical bytes; Malformed for anything that this program would not have written."""
        fields = shape(parse(untrusted), _FIELDS)
        openings, marked = text(fields, "openings", 1), text(fields, "marked", 3)
        body = cls(
            GrantId(checked_id(fields["share"])), PersonId(checked_id(fields["person"])), text(fields, "recipient", LONGEST_NAME),
            purpose(fields["purpose"]).id, text(fields, "own_words", LONGEST_OWN_WORDS, empty=True),
            tuple(PaperId(one) for one in texts(fields, "papers", MOST_PAPERS)), parse_instant(text(fields, "until", 20)),
            int(openings) if openings.isascii() and openings.isdigit() else 0, marked == "yes",
            parse_instant(text(fields, "given", 20)),
        )  # fmt: skip
        if body.to_value() != fields:
            raise Malformed("a body is written in one way only")
        return body


def check_may_give(safe_opened: datetime, at: datetime) -> None:
    """Raise TermsRefused on the first day of a safe: what has gone out cannot be taken back."""
    if is_first_day(safe_opened, at):
        raise TermsRefused(TermsReason.FIRST_DAY_TAKE)


def why_not(state: str, until: datetime, openings_left: int, at: datetime, *, inside: bool = False) -> OutsideReason | None:
    """Why a link opens nothing now; None when it opens. `inside`: the door was opened already, and its opening was counted."""
    if state != GrantState.GIVEN.value:
        return OutsideReason.NOT_LIVE
    if at >= until:
        return OutsideReason.OVER
    return OutsideReason.NO_OPENING_LEFT if openings_left < 1 and not inside else None


Data = Mapping[ShelfKind, Iterable[KindId]]


def given_receipt(frame: Frame, body: OutsideBody, how: GivenHow, data: Data, words: str) -> Receipt:
    """The record of what was given. `data`: kinds of papers by drawer; `words`: the purpose as it was shown."""
    drawers = tuple(sorted(data))
    processing = Processing(
        purpose=body.purpose, words=body.own_words or words, acts=ACTS, until=paris_day(body.until), stored_in=frame.stored_in,
        categories=tuple(Category(kind, tuple(sorted(set(data[kind]))), shelf(kind).sensitivity) for kind in drawers),
        special=bool(sensitivities(drawers, body.purpose) & SPECIAL),
    )  # fmt: skip
    return _receipt(frame, body.share, GrantState.GIVEN, body, how, processing)


def ended_receipt(frame: Frame, share: GrantId, state: GrantState, how: GivenHow, before: Receipt | None) -> Receipt:
    """The record of an ending. `before`, when the person's session can read it, says again what it was about."""
    return _receipt(frame, share, state, None, how, before.processing if before else None, before.agreed if before else None)


def _receipt(
    frame: Frame, share: GrantId, state: GrantState, body: OutsideBody | None, how: GivenHow, processing: Processing | None,
    agreed: bytes | None = None,
) -> Receipt:  # fmt: skip
    return Receipt(
        record=frame.record, grant=share, subject=frame.subject, created=whole_second(frame.at), replaces=frame.replaces,
        notice=Notice(how.text_version, how.text_sha256, how.language, how.heard), processing=processing,
        controller=frame.controller, recipient=frame.recipient, change_at=frame.change_at, entry=frame.entry,
        agreed=body.digest() if body else agreed,
        change=Change(
            state=state, at=body.given if body else whole_second(frame.at), until=paris_day(body.until) if body else None,
            method=how.method, kiosk=how.kiosk, interpreter=how.interpreter, witness=how.witness, shown=how.shown,
        ),
    )  # fmt: skip
