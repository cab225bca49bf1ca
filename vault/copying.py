"""A copy of a paper into another person's safe: a couple's family book. Both are there, with both cards, at one kiosk, in turn.

The first says yes in their own session, which then ends; for ten minutes a one-time ticket holds this one version's key, under a secret
that the kiosk's browser keeps. The second opens their own safe at the same kiosk and says yes or no. What is kept is a paper of
their own, sealed anew: neither safe knows the other, and nothing written ties them.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from consent.ids import PaperId
from consent.purposes import PRIVATE, ShelfKind
from crypto.canonical import Value
from crypto.keys import FileSecret
from vault import accounts, audit, documents, sessions, shelves, tickets, who
from vault.contents import verified_bytes
from vault.context import Context
from vault.deposits import Words, durable
from vault.errors import NotThere, TicketGone
from vault.events import Event
from vault.places import place_of
from vault.preparing import PreparedPaper
from vault.sessions import Session
from vault.tickets import Shown
from vault.versions import Opened, Witnesses, meet, one_of, one_refusal, open_version

MINUTES = 10


@dataclass(frozen=True)
class Offered:
    """What the second person is asked: what kind of paper, under which name, how many pages."""

    sort: str
    title: str = field(repr=False)
    pages: int
    shelf: ShelfKind


def offer(context: Context, session: Session, paper: PaperId) -> str:
    """The first person's yes. Gives the secret of the ticket; NotThere for a paper of the private drawer, or that is not shown."""
    who.person(session)
    card = documents.paper(context, session, paper)
    if card.shelf is None or card.shelf == PRIVATE or card.state not in ("kept", "to-read"):
        raise NotThere
    opened = documents.read_own(context, session, paper)
    payload: dict[str, Value] = {
        "paper": opened.paper, "version": opened.version, "secret": bytes(opened.secret).hex(), "shelf": card.shelf,
        "kiosk": session.kiosk or "",
    }  # fmt: skip
    with sessions.acting(context, session) as connection:
        meet(connection, session.account, [opened.paper])
        return tickets.issue(context, connection, "copy", session.account, None, payload, MINUTES).secret


def look(context: Context, session: Session, secret: str) -> Offered:
    """What is offered to whoever has opened their own safe at the same kiosk; TicketGone."""
    with context.database.transaction(read_only=True) as connection:
        _, opened, shelf = _shown(context, connection, session, secret)
    return Offered(opened.card.sort, opened.card.title, opened.card.pages, shelf)


def refuse(context: Context, session: Session, secret: str) -> None:
    """No: the ticket is used up, and nobody is told."""
    with context.database.transaction() as connection:
        shown, _, _ = _shown(context, connection, session, secret)
        tickets.use(context, connection, shown)


def keep(
    context: Context, session: Session, secret: str, *, private: bool = False, agreed: Collection[str] = ()
) -> PaperId:  # fmt: skip
    """The second person's yes: a paper of their own, under keys of their own. Both read it in their history. TicketGone, TooMuch.

    It lies in the same drawer as the first person's, which in this safe may be shown to others: WouldShow until all of them are in
    `agreed`; or, `private`, where nobody looks.
    """
    with context.database.transaction(read_only=True) as connection:
        shown, opened, shelf = _shown(context, connection, session, secret)
    card, prepared = opened.card, _prepared(context, opened)
    words = Words(card.title, card.sort, card.untrusted_file_name)

    def told(connection: Connection) -> None:
        tickets.use(context, connection, shown)
        place = place_of(connection, session.kiosk)
        given = Event("paper.copied-to-other", by=shown.person, paper=opened.paper, title=card.title, place=place)
        # Without a session: the same one in both histories would tie two safes together in the rows.
        audit.record(context, connection, None, given, person=shown.person)
        taken = replace(given, tag="paper.copied-from-other", by=session.account, paper=fresh.paper)
        audit.record(context, connection, session, taken, person=session.account)

    with durable(context, session.account, prepared, words) as fresh:
        documents.lay_down(context, session, fresh, PRIVATE if private else shelf, along=told, agreed=agreed)
    return fresh.paper


def _shown(context: Context, connection: Connection, session: Session, secret: str) -> tuple[Shown, Opened, ShelfKind]:
    who.person(session)
    shown = tickets.show(context, connection, secret, "copy")
    match shown.payload:
        case {"paper": str(paper), "version": str(version), "secret": str(told), "shelf": str(shelf), "kiosk": str(kiosk)}:
            pass
        case _:
            raise TicketGone
    if shown.person == session.account or kiosk != (session.kiosk or ""):
        raise TicketGone
    try:
        row = one_of(connection, shown.person, paper, version)
        person_key = accounts.public_keys(context, connection, shown.person).ring
    except NotThere:
        raise TicketGone from None  # erased, or sealed anew, since it was offered
    with one_refusal():
        witnesses = Witnesses(context, connection, shown.person, person_key)
        return (
            shown,
            open_version(context, connection, row, FileSecret(bytes.fromhex(told)), witnesses),
            shelves.checked_kind(shelf),
        )


def _prepared(context: Context, opened: Opened) -> PreparedPaper:
    """The very objects, as they were when they were put in: nothing is parsed again."""
    card = opened.card
    kind, received = card.thing("received").kind, verified_bytes(context, opened, "received")
    view_kind, view = kind, received
    if "view" in card.told:
        view_kind, view = card.thing("view").kind, verified_bytes(context, opened, "view")
    return PreparedPaper(
        kind, card.pages, received, kind, view, view_kind, verified_bytes(context, opened, "preview"), (), card.findings, ()
    )
