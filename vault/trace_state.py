"""The health of the trace, for the office and `abri check`: how far it is numbered, signed, witnessed and counted again. Never content."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from storage import journal, tiles
from storage.tables import trace_checks
from vault import witnesses
from vault.context import Context
from vault.witnesses import Heard

LATE = dt.timedelta(hours=36)  # a daily head, or a nightly count, that did not come
MANY_WAITING = 1000


@dataclass(frozen=True)
class Head:
    """A published head: its size, and when it was last said to everybody."""

    size: int
    at: dt.datetime


@dataclass(frozen=True)
class Checked:
    """The last time that everything was counted again."""

    at: dt.datetime
    size: int
    faults: int


@dataclass(frozen=True)
class State:
    """What there is to know without reading anything."""

    numbered: int
    waiting: int
    head: Head | None
    checked: Checked | None
    witnesses: tuple[Heard, ...]
    now: dt.datetime

    @property
    def numbering(self) -> bool:
        """Entries do not pile up without a number."""
        return self.waiting < MANY_WAITING

    @property
    def publishing(self) -> bool:
        """A head came within the last day; before the first entry there is nothing to say."""
        return not self.numbered or (self.head is not None and self.now - self.head.at < LATE)

    @property
    def whole(self) -> bool:
        """The last count found nothing, and is not old."""
        return not self.numbered or (self.checked is not None and not self.checked.faults and self.now - self.checked.at < LATE)

    @property
    def witnessed(self) -> bool:
        """No witness has refused, and each that was asked has signed."""
        return all(one.answer in (None, "cosigned") for one in self.witnesses)


def look(context: Context) -> State:
    """The state now."""
    with context.database.transaction(read_only=True) as connection:
        numbered, waiting = tiles.size(connection), journal.waiting(connection)
        head = journal.last_checkpoint(connection, published=True)
        row = connection.execute(select(trace_checks).order_by(trace_checks.c.at.desc()).limit(1)).one_or_none()
    return State(
        numbered=numbered,
        waiting=waiting,
        head=Head(head.size, head.published) if head and head.published else None,
        checked=Checked(row.at, row.size, row.faults) if row else None,
        witnesses=tuple(witnesses.heard(context)),
        now=context.clock(),
    )


def lines(context: Context) -> list[tuple[str, bool, str]]:
    """The same as lines of `abri check`: a name, whether it is as it should be, words."""
    state = look(context)
    head = f"{state.head.size} entries, {state.head.at:%Y-%m-%d %H:%M} UTC" if state.head else "none yet"
    checked = state.checked
    counted = f"{checked.size} entries, {checked.at:%Y-%m-%d %H:%M} UTC: {checked.faults} faults" if checked else "not yet"
    new = state.head is None and state.checked is None  # an installation of today: the first night has not come
    found = [
        ("trace: numbered", state.numbering, f"{state.numbered} entries, {state.waiting} waiting"),
        ("trace: published head", state.publishing or new, head),
        ("trace: counted again", state.whole or (new or checked is None), counted),
    ]
    for one in state.witnesses:
        words = one.answer or "not asked yet"
        found.append((f"trace: witness {one.name}", one.answer in (None, "cosigned"), f"{words}, {one.size} entries"))
    return found
