"""What the rules of sharing refuse. Bytes that do not parse and signatures that do not verify are crypto's errors."""

from datetime import date
from enum import StrEnum


class ConsentError(Exception):
    """A rule of sharing says no."""


class TransitionRefused(ConsentError):
    """This cannot happen to a thing in this state."""

    def __init__(self, state: StrEnum | None, event: StrEnum) -> None:
        super().__init__(f"{event.value} is not possible from {state.value if state else 'nothing'}")
        self.state = state
        self.event = event


class TermsReason(StrEnum):
    """Why a share may not be given as it was chosen; the page says each one in plain words."""

    METHOD = "method"
    WITNESS = "witness"
    ASSISTED_LIMITS = "assisted-limits"
    RECIPIENT = "recipient"
    ROLE = "role"
    NO_ACT = "no-act"
    PRIVATE_SHELF = "private-shelf"
    DEPOSIT_NEEDS_SHELF = "deposit-needs-shelf"
    REPLACE_NEEDS_SIGHT = "replace-needs-sight"
    PAST = "past"
    TOO_LONG = "too-long"
    RECIPIENT_LEAVES = "recipient-leaves"
    FIRST_DAY_SHELF = "first-day-shelf"
    FIRST_DAY_TAKE = "first-day-take"
    NOT_LIVE = "not-live"
    NOT_NARROWER = "not-narrower"
    NOT_LONGER = "not-longer"  # what is renewed lasts longer than it did: an earlier day is narrowing
    NOTHING_LEFT = "nothing-left"  # the papers of the share were thrown away, erased or hidden: it can be taken back alone


class TermsRefused(ConsentError):
    """What was chosen may not be given."""

    def __init__(self, reason: TermsReason) -> None:
        super().__init__(f"these terms may not be given: {reason.value}")
        self.reason = reason


class AskReason(StrEnum):
    """Why a worker may not ask now."""

    RECIPIENT = "recipient"
    ROLE = "role"
    STILL_OPEN = "still-open"
    TOO_MANY = "too-many"
    REFUSED_BEFORE = "refused-before"
    HAS_NOT = "has-not"
    NOT_OPEN = "not-open"


class RequestRefused(ConsentError):
    """This may not be asked, or not yet: `not_before` is the first day when it may."""

    def __init__(self, reason: AskReason, not_before: date | None = None) -> None:
        super().__init__(f"this may not be asked: {reason.value}")
        self.reason = reason
        self.not_before = not_before
