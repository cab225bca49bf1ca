"""A parcel of another Abri is brought in: its papers are sealed as they arrive, what it tells of the past is kept beside.

Nothing in it is trusted: one form of archive, one form of texts (`vault.archive`, `vault.portable`); each paper is parsed in the
confined child, as any paper is; one that cannot be looked at is kept as it came, because it is theirs. What is here already is not
brought twice: after a cut the same archive is simply brought again.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sqlalchemy.exc import SQLAlchemyError

from consent.ids import PaperId
from crypto.canonical import instant, parse_instant
from crypto.errors import CryptoError
from storage.errors import StorageError
from vault import audit, directives, documents, held, notices, people, portable, who
from vault.archive import Member, NotOurs, Reader
from vault.context import Context
from vault.deposits import Words, durable
from vault.errors import AbriError, BadInput
from vault.events import Event
from vault.incoming import Incoming
from vault.kinds import PaperLimits
from vault.notices import Notice
from vault.paper_cards import title_from_elsewhere
from vault.parcels import BLOCK, DAMAGED, INDEX, Parcel
from vault.preparing import PreparedPaper, prepare
from vault.refusals import PaperRefused
from vault.sessions import Session

WHOLE = (
    PaperLimits().file_bytes
)  # larger ones were deposited by a program; they are sealed as they come, and nobody looks at them

EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # before any safe of this kind


@dataclass
class Brought:
    """What came in: papers that are new, papers that were here already, files that were damaged where they come from."""

    new: int = 0
    known: int = 0
    lost: int = 0


@dataclass(frozen=True)
class _Here:
    """A paper of this safe: its title and the digests of its versions tell it from others."""

    paper: PaperId
    title: str
    digests: frozenset[str]
    in_bin: bool


@dataclass
class _Filling:
    """The paper that is being filled: the versions of it that came. `known`: it is here already, whole or cut before its end."""

    told: portable.Paper
    known: _Here | None = None
    paper: PaperId | None = None
    came: int = 0

    def has(self, place: int) -> bool:
        """Whether this version is here, or one that came after it: nothing is laid over what is newer, nor over what was thrown away."""
        known = self.known
        return known is not None and (known.in_bin or any(one.sha256 in known.digests for one in self.told.versions[place:]))


@dataclass
class _File:
    """The file that is being read."""

    member: Member
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    blocks: list[bytes] = field(default_factory=list)
    incoming: Incoming | None = None


class Bringing:
    """A sink (`vault.sinks.Sink`) for a parcel. What is wrong raises BadInput("file"); papers that were whole before stay.

    A drawer may be shown to somebody here: WouldShow for a paper that somebody would see who is not in `agreed`.
    """

    def __init__(self, context: Context, session: Session, agreed: Collection[str] = ()) -> None:
        who.person(session)
        self._context, self._session, self._agreed = context, session, agreed
        self._reader, self._ended = Reader(self), False
        self._texts: dict[str, bytes] = {}
        self._papers: list[portable.Paper] = []
        self._place: dict[str, tuple[int, int]] = {}
        self._filling: dict[int, _Filling] = {}
        self._file: _File | None = None
        self._known = _here(context, session)
        self.brought = Brought()

    def write(self, block: bytes) -> None:
        """Read the next bytes of the archive."""
        try:
            self._reader.write(block)
        except NotOurs:
            raise BadInput("file", "error.not-a-parcel") from None

    def finish(self) -> None:
        """The archive is whole: keep what it tells of the past, and write it down."""
        try:
            self._reader.finish()
            if len(self._texts) != len(portable.TEXTS) + 1 or self._place:
                raise NotOurs("something is missing")
            past = [*_earlier(self._texts), _past(self._texts)]
        except NotOurs:
            raise BadInput("file", "error.not-a-parcel") from None
        self._name()
        self._wish()
        with self._context.database.transaction() as connection:
            held.keep_earlier(self._context, connection, self._session, past)
            event = Event("safe.brought-in", by=self._session.account, detail=str(self.brought.new))
            audit.record(self._context, connection, self._session, event, person=self._session.account)
        self._ended = True

    def abandon(self) -> None:
        """Leave nothing of a paper that is not whole. Those that are stay: they are theirs."""
        if self._ended:
            return
        if self._file is not None and self._file.incoming is not None:
            self._file.incoming.abandon()
        self._file = None
        for one in self._filling.values():
            if one.paper is not None and one.known is None and one.came < len(one.told.versions):
                with suppress(AbriError, StorageError, SQLAlchemyError):
                    documents.erase_now(self._context, self._session, one.paper)

    # -- what the reader says (`vault.archive.Taker`)

    def begin(self, member: Member) -> None:
        """A file begins: a text of ours, or a paper that the texts have told of."""
        if member.name in (portable.PAPERS, *portable.TEXTS, INDEX, DAMAGED):
            if member.size > portable.MOST_TEXT:
                raise NotOurs("a text is too long")
        elif member.name not in self._place or self._version(member.name)[1].size != member.size:
            raise NotOurs("a file that nothing tells of")
        self._file = _File(member)
        if member.name in self._place and member.size > WHOLE and not self._skips(member.name):
            paper = self._begin_paper(member.name)
            limit = self._context.settings.limits.person_bytes
            self._file.incoming = Incoming(self._context, self._session, limit=limit, replaces=paper.paper)

    def take(self, block: bytes) -> None:
        """Its next bytes."""
        file = self._file
        if file is None:
            raise NotOurs("bytes of no file")
        file.digest.update(block)
        if file.incoming is not None:
            file.incoming.write(block)
        elif file.member.size <= max(WHOLE, portable.MOST_TEXT) and file.member.name != INDEX:
            file.blocks.append(block)

    def end(self) -> None:
        """A file is whole."""
        file, self._file = self._file, None
        if file is None:
            raise NotOurs("the end of no file")
        name = file.member.name
        if name == portable.PAPERS:
            self._read_papers(b"".join(file.blocks))
        elif name in portable.TEXTS:
            self._texts[name] = b"".join(file.blocks)
        elif name in self._place:
            self._file = file  # abandoned as a whole if this raises
            self._keep(name, file)
            self._file = None

    # -- papers

    def _read_papers(self, text: bytes) -> None:
        self._texts[portable.PAPERS] = text
        self._papers = portable.read_papers(text)
        same = _matched(self._known, self._papers)
        for number, paper in enumerate(self._papers):
            for place, one in enumerate(paper.versions):
                self._place[one.file] = (number, place)
            known = same.get(number)
            self._filling[number] = _Filling(paper, known, known.paper if known else None)
            self.brought.known += known is not None

    def _version(self, name: str) -> tuple[portable.Paper, portable.Version]:
        number, place = self._place[name]
        return self._papers[number], self._papers[number].versions[place]

    def _skips(self, name: str) -> bool:
        number, place = self._place[name]
        return self._filling[number].has(place)

    def _begin_paper(self, name: str) -> _Filling:
        number, place = self._place[name]
        filling = self._filling[number]
        if place != filling.came:
            raise NotOurs("versions come in their order")
        return filling

    def _keep(self, name: str, file: _File) -> None:
        told, one = self._version(name)
        filling = self._begin_paper(name)
        right = file.digest.hexdigest() == one.sha256
        if not right:
            _check_zeros(file)
            self.brought.lost += 1
        elif not self._skips(name):
            filling.paper = PaperId(self._lay(told, one, file, filling.paper))
        filling.came += 1
        del self._place[name]
        if filling.came == len(told.versions) and filling.paper is not None:
            self._note(filling, filling.paper)

    def _note(self, filling: _Filling, paper: PaperId) -> None:
        """What lies beside a paper that came whole. One that was cut before its note has it now; the bin is left to its person."""
        context, session, told, known = self._context, self._session, filling.told, filling.known
        if told.note and (known is None or not (known.in_bin or documents.note_of(context, session, paper))):
            documents.note(context, session, paper, told.note)
        if known is None:
            self.brought.new += 1
            if told.in_bin:
                documents.remove(context, session, paper, brought=True)

    def _lay(self, told: portable.Paper, one: portable.Version, file: _File, replaces: PaperId | None) -> PaperId:
        incoming = file.incoming
        if incoming is None:
            received = b"".join(file.blocks)
            prepared = self._prepared(received, one)
            if prepared is not None:
                return self._lay_prepared(told, one, prepared, replaces)
            limit = self._context.settings.limits.person_bytes
            incoming = file.incoming = Incoming(self._context, self._session, limit=limit, replaces=replaces)
            incoming.write(received)
        incoming.finish()
        words = {"title": one.title, "sort": one.sort, "untrusted_name": one.file_name}
        return incoming.keep(told.drawer, **words, pages=one.pages, added=self._added(one), agreed=self._agreed)

    def _prepared(self, received: bytes, one: portable.Version) -> PreparedPaper | None:
        """The paper as the confined child reads it; None when it cannot, and it is kept without being looked at."""
        with suppress(PaperRefused):
            made = prepare(self._context.confinement, [received])
            return replace(made, received=received, received_kind=one.kind)
        return None

    def _lay_prepared(
        self, told: portable.Paper, one: portable.Version, prepared: PreparedPaper, replaces: PaperId | None
    ) -> PaperId:  # fmt: skip
        words = Words(one.title, one.sort, one.file_name)
        with durable(self._context, self._session.account, prepared, words, paper=replaces) as fresh:
            # How many pages and what lies beside them is as the confined child found it here, whatever the archive says.
            dated = replace(fresh, card=replace(fresh.card, added=self._added(one)))
            documents.lay_down(
                self._context, self._session, dated, told.drawer, replaces=replaces is not None, agreed=self._agreed
            )  # fmt: skip
        return fresh.paper

    def _added(self, one: portable.Version) -> str:
        """When the paper came to where it comes from; now, when that cannot be: a date that no calendar shows closes the list."""
        now = self._context.clock()
        return one.added if EARLIEST <= parse_instant(one.added) <= now else instant(now)

    def _name(self) -> None:
        """A safe without a name takes the one that the person had; a name that was chosen here stays."""
        name = portable.read(self._texts[portable.ME]).get("name")
        if isinstance(name, str) and name and people.me(self._context, self._session).name is None:
            with suppress(BadInput):
                people.rename(self._context, self._session, name)

    def _wish(self) -> None:
        """What was wanted after death comes along where nothing is said yet; the person reads it, to say whether it is still true."""
        told = portable.read(self._texts[portable.ME]).get("after_death")
        if not isinstance(told, dict) or not told or directives.mine(self._context, self._session) is not None:
            return
        with suppress(BadInput), self._context.database.transaction() as connection:
            wish = directives.checked(*(str(told.get(name, "")) for name in ("choice", "name", "note")))
            person = self._session.account
            directives.write(self._context, connection, who.person(self._session), person, wish)
            audit.record(self._context, connection, self._session, Event("directive.recorded", by=person), person=person)
            notices.tell(self._context, connection, person, Notice("directive-brought"))


def _check_zeros(file: _File) -> None:
    """A paper that did not open any more where it comes from is zeros in the archive; anything else is not what was told."""
    if file.incoming is not None:
        file.incoming.abandon()
    if _zeros(file.member.size) != file.digest.hexdigest():
        raise NotOurs("a paper is not the one that was told")


def _zeros(size: int) -> str:
    """The digest of so many zeros."""
    zeros = hashlib.sha256()
    for at in range(0, size, BLOCK):
        zeros.update(bytes(min(BLOCK, size - at)))
    return zeros.hexdigest()


def _matched(here: Sequence[_Here], told: Sequence[portable.Paper]) -> dict[int, _Here]:
    """Which papers of an archive, by number, are here already: each paper here is one of them at most, and those that are whole come first.

    Otherwise a paper of one version would be taken for a longer one of the same title, and the two would become one.
    """
    left, found = list(here), dict[int, _Here]()
    for whole in (True, False):
        for number, paper in enumerate(told):
            one = next((each for each in left if _is_same(each, paper, whole=whole)), None) if number not in found else None
            if one is not None:
                left.remove(one)
                found[number] = one
    return found


def _is_same(here: _Here, told: portable.Paper, *, whole: bool) -> bool:
    """Whether this is the paper that an archive tells of: the same title, and no version that the archive does not have.

    Not `whole`: one may be missing here. It was damaged where it comes from, or the bringing in was cut before it.
    """
    versions = {one.sha256 for one in told.versions}
    same = here.digests == versions if whole else here.digests <= versions
    return bool(here.digests) and same and any(one.title == here.title for one in told.versions)


def _here(context: Context, session: Session) -> list[_Here]:
    """The papers of this safe that open; those with most versions first."""
    found = []
    for in_bin, cards in ((False, documents.list_papers(context, session)), (True, documents.bin_of(context, session))):
        for card in cards:
            with suppress(AbriError, CryptoError):
                versions = documents.versions_of(context, session, card.paper)
                read = [documents.read_own(context, session, card.paper, one.version).card.thing("received") for one in versions]
                title = title_from_elsewhere(card.title)  # as the archive of this very safe is read
                found.append(_Here(card.paper, title, frozenset(one.sha256.hex() for one in read), in_bin))
    return sorted(found, key=lambda one: len(one.digests), reverse=True)


def _past(texts: dict[str, bytes]) -> dict[str, object]:
    """What an archive tells of the place that it comes from."""
    told = {name: portable.read(texts[name]) for name in (portable.ME, portable.SHARES, portable.RECEIPTS, portable.HISTORY)}
    return {
        "format": portable.FORMAT, "me": told[portable.ME], "shares": told[portable.SHARES],
        "receipts": told[portable.RECEIPTS], "history": told[portable.HISTORY],
    }  # fmt: skip


def _earlier(texts: dict[str, bytes]) -> list[dict[str, object]]:
    listed = portable.read(texts[portable.EARLIER]).get("earlier")
    if not isinstance(listed, list) or not all(isinstance(one, dict) and one.get("format") == portable.FORMAT for one in listed):
        raise NotOurs("what came before is a list")
    return listed


def join(context: Context, session: Session, parcel: Parcel, agreed: Collection[str] = ()) -> Brought:
    """Two safes become one: what the other one holds is brought into this one, from its parcel, without leaving the service."""
    bringing = Bringing(context, session, agreed)
    try:
        for block in parcel.blocks():
            bringing.write(block)
        bringing.finish()
    except BaseException:
        bringing.abandon()
        raise
    return bringing.brought
