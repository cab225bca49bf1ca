"""The health of the trace, for the office and `abri check`: how far it is numbered, signed, witnessed and counted again. Never content."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select

from crypto.errors import CryptoError
from storage import journal, tiles
from storage.tables import entries, trace_checks
from vault import checkpoints, witnesses
from vault.context import Context
from vault.errors import Tampered
from vault.witnesses import Heard

LATE = dt.timedelta(hours=36)  # a daily head, or a nightly count, that did not come
MANY_WAITING = 1000


@dataclass(frozen=True)
class Head:
    """A published head: its size, and when it was signed last, as its note says; None when this log did not sign it."""

    size: int
    at: dt.datetime | None


@dataclass(frozen=True)
class Checked:
    """The last time that everything was counted again."""

    at: dt.datetime
    size: int
    faults: int


@dataclass(frozen=True)
class State:
    """What there is to know without reading anything.

    `remembered`: how many entries the head has that this machine signed last (0: none yet; None: its file does not hold).
    """

    numbered: int
    waiting: int
    remembered: int | None
    head: Head | None
    checked: Checked | None
    witnesses: tuple[Heard, ...]
    now: dt.datetime

    @property
    def numbering(self) -> bool:
        """Entries do not pile up without a number, and all that this machine signed have theirs."""
        return self.waiting < MANY_WAITING and self.remembered is not None and self.remembered <= self.numbered

    @property
    def begun(self) -> bool:
        """Whether there ever was an entry, as anything that is left says: who empties the tree makes no new house."""
        told = (self.numbered, self.remembered is None or self.remembered, self.head and self.head.size)
        return any(told) or (self.checked is not None and bool(self.checked.size or self.checked.faults))

    @property
    def young(self) -> bool:
        """An installation of today: the first night has not come."""
        return self.head is None and self.checked is None and self.numbering

    @property
    def publishing(self) -> bool:
        """A head came within the last day; before the first entry there is nothing to say."""
        if self.head is None or self.head.at is None:
            return not self.begun
        return not self.begun or self.now - self.head.at < LATE

    @property
    def whole(self) -> bool:
        """The last count found nothing, and is not old."""
        if self.checked is None or self.checked.faults:
            return not self.begun
        return not self.begun or self.now - self.checked.at < LATE

    @property
    def witnessed(self) -> bool:
        """No witness has refused, and each that was asked has signed."""
        return all(one.answer in (None, "cosigned") for one in self.witnesses)


def look(context: Context) -> State:
    """The state now."""
    remembered = _remembered(context)  # before the rows: whoever signs meanwhile has signed more than is looked at
    with context.database.transaction(read_only=True) as connection:
        last = connection.scalar(select(func.max(entries.c.number)))
        numbered, waiting = min(tiles.size(connection), 0 if last is None else last + 1), journal.waiting(connection)
        head = journal.last_checkpoint(connection, published=True)
        row = connection.execute(select(trace_checks).order_by(trace_checks.c.at.desc()).limit(1)).one_or_none()
    return State(
        numbered=numbered,
        waiting=waiting,
        remembered=remembered,
        head=Head(head.size, _signed_at(context, head)) if head else None,
        checked=Checked(row.at, row.size, row.faults) if row else None,
        witnesses=tuple(witnesses.heard(context)),
        now=context.clock(),
    )


def _remembered(context: Context) -> int | None:
    try:
        kept = checkpoints.remembered(context)
    except CryptoError:
        return None
    return kept.head.size if kept else 0


def _signed_at(context: Context, head: journal.Checkpoint) -> dt.datetime | None:
    try:
        return checkpoints.signed_at(context, head)
    except Tampered:
        return None


def lines(context: Context) -> list[tuple[str, bool, str]]:
    """The same as lines of `abri check`: a name, whether it is as it should be, words."""
    state = look(context)
    head = "none yet"
    if state.head:
        head = f"{state.head.size} entries, {_moment(state.head.at) if state.head.at else 'not signed by this log'}"
    checked = state.checked
    counted = f"{checked.size} entries, {_moment(checked.at)}: {checked.faults} faults" if checked else "not yet"
    numbered = f"{state.numbered} entries, {state.waiting} waiting"
    if state.remembered is None:
        numbered += "; the head that this machine remembers cannot be read, or is not of this log"
    elif state.remembered > state.numbered:
        numbered += f"; this machine has signed a head of {state.remembered}"
    found = [
        ("trace: numbered", state.numbering, numbered),
        ("trace: published head", state.publishing or state.young, head),
        ("trace: counted again", state.whole or checked is None, counted),
    ]
    for one in state.witnesses:
        words = one.answer or "not asked yet"
        found.append((f"trace: witness {one.name}", one.answer in (None, "cosigned"), f"{words}, {one.size} entries"))
    return found


def _moment(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
