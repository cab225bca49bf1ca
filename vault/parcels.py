"""Everything in one request (CPCE D537, GDPR 20): a parcel of all papers as they were received, and of all that is held.

A parcel is packed in one instant and does not change any more: what is in it, in which order, under which file secrets. It waits,
sealed under a one-time secret, as long as a download may take; so its length is known before its first byte leaves, and a download
that was cut goes on where it stopped. Papers are read from the store as they leave, one at a time; nothing is written anywhere.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection, select

from consent.days import PARIS
from consent.ids import PaperId
from consent.purposes import PRIVATE
from crypto import contexts
from crypto.agefile import FileEncryptor
from crypto.agerecipients import ScryptRecipient
from crypto.canonical import Value, instant, parse_instant
from crypto.keys import FileSecret
from crypto.sealing import unseal_text
from crypto.stream import NONCE, payload_length
from storage.tables import papers, versions
from vault import accounts, adding, aftermath, archive, audit, carried, held, portable, sessions, shelves, tickets, who, wordlist
from vault.archive import Body, Bytes, Member
from vault.contents import Content, content_of
from vault.context import Context
from vault.errors import NotThere, Tampered, TicketGone
from vault.events import Event
from vault.listing import PaperCard, cards_of
from vault.sessions import Session
from vault.shelves import Shelves
from vault.tickets import Shown, Ticket
from vault.versions import VersionRow, Witnesses, joined, meet, one_of, one_refusal, open_version, secret_of

Way = Literal["usb", "words", "phone"]
INDEX, DAMAGED = "index.html", "data/damaged.json"
ROOM = 48  # bytes for one name in the list of damaged files, whose length must be known beforehand
PACKED_MINUTES, WORDS, NAME = 60, 6, "mes-papiers"
BLOCK = 1024 * 1024
BEGUN: tickets.Kind = "parcel-begun"


@dataclass(frozen=True)
class Packed:
    """A version in a parcel: its file, and what opens it."""

    file: str
    paper: str
    version: str
    size: int
    secret: str = field(repr=False)


def pack(context: Context, session: Session, way: Way, language: str) -> Ticket:
    """Pack everything, now. For a telephone the link is still to be used (`begin`); otherwise the download may begin. Traced.

    Refused with AfterRecovery for a day after somebody came back: the old card may still say stop.
    """
    keys = who.taking(session)
    with context.database.transaction(read_only=True) as connection:
        aftermath.refuse_while_held(context, connection, session.account)
        opened = shelves.open_all(connection, session.account, keys.values)
        rows = connection.execute(joined().where(papers.c.person == session.account)).all()
    told, files, lost = _papers(context, session, opened, _leaving(session, opened, rows))
    about = held.texts(context, session) if session.kind == "person" else held.no_texts(context)
    texts = {portable.PAPERS: portable.papers_text(told, lost), **about}
    index = carried.page(language, told, texts, context.clock(), demo=context.settings.demo)
    payload: dict[str, Value] = {
        "at": instant(context.clock()), "way": way, "words": " ".join(wordlist.draw(WORDS)) if way == "words" else "",
        "own": session.kind == "person", "texts": [[name, text.decode()] for name, text in {INDEX: index, **texts}.items()],
        "files": [[one.file, one.paper, one.version, one.size, one.secret] for one in files],
    }  # fmt: skip
    with sessions.acting(context, session) as connection:
        if way == "phone":
            return tickets.issue(context, connection, "parcel", session.account, session.id, payload)
        if session.kind == "person":  # whom they named is written down as they come (`vault.handing`)
            _met(connection, session.account, payload)
            _trace(context, connection, session.account, session, way)
        made = tickets.issue(context, connection, BEGUN, session.account, session.id, payload, PACKED_MINUTES)
    adding.show_square(context, session, made)
    return made


def _leaving(session: Session, opened: Shelves, rows: Sequence[VersionRow]) -> list[VersionRow]:
    """All papers, for the person. The private drawer is nobody else's, after their death either; nor is what lies in the bin."""
    if session.kind == "person":
        return list(rows)
    return [row for row in rows if row.state != "bin" and opened.kind_of(row.lies_in) not in (None, PRIVATE)]


def begin(context: Context, secret: str) -> Ticket:
    """A telephone shows its link: used up and traced before the first byte leaves; the download itself has a secret of its own."""
    with context.database.transaction() as connection:
        shown = tickets.show(context, connection, secret, "parcel")
        tickets.use(context, connection, shown)
        _met(connection, shown.person, shown.payload)
        _trace(context, connection, shown.person, None, "phone")
        return tickets.issue(context, connection, BEGUN, shown.person, shown.session, shown.payload, PACKED_MINUTES)


