"""A whole procedure: what a worker sees of it among what is shown to them, asks for at once; what the person has of what is asked.

The worker's side counts nothing that is not shown to them. The person's side looks through their own papers, the private drawer
apart, and tells the worker nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from consent.days import paris_day
from consent.ids import GrantId, KindId, PaperId, RequestId
from consent.purposes import PRIVATE, PurposeId
from vault import answers, asking, documents, procedure_editing, shared_papers, soon
from vault.asking import Waiting
from vault.context import Context
from vault.errors import BadInput, NotThere
from vault.listing import PaperCard
from vault.pictograms import KINDS
from vault.procedures import Held, Line, Procedure, State, checklist
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.shared_papers import PersonSharing, SharedPaper

# --- The worker -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A paper that is shown to this worker, and by which share."""

    share: PersonSharing
    paper: SharedPaper


@dataclass(frozen=True)
class ForOne:
    """A procedure for one person: each line, the papers that answer it, and what was asked already and waits."""

    share: PersonSharing
    procedure: Procedure
    lines: tuple[Line, ...]
    papers: dict[PaperId, Shown] = field(repr=False)
    waiting: frozenset[KindId] = frozenset()

    @property
    def missing(self) -> list[Line]:
        """What can be asked for: not there, too old or over, and not asked for already."""
        wanted = (State.MISSING, State.OLD, State.EXPIRED)
        return [one for one in self.lines if one.state in wanted and one.piece.asked_as not in (None, *self.waiting)]


def procedure_of(context: Context, session: Session, slug: str) -> Procedure:
    """One procedure as the worker's operator keeps it; NotThere."""
    found = procedure_editing.for_worker(context, session).get(slug)
    if found is None:
        raise NotThere
    return found


def shown_by(
    context: Context, session: Session, grant: GrantId, what_for: PurposeId | None = None
) -> tuple[PersonSharing, dict[PaperId, Shown]]:  # fmt: skip
    """Whoever gave this share, and all that they show to this worker, by this share and the others. NotThere.

    A paper that several shares show comes by one that lets it be copied; by one given for `what_for`, before the others.
    """
    everything = shared_papers.everything_shared(context, session)
    share = next((one for one, _ in everything if one.grant == grant), None)
    if share is None:
        raise NotThere
    shared_papers.listed(context, session, [one for one, papers in everything if one.person == share.person and papers])
    found: dict[PaperId, Shown] = {}
    for one, papers in everything:
        for paper in papers if one.person == share.person else ():
            before = found.get(paper.paper)
            held = before is not None and before.paper.may_take and before.share.purpose == what_for != one.purpose
            if paper.may_see and (before is None or (paper.may_take and not held)):
                found[paper.paper] = Shown(one, paper)
    return share, found


def for_one(context: Context, session: Session, grant: GrantId, slug: str) -> ForOne:
    """The checklist of a procedure for whoever gave this share. NotThere."""
    procedure = procedure_of(context, session, slug)
    share, papers = shown_by(context, session, grant)
    shown = [one.paper for one in papers.values()]
    held = [Held(one.paper, one.sort, one.added, soon.last_day(one.sort, one.added)) for one in shown]
    lines = checklist(procedure, held, today_in_paris(context.clock()))
    return ForOne(share, procedure, tuple(lines), papers, waiting(context, session, share.person))


def waiting(context: Context, session: Session, person: str) -> frozenset[KindId]:
    """What this worker asked of somebody and has no answer to yet."""
    today = paris_day(context.clock())
    with context.database.transaction(read_only=True) as connection:
        asked = answers.given_in(context, connection, session, person)
    open_ones = [one for one in asked if today <= one.last_day]
    return frozenset(kind for one in open_ones for kind in one.kinds if kind not in one.answers)


def ask(context: Context, session: Session, grant: GrantId, slug: str, pieces: Collection[str]) -> RequestId:
    """Ask for these lines of a procedure, at once. BadInput when none can be asked for; RequestRefused."""
    procedure = procedure_of(context, session, slug)
    kinds = [one.asked_as for one in procedure.pieces if one.id in pieces and one.asked_as]
    if not kinds:
        raise BadInput("piece", "error.nothing-chosen")
    return asking.ask(context, session, grant, kinds, procedure.purpose, procedure=procedure.id)


# --- The person -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """One line that waits for an answer: the kind it is asked as, and the person's papers that answer it, newest first."""

    kind: KindId
    papers: tuple[PaperCard, ...] = field(repr=False)


def wanted(context: Context, session: Session, one: Waiting) -> list[Wanted]:
    """What a request asks for and what the person has of it. A list that changed since is read as it is today."""
    procedure = procedure_editing.asked_by(context, one.worker).get(one.procedure)
    kept = can_be_given(documents.list_papers(context, session))
    return [Wanted(kind, tuple(_answering(kept, procedure, kind))) for kind in one.kinds]


def can_be_given(cards: Iterable[PaperCard]) -> list[PaperCard]:
    """The papers that may be shown to somebody."""
    return [card for card in cards if card.state in ("kept", "to-read") and card.shelf != PRIVATE and not card.damaged]


def _answering(kept: Sequence[PaperCard], procedure: Procedure | None, kind: KindId) -> list[PaperCard]:
    piece = procedure.asked_by(kind) if procedure else None
    kinds = piece.kinds if piece else (kind,)
    return [card for card in kept if card.sort in kinds and card.sort in KINDS]
