"""What the person reads of their shares: with whom, what, until when, what was looked at, which copies were taken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, and_, func, not_, select

from consent.days import lasts
from consent.grant import OPEN_STATES, GrantState
from consent.ids import GrantId, PaperId
from consent.policy import ending_soon
from consent.purposes import PurposeId, ShelfKind
from consent.recipients import RecipientState
from consent.scope import Act, PapersScope, ShelfScope
from consent.terms import opens_something
from storage.tables import grants, papers, versions, wraps
from vault import audit, shares, shelves, who
from vault.audit import Entry
from vault.colleagues import LIVING, name_of
from vault.context import Context
from vault.errors import NotThere
from vault.listing import cards_of
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.shares import Share
from vault.versions import LISTED, joined


@dataclass(frozen=True)
class SharedTitle:
    """A paper that a share names. Empty texts when it was erased since."""

    paper: PaperId
    title: str = field(repr=False)
    sort: str


@dataclass(frozen=True)
class Opening:
    """A worker looked, or took a copy."""

    at: datetime
    tag: str  # paper.seen, paper.taken
    paper: PaperId


@dataclass(frozen=True)
class ShareCard:
    """A share. A session that holds no keys reads the first six alone: the rest is sealed."""

    grant: GrantId
    worker: str
    worker_name: str
    state: GrantState
    until: date
    ending_soon: bool
    absent_until: date | None = None
    suspended: bool = False
    since: datetime | None = None
    purpose: PurposeId | None = None
    own_words: str = field(default="", repr=False)
    acts: frozenset[Act] = frozenset()
    shelf: ShelfKind | None = None
    papers: tuple[SharedTitle, ...] = ()
    opened: tuple[Opening, ...] = ()
    witness: str = ""  # the first name of who stood for it, after an assisted opening

    @property
    def first(self) -> str:
        """The worker's first name."""
        return self.worker_name.split(",")[0]

    @property
    def copies(self) -> int:
        """How many copies were taken: that cannot be undone, and the page says it."""
        return sum(one.tag == "paper.taken" for one in self.opened)


def grants_of(
    context: Context, session: Session, *, ended: bool = False, only: str | None = None, openings: bool = True
) -> list[ShareCard]:  # fmt: skip
    """The person's living shares, or those that are over; oldest first. With the card alone: worker, state and day.

    Living is what could open something: a share whose day has passed, or whose worker has left, is over before any task has run.
    `only`: that one alone. Without `openings` nothing of the trace is opened; with them, nothing that is older than the shares.
    """
    if session.kind != "person":
        return _without_keys(context, session, ended)
    with context.database.transaction(read_only=True) as connection:
        found = [one for one in shares.of_person(context, connection, session) if (_state(context, one) in OPEN_STATES) != ended]
        if ended:
            found = shares.oldest_first([*found, *shares.of_person(context, connection, session, ended=True)])
        found = [one for one in found if only in (None, one.grant)]
        titles = _titles(context, connection, session, found)
    history: Sequence[Entry] = ()
    if openings and found:
        history = audit.history(context, session, since=min(one.body.since for one in found).date())
    return [_card(context, share, titles, history) for share in found]