def alive(context: Context, secret: str) -> bool:
    """Whether the link of a telephone still works. Looking does not use it up."""
    try:
        with context.database.transaction(read_only=True) as connection:
            tickets.show(context, connection, secret, "parcel")
    except TicketGone:
        return False
    return True


def _met(connection: Connection, person: str, payload: Mapping[str, Any]) -> None:
    """What a person has taken with them is theirs: whoever put a letter in takes it back no more. After their death nobody met it."""
    if payload["own"]:
        laid = select(papers.c.id).where(papers.c.person == person, papers.c.state == "to-read")
        meet(connection, person, set(connection.execute(laid).scalars()) & {Packed(*one).paper for one in payload["files"]})


def _trace(context: Context, connection: Connection, person: str, session: Session | None, way: str) -> None:
    place = (session.kiosk or "") if session else ""
    audit.record(context, connection, session, Event("safe.taken-away", by=person, place=place, detail=way), person=person)


# --- What is in it --------------------------------------------------------------------------------------------------------


def _papers(
    context: Context, session: Session, opened: Shelves, rows: list[VersionRow]
) -> tuple[list[portable.Paper], list[Packed], int]:
    """Papers in an order that depends on them alone, so that another Abri gives them back in the same one."""
    keys = who.taking(session)
    cards = {card.version: card for card in cards_of(context, opened, rows)}
    whole = [row for row in rows if cards[row.id].card is not None and "received" in cards[row.id].card.told]  # type: ignore[union-attr]
    by_paper: dict[str, list[VersionRow]] = {}
    for row in sorted(whole, key=lambda one: (one.id == one.current, one.deposited, cards[one.id].added, one.id)):
        by_paper.setdefault(row.paper, []).append(row)
    ordered = sorted(by_paper.values(), key=lambda one: [_order(cards[row.id]) for row in one])
    told, files = [], []
    for number, found in enumerate(ordered, 1):
        names = [f"papers/{number:04}-{place}{cards[row.id].kind.suffix}" for place, row in enumerate(found, 1)]  # type: ignore[union-attr]
        listed = tuple(_version(name, cards[row.id]) for name, row in zip(names, found, strict=True))
        last = found[-1]
        note = (
            unseal_text(keys.values, contexts.note(person=last.person, id=last.paper), last.sealed_note)
            if last.sealed_note
            else ""
        )
        told.append(
            portable.Paper(opened.kind_of(last.lies_in) or shelves.checked_kind("other"), note, last.state == "bin", listed)
        )
        for version, row in zip(listed, found, strict=True):
            with one_refusal():
                secret = secret_of(context, opened, row)
            files.append(Packed(version.file, row.paper, row.id, version.size, bytes(secret).hex()))
    return told, files, len({row.paper for row in rows}) - len(by_paper)


def _order(card: PaperCard) -> tuple[str, str, str]:
    thing = card.card.thing("received") if card.card else None
    return card.card.added if card.card else "", card.title, thing.sha256.hex() if thing else ""


def _version(name: str, card: PaperCard) -> portable.Version:
    if card.card is None:
        raise Tampered
    thing = card.card.thing("received")
    return portable.Version(
        name, thing.kind, thing.size, thing.sha256.hex(), card.pages, card.card.added, card.title, card.sort, card.file_name,
        tuple(sorted(card.findings)),
    )  # fmt: skip


