"""Who would newly see a paper, laid in a drawer: the person is told their names, and asked, whichever way the paper comes.

Two sorts of people see what lies in a drawer: the workers to whom it is shown, and the one who helps to open, when it was lent to the
openings with help (that worker, with a copy of the card, opens it alone). A worker who may only put papers in sees nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from sqlalchemy import Connection

from consent.ids import PaperId, PersonId, ShelfId
from consent.policy import gained_by_move
from consent.purposes import PRIVATE, SHELVES, ShelfKind
from consent.scope import Paper, ShelfScope
from vault import lending, shares, shelves, who
from vault.context import Context
from vault.errors import AbriError
from vault.sessions import Session
from vault.shares import Share
from vault.shelves import OpenShelf, Shelves
from vault.versions import VersionRow


@dataclass(frozen=True)
class WouldSee:
    """Somebody who would newly reach a paper laid in a drawer. `agreed` is what a yes names: the share, or the opening with help."""

    agreed: str
    worker_name: str
    shelf: ShelfKind
    until: date | None  # None for who helps to open: it has no end

    @property
    def helps(self) -> bool:
        """Whether it is the worker who helps to open, not one to whom something is shown."""
        return self.until is None


class WouldShow(AbriError):
    """Somebody sees the drawer: the person is told who, and asked."""

    sentence: ClassVar[str] = "error.would-show"
    status: ClassVar[int] = 409

    def __init__(self, seen: tuple[WouldSee, ...]) -> None:
        super().__init__(f"{len(seen)} people would see it")
        self.seen = seen


def ask(seen: Iterable[WouldSee], agreed: Collection[str]) -> None:
    """Raise WouldShow, with all of them, until each one is agreed to."""
    found = tuple(seen)
    if any(one.agreed not in agreed for one in found):
        raise WouldShow(found)


def would_see(context: Context, session: Session, kinds: Collection[ShelfKind] = ()) -> tuple[WouldSee, ...]:
    """Who would see a paper newly put into these drawers; into any, when none is named."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        opened = shelves.open_all(connection, session.account, keys.values)
        to = [opened.current(kind) for kind in kinds or [one.kind for one in SHELVES]]
        return by_laying(context, connection, session, *to)


def by_laying(context: Context, connection: Connection, session: Session, *to: OpenShelf) -> tuple[WouldSee, ...]:
    """Who would see a paper that nobody else sees now: a new one, or one that comes out of the bin (no share of the paper itself
    comes back with it)."""
    living = _living(context, connection, session)
    return tuple(
        one
        for shelf in to
        for one in _told(
            connection,
            session.account,
            shelf,
            [
                share
                for share in _gained(context, living, _hidden(session.account, shelf), shelf)
                if isinstance(share.body.terms.scope, ShelfScope)
            ],
        )
    )


def by_moving(
    context: Context, connection: Connection, session: Session, opened: Shelves, row: VersionRow, to: OpenShelf
) -> tuple[list[Share], tuple[WouldSee, ...]]:  # fmt: skip
    """The shares that would newly cover a paper moved from where it lies; and all who would newly see it."""
    lies = Paper(PersonId(row.person), PaperId(row.paper), ShelfId(row.lies_in), opened.kind_of(row.lies_in))
    gained = _gained(context, _living(context, connection, session), lies, to)
    return gained, _told(connection, session.account, to, gained, row.lies_in)


def _hidden(person: str, shelf: OpenShelf) -> Paper:
    """A paper that lies where nobody looks, under an id that no share names."""
    return Paper(PersonId(person), PaperId(shelf.id), ShelfId(""), PRIVATE)


def _living(context: Context, connection: Connection, session: Session) -> dict[str, Share]:
    return {one.grant: one for one in shares.of_person(context, connection, session)}


def _gained(context: Context, living: dict[str, Share], lies: Paper, to: OpenShelf) -> list[Share]:
    verified = [one.verified for one in living.values()]
    recipients = {one.recipient.worker: one.recipient for one in living.values() if one.recipient}
    return [living[one.row.grant] for one in gained_by_move(lies, to.id, to.kind, verified, recipients, context.clock())]


def _told(
    connection: Connection, person: str, to: OpenShelf, gained: Iterable[Share], lies_in: str = ""
) -> tuple[WouldSee, ...]:  # fmt: skip
    shown = [WouldSee(one.grant, one.worker_name, to.kind, one.body.terms.until) for one in gained]
    helped = lending.helper_of(connection, person, to.id)
    if helped is not None and lending.helper_of(connection, person, lies_in) is None:
        shown.append(WouldSee(helped.slot, helped.first_name, to.kind, None))
    return tuple(shown)
