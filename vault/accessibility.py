"""The public statement of accessibility (law 2005-102, article 47; decree 2019-768): what is met, what is missing, how it was tested.

One file holds each requirement of the pages with its state and the tests that show it: `catalogue/requirements.json`. The page says what
that file says; a test fails when a requirement is missing there or when a test that it names does not exist.
Words of the states: RGAA 4.1.2, "déclaration d'accessibilité"; EN 301 549.
"""

import functools
import json
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from consent.fields import shape, text, texts
from crypto.canonical import Value
from crypto.errors import Malformed

FILE = Path(__file__).parent / "catalogue" / "requirements.json"
FAMILIES = ("A11Y", "TXT", "AUD", "L10N", "AUTH", "SAFE", "CAP", "WRK", "ADM", "PERF")
TOLD_FAMILIES = ("A11Y", "TXT", "AUD", "L10N")
TOLD_BESIDE = ("SAFE-06",)  # time limits: WCAG 2.2.1 and 2.2.6
DEFENDER = {  # the Défenseur des droits, as the model of the RGAA names the ways to reach them
    "site": "https://formulaire.defenseurdesdroits.fr",
    "number": "09 69 39 00 00",
    "address": "Défenseur des droits, Libre réponse 71120, 75342 Paris CEDEX 07",
}


class State(StrEnum):
    """Whether a requirement is met, in part, or not yet."""

    MET = "met"
    PARTLY = "partly"
    NOT_YET = "not-yet"


class Conformity(StrEnum):
    """What the RGAA lets a service say of itself. Without an audit by its criteria: not conformant, whatever our tests say."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A row of the table of pages: what it asks, its state, and where that is shown (`file::test`, or the bench that measures it)."""

    id: str
    asks: str
    state: State
    shown_by: tuple[str, ...]

    def __post_init__(self) -> None:
        """An id of the table, and something that shows it."""
        if re.fullmatch(f"({'|'.join(FAMILIES)})-[0-9]{{2}}", self.id) is None:
            raise Malformed("a requirement has an id of the table")
        if not self.shown_by and self.state is not State.NOT_YET:
            raise Malformed("what is met is shown by something")

    @property
    def told(self) -> bool:
        """Whether the public statement speaks of it: the others are about safety and work."""
        return self.id.partition("-")[0] in TOLD_FAMILIES or self.id in TOLD_BESIDE


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit by somebody outside: the day, who, and the criteria of the RGAA that were met, in percent."""

    day: date
    by: str
    met: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What the public page says. `limits`: what is missing and not in the table (sentences `access.limit.<name>`)."""

    tested: date
    audit: Audit | None
    checked_with: tuple[str, ...]
    limits: tuple[str, ...]
    requirements: tuple[Requirement, ...]

    @property
    def conformity(self) -> Conformity:
        """All criteria, at least half of them, or less; nothing is claimed without an audit."""
        if self.audit is None or self.audit.met < 50:
            return Conformity.NONE
        return Conformity.FULL if self.audit.met == 100 else Conformity.PARTIAL

    def told(self, *states: State) -> tuple[Requirement, ...]:
        """The requirements in these states that the public page speaks of, in the order of the table."""
        return tuple(one for one in self.requirements if one.told and one.state in states)


def _day(fields: dict[str, Value], name: str) -> date:
    try:
        return date.fromisoformat(text(fields, name, 10))
    except ValueError:
        raise Malformed(f"{name} is not a day") from None


def _audit(untrusted: Value) -> Audit | None:
    if untrusted is None:
        return None
    fields = shape(untrusted, ("day", "by", "met"))
    met = fields["met"]
    if type(met) is not int or not 0 <= met <= 100:
        raise Malformed("the criteria that were met are a whole number of percent")
    return Audit(_day(fields, "day"), text(fields, "by", 120), met)


def _requirement(untrusted: Value) -> Requirement:
    fields = shape(untrusted, ("id", "asks", "state", "shown_by"))
    try:
        state = State(text(fields, "state", 10))
    except ValueError:
        raise Malformed("a requirement is met, in part, or not yet") from None
    return Requirement(text(fields, "id", 10), text(fields, "asks", 200), state, texts(fields, "shown_by", 10))


def read(content: str) -> Statement:
    """The statement of a file, strictly; Malformed."""
    try:
        told: Any = json.loads(content)
    except ValueError:
        raise Malformed("not JSON") from None
    fields = shape(told, ("tested", "audit", "checked_with", "limits", "requirements"))
    rows = fields["requirements"]
    if not isinstance(rows, list):
        raise Malformed("requirements are a list")
    found = tuple(_requirement(one) for one in rows)
    if len({one.id for one in found}) != len(found):
        raise Malformed("two requirements have one id")
    return Statement(
        _day(fields, "tested"), _audit(fields["audit"]), texts(fields, "checked_with", 10), texts(fields, "limits", 20), found
    )


@functools.cache
def statement() -> Statement:
    """What this version says of itself."""
    return read(FILE.read_text(encoding="utf-8"))
