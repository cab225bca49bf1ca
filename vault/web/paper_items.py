"""How a paper is shown in lists, told from another without its name: a pictogram, a month, a word about its state."""

from dataclasses import dataclass, field
from datetime import datetime

from consent.ids import PaperId
from consent.purposes import ShelfKind
from vault import documents
from vault.documents import PaperCard
from vault.errors import BadInput, NotThere
from vault.pictograms import DRAWERS, KINDS
from vault.shelves import checked_kind
from vault.web.guards import context_of, signed_in
from vault.web.paging import NEXT
from vault.web.shell import Req, fragment

KEPT = ("kept", "to-read")
DRAWERS_A_PAGE = 5
BADGES = {"to-confirm": "papers.from_phone", "refused": "papers.refused"}


@dataclass(frozen=True)
class Item:
    """One paper of a list, as the macro `papers` shows it. `name` and `picture` only when the person asked for names."""

    paper: PaperId
    url: str
    kind: str
    day: datetime | None
    name: str = field(default="", repr=False)
    badge: str = ""
    picture: str = ""


def kind_of(card: PaperCard) -> str:
    """The kind of paper that a page can name."""
    return card.sort if card.sort in KINDS else "other"


def item(request: Req, card: PaperCard, *, names: bool = False, url: str | None = None) -> Item:
    """A paper of the person's own list."""
    badge = "papers.damaged" if card.damaged else BADGES.get(card.state, "")
    small = fragment(request, f"papiers/{card.paper}/apercu") if names and card.has_preview and card.state in KEPT else ""
    address = fragment(request, f"papiers/{card.paper}") if url is None else url
    return Item(card.paper, address, kind_of(card), card.added, card.title if names else "", badge, small)


def own_paper(request: Req, paper: str) -> PaperCard:
    """The paper of the address, if it is theirs."""
    return documents.paper(context_of(request), signed_in(request), PaperId(paper))


def kept_paper(request: Req, paper: str) -> PaperCard:
    """The same, when it can leave, be shown or be moved: not thrown away, not refused, not waiting for a yes."""
    card = own_paper(request, paper)
    if card.damaged or card.state not in KEPT:
        raise NotThere
    return card


def drawer(text: str) -> ShelfKind:
    """A drawer named by a form or an address; BadInput for another word."""
    try:
        return checked_kind(text)
    except (BadInput, NotThere):
        raise BadInput("shelf", "error.nothing-chosen") from None


def drawer_pages(request: Req) -> tuple[list[tuple[str, str, str]], bool]:
    """Five of the ten drawers as a grid shows them, and whether these are the first five."""
    first = request.query_params.get(NEXT) != "2"
    names = list(DRAWERS)[:DRAWERS_A_PAGE] if first else list(DRAWERS)[DRAWERS_A_PAGE:]
    return [(name, DRAWERS[name], f"drawer.{name}") for name in names], first
