"""A paper leaves, or comes, by ways that the person chose: on paper, to and from their own phone, on this computer for a while.

Nothing leaves without its trace. What comes by phone is laid through the slit of a drawer, signed by the service, and waits until
the person says in their session that it is theirs.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import update

from consent.ids import PaperId
from consent.purposes import ShelfKind
from crypto.canonical import Value
from crypto.keys import FileSecret
from crypto.signing import Signer
from storage.tables import papers, versions
from vault import accounts, audit, documents, rendering, sessions, shelves, tickets, who, widening
from vault.arranging import lay_again, reseal
from vault.contents import Content, content_of, verified_bytes
from vault.context import Context
from vault.deposits import From, Words, durable, lay_through, write_rows
from vault.errors import NotThere, TicketGone
from vault.events import Event
from vault.listing import PaperCard
from vault.paper_cards import checked_sort, checked_title, tame_file_name
from vault.preparing import prepare
from vault.sessions import Session
from vault.tickets import Ticket
from vault.versions import SERVICE, Witnesses, current_of, meet, one_of, one_refusal, open_version, secret_of

MINUTES = 10  # how long a paper may stay on the computer, as the page explains
RIBBONS = {"demo": "DÉMONSTRATION — faux papiers", "training": "FORMATION — faux papiers"}


# --- On paper, on this computer -------------------------------------------------------------------------------------------


def print_paper(context: Context, session: Session, paper: PaperId, *, title: str, language: str) -> bytes:
    """A PDF of page images to print; `title` is a neutral word, because a viewer shows it in its bar. Traced."""
    opened = documents.read_own(context, session, paper)
    pages = rendering.printable(
        context.confinement, [verified_bytes(context, opened, "view")], title=title, language=language,
        ribbon=RIBBONS.get(context.settings.mode), font=rendering.marks_font(),
    )  # fmt: skip
    documents.trace_own(context, session, "paper.printed", opened)
    return pages


def on_this_computer(context: Context, session: Session, paper: PaperId) -> Content:
    """The bytes as received, under a neutral name, for an upload to a public site. Traced."""
    opened = documents.read_own(context, session, paper)
    content = content_of(context, opened, "received")
    documents.trace_own(context, session, "paper.to-computer", opened)
    return content


# --- To my phone ----------------------------------------------------------------------------------------------------------


def to_phone(context: Context, session: Session, paper: PaperId) -> Ticket:
    """A link that gives this paper once, within five minutes. F travels in it, sealed under the link's own secret."""
    opened = documents.read_own(context, session, paper)
    payload: dict[str, Value] = {"paper": opened.paper, "version": opened.version, "secret": bytes(opened.secret).hex()}
    with sessions.acting(context, session) as connection:
        meet(connection, session.account, [opened.paper])
        return tickets.issue(context, connection, "to-phone", session.account, session.id, payload)


def look(context: Context, secret: str) -> Ticket:
    """What a link is for, without using it up; TicketGone."""
    with context.database.transaction(read_only=True) as connection:
        shown = tickets.show(context, connection, secret)
    return Ticket(secret, shown.kind, shown.term, shown.person)


def redeem(context: Context, secret: str) -> Content:
    """The paper of a link, once. The link is used up and the opening traced before the first byte leaves."""
    with context.database.transaction(read_only=True) as connection:
        shown = tickets.show(context, connection, secret, "to-phone")
        match shown.payload:
            case {"paper": str(paper), "version": str(version), "secret": str(told)}:
                pass
            case _:
                raise TicketGone
        try:
            row = one_of(connection, shown.person, paper, version)
            person_key = accounts.public_keys(context, connection, shown.person).ring
        except NotThere:
            raise TicketGone from None  # erased, or sealed anew, since the link was made
        witnesses = Witnesses(context, connection, shown.person, person_key)
        opened = open_version(context, connection, row, FileSecret(bytes.fromhex(told)), witnesses)
    content = content_of(context, opened, "received")
    event = Event("paper.to-phone", by=shown.person, paper=opened.paper, title=opened.card.title)
    with context.database.transaction() as connection:
        tickets.use(context, connection, shown)
        audit.record(context, connection, None, event, person=shown.person)
    return content


