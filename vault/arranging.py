"""A paper changes its title, its sort, its note or its drawer. Moving never widens who sees it without saying so and asking."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import Connection, select, update

from consent.grant import OPEN_STATES
from consent.ids import PaperId
from consent.purposes import PRIVATE, ShelfKind
from consent.scope import OPENING, PapersScope
from crypto import contexts, envelope
from crypto.sealing import seal_text, unseal_text
from storage.tables import grants, papers, shelf_wraps, versions
from storage.tables import wraps as wrap_rows
from vault import audit, exposed, sessions, shares, shelves, who, widening, wraps
from vault.colleagues import reachable
from vault.context import Context
from vault.errors import BadInput, NotThere, Tampered
from vault.events import Event
from vault.listing import cards_of
from vault.paper_cards import Card, checked_sort, checked_title
from vault.sessions import Session
from vault.shelves import OpenShelf, Shelves
from vault.versions import Opened, VersionRow, Witnesses, all_of, current_of, meet, one_refusal, open_version, secret_of

LONGEST_NOTE = 2000


# --- Title, sort, note ----------------------------------------------------------------------------------------------------


def rename(context: Context, session: Session, paper: PaperId, title: str) -> None:
    """Give a paper another title."""
    _recard(context, session, paper, "paper.renamed", title=checked_title(title))


def sort_as(context: Context, session: Session, paper: PaperId, sort: str) -> None:
    """Say what kind of paper it is."""
    _recard(context, session, paper, "paper.sorted", sort=checked_sort(sort))


def _recard(context: Context, session: Session, paper: PaperId, tag: str, **changes: str) -> None:
    who.person(session)
    with context.database.transaction() as connection:
        opened = held(context, connection, session, paper)
        card = replace(opened.card, **changes)  # type: ignore[arg-type] # title and sort are texts
        reseal(connection, opened, card)
        meet(connection, session.account, [paper])
        event = Event(tag, by=session.account, paper=paper, title=card.title, detail=changes.get("sort", ""))
        audit.record(context, connection, session, event, person=session.account)


def reseal(connection: Connection, opened: Opened, card: Card) -> None:
    """Keep another card for a version, under its own key."""
    place = contexts.card(person=opened.person, paper=opened.paper, version=opened.version)
    sealed = envelope.seal_card(opened.keys.card_key, place, card.to_value())
    connection.execute(update(versions).where(versions.c.id == opened.version).values(card=sealed))


def held(context: Context, connection: Connection, session: Session, paper: str) -> Opened:
    """One's own paper, verified, that nobody else changes before the end of the transaction."""
    keys = who.person(session)
    row = current_of(connection, session.account, paper, hold=True)
    if row.state == "refused":
        raise Tampered
    opened = shelves.open_all(connection, session.account, keys.values)
    with one_refusal():
        secret = secret_of(context, opened, row)
    witnesses = Witnesses.own(context, connection, session.account, keys)
    return open_version(context, connection, row, secret, witnesses)


def note(context: Context, session: Session, paper: PaperId, text: str) -> None:
    """Write on a paper something that only the person reads; an empty text removes it."""
    keys = who.person(session)
    if len(text) > LONGEST_NOTE:
        raise BadInput("note")
    place = contexts.note(person=session.account, id=paper)
    with context.database.transaction() as connection:
        current_of(connection, session.account, paper, hold=True)
        sealed = seal_text(keys.values, place, text) if text else None
        connection.execute(update(papers).where(papers.c.id == paper).values(sealed_note=sealed))
        meet(connection, session.account, [paper])
        audit.record(context, connection, session, Event("paper.noted", by=session.account, paper=paper), person=session.account)


