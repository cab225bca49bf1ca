"""The only place that says yes.

`decide` is pure and total: for any argument, of any kind, it answers and never raises. It sees grants whose signatures were
verified and nothing else. The cryptography says the same thing without it: no live grant row and no wrapped key, nothing to
open. Each is attacked in the tests with the other switched off.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from consent.days import paris_day
from consent.grant import OPEN_STATES
from consent.ids import ShelfId, WorkerId
from consent.purposes import PRIVATE, ShelfKind
from consent.recipients import Recipient, RecipientState, role
from consent.scope import OPENING, Act, Paper, covers
from consent.verified import VerifiedGrant

WARNING = timedelta(days=30)


class Reason(StrEnum):
    """Why not. The recipient is told none of this: for them the paper does not exist."""

    MALFORMED = "malformed"
    NOT_CERTIFIED = "not-certified"
    SUSPENDED = "suspended"
    RECIPIENT_ENDED = "recipient-ended"
    ROLE = "role"
    PRIVATE_SHELF = "private-shelf"
    NO_GRANT = "no-grant"
    NOT_LIVE = "not-live"
    NOT_COVERED = "not-covered"
    ACT_NOT_GRANTED = "act-not-granted"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes, by this grant: its purpose goes into the trace and the watermark."""

    grant: VerifiedGrant


@dataclass(frozen=True, slots=True)
class Refused:
    """No, and why."""

    reason: Reason


Decision = Allowed | Refused


def decide(act: Act, paper: Paper, recipient: Recipient, grants: Sequence[VerifiedGrant], at: datetime) -> Decision:
    """Whether this act on this paper is granted to this recipient now: by the oldest grant that covers it, or why not."""
    found = _judge(act, paper, recipient, grants, at)
    return found if isinstance(found, Refused) else Allowed(found[0])


def covering(
    act: Act, paper: Paper, recipient: Recipient, grants: Sequence[VerifiedGrant], at: datetime
) -> tuple[VerifiedGrant, ...]:
    """All grants that say yes, oldest first. When there are two the page asks what for, then decides with that one alone."""
    found = _judge(act, paper, recipient, grants, at)
    return () if isinstance(found, Refused) else found


def _judge(
    act: Act, paper: Paper, recipient: Recipient, grants: Sequence[VerifiedGrant], at: datetime
) -> Refused | tuple[VerifiedGrant, ...]:
    if not _well_formed(act, paper, recipient, grants, at):
        return Refused(Reason.MALFORMED)
    today = _day(at)
    if today is None:
        return Refused(Reason.MALFORMED)
    standing = _standing(recipient, today)
    if standing is not None:
        return Refused(standing)
    if act not in role(recipient.role).acts:
        return Refused(Reason.ROLE)
    if paper.kind == PRIVATE:
        return Refused(Reason.PRIVATE_SHELF)
    return _choose(act, paper, recipient.worker, grants, at, today)


def _choose(
    act: Act, paper: Paper, worker: WorkerId, grants: Sequence[VerifiedGrant], at: datetime, today: date
) -> Refused | tuple[VerifiedGrant, ...]:
    """Narrow the grants step by step; the reason names the first step that leaves none."""
    left = [
        one for one in grants
        if isinstance(one, VerifiedGrant) and one.body.worker == worker and one.body.person == paper.person
    ]  # fmt: skip
    if not left:
        return Refused(Reason.NO_GRANT)
    left = [one for one in left if _live(one, at, today)]
    if not left:
        return Refused(Reason.NOT_LIVE)
    left = [one for one in left if covers(one.body.terms.scope, paper)]
    if not left:
        return Refused(Reason.NOT_COVERED)
    left = [one for one in left if act in one.body.terms.acts]
    if not left:
        return Refused(Reason.ACT_NOT_GRANTED)
    return tuple(sorted(left, key=_oldest_first))


def _oldest_first(grant: VerifiedGrant) -> tuple[datetime, str]:
    return (grant.body.since, grant.body.grant)


def _live(grant: VerifiedGrant, at: datetime, today: date) -> bool:
    return grant.row.state in OPEN_STATES and grant.body.since <= at and today <= grant.body.terms.until


def _standing(recipient: Recipient, today: date) -> Reason | None:
    if recipient.state is RecipientState.INVITED:
        return Reason.NOT_CERTIFIED
    if recipient.state is RecipientState.SUSPENDED:
        return Reason.SUSPENDED
    if recipient.state is RecipientState.ENDED or (recipient.ends is not None and today > recipient.ends):
        return Reason.RECIPIENT_ENDED
    return None


def _well_formed(act: object, paper: object, recipient: object, grants: object, at: object) -> bool:
    """Whether each argument is what its type says: a caller in a hurry gets a refusal, not an accident."""
    return (
        isinstance(act, Act)
        and isinstance(paper, Paper)
        and isinstance(recipient, Recipient)
        and isinstance(grants, list | tuple)
        and isinstance(at, datetime)
    )


def _day(at: datetime) -> date | None:
    try:
        return paris_day(at)
    except (ValueError, OverflowError):  # no time zone, or the edge of the calendar
        return None


def visible(papers: Iterable[Paper], recipient: Recipient, grants: Sequence[VerifiedGrant], at: datetime) -> tuple[Paper, ...]:
    """What the desk may list, in the order given: papers that this recipient may see or take now, and not one more."""
    return tuple(
        paper for paper in papers if any(isinstance(decide(act, paper, recipient, grants, at), Allowed) for act in OPENING)
    )


def gained_by_move(
    paper: Paper, shelf: ShelfId, kind: ShelfKind, grants: Sequence[VerifiedGrant], recipients: Mapping[WorkerId, Recipient],
    at: datetime,
) -> tuple[VerifiedGrant, ...]:  # fmt: skip
    """Who would newly see a paper moved from where it lies to another drawer: the person is told, and asked.

    Suspended recipients count: they come back. Who may only put papers in sees nothing, and does not count.
    """
    back = {worker: _as_if_back(recipient) for worker, recipient in recipients.items()}
    to = replace(paper, shelf=shelf, kind=kind)
    gained = []
    for grant in grants:
        recipient = back.get(grant.body.worker)
        if recipient is None:
            continue
        before = {act for act in OPENING if covering(act, paper, recipient, [grant], at)}
        after = {act for act in OPENING if covering(act, to, recipient, [grant], at)}
        if after - before:
            gained.append(grant)
    return tuple(sorted(gained, key=_oldest_first))


def _as_if_back(recipient: Recipient) -> Recipient:
    return replace(recipient, state=RecipientState.CERTIFIED) if recipient.state is RecipientState.SUSPENDED else recipient


def ending_soon(grant: VerifiedGrant, at: datetime) -> bool:
    """Whether a live grant is in its last 30 days: the person is told at each unlock, the worker too."""
    today = _day(at)
    return today is not None and _live(grant, at, today) and grant.body.terms.until - today <= WARNING
