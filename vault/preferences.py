"""What only the person reads of their own openings and choices: one sealed value in their row."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from crypto.canonical import Value, instant, parse_instant
from crypto.errors import Malformed, Undecryptable
from crypto.keys import AccountKeys
from crypto.sealing import seal_value, unseal_value
from storage.tables import persons
from vault import labels


@dataclass(frozen=True)
class Preferences:
    """`last` and `before`: this opening and the one before it. `failed`: wrong attempts between the two, and those of before that no
    first page told; `told`: whether one told them since. `wrong`: those that each way had counted by then. Places are hidden unless the
    person asks: somebody may be reading over their shoulder."""

    last: dt.datetime | None = None
    before: dt.datetime | None = None
    failed: int = 0
    told: bool = False
    wrong: Mapping[str, int] = field(default_factory=dict)
    show_places: bool = False
    to_review: bool = False
    confirmed: tuple[str, ...] = ()  # shares of the first day that were shown again and kept
    reviewed: tuple[str, ...] = ()  # guardians, shares and links that were looked at and kept since "je me protège"


def read(connection: Connection, person: str, keys: AccountKeys) -> Preferences:
    """The person's preferences, or the first ones. In a write transaction the row is held by the caller's later `write`."""
    sealed = connection.execute(select(persons.c.sealed_preferences).where(persons.c.account == person)).scalar_one()
    if sealed is None:
        return Preferences()
    try:
        return _of(unseal_value(keys.values, labels.preference(person=person, name="preferences"), sealed))
    except (Undecryptable, Malformed, KeyError):
        return Preferences()  # how pages look and what was counted: it begins anew, and keeps nobody out


def _of(fields: Mapping[str, Value]) -> Preferences:
    wrong, confirmed, reviewed = fields["wrong"], fields.get("confirmed", []), fields.get("reviewed", [])
    if not isinstance(wrong, Mapping) or not isinstance(confirmed, list) or not isinstance(reviewed, list):
        raise Undecryptable
    return Preferences(
        last=_moment(fields["last"]),
        before=_moment(fields["before"]),
        failed=_count(fields["failed"]),
        told=fields.get("told") is True,
        wrong={slot: _count(count) for slot, count in wrong.items()},
        show_places=fields["show_places"] is True,
        to_review=fields["to_review"] is True,
        confirmed=tuple(str(one) for one in confirmed),
        reviewed=tuple(str(one) for one in reviewed),
    )


def write(connection: Connection, person: str, keys: AccountKeys, chosen: Preferences) -> None:
    """Keep the person's preferences."""
    fields: dict[str, Value] = {
        "v": 1,
        "last": instant(chosen.last) if chosen.last else "",
        "before": instant(chosen.before) if chosen.before else "",
        "failed": chosen.failed,
        "told": chosen.told,
        "wrong": dict(chosen.wrong),
        "show_places": chosen.show_places,
        "to_review": chosen.to_review,
        "confirmed": list(chosen.confirmed),
        "reviewed": list(chosen.reviewed),
    }
    sealed = seal_value(keys.values, labels.preference(person=person, name="preferences"), fields)
    connection.execute(update(persons).where(persons.c.account == person).values(sealed_preferences=sealed))


def _moment(text: Value) -> dt.datetime | None:
    return parse_instant(text) if isinstance(text, str) and text else None


def _count(value: Value) -> int:
    if not isinstance(value, int):
        raise Undecryptable
    return value
