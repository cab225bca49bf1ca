"""Who can receive: named natural persons with a role and a state, never a structure (CNIL, row R32 of the law table)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NewType

from consent.errors import TransitionRefused
from consent.ids import WorkerId
from consent.scope import Act
from crypto.errors import Malformed

RoleId = NewType("RoleId", str)

_ALL = frozenset(Act)
_DEPOSIT = frozenset({Act.DEPOSIT})


@dataclass(frozen=True, slots=True)
class Role:
    """What a role may be granted. A role that is not permanent needs an end date."""

    id: RoleId
    words: str
    permanent: bool
    acts: frozenset[Act]
    may_guard: bool
    may_assist: bool


ROLES: tuple[Role, ...] = (
    Role(RoleId("salaried"), "de l'équipe", True, _ALL, True, True),
    Role(RoleId("volunteer"), "bénévole", False, _DEPOSIT, False, False),
    Role(RoleId("intern"), "stagiaire", False, _DEPOSIT, False, False),
    Role(RoleId("civic-service"), "service civique", False, _ALL, True, True),
    Role(RoleId("interpreter"), "interprète", False, _DEPOSIT, False, False),
    Role(RoleId("lawyer"), "avocat", True, _ALL, True, True),
    # An ordinary recipient that never holds the secret, nor a part of it (civil code 458 to 467, row L10).
    Role(RoleId("protection-representative"), "mandataire", True, _ALL, False, False),
)

_ROLES = {row.id: row for row in ROLES}


def role(untrusted: object) -> Role:
    """The row of that role; raises Malformed when there is none."""
    found = _ROLES.get(RoleId(untrusted)) if isinstance(untrusted, str) else None
    if found is None:
        raise Malformed("no such role")
    return found


class RecipientState(StrEnum):
    """Where a worker stands. Suspended is not gone: wraps are kept and nothing opens; ended is for ever."""

    INVITED = "invited"
    CERTIFIED = "certified"
    SUSPENDED = "suspended"
    ENDED = "ended"


class RecipientEvent(StrEnum):
    """What can happen to a worker."""

    CERTIFY = "certify"
    SUSPEND = "suspend"
    RETURN = "return"
    END = "end"


_MOVES: Mapping[tuple[RecipientState, RecipientEvent], RecipientState] = {
    (RecipientState.INVITED, RecipientEvent.CERTIFY): RecipientState.CERTIFIED,
    (RecipientState.INVITED, RecipientEvent.END): RecipientState.ENDED,
    (RecipientState.CERTIFIED, RecipientEvent.SUSPEND): RecipientState.SUSPENDED,
    (RecipientState.CERTIFIED, RecipientEvent.END): RecipientState.ENDED,
    (RecipientState.SUSPENDED, RecipientEvent.RETURN): RecipientState.CERTIFIED,
    (RecipientState.SUSPENDED, RecipientEvent.END): RecipientState.ENDED,
}


def next_state(state: RecipientState, event: RecipientEvent) -> RecipientState:
    """The state after the event; raises TransitionRefused when it cannot happen."""
    after = _MOVES.get((state, event))
    if after is None:
        raise TransitionRefused(state, event)
    return after


@dataclass(frozen=True, slots=True)
class Recipient:
    """A named worker as the rules see them. `ends` is the last day of the account, in Paris; None for permanent roles only."""

    worker: WorkerId
    role: RoleId
    state: RecipientState
    ends: date | None = None

    def __post_init__(self) -> None:
        """Refuse a passing role without an end."""
        if self.ends is None and not role(self.role).permanent:
            raise Malformed("this role needs an end date")
