"""The papers of a person: kept, listed, opened, described. What moves them is in `arranging`, what ends them in `removing`.

Every use case here needs a session that the person's own secret opened. Opening is traced before the first byte leaves.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, func, null, select

from consent.ids import PaperId
from consent.purposes import SHELVES, ShelfKind
from crypto.canonical import parse_instant
from crypto.keys import AccountKeys
from crypto.signing import Signer
from storage.tables import papers, versions
from vault import audit, looking, rendering, sessions, shelves, who, widening, wraps
from vault.arranging import move, note, note_of, rename, sort_as
from vault.colleagues import name_of
from vault.contents import Content, content_of, verified_bytes
from vault.context import Context
from vault.deposits import Ahead, Fresh, From, Words, durable, lay_in, write_rows
from vault.errors import NotThere, Tampered
from vault.events import Event
from vault.kinds import Kind
from vault.listing import PaperCard, by_whom, cards_of
from vault.paper_cards import Role, checked_sort, checked_title, tame_file_name
from vault.places import place_of
from vault.preparing import PreparedPaper
from vault.removing import erase_now, erase_version, purge_bin, remove, restore
from vault.sessions import Session
from vault.versions import (
    LISTED,
    Opened,
    VersionId,
    Witnesses,
    all_of,
    current_of,
    joined,
    meet,
    one_of,
    one_refusal,
    open_version,
    secret_of,
)  # fmt: skip
from vault.widening import WouldSee, WouldShow

__all__ = [
    "Drawer", "PaperCard", "Technical", "Version", "WouldSee", "WouldShow", "bin_of", "check", "count", "deposit", "drawers",
    "erase_now", "erase_version", "list_papers", "move", "note", "note_of", "open_paper", "page_image", "paper", "preview",
    "purge_bin", "remove", "rename", "restore", "sort_as", "technical_metadata", "versions_of",
]  # fmt: skip

SCREEN_DPI = 150


# --- Putting in -----------------------------------------------------------------------------------------------------------


def deposit(
    context: Context, session: Session, prepared: PreparedPaper, shelf: ShelfKind, *, title: str = "", sort: str = "",
    untrusted_name: str = "", replaces: PaperId | None = None, along: Callable[[Connection], None] | None = None,
    agreed: Collection[str] = (),
) -> PaperId:  # fmt: skip
    """Keep a prepared paper, or a newer version of one (its title and sort stay unless others are given).

    `along` is done in the same commit: a draft ends in the instant in which its paper begins.
    Raises WouldShow until all who would see a new paper there are in `agreed`; TooMuch, BadInput, NotThere (what it replaces),
    and the errors of the stores: then nothing is left.
    """
    who.person(session)
    words = Words(checked_title(title), checked_sort(sort), tame_file_name(untrusted_name))
    if replaces is not None:
        before = paper(context, session, replaces)
        words = Words(words.title or before.title, words.sort or before.sort, words.untrusted_file_name)
    with durable(context, session.account, prepared, words, paper=replaces) as fresh:
        lay_down(context, session, fresh, shelf, replaces=replaces is not None, along=along, agreed=agreed)
    return fresh.paper


def lay_down(
    context: Context, session: Session, fresh: Fresh, shelf: ShelfKind, *, replaces: bool = False,
    along: Callable[[Connection], None] | None = None, ahead: Ahead | None = None, agreed: Collection[str] = (),
) -> None:  # fmt: skip
    """Rows and trace of a version whose objects are durable, in one commit. `ahead`: its origin is being signed already.

    Whichever way a paper comes, it is seen by nobody whom the person did not agree to: WouldShow.
    """
    keys = who.person(session)
    kind = shelves.checked_kind(shelf)
    person = session.account
    with context.database.transaction() as connection:
        shelves.hold_all(connection, person)
        sessions.still(connection, session)
        opened = shelves.open_all(connection, person, keys.values)
        previous = ""
        if replaces:
            old = current_of(connection, person, fresh.paper, hold=True)
            if old.state in ("bin", "refused"):
                raise NotThere
            previous, kind = old.id, opened.at(old.shelf, old.epoch).kind
        else:
            widening.ask(widening.by_laying(context, connection, session, opened.current(kind)), agreed)
        laid = lay_in(opened.current(kind), fresh)
        origin = From(person, ahead or Signer(keys.sign), session.kiosk, ahead.at if ahead else None)
        write_rows(context, connection, fresh, laid, origin, previous=previous)
        if previous:
            wraps.hand_to_those_who_have(
                context, connection, person=person, paper=fresh.paper, version=fresh.version, secret=fresh.secret
            )
        tag = "paper.replaced" if previous else "paper.deposited"
        event = Event(
            tag, by=person, paper=fresh.paper, version=fresh.version, title=fresh.card.title, place=session.kiosk or ""
        )  # fmt: skip
        audit.record(context, connection, session, event, person=person)
        if along is not None:
            along(connection)


# --- Lists ----------------------------------------------------------------------------------------------------------------


_PERSON: BindParameter[str] = bindparam("person")
_WANTED = (papers.c.person == _PERSON, versions.c.person == _PERSON, versions.c.id == papers.c.version)
_CURRENT = joined(*LISTED).where(*_WANTED)
# Nothing outside the bin has a day on which it leaves it; a column less to read in each row of the longest list.
_KEPT = joined(*LISTED[:-1], null().label(LISTED[-1].name)).where(*_WANTED, papers.c.state != "bin")


def list_papers(context: Context, session: Session, shelf: ShelfKind | None = None) -> list[PaperCard]:
    """The papers of the person, or of one drawer, newest first; without the bin."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        opened = shelves.open_all(connection, session.account, keys.values)
        query = _KEPT
        if shelf is not None:
            query = query.where(papers.c.shelf == opened.current(shelves.checked_kind(shelf)).id)
        rows = connection.execute(query, {"person": session.account}).all()
        looks = looking.new(connection, session, "safe.listed")
    looking.say_own(context, session, looks)
    return cards_of(context, opened, rows)


