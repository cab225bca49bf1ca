"""What a screen keeps while papers come in or go out: where the paper being added will lie, and the one-time square on the screen.

Both wait in the session's sealed state and end with it: no secret of a link stands in an address of the kiosk.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from consent.ids import PaperId
from consent.purposes import ShelfKind
from vault import sessions
from vault.context import Context
from vault.errors import TicketGone
from vault.sessions import Session
from vault.tickets import Kind, Ticket

ADDING = "adding"
AGREED = "agreed"
SQUARE = "square"

LIKELY: Mapping[str, tuple[str, ...]] = {
    "identity": ("identity-card", "passport", "birth-certificate", "loss-report", "photo"),
    "stay": ("residence-permit", "residence-receipt", "asylum-certificate", "asylum-decision", "passport"),
    "family": ("family-book", "birth-certificate", "judgment", "photo"),
    "housing": ("domiciliation", "rent", "housing-request", "benefits", "letter"),
    "health": ("health-card", "prescription", "medical-letter", "disability"),
    "money": ("tax-notice", "benefits", "bank-details", "payslip", "pension"),
    "work": ("work-contract", "payslip", "job-search", "diploma"),
    "justice": ("judgment", "police", "loss-report", "letter"),
    "other": ("letter", "transport-card", "photo"),
    "private": ("letter", "photo"),
}
"""Which kinds of papers lie in which drawer most often: shown first, never imposed."""


@dataclass(frozen=True)
class Adding:
    """The paper being put away. `paper` is one that came by phone; empty for the draft. `shelf` is the drawer once chosen."""

    paper: PaperId | None = None
    shelf: ShelfKind | None = None


def current(context: Context, session: Session) -> Adding:
    """What is being put away; empty when nothing was chosen."""
    with context.database.transaction(read_only=True) as connection:
        told = sessions.read_state(connection, session, hold=False).get(ADDING)
    match told:
        case {"paper": str(paper), "shelf": str(shelf)}:
            return Adding(PaperId(paper) if paper else None, ShelfKind(shelf) if shelf else None)
    return Adding()


def keep(context: Context, session: Session, adding: Adding) -> None:
    """Keep it for the next page."""
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        told = {"paper": adding.paper or "", "shelf": adding.shelf or ""}
        sessions.write_state(connection, session, {**state, ADDING: told})


def agree(context: Context, session: Session, agreed: Iterable[str]) -> None:
    """Keep for the next pages who the person agreed would see what comes in (`widening.WouldSee`); what was agreed before is forgotten."""
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        sessions.write_state(connection, session, {**state, AGREED: sorted(set(agreed))})


def agreed(context: Context, session: Session) -> frozenset[str]:
    """Who the person agreed would see what comes in."""
    with context.database.transaction(read_only=True) as connection:
        told = sessions.read_state(connection, session, hold=False).get(AGREED)
    return frozenset(one for one in told if isinstance(one, str)) if isinstance(told, list) else frozenset()


def forget(context: Context, session: Session) -> None:
    """It is put away."""
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        if [state.pop(name, None) for name in (ADDING, AGREED)] != [None, None]:
            sessions.write_state(connection, session, state)


# --- The square -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Square:
    """A one-time link on the screen, as a code to photograph; `paper` is the one that leaves."""

    secret: str = field(repr=False)
    kind: Kind
    paper: PaperId | None


def show_square(context: Context, session: Session, ticket: Ticket, paper: PaperId | None = None) -> None:
    """Keep the link for the page that draws it. One at a time: the one before is on no screen any more."""
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        told = {"secret": ticket.secret, "kind": ticket.kind, "paper": paper or ""}
        sessions.write_state(connection, session, {**state, SQUARE: told})


def square(context: Context, session: Session, kind: Kind, paper: PaperId | None = None) -> Square:
    """The link on the screen, whether it still works or not; TicketGone when there is none of this kind for this paper."""
    with context.database.transaction(read_only=True) as connection:
        told = sessions.read_state(connection, session, hold=False).get(SQUARE)
    match told:
        case {"secret": str(secret), "kind": str(found), "paper": str(of)} if found == kind and of == (paper or ""):
            return Square(secret, kind, paper)
    raise TicketGone
