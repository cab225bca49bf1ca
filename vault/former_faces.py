"""The names and drawings by which somebody was known before, kept for a year by each guardian who was given them (ADR 0115).

Whoever has lost everything says the one they remember, and a screen left open changes it in one tap.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from consent.days import add_months
from crypto.canonical import Value

MONTHS = 12
AT_MOST = 4  # the oldest stay: whoever changes it again and again pushes none of them out
BEFORE, SINCE = "before", "since"


@dataclass(frozen=True)
class Former:
    """A name and a drawing that were replaced by others on a day."""

    name: str = field(repr=False)
    drawing: str
    changed: dt.date

    def lives(self, today: dt.date) -> bool:
        """Whether it is still shown."""
        return today < add_months(self.changed, MONTHS)


def told(kept: Mapping[str, Value], today: dt.date) -> tuple[Former, ...]:
    """What is still shown of what a label or a posted face keeps; of anything else, nothing."""
    rows, faces = kept.get(BEFORE), list[Former]()
    for one in rows if isinstance(rows, list | tuple) else []:
        with suppress(KeyError, TypeError, ValueError):  # whoever plants a face at a guardian's makes no page fail
            faces.append(Former(str(one["name"]), str(one["drawing"]), dt.date.fromisoformat(str(one["changed"]))))
    return tuple(one for one in faces if one.lives(today))


def written(faces: Sequence[Former]) -> list[Value]:
    """The same as a label or a posted face keeps it."""
    return [{"name": one.name, "drawing": one.drawing, "changed": one.changed.isoformat()} for one in faces]


def after(kept: Mapping[str, Value], name: str, drawing: str, today: dt.date) -> dict[str, Value]:
    """What is kept once this name and drawing take the place of those of `kept`, and since when these stand.

    A face that came and went on one day is not kept. One that is used again stands as it did: there and back drops nothing.
    """
    face, now = (name, drawing), (str(kept.get("name", "")), str(kept.get("drawing", "")))
    shown, since = told(kept, today), kept.get(SINCE, "")
    before = [one for one in shown if (one.name, one.drawing) != face]
    if now == face:
        return {BEFORE: written(before), SINCE: since}
    if since != today.isoformat():
        before.append(Former(*now, today))
    again = any((one.name, one.drawing) == face for one in shown)
    return {BEFORE: written(before[:AT_MOST]), SINCE: "" if again else today.isoformat()}