def some_of(context: Context, session: Session, wanted: Callable[[Share], bool]) -> list[ShareCard]:
    """The living shares that are wanted, without what was opened by them: quick enough for each unlock."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        living = [one for one in shares.of_person(context, connection, session) if _state(context, one) in OPEN_STATES]
        found = [one for one in living if wanted(one)]
        titles = _titles(context, connection, session, found) if found else {}
    return [_card(context, share, titles, ()) for share in found]


def living(context: Context, session: Session) -> dict[GrantId, str]:
    """The shares that still live, by the name of who sees: what can be stopped from a line of the history."""
    query = select(grants.c.id, grants.c.worker).where(grants.c.person == session.account, grants.c.state.in_(LIVING))
    with context.database.transaction(read_only=True) as connection:
        return {GrantId(row.id): name_of(connection, row.worker) for row in connection.execute(query)}


def times_with(context: Context, session: Session, worker: str) -> int:
    """How many shares with this worker live: what K17 ends, all at once. The card alone is enough to know."""
    living = and_(grants.c.state.in_(LIVING), grants.c.until >= today_in_paris(context.clock()))
    with context.database.transaction(read_only=True) as connection:
        mine = grants.c.person == who.narrowing(connection, session), grants.c.worker == worker, living
        return connection.execute(select(func.count()).select_from(grants).where(*mine)).scalar_one()


def ending(context: Context, session: Session) -> list[ShareCard]:
    """The shares in their last 30 days: told at each unlock."""
    return some_of(context, session, lambda one: ending_soon(one.verified, context.clock()))


def _state(context: Context, share: Share) -> GrantState:
    """Where a share stands today, whether or not a task has written it down."""
    state, now = share.row.state, context.clock()
    if state not in OPEN_STATES:
        return state
    if not lasts(share.body.terms.until, now):
        return GrantState.EXPIRED
    to = share.recipient
    left = to is not None and (to.state is RecipientState.ENDED or (to.ends is not None and not lasts(to.ends, now)))
    return GrantState.ENDED if left else state


def _without_keys(context: Context, session: Session, ended: bool) -> list[ShareCard]:
    living = and_(grants.c.state.in_(LIVING), grants.c.until >= today_in_paris(context.clock()))
    query = select(grants.c.id, grants.c.worker, grants.c.state, grants.c.until).where(not_(living) if ended else living)
    with context.database.transaction(read_only=True) as connection:
        try:
            query = query.where(grants.c.person == who.narrowing(connection, session))
        except NotThere:
            return []  # a card that nobody knows reads what a person reads who shows nothing
        rows = connection.execute(query.order_by(grants.c.until, grants.c.id)).all()
        return [
            ShareCard(GrantId(row.id), row.worker, name_of(connection, row.worker), GrantState(row.state), row.until, False)
            for row in rows
        ]


def _titles(
    context: Context, connection: Connection, session: Session, found: Sequence[Share]
) -> dict[GrantId, tuple[SharedTitle, ...]]:  # fmt: skip
    named = {share.grant: _named(connection, share) for share in found}
    wanted = {paper for papers_of_one in named.values() for paper in papers_of_one}
    if not wanted:
        return {}
    opened = shelves.open_all(connection, session.account, who.person(session).values)
    query = joined(*LISTED).where(
        papers.c.person == session.account, papers.c.id.in_(wanted), versions.c.id == papers.c.version
    )  # fmt: skip
    cards = cards_of(context, opened, connection.execute(query).all())
    titles = {card.paper: SharedTitle(card.paper, card.title, card.sort) for card in cards}
    return {
        grant: tuple(titles.get(paper, SharedTitle(paper, "", "")) for paper in papers_of_one)
        for grant, papers_of_one in named.items()
    }


def _named(connection: Connection, share: Share) -> Sequence[PaperId]:
    """The papers that a share names and, while it lives, still opens: one that was thrown away or hidden since is not among them."""
    scope = share.body.terms.scope
    if not isinstance(scope, PapersScope):
        return ()
    if share.row.state not in OPEN_STATES or not opens_something(share.body.terms.acts):
        return scope.papers
    held = set(connection.scalars(select(wraps.c.paper).where(wraps.c.grant == share.grant)))
    return [paper for paper in scope.papers if paper in held]


def _card(context: Context, share: Share, titles: dict[GrantId, tuple[SharedTitle, ...]], history: Sequence[Entry]) -> ShareCard:
    terms = share.body.terms
    recipient = share.recipient
    return ShareCard(
        grant=share.grant, worker=share.worker, worker_name=share.worker_name, state=_state(context, share), until=terms.until,
        ending_soon=ending_soon(share.verified, context.clock()),
        absent_until=share.colleague.absent_until if share.colleague else None,
        suspended=recipient is not None and recipient.state.value == "suspended",
        since=share.body.since, purpose=terms.purpose, own_words=terms.own_words, acts=terms.acts,
        shelf=terms.scope.kind if isinstance(terms.scope, ShelfScope) else None,
        papers=titles.get(share.grant, ()),
        opened=tuple(
            Opening(one.at, one.event.tag, PaperId(one.event.paper))
            for one in history
            if one.event.grant == share.grant and one.event.tag in ("paper.seen", "paper.taken")
        ),
        witness=share.witness.name.split(",")[0] if share.witness else "",
    )  # fmt: skip