def note_of(context: Context, session: Session, paper: PaperId) -> str:
    """What the person wrote on a paper."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        row = current_of(connection, session.account, paper)
    if row.sealed_note is None:
        return ""
    with one_refusal():
        return unseal_text(keys.values, contexts.note(person=session.account, id=paper), row.sealed_note)


# --- Drawer ---------------------------------------------------------------------------------------------------------------


def lay_again(context: Context, connection: Connection, opened: Shelves, row: VersionRow, one: OpenShelf) -> None:
    """Wrap F of a version in another drawer or epoch."""
    with one_refusal():
        secret = secret_of(context, opened, row)
    place = contexts.wrap(person=row.person, shelf=one.id, epoch=one.epoch, paper=row.paper, version=row.id)
    values = {"shelf": one.id, "epoch": one.epoch, "wrap_kind": "shelf", "wrap": envelope.wrap(one.key, place, secret)}
    connection.execute(update(versions).where(versions.c.id == row.id).values(values))


def leave_drawer(context: Context, connection: Connection, person: str, rows: Collection[VersionRow]) -> None:
    """A paper leaves drawers: whoever holds one by a share could open it until now, so it waits to be sealed anew."""
    shared = (
        select(shelf_wraps.c.shelf)
        .join(grants, grants.c.id == shelf_wraps.c.grant)
        .where(grants.c.person == person, grants.c.state.in_(tuple(OPEN_STATES)))
    )
    lent = set(connection.execute(shared).scalars())
    exposed.mark(context, connection, [row.id for row in rows if row.shelf in lent])


def move(
    context: Context, session: Session, paper: PaperId, shelf: ShelfKind, *, agreed: Collection[str] = ()
) -> None:  # fmt: skip
    """Put a paper in another drawer. Raises WouldShow until all who would newly see it are in `agreed`."""
    keys = who.person(session)
    kind = shelves.checked_kind(shelf)
    with context.database.transaction() as connection:
        shelves.hold_all(connection, session.account)
        opened = shelves.open_all(connection, session.account, keys.values)
        row = current_of(connection, session.account, paper, hold=True)
        sessions.still(connection, session)
        if row.state in ("bin", "refused"):
            raise NotThere
        to = opened.current(kind)
        if row.lies_in == to.id:
            return
        gained, seen = widening.by_moving(context, connection, session, opened, row, to)
        widening.ask(seen, agreed)
        carry(context, connection, opened, row, to)
        for one in gained:
            _hand_again(context, connection, opened, row, one)
        meet(connection, session.account, [paper])
        event = Event("paper.moved", by=session.account, paper=paper, title=_title(context, opened, connection, row), detail=kind)
        audit.record(context, connection, session, event, person=session.account)


def carry(context: Context, connection: Connection, opened: Shelves, row: VersionRow, to: OpenShelf) -> None:
    """Lay every version of a paper in another drawer; whoever sees it there was agreed to by then."""
    rows = all_of(connection, row.person, row.paper)
    leave_drawer(context, connection, row.person, rows)
    for one in rows:
        lay_again(context, connection, opened, one, to)
    connection.execute(update(papers).where(papers.c.id == row.paper).values(shelf=to.id))
    if to.kind == PRIVATE:  # never shared: a share of this very paper no longer opens it
        wraps.take_back(context, connection, [row.paper])


def _hand_again(context: Context, connection: Connection, opened: Shelves, row: VersionRow, share: shares.Share) -> None:
    """A paper comes out of the private drawer, and the person agreed that a share which names it works again."""
    terms = share.body.terms
    there = select(wrap_rows.c.grant).where(wrap_rows.c.grant == share.grant, wrap_rows.c.version == row.id)
    if not isinstance(terms.scope, PapersScope) or not terms.acts & OPENING or connection.execute(there).first():
        return
    public = reachable(context, connection, share.worker)
    if public is not None:
        with one_refusal():
            secret = secret_of(context, opened, row)
        wraps.hand(
            context, connection, person=row.person, grant=share.grant, worker=share.worker, public=public, paper=row.paper,
            version=row.id, secret=secret,
        )  # fmt: skip


def _title(context: Context, opened: Shelves, connection: Connection, row: VersionRow) -> str:
    return cards_of(context, opened, [current_of(connection, row.person, row.paper)])[0].title
