"""What may be given: the person's choice, how it was made, and the limits that hold whatever the page offers."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from consent.days import add_months, lasts, paris_day
from consent.errors import TermsReason, TermsRefused
from consent.fields import plain
from consent.ids import KioskId, WorkerId, checked_id
from consent.purposes import PurposeId, purpose
from consent.recipients import Recipient, RecipientState, role
from consent.scope import OPENING, Act, PapersScope, Scope, ShelfScope
from crypto.errors import Malformed

DEFAULT_MONTHS = 3
MOST_MONTHS = 12
ASSISTED_MONTHS = 1
SHOWN_TWICE = 2
LONGEST_OWN_WORDS = 200
LONGEST_NAME = 120


def default_until(at: datetime) -> date:
    """The last day that is proposed: three months."""
    return add_months(paris_day(at), DEFAULT_MONTHS)


def latest_until(at: datetime) -> date:
    """The last day that may be chosen: twelve months."""
    return add_months(paris_day(at), MOST_MONTHS)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the person chooses: what for, which papers, which acts, until when (a whole day in Paris)."""

    purpose: PurposeId
    own_words: str
    scope: Scope
    acts: frozenset[Act]
    until: date

    def __post_init__(self) -> None:
        """Refuse what could not be read aloud, and acts that mean nothing on this scope."""
        what_for = purpose(self.purpose)
        plain(self.own_words, "own words", LONGEST_OWN_WORDS, empty=not what_for.own_words)
        if self.own_words and not what_for.own_words:
            raise Malformed('only "something else" carries the person\'s words')


class Method(StrEnum):
    """By which means a change was made."""

    SESSION = "session"  # the person's own secret
    CARD = "card"  # the card alone: narrowing only
    ASSISTED = "assisted"  # an assisted opening: gives only with a second worker as witness
    SERVICE = "service"  # a term that passed, a worker who left


@dataclass(frozen=True, slots=True)
class GivenHow:
    """How the person said it. It goes into the receipt, not into what the worker is sent: the place is nobody else's business."""

    method: Method
    kiosk: KioskId | None
    language: str  # BCP 47, as in the address of the page
    text_version: str  # the exact text that was shown
    text_sha256: bytes
    heard: bool  # read aloud
    interpreter: bool  # an interpreter was there
    witness: WorkerId | None = None
    shown: int = 1  # how many times the choice was shown before it was taken

    def __post_init__(self) -> None:
        """Refuse what a receipt could not say."""
        plain(self.language, "language", 35)
        plain(self.text_version, "text version", 80)
        if len(self.text_sha256) != 32:
            raise Malformed("a text's digest has 32 bytes")
        for name in filter(None, (self.kiosk, self.witness)):
            checked_id(name)
        if not 1 <= self.shown <= 9:
            raise Malformed("a choice is shown one to nine times")


def is_first_day(safe_opened: datetime, at: datetime) -> bool:
    """Whether the safe was opened today (in Paris): nothing irreversible is given on such a day."""
    return paris_day(at) <= paris_day(safe_opened)


def check_terms(terms: Terms, recipient: Recipient, how: GivenHow, at: datetime, safe_opened: datetime) -> None:
    """Raise TermsRefused with the first reason why this may not be given now; return when it may."""
    reason = (
        _method(terms, recipient, how, at)
        or _recipient(terms, recipient)
        or _acts(terms)
        or _term(terms, recipient, at)
        or _first_day(terms, safe_opened, at)
    )
    if reason is not None:
        raise TermsRefused(reason)


def _method(terms: Terms, recipient: Recipient, how: GivenHow, at: datetime) -> TermsReason | None:
    if how.method not in (Method.SESSION, Method.ASSISTED):
        return TermsReason.METHOD
    if (how.witness is not None) != (how.method is Method.ASSISTED) or how.witness == recipient.worker:
        return TermsReason.WITNESS
    if how.method is Method.ASSISTED and (how.shown < SHOWN_TWICE or not little_enough(terms, at)):
        return TermsReason.ASSISTED_LIMITS
    return None


def little_enough(terms: Terms, at: datetime) -> bool:
    """Whether this is as little as a witness may stand for, after an assisted opening: one paper, to look at, one month at most.

    Checked when it is given and again at each use: a body that says more was agreed by nobody, whoever signed it.
    """
    one_paper = isinstance(terms.scope, PapersScope) and len(terms.scope.papers) == 1
    return one_paper and terms.acts == {Act.SEE} and terms.until <= latest_assisted(at)


def latest_assisted(at: datetime) -> date:
    """The last day that may be given in an assisted opening."""
    return add_months(paris_day(at), ASSISTED_MONTHS)


def _recipient(terms: Terms, recipient: Recipient) -> TermsReason | None:
    if recipient.state is not RecipientState.CERTIFIED:
        return TermsReason.RECIPIENT
    return None if terms.acts <= role(recipient.role).acts else TermsReason.ROLE


def _acts(terms: Terms) -> TermsReason | None:
    if not terms.acts:
        return TermsReason.NO_ACT
    # A deposited paper gets a new id: it can be inside a drawer, never among papers chosen before it existed.
    if Act.DEPOSIT in terms.acts and not isinstance(terms.scope, ShelfScope):
        return TermsReason.DEPOSIT_NEEDS_SHELF
    return replacing_unseen(terms.acts)


def _term(terms: Terms, recipient: Recipient, at: datetime) -> TermsReason | None:
    if not lasts(terms.until, at):
        return TermsReason.PAST
    if terms.until > latest_until(at):
        return TermsReason.TOO_LONG
    if recipient.ends is not None and terms.until > recipient.ends:
        return TermsReason.RECIPIENT_LEAVES
    return None


def _first_day(terms: Terms, safe_opened: datetime, at: datetime) -> TermsReason | None:
    if not is_first_day(safe_opened, at):
        return None
    if Act.TAKE in terms.acts:
        return TermsReason.FIRST_DAY_TAKE
    # Depositing into a drawer shows nothing and can be undone: it alone is possible on the first day.
    if isinstance(terms.scope, ShelfScope) and terms.acts != {Act.DEPOSIT}:
        return TermsReason.FIRST_DAY_SHELF
    return None


def replacing_unseen(acts: frozenset[Act]) -> TermsReason | None:
    """Nobody replaces what they cannot see: without its key a worker could reach a paper that was hidden in the private drawer since,
    because only the person's session knows which drawer that is."""
    return TermsReason.REPLACE_NEEDS_SIGHT if Act.REPLACE in acts and Act.SEE not in acts else None


def opens_something(acts: frozenset[Act]) -> bool:
    """Whether these acts need a wrapped key: depositing and replacing need none, and get none."""
    return bool(acts & OPENING)
