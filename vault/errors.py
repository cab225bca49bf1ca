"""What can go wrong, in a small tree. Each error names the sentence that a page shows; `vault.web.errors` alone knows statuses.

Existence is private: what one may not know and what does not exist are the same error, `NotThere`.
"""

import datetime as dt
from typing import ClassVar


class AbriError(Exception):
    """Anything a use case refuses. `sentence` is a key of `locales/*/errors.po`."""

    sentence: ClassVar[str] = "error.unexpected"


class NotThere(AbriError):
    """It does not exist, or the one who asks may not know that it does."""

    sentence = "error.not-there"


class NotAllowed(AbriError):
    """One's own session may not do this: it is reduced, or of another kind."""

    sentence = "error.not-allowed"


class NotCertified(NotAllowed):
    """This worker's account waits for the signatures of two administrators."""

    sentence = "error.not-certified"


class Absent(NotAllowed):
    """This worker is suspended: nothing opens until they are back. `until` is the last day of absence, when it is known."""

    sentence = "error.absent"

    def __init__(self, until: dt.date | None) -> None:
        super().__init__()
        self.until = until


class NoSession(AbriError):
    """The session has ended, or there was none."""

    sentence = "error.session-ended"


class WrongSecret(AbriError):
    """The card, the code, the words or the number did not open anything; which one is never told."""

    sentence = "error.wrong"


class MustWait(AbriError):
    """Too many attempts with what was shown; nothing is lost."""

    sentence = "error.locked"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"{seconds} s to wait")
        self.seconds = seconds


class Busy(AbriError):
    """Too many people are opening at this moment: try again in a few seconds."""

    sentence = "error.busy"


class WeakSecret(AbriError):
    """The chosen code is one of the first that a stranger would try."""

    sentence = "error.weak-code"


class BadInput(AbriError):
    """Something typed or sent is not in the form expected; `field` names where."""

    sentence = "error.bad-input"

    def __init__(self, field: str, sentence: str | None = None) -> None:
        super().__init__(field)
        self.field = field
        self.shown = sentence or self.sentence


class AlreadyKnown(AbriError):
    """This card already belongs to a safe: take another one."""

    sentence = "error.card-taken"


class TooMuch(AbriError):
    """A limit of the person's space would be passed."""

    sentence = "error.full"


class TooLong(AbriError):
    """A form with more in it than any page asks for."""

    sentence = "error.too-long"


class TicketGone(AbriError):
    """A one-time link was used, or its time is over."""

    sentence = "error.link-gone"


class Tampered(AbriError):
    """Stored bytes are not the ones that were put in: refused whole, told to the person and to the operators."""

    sentence = "error.tampered"


class StoreDown(AbriError):
    """A store does not answer; nothing was changed."""

    sentence = "error.store-down"


class Conflict(AbriError):
    """The step asked for does not follow from the present state (done twice, or not yet possible)."""

    sentence = "error.conflict"


class GuardianAway(Conflict):
    """Somebody who recognised the person yesterday is away today, or has left: their part does not count now."""

    sentence = "error.guardian-away"


class GuardianLeft(Conflict):
    """What waited its day lacks somebody for good: their account ended meanwhile. Whoever comes for it begins again."""

    sentence = "error.guardian-left"
