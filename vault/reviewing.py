"""After "je me protège": people of trust and shares are looked at one by one, and each is kept or stopped.

Nothing is decided by default and nothing is forgotten: what was not answered is asked again at the next opening, first things
first. What was kept is remembered in the person's own sealed preferences; what was stopped is simply not there any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from vault import guardians, outside, people, preferences, showing, who
from vault.context import Context
from vault.errors import NotThere
from vault.guardians import Guardian
from vault.outside import OutsideCard
from vault.sessions import Session
from vault.showing import ShareCard

Kind = Literal["guardian", "share", "link"]


@dataclass(frozen=True)
class Item:
    """One thing to look at. `id` is what a stop needs: the member of the circle, the grant, or the link's share."""

    kind: Kind
    id: str
    guardian: Guardian | None = field(default=None, repr=False)
    share: ShareCard | None = field(default=None, repr=False)
    link: OutsideCard | None = field(default=None, repr=False)

    @property
    def mark(self) -> str:
        """How it is remembered as kept. A worker keeps their mark when the circle is formed anew, with other members' ids."""
        named = self.guardian.worker if self.guardian and self.guardian.worker else self.id
        return f"{self.kind} {named}"


@dataclass(frozen=True)
class Review:
    """Where the person stands: what waits, in order, and how many were kept. `asked` is False when there is nothing to do."""

    asked: bool
    waiting: tuple[Item, ...]
    kept: int


def standing(context: Context, session: Session) -> Review:
    """What is still to be looked at. People of trust come first: they could open everything."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        chosen = preferences.read(connection, session.account, keys)
    if not chosen.to_review:
        return Review(False, (), 0)
    everything = tuple(_everything(context, session))
    waiting = tuple(one for one in everything if one.mark not in chosen.reviewed)
    return Review(True, waiting, len(everything) - len(waiting))


def _everything(context: Context, session: Session) -> Iterator[Item]:
    circle = guardians.circle(context, session)
    if circle is not None:
        yield from (Item("guardian", one.id, guardian=one) for one in circle.members)
    yield from (Item("share", one.grant, share=one) for one in showing.grants_of(context, session))
    yield from (Item("link", one.share, link=one) for one in outside.mine(context, session))


def waits(context: Context, session: Session, kind: str, name: str) -> Item:
    """One thing that waits; NotThere when it does not, or not any more."""
    found = next((one for one in standing(context, session).waiting if (one.kind, one.id) == (kind, name)), None)
    if found is None:
        raise NotThere
    return found


def keep(context: Context, session: Session, kind: str, name: str) -> None:
    """The person looked at it and keeps it. NotThere for what does not wait."""
    item = waits(context, session, kind, name)
    with people.own_preferences(context, session) as (connection, kept):
        marked = tuple(sorted({*kept.reviewed, item.mark}))
        preferences.write(connection, session.account, session.opened(), replace(kept, reviewed=marked))


def finish(context: Context, session: Session) -> None:
    """Everything was looked at: the first page asks no more. NotThere while something waits."""
    if standing(context, session).waiting:
        raise NotThere
    people.reviewed(context, session)