# --- As it leaves ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parcel:
    """A parcel about to leave: `size` bytes, under a name that tells nothing. `resumable`: it can begin in the middle."""

    context: Context = field(repr=False)
    person: str
    payload: dict[str, Any] = field(repr=False)
    link: Shown = field(repr=False)

    @property
    def tag(self) -> str:
        """Tells this parcel from any other, to a browser that goes on with a download."""
        return self.link.digest[:16]

    @property
    def at(self) -> datetime:
        """When it was packed."""
        return parse_instant(self.payload["at"])

    @property
    def sealed(self) -> bool:
        """Whether it is one age file that opens with the words alone."""
        return bool(self.payload["words"])

    @property
    def resumable(self) -> bool:
        """An age file has another key each time: it begins anew."""
        return not self.sealed

    @property
    def name(self) -> str:
        """What the file is called."""
        return f"{NAME}.zip.age" if self.sealed else f"{NAME}.zip"

    @property
    def members(self) -> list[Member]:
        """The files of the archive, in order: the page, the texts, the papers, and which of these do not open any more."""
        texts = [Member(name, len(text.encode())) for name, text in self.payload["texts"]]
        files = [Member(one.file, one.size) for one in self._packed()]
        return [*texts, *files, Member(DAMAGED, len(self._damaged([])))]

    @property
    def size(self) -> int:
        """How long the archive is."""
        return archive.length(self.members)

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The archive, or a part of it; its bytes are the same each time. TicketGone in the middle, once the link was taken back."""
        bodies = archive.write(self.members, self._bodies(), self.at.astimezone(PARIS))
        return archive.cut(bodies, start, self.size if end is None else end)

    def sealed_blocks(self) -> tuple[int, Iterator[bytes]]:
        """The same as one age file for the words that the person was given, and how long it is."""
        with self.context.derivations.turn(None):
            encryptor = FileEncryptor([ScryptRecipient(self.payload["words"])])
        head = encryptor.update(b"")

        def blocks() -> Iterator[bytes]:
            yield head
            for block in self.blocks():
                yield encryptor.update(block)
            yield encryptor.finish()

        return len(head) - NONCE + payload_length(self.size), blocks()

    def _packed(self) -> list[Packed]:
        return [Packed(*one) for one in self.payload["files"]]

    def _damaged(self, files: list[str]) -> bytes:
        text = json.dumps({"damaged": files, "format": portable.FORMAT}).encode()
        return text.ljust(2 * ROOM + ROOM * len(self.payload["files"])) + b"\n"

    def _bodies(self) -> Iterator[Body]:
        for _, text in self.payload["texts"]:
            yield Bytes(text.encode())
        damaged: list[str] = []
        with self.context.database.transaction(read_only=True) as connection:
            key = accounts.public_keys(self.context, connection, self.person).ring
        for one in self._packed():
            try:
                with self.context.database.transaction(read_only=True) as connection:
                    if tickets.taken_back(self.context, connection, self.link):
                        raise TicketGone
                    row = one_of(connection, self.person, one.paper, one.version)
                    witnesses = Witnesses(self.context, connection, self.person, key)
                    opened = open_version(self.context, connection, row, FileSecret(bytes.fromhex(one.secret)), witnesses)
                with content_of(self.context, opened, "received") as content:
                    yield _Read(content)
            except (Tampered, NotThere):
                damaged.append(one.file)
                yield _Zeros(one.size)
        yield Bytes(self._damaged(damaged))


class _Read:
    """A paper that is read twice: for its sum, which verifies it whole, then to leave. Small ones are read once, in memory."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self.crc = 0
        for block in content.chunks():
            self.crc = zlib.crc32(block, self.crc)

    def blocks(self) -> Iterator[bytes]:
        """All of it."""
        return self._content.read(0, self._content.size)


class _Zeros:
    """What stands for a paper that does not open any more: the last file of the archive says which."""

    def __init__(self, size: int) -> None:
        self._size, self.crc = size, 0
        for block in self.blocks():
            self.crc = zlib.crc32(block, self.crc)

    def blocks(self) -> Iterator[bytes]:
        """As many bytes as the paper had."""
        for at in range(0, self._size, BLOCK):
            yield bytes(min(BLOCK, self._size - at))


def find(context: Context, secret: str) -> Parcel:
    """The parcel of a download that has begun; TicketGone."""
    with context.database.transaction(read_only=True) as connection:
        return _parcel(context, tickets.show(context, connection, secret, BEGUN))


def _parcel(context: Context, shown: Shown) -> Parcel:
    return Parcel(context, shown.person, cast("dict[str, Any]", dict(shown.payload)), shown)


def waiting(context: Context, session: Session) -> Parcel:
    """The parcel that this session packed; TicketGone."""
    return find(context, adding.square(context, session, BEGUN).secret)


def weight(context: Context, session: Session) -> tuple[int, int]:
    """How many papers there are to take, and about how many bytes: told before anything is packed."""
    keys = who.taking(session)
    with context.database.transaction(read_only=True) as connection:
        opened = shelves.open_all(connection, session.account, keys.values)
        rows = _leaving(session, opened, connection.execute(joined().where(versions.c.person == session.account)).all())
    cards = cards_of(context, opened, rows)
    return len({PaperId(one.paper) for one in cards}), sum(one.size for one in cards)