# --- From my phone --------------------------------------------------------------------------------------------------------


def from_phone(context: Context, session: Session, shelf: ShelfKind = ShelfKind("other")) -> Ticket:  # noqa: B008 - a text
    """A link that lays one paper in a drawer, within five minutes; it can read nothing."""
    keys = who.person(session)
    with sessions.acting(context, session) as connection:
        opened = shelves.open_all(connection, session.account, keys.values)
        payload: dict[str, Value] = {"shelf": opened.current(shelves.checked_kind(shelf)).id, "kiosk": session.kiosk or ""}
        return tickets.issue(context, connection, "from-phone", session.account, session.id, payload)


def receive(context: Context, secret: str, originals: Sequence[bytes], *, untrusted_name: str = "") -> None:
    """Lay what a phone sent in the drawer of its link, which is used up only when the paper is kept. PaperRefused, TooMuch."""
    with context.database.transaction(read_only=True) as connection:
        shown = tickets.show(context, connection, secret, "from-phone")
    match shown.payload:
        case {"shelf": str(shelf), "kiosk": str(kiosk)}:
            pass
        case _:
            raise TicketGone
    prepared = prepare(context.confinement, originals)
    words = Words(untrusted_file_name=tame_file_name(untrusted_name))
    with durable(context, shown.person, prepared, words) as fresh, context.database.transaction() as connection:
        tickets.use(context, connection, shown)
        person_key = accounts.public_keys(context, connection, shown.person).sign
        slit = shelves.slit(connection, shown.person, shelf, person_key)
        laid = lay_through(context, slit, fresh)
        write_rows(context, connection, fresh, laid, From(SERVICE, context.service, kiosk or None), state="to-confirm")
        event = Event("paper.from-phone", by=shown.person, paper=fresh.paper, version=fresh.version)
        audit.record(context, connection, None, event, person=shown.person)


def arrived(context: Context, session: Session) -> list[PaperCard]:
    """What came by phone and waits for the person's yes."""
    return [card for card in documents.list_papers(context, session) if card.state == "to-confirm"]


def confirm(
    context: Context, session: Session, paper: PaperId, *, shelf: ShelfKind | None = None, title: str = "", sort: str = "",
    agreed: Collection[str] = (),
) -> None:  # fmt: skip
    """The person says that what came by phone is theirs: their session signs its origin, and it is a paper like the others.

    It lies in the drawer that they choose, or where it arrived. Raises WouldShow until all who see that drawer are in `agreed`: until
    then it waits, and nobody sees it.
    """
    keys = who.person(session)
    title, sort = checked_title(title), checked_sort(sort)
    with context.database.transaction() as connection:
        shelves.hold_all(connection, session.account)
        row = current_of(connection, session.account, paper, hold=True)
        sessions.still(connection, session)
        if row.state != "to-confirm":
            raise NotThere
        opened = shelves.open_all(connection, session.account, keys.values)
        with one_refusal():
            secret = secret_of(context, opened, row)
        witnesses = Witnesses.own(context, connection, session.account, keys)
        one = open_version(context, connection, row, secret, witnesses)
        lies = opened.at(row.shelf, row.epoch)
        to = opened.current(lies.kind if shelf is None else shelves.checked_kind(shelf))
        widening.ask(widening.by_laying(context, connection, session, to), agreed)
        lay_again(context, connection, opened, row, lies if to.id == lies.id else to)
        connection.execute(
            update(versions).where(versions.c.id == one.version).values(confirmation=Signer(keys.sign).sign(one.origin))
        )
        connection.execute(update(papers).where(papers.c.id == paper).values(state="kept", shelf=to.id))
        if title or sort:
            reseal(connection, one, replace(one.card, title=title or one.card.title, sort=sort or one.card.sort))
        event = Event("paper.confirmed", by=session.account, paper=paper, title=title or one.card.title)
        audit.record(context, connection, session, event, person=session.account)
        if to.id != lies.id:
            moved = replace(event, tag="paper.moved", detail=to.kind)
            audit.record(context, connection, session, moved, person=session.account)
