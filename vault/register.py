"""What each kind of request needs, on every path: who must have been recognised, what may be prolonged, what a number may point at.

One table, read by the acts (`vault.rights`), by the office's page and by the test that walks every path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

RightKind = Literal[
    "erasure", "access", "portability", "rectification", "restriction", "objection", "complaint", "minor", "death",
    "requisition", "court-order",
]  # fmt: skip
Origin = Literal["kiosk", "desk", "letter", "authority"]
KINDS: tuple[RightKind, ...] = get_args(RightKind)
OPEN_STATES = ("received", "identified", "approved", "carrying-out")
ORDERS = ("keep", "freeze", "erase")
"""What a judge may order: nothing is erased or shared; the safe is frozen; everything is erased."""


@dataclass(frozen=True)
class Rule:
    """`identity`: the person, or two whom they counted on, are recognised before anything. `extends`: once, by two months.

    `number`: an account number may come with it, and alone designates. `erases`: carrying it out is an erasure. `lifts`: closing it
    lifts what it had begun. `by_hand`: an administrator carries it out; a death waits for its year instead.
    """

    identity: bool = True
    extends: bool = True
    number: bool = False
    erases: bool = False
    lifts: bool = False
    by_hand: bool = True
    authority: bool = False


RULES: Mapping[RightKind, Rule] = {
    "erasure": Rule(erases=True),
    "access": Rule(),
    "portability": Rule(),
    "rectification": Rule(),
    "restriction": Rule(lifts=True),
    "objection": Rule(),
    "complaint": Rule(identity=False),  # it is about the service: nothing of a safe moves
    "minor": Rule(erases=True, extends=False),  # LIL 51 II: as soon as possible; no age is asked, only that it is theirs
    "death": Rule(number=True, extends=False, by_hand=False),
    "requisition": Rule(identity=False, number=True, authority=True),
    "court-order": Rule(identity=False, number=True, lifts=True, authority=True),
}
