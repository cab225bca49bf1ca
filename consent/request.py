"""A worker asks for kinds of papers; the person gives, has not, or refuses; and asking again waits.

Refusing needs no reason and touches nothing else. A request for a whole procedure is one request with several kinds, each
answered on its own. What is asked names kinds, never papers: the worker does not know which papers exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from consent.days import paris_day, whole_second
from consent.errors import AskReason, RequestRefused
from consent.fields import plain, shape, text, texts
from consent.ids import KindId, PersonId, RequestId, WorkerId, checked_id, checked_slug
from consent.purposes import PurposeId, purpose
from consent.recipients import Recipient, RecipientState, role
from consent.scope import OPENING
from consent.terms import LONGEST_OWN_WORDS
from crypto.canonical import Value, canonical, instant, parse, parse_instant
from crypto.errors import Malformed

MOST_KINDS = 20
MOST_OPEN = 5  # requests of one worker that wait for one person
OPEN_DAYS = 30  # unanswered, a request goes away by itself
REFUSAL_WAITS = (7, 30, 90)  # days after the first, the second, the third and later refusal
HAS_NOT_WAIT = 7
MEMORY_DAYS = 365  # refusals older than this are forgotten


class Answer(StrEnum):
    """The three buttons."""

    GIVE = "give"
    HAVE_NOT = "have-not"
    REFUSE = "refuse"


_FIELDS = ("v", "request", "person", "worker", "kinds", "purpose", "own_words", "procedure", "asked")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: sorted kinds, what for, and the procedure's slug when the page asks for a whole one ("" otherwise)."""

    request: RequestId
    person: PersonId
    worker: WorkerId
    kinds: tuple[KindId, ...]
    purpose: PurposeId
    own_words: str
    procedure: str
    asked: datetime

    def __post_init__(self) -> None:
        """Refuse what could not be shown on one page, or written and read back the same."""
        for name in (self.request, self.person, self.worker):
            checked_id(name)
        if not 1 <= len(self.kinds) <= MOST_KINDS or list(self.kinds) != sorted({checked_slug(kind) for kind in self.kinds}):
            raise Malformed(f"a request names 1 to {MOST_KINDS} sorted kinds, none twice")
        what_for = purpose(self.purpose)
        plain(self.own_words, "own words", LONGEST_OWN_WORDS, empty=not what_for.own_words)
        if self.own_words and not what_for.own_words:
            raise Malformed('only "something else" carries words')
        if self.procedure:
            checked_slug(self.procedure)
        if self.asked != whole_second(self.asked):
            raise Malformed("a request's moment is a whole second")

    def to_value(self) -> dict[str, Value]:
        """The request as JSON values."""
        return {
            "v": "1", "request": self.request, "person": self.person, "worker": self.worker, "kinds": list(self.kinds),
            "purpose": self.purpose, "own_words": self.own_words, "procedure": self.procedure, "asked": instant(self.asked),
        }  # fmt: skip

    def to_bytes(self) -> bytes:
        """The canonical bytes (RFC 8785): posted to the person, and to the worker."""
        return canonical(self.to_value())

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "Request":
        """Read canonical bytes; raises Malformed for anything that this program would not have written."""
        fields = shape(parse(untrusted), _FIELDS)
        request = cls(
            request=RequestId(checked_id(fields["request"])),
            person=PersonId(checked_id(fields["person"])),
            worker=WorkerId(checked_id(fields["worker"])),
            kinds=tuple(KindId(kind) for kind in texts(fields, "kinds", MOST_KINDS)),
            purpose=purpose(fields["purpose"]).id,
            own_words=text(fields, "own_words", LONGEST_OWN_WORDS, empty=True),
            procedure=text(fields, "procedure", 40, empty=True),
            asked=parse_instant(text(fields, "asked", 20)),
        )
        if request.to_value() != fields:
            raise Malformed("a request is written in one way only")
        return request


@dataclass(frozen=True, slots=True)
class Answered:
    """What the person said of one kind, and when."""

    kind: KindId
    answer: Answer
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with its answers so far."""

    request: Request
    answers: tuple[Answered, ...] = ()

    def __post_init__(self) -> None:
        """One answer for each kind at most, and only for kinds that were asked."""
        kinds = [one.kind for one in self.answers]
        if len(set(kinds)) != len(kinds) or not set(kinds) <= set(self.request.kinds):
            raise Malformed("answers are about the kinds that were asked, once each")

    def open_kinds(self, at: datetime) -> tuple[KindId, ...]:
        """The kinds that still wait for an answer; none once the request has gone away by itself."""
        if paris_day(at) > self.last_day():
            return ()
        answered = {one.kind for one in self.answers}
        return tuple(kind for kind in self.request.kinds if kind not in answered)

    def last_day(self) -> date:
        """The last day in Paris on which it can be answered."""
        return paris_day(self.request.asked) + timedelta(days=OPEN_DAYS)


def answer(asked: Asked, kind: KindId, what: Answer, at: datetime) -> Asked:
    """The request with one more answer; raises RequestRefused(NOT_OPEN) when that kind waits for none."""
    if kind not in asked.open_kinds(at):
        raise RequestRefused(AskReason.NOT_OPEN)
    return replace(asked, answers=(*asked.answers, Answered(kind, what, whole_second(at))))


def may_ask(request: Request, earlier: Sequence[Asked], recipient: Recipient, at: datetime) -> None:
    """Raise RequestRefused with the first reason why this worker may not ask this now, and the day when they may.

    Whatever the purpose says: asking for the same kind with other words is asking again. Requests of others do not count.
    """
    if recipient.worker != request.worker or recipient.state is not RecipientState.CERTIFIED:
        raise RequestRefused(AskReason.RECIPIENT)
    if not role(recipient.role).acts & OPENING:
        raise RequestRefused(AskReason.ROLE)
    mine = [one for one in earlier if (one.request.worker, one.request.person) == (request.worker, request.person)]
    waiting = [one for one in mine if one.open_kinds(at)]
    for kind in request.kinds:
        _may_ask_kind(kind, mine, waiting, at)
    if len(waiting) >= MOST_OPEN:
        raise RequestRefused(AskReason.TOO_MANY, min(one.last_day() for one in waiting) + timedelta(days=1))


def _may_ask_kind(kind: KindId, mine: Sequence[Asked], waiting: Sequence[Asked], at: datetime) -> None:
    for one in waiting:
        if kind in one.open_kinds(at):
            raise RequestRefused(AskReason.STILL_OPEN, one.last_day() + timedelta(days=1))
    today = paris_day(at)
    said = [one for asked in mine for one in asked.answers if one.kind == kind]
    remembered = today - timedelta(days=MEMORY_DAYS)
    refusals = [paris_day(one.at) for one in said if one.answer is Answer.REFUSE and paris_day(one.at) > remembered]
    if refusals:
        wait = REFUSAL_WAITS[min(len(refusals), len(REFUSAL_WAITS)) - 1]
        _wait(AskReason.REFUSED_BEFORE, max(refusals), wait, today)
    has_not = [paris_day(one.at) for one in said if one.answer is Answer.HAVE_NOT]
    if has_not:
        _wait(AskReason.HAS_NOT, max(has_not), HAS_NOT_WAIT, today)


def _wait(reason: AskReason, since: date, days: int, today: date) -> None:
    not_before = since + timedelta(days=days)
    if today < not_before:
        raise RequestRefused(reason, not_before)