def bin_of(context: Context, session: Session) -> list[PaperCard]:
    """What was removed and can still come back."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        opened = shelves.open_all(connection, session.account, keys.values)
        rows = connection.execute(_CURRENT.where(papers.c.state == "bin"), {"person": session.account}).all()
        looks = looking.new(connection, session, "safe.listed")
    looking.say_own(context, session, looks)
    return cards_of(context, opened, rows)


def paper(context: Context, session: Session, paper: PaperId) -> PaperCard:
    """One paper, in the bin or not."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        opened = shelves.open_all(connection, session.account, keys.values)
        row = connection.execute(_CURRENT.where(papers.c.id == paper), {"person": session.account}).one_or_none()
    if row is None:
        raise NotThere
    return cards_of(context, opened, [row])[0]


@dataclass(frozen=True)
class Drawer:
    """One of the ten drawers and how many papers lie in it."""

    kind: ShelfKind
    papers: int


def drawers(context: Context, session: Session) -> list[Drawer]:
    """The ten drawers, in the order of the pages."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        opened = shelves.open_all(connection, session.account, keys.values)
        query = select(papers.c.shelf, func.count()).where(papers.c.person == session.account, papers.c.state != "bin")
        counted = connection.execute(query.group_by(papers.c.shelf)).all()
        looks = looking.new(connection, session, "safe.counted")
    looking.say_own(context, session, looks)
    found: dict[ShelfKind | None, int] = {}
    for shelf_id, many in counted:
        kind = opened.kind_of(shelf_id)
        found[kind] = found.get(kind, 0) + many
    return [Drawer(row.kind, found.get(row.kind, 0)) for row in SHELVES]


def count(context: Context, session: Session) -> int:
    """How many papers, without the bin."""
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        query = select(func.count()).select_from(papers).where(papers.c.person == session.account, papers.c.state != "bin")
        many: int = connection.execute(query).scalar_one()
        looks = looking.new(connection, session, "safe.counted")
    looking.say_own(context, session, looks)
    return many


# --- Opening --------------------------------------------------------------------------------------------------------------


def opened_paper(
    context: Context, connection: Connection, session: Session, keys: AccountKeys, paper: str, version: str | None = None
) -> Opened:  # fmt: skip
    """A version of one's own paper, verified, ready to be read. Whatever is wrong is Tampered; what is not there, NotThere."""
    row = current_of(connection, session.account, paper)
    if row.state == "refused":
        raise Tampered
    if version is not None:
        row = one_of(connection, session.account, paper, version)
    opened = shelves.open_all(connection, session.account, keys.values)
    with one_refusal():
        secret = secret_of(context, opened, row)
    witnesses = Witnesses.own(context, connection, session.account, keys)
    return open_version(context, connection, row, secret, witnesses)


