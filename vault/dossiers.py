"""One PDF from several papers, for one named recipient: a cover, then every page as a marked picture, under 5 MB.

Nothing of the papers goes along but their pixels: no text, no attachment, no layer that could be taken off. Papers are read one
at a time, and each is rendered in a child of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import insert

from consent.days import whole_second
from consent.ids import GrantId, KindId, PaperId, PersonId
from consent.outside import LONGEST_NAME, MOST_PAPERS, OutsideBody
from consent.purposes import PurposeId, purpose
from consent.scope import Act
from crypto.errors import Malformed
from storage.tables import outside_shares
from vault import accounts, audit, outside, procedure_asking, rendering, sharing, who
from vault.contents import verified_bytes
from vault.context import Context
from vault.dossier_cover import cover_sheet
from vault.errors import BadInput, NotThere, TooMuch
from vault.events import Event
from vault.leaving import RIBBONS
from vault.opening_shared import PARIS, Granted, open_shared, trace_in
from vault.procedure_asking import Shown
from vault.procedures import Piece, Procedure
from vault.sessions import Session
from vault.shared_papers import PersonSharing
from vault.versions import Opened

MOST_BYTES = 5_000_000
MOST_PAGES = 100
LADDER = ((150, 80), (130, 72), (110, 66), (96, 60), (80, 50))
"""Dots an inch and JPEG quality, from what reads well to what can still be read."""
_BINDING_BYTES = 100_000  # what a PDF needs around its pictures
TITLE = "Dossier"


class DossierTooHeavy(TooMuch):
    """Even small and plain, these pages weigh more than 5 MB, or are too many."""

    sentence: ClassVar[str] = "error.dossier-heavy"


@dataclass(frozen=True)
class Cover:
    """What the first page says: to whom, what for, which day, and a line (kind, pages) for each paper."""

    recipient: str
    words: str = field(repr=False)
    at: datetime
    lines: tuple[tuple[str, int], ...]
    procedure: str = ""
    by: str = ""


# --- Making it ------------------------------------------------------------------------------------------------------------


def bound(context: Context, cover: Cover, papers: Sequence[Opened], *, marked: bool = True) -> bytes:
    """The PDF. Tries smaller and plainer pages until all of it is under 5 MB; DossierTooHeavy, and what a paper is refused for."""
    if sum(paper.card.pages for paper in papers) > MOST_PAGES:
        raise DossierTooHeavy
    first = cover_sheet(cover.recipient, cover.words, cover.at.astimezone(PARIS).date(), cover.lines, cover.procedure, cover.by)
    readers: list[Callable[[], bytes]] = [lambda: first, *(_reader(context, paper) for paper in papers)]
    mark = None
    if marked:
        mark = rendering.Watermark(
            (cover.recipient, cover.words, f"{cover.at.astimezone(PARIS):%d/%m/%Y}"), rendering.marks_font()
        )  # fmt: skip
    for dpi, quality in LADDER:
        sheets = _sheets(context, readers, dpi, quality, mark)
        if sheets is not None:
            made = rendering.bind(context.confinement, sheets, title=TITLE, language="fr")
            if len(made) <= MOST_BYTES:
                return made
    raise DossierTooHeavy


def _reader(context: Context, paper: Opened) -> Callable[[], bytes]:
    return lambda: verified_bytes(context, paper, "view")


def _sheets(
    context: Context, readers: Sequence[Callable[[], bytes]], dpi: int, quality: int, mark: rendering.Watermark | None
) -> list[bytes] | None:  # fmt: skip
    """All the pages at this size; None as soon as they are too heavy together."""
    left, sheets = MOST_BYTES - _BINDING_BYTES, list[bytes]()
    for read in readers:
        made = rendering.sheets(
            context.confinement, read(), dpi=dpi, quality=quality, watermark=mark, most_bytes=left,
            ribbon=RIBBONS.get(context.settings.mode),
        )  # fmt: skip
        if made is None:
            return None
        left -= sum(map(len, made))
        sheets += made
    return sheets


# --- A worker makes one ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """A paper that goes along, by the share that lets it be copied, and why it perhaps should not: never, not-asked, or nothing."""

    grant: GrantId
    paper: PaperId
    sort: str
    warning: str


@dataclass(frozen=True)
class Choices:
    """What may go into a dossier, those that the procedure asks for first; and what was given for something else, which may not."""

    procedure: Procedure
    share: PersonSharing
    here: tuple[Chosen, ...]
    papers: Mapping[PaperId, Shown] = field(repr=False)
    waiting: frozenset[KindId] = frozenset()

    @property
    def elsewhere(self) -> list[Shown]:
        """A copy was given, for another purpose: it is asked for again, for this one."""
        mine = {one.paper for one in self.here}
        return [one for one in self.papers.values() if one.paper.may_take and one.paper.paper not in mine]

    @property
    def askable(self) -> list[Piece]:
        """Lines that are there and yet cannot go along: their papers are only looked at, or were copied for something else (ADR 125)."""
        shown, along = {one.paper.sort for one in self.papers.values()}, {one.sort for one in self.here}
        open_ones = [one for one in self.procedure.pieces if one.asked_as not in (None, *self.waiting)]
        return [one for one in open_ones if shown & set(one.kinds) and not along & set(one.kinds)]


def choices(context: Context, session: Session, grant: GrantId, slug: str) -> Choices:
    """The papers of whoever gave this share that this worker may copy, for what the procedure is for (ADR 91). NotThere."""
    procedure = procedure_asking.procedure_of(context, session, slug)
    share, shown = procedure_asking.shown_by(context, session, grant, procedure.purpose)
    found = [
        Chosen(one.share.grant, one.paper.paper, one.paper.sort, procedure.warning(one.paper.sort))
        for one in shown.values()
        if one.paper.may_take and one.share.purpose == procedure.purpose
    ]  # fmt: skip
    order = [str(kind) for piece in procedure.pieces for kind in piece.kinds]
    first = sorted(found, key=lambda one: (one.warning, order.index(one.sort) if one.sort in order else len(order), one.paper))
    return Choices(procedure, share, tuple(first), shown, procedure_asking.waiting(context, session, share.person))


def make(
    context: Context, session: Session, grant: GrantId, slug: str, papers: Sequence[PaperId], recipient: str
) -> bytes:  # fmt: skip
    """A dossier of papers that this worker may copy, given for what the procedure is for. Traced for the person, paper by paper, and
    kept in their list of what left.

    Raises NotThere (one of them may not be copied for this), BadInput (no paper, no recipient), DossierTooHeavy.
    """
    who.worker(session)
    offered = choices(context, session, grant, slug)
    procedure, known = offered.procedure, {one.paper: one for one in offered.here}
    if not papers or len(papers) > MOST_PAPERS or len(set(papers)) != len(papers):
        raise BadInput("paper", "error.nothing-chosen")
    if not recipient or len(recipient) > LONGEST_NAME:
        raise BadInput("recipient", "error.missing" if not recipient else "error.name-long")
    recipient = rendering.legible(recipient, "")
    if not recipient:
        raise BadInput("recipient", "error.bad-input")  # its letters cannot be drawn on the pages
    if not set(papers) <= set(known):
        raise NotThere
    opened = [open_shared(context, session, known[paper].grant, paper, Act.TAKE) for paper in papers]
    by = opened[0].share.worker_name
    lines = tuple((one.opened.card.sort, one.opened.card.pages) for one in opened)
    cover = Cover(recipient, purpose(procedure.purpose).words, context.clock(), lines, procedure.name, by)
    made = bound(context, cover, [one.opened for one in opened])
    _keep(context, session, offered.share.person, opened, recipient, procedure.purpose, by)
    return made


def _keep(
    context: Context, session: Session, person: str, opened: Sequence[Granted], recipient: str, what_for: PurposeId, by: str
) -> None:  # fmt: skip
    """One commit: each copy in the trace, the dossier in the trace, and a line that the person reads among what they show."""
    now = context.clock()
    with (
        sharing.new_row(context, person, kept_in=outside_shares.c.id) as share,
        context.database.transaction() as connection,
    ):
        for one in opened:
            trace_in(context, connection, session, one, "dossier")
        event = Event(
            "dossier.made", by=session.account, by_name=by, grant=opened[0].share.grant, purpose=what_for, title=recipient
        )  # fmt: skip
        audit.record(context, connection, session, event, person=person, worker=session.account)
        text = _told(share, person, opened, recipient, what_for, now)
        public = accounts.public_keys(context, connection, person).kem
        connection.execute(
            insert(outside_shares).values(
                id=share, person=person, state=outside.HANDED, link_digest=None, salt=b"", public_key=b"", memory_cost=0, time_cost=0,
                openings_left=0, until=now, created=now.astimezone(PARIS).date(), body_for_link=b"",
                body_for_person=outside.post_body(context, public, person, share, "person", {"body": text, "by": by}),
            )
        )  # fmt: skip


def _told(share: GrantId, person: str, opened: Sequence[Granted], recipient: str, what_for: PurposeId, at: datetime) -> str:
    now = whole_second(at)
    try:
        body = OutsideBody(
            share, PersonId(person), recipient, what_for, "", tuple(one.opened.paper for one in opened), now + timedelta(seconds=1), 1,
            marked=True, given=now,
        )  # fmt: skip
    except Malformed:
        raise BadInput("recipient", "error.bad-input") from None
    return body.to_bytes().decode()
