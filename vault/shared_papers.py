"""The desk: what people show to this worker, and nothing else.

Two answers are needed each time and neither trusts the other: `consent.policy.decide` over a share whose signatures were verified
now, and a key that only a living share wraps. The opening is traced, in a commit of its own, before the first byte leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection

from consent.ids import GrantId, PaperId, ShelfId
from consent.policy import Allowed, decide, ending_soon, visible
from consent.purposes import PurposeId, ShelfKind
from consent.recipients import Recipient
from consent.scope import Act, Paper, ShelfScope
from crypto.canonical import parse_instant
from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from storage.errors import RowGone
from storage.tables import papers, versions
from vault import looking, shares, who
from vault.colleagues import name_of
from vault.context import Context
from vault.depositing_for import Deposited, deposit_for, deposited, replace_for, undo_deposit
from vault.errors import NotThere, Tampered
from vault.events import Event
from vault.keyring import Keyring
from vault.kinds import Kind
from vault.opening_shared import (
    SHOWN,
    covering_shares,
    open_shared,
    page_image_shared,
    paper_of,
    share_or_none,
    take,
    trace_refused_list,
)  # fmt: skip
from vault.paper_cards import Card
from vault.sessions import Session
from vault.shares import Share
from vault.versions import LISTED, VersionRow, joined, keys_of, read_card

__all__ = [
    "Deposited", "PersonSharing", "SharedPaper", "covering", "deposit_for", "deposited", "everything_shared", "listed",
    "open_shared", "page_image_shared",
    "papers_shared", "people_sharing", "replace_for", "take", "undo_deposit",
]  # fmt: skip


@dataclass(frozen=True)
class PersonSharing:
    """A person who shows something, or lets this worker put something in: one line for each living share."""

    grant: GrantId
    person: str
    name: str = field(repr=False)
    drawing: str
    purpose: PurposeId
    own_words: str = field(repr=False)
    acts: frozenset[Act]
    until: date
    ending_soon: bool
    papers: int
    shelf: ShelfKind | None


@dataclass(frozen=True)
class SharedPaper:
    """A paper as the desk lists it: no preview, because only pages are watermarked."""

    paper: PaperId
    title: str = field(repr=False)
    sort: str
    kind: Kind
    pages: int
    size: int
    added: datetime
    may_see: bool
    may_take: bool
    may_replace: bool = False
    more_than_pages: bool = False


# --- What is shown --------------------------------------------------------------------------------------------------------------


def people_sharing(context: Context, session: Session) -> list[PersonSharing]:
    """The people who show something to this worker now, oldest share first."""
    return [line for line, _ in everything_shared(context, session)]


def everything_shared(context: Context, session: Session) -> list[tuple[PersonSharing, list[SharedPaper]]]:
    """Each living share with the papers that open by it now."""
    private, now = KemPrivate(who.worker(session).kem), context.clock()
    found = []
    with context.database.transaction(read_only=True) as connection:
        for share in shares.of_worker(context, connection, session):
            recipient = share.recipient
            if recipient is None or not _lives(share, recipient, now):
                continue
            cards = _cards(context, connection, share, recipient, private, now)
            found.append((_line(share, len(cards), now), [_shown(share, recipient, row, card, now) for row, card in cards]))
        looks = looking.new(connection, session, "desk.listed")
    looking.say_own(context, session, looks)
    return found


def _lives(share: Share, recipient: Recipient, at: datetime) -> bool:
    """Whether any act at all is granted now: on a paper of the share, or on one that would be put in."""
    scope = share.body.terms.scope
    somewhere = (
        [_in_drawer(share, scope, share.grant)] if isinstance(scope, ShelfScope)
        else [Paper(share.body.person, paper, ShelfId(share.grant)) for paper in scope.papers]
    )  # fmt: skip
    return any(isinstance(decide(act, one, recipient, [share.verified], at), Allowed) for act in Act for one in somewhere)


def _in_drawer(share: Share, scope: ShelfScope, paper: str) -> Paper:
    return Paper(share.body.person, PaperId(paper), scope.shelf, scope.kind)


def _line(share: Share, many: int, at: datetime) -> PersonSharing:
    terms = share.body.terms
    return PersonSharing(
        share.grant, share.person, share.face.name, share.face.drawing, terms.purpose, terms.own_words, terms.acts, terms.until,
        ending_soon(share.verified, at), many, terms.scope.kind if isinstance(terms.scope, ShelfScope) else None,
    )  # fmt: skip


def papers_shared(context: Context, session: Session, grant: GrantId) -> list[SharedPaper]:
    """The papers of one share that open now, newest first. NotThere when the share is not this worker's, or is over.

    Asking for the list of a share that is over is an attempt, and the person reads it.
    """
    private, now = KemPrivate(who.worker(session).kem), context.clock()
    with context.database.transaction(read_only=True) as connection:
        share = share_or_none(context, connection, session, grant)
        recipient = share.recipient if share else None
        if share and recipient and _lives(share, recipient, now):
            cards = _cards(context, connection, share, recipient, private, now)
            line, shown = _line(share, len(cards), now), [_shown(share, recipient, row, card, now) for row, card in cards]
        else:
            line, shown = None, []
    if line is None:
        trace_refused_list(context, session, grant)
        raise NotThere
    listed(context, session, [line])
    return sorted(shown, key=lambda one: (one.added, one.paper), reverse=True)


def listed(context: Context, session: Session, shown: Sequence[PersonSharing]) -> None:
    """Say in the trace, once in each session, that the titles of these shares are about to be read."""
    with context.database.transaction(read_only=True) as connection:
        looks = {look.about: look for look in looking.new(connection, session, "share.listed", [one.grant for one in shown])}
        by_name = name_of(connection, session.account)
    for one in shown:
        if one.grant in looks:
            event = Event("share.listed", by=session.account, by_name=by_name, grant=one.grant, purpose=one.purpose)
            looking.say_shared(context, session, looks[one.grant], event, one.person)


def _shown(share: Share, recipient: Recipient, row: VersionRow, card: Card, at: datetime) -> SharedPaper:
    allowed = {
        act for act in Act if isinstance(decide(act, paper_of(share, row), recipient, [share.verified], at), Allowed)
    }  # fmt: skip
    received = card.thing("received")
    return SharedPaper(
        PaperId(row.paper), card.title, card.sort, received.kind, card.pages, received.size, parse_instant(card.added),
        Act.SEE in allowed, Act.TAKE in allowed, Act.REPLACE in allowed, card.more_than_pages,
    )  # fmt: skip


def _cards(
    context: Context, connection: Connection, share: Share, recipient: Recipient, private: KemPrivate, at: datetime
) -> list[tuple[VersionRow, Card]]:  # fmt: skip
    """The papers of a share that both answers let through, with their cards."""
    scope = share.body.terms.scope
    covered = papers.c.shelf == scope.shelf if isinstance(scope, ShelfScope) else papers.c.id.in_(scope.papers)
    query = joined(*LISTED).where(
        papers.c.person == share.person, versions.c.person == share.person, versions.c.id == papers.c.version,
        papers.c.state.in_(SHOWN), covered,
    )  # fmt: skip
    rows = {PaperId(row.paper): row for row in connection.execute(query).all()}
    listed = visible([paper_of(share, row) for row in rows.values()], recipient, [share.verified], at)
    keyring = Keyring(context, connection, share, private)
    found = []
    for one in listed:
        row = rows[one.paper]
        try:
            found.append((row, read_card(row, keys_of(context, row, keyring.secret(row)))))
        except (CryptoError, RowGone, NotThere, Tampered):
            continue  # no key, no line: a worker never learns that something is there
    return found


def covering(context: Context, session: Session, paper: PaperId, act: Act = Act.SEE) -> list[PersonSharing]:
    """The shares that cover a paper: when there are two, the page asks what for before anything opens."""
    return [_line(share, 1, context.clock()) for share in covering_shares(context, session, paper, act)]