def read_own(context: Context, session: Session, paper: str, version: str | None = None) -> Opened:
    """The same in a transaction of its own."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        return opened_paper(context, connection, session, keys, paper, version)


def trace_own(context: Context, session: Session, tag: str, opened: Opened, detail: str = "") -> None:
    """One entry about one's own paper, committed before anything leaves."""
    event = Event(tag, by=session.account, paper=opened.paper, title=opened.card.title, detail=detail)
    with context.database.transaction() as connection:
        meet(connection, session.account, [opened.paper])
        event = replace(event, place=place_of(connection, session.kiosk))
        audit.record(context, connection, session, event, person=session.account)


def open_paper(
    context: Context, session: Session, paper: PaperId, what: Role, *, version: VersionId | None = None
) -> Content:  # fmt: skip
    """The bytes as received, or the view. Verified as far as memory allows, then traced, then given."""
    opened = read_own(context, session, paper, version)
    content = content_of(context, opened, what)
    trace_own(context, session, "paper.opened", opened)
    return content


def preview(context: Context, session: Session, paper: PaperId) -> bytes:
    """The small picture of the list, a JPEG. It is part of the list, which nobody else sees: not traced."""
    return verified_bytes(context, read_own(context, session, paper), "preview")


def page_image(context: Context, session: Session, paper: PaperId, page: int, *, dpi: int = SCREEN_DPI) -> rendering.PageImage:
    """One page to look at, from 1. Turning the pages of a paper is one opening, whichever page comes first."""
    opened = read_own(context, session, paper)
    image = rendering.page_image(context.confinement, verified_bytes(context, opened, "view"), page, dpi=dpi)
    event = Event("paper.opened", by=session.account, paper=opened.paper, title=opened.card.title)
    looking.say_page(context, session, event, opened.version, page)
    return image


# --- What is known of a paper ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Version:
    """One version of a paper. Old ones are kept until the person erases them, or the paper."""

    version: VersionId
    current: bool
    added: datetime | None
    pages: int
    size: int
    by: str


def versions_of(context: Context, session: Session, paper: PaperId) -> list[Version]:
    """Every version of a paper, the latest first."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        rows = all_of(connection, session.account, paper)
        opened = shelves.open_all(connection, session.account, keys.values)
    if not rows:
        raise NotThere
    known = {card.version: card for card in cards_of(context, opened, rows)}
    return [
        Version(card.version, row.id == row.current, card.added, card.pages, card.size, card.by)
        for row in rows
        for card in [known[VersionId(row.id)]]
    ]


@dataclass(frozen=True)
class Technical:
    """What NF Z42-020 asks to be told of a paper (R42). Digests in hexadecimal."""

    paper: PaperId
    version: VersionId
    depositor: str
    by: str
    by_name: str  # of the worker who put it in; empty for the person and their phone
    deposited: datetime
    kind: Kind
    size: int
    digest_algorithm: str
    digest: str
    ciphertext_digest: str


def technical_metadata(context: Context, session: Session, paper: PaperId) -> Technical:
    """Id, depositor, date, size, digest; from the signed origin and the sealed card, never from a column."""
    opened = read_own(context, session, paper)
    by = by_whom(opened.origin.depositor, opened.person)
    with context.database.transaction(read_only=True) as connection:
        by_name = name_of(connection, opened.origin.depositor) if by == "worker" else ""
    trace_own(context, session, "paper.described", opened)
    with one_refusal():
        thing = opened.card.thing("received")
    return Technical(
        opened.paper, opened.version, opened.origin.depositor, by, by_name, parse_instant(opened.origin.time), thing.kind,
        thing.size, "SHA-256", thing.sha256.hex(), opened.origin.ciphertext.hex(),
    )  # fmt: skip


def check(context: Context, session: Session, paper: PaperId) -> None:
    """Read all of a paper and compare every digest; Tampered when one differs (R1), and that is in the trace too."""
    opened = read_own(context, session, paper)
    try:
        for role in opened.objects:
            with content_of(context, opened, role) as content:
                for _ in content.chunks():
                    pass
    except Tampered:
        trace_own(context, session, "paper.refused", opened)
        raise
    trace_own(context, session, "paper.checked", opened)
