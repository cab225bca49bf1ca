"""The papers of a person: the list by pictograms and months, one paper and its pages, its name, the bin."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.ids import PaperId
from consent.purposes import PRIVATE, ShelfKind
from vault import documents, leaving
from vault.documents import PaperCard
from vault.errors import BadInput, NotThere
from vault.pictograms import DRAWERS
from vault.web import describing, taking
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import PICTURES, address, asked, leaf
from vault.web.paper_items import drawer, drawer_pages, item, kept_paper, kind_of, own_paper
from vault.web.paper_kinds import chosen_kind, kinds_page
from vault.web.shell import Req, go, page

SAID = {
    "garde": "k13.saved", "jete": "papers.thrown", "repris": "papers.restored", "efface": "papers.erased", "change": "frame.saved",
}  # fmt: skip
"""What a list or a paper says on top after something was done."""
THROWN = ("bin", "refused")
JPEG = "image/jpeg"


@get("/{language:str}/papiers", opt=who("person"), sync_to_thread=True)
def papers(request: Req) -> Response[str]:
    """The list, nine at a time; the names, and small pictures, at one touch."""
    context, session = context_of(request), signed_in(request)
    asked_for = request.query_params
    shelf = drawer(asked_for["tiroir"]) if asked_for.get("tiroir") else None
    names = asked_for.get("noms") == "1"
    found = documents.list_papers(context, session, shelf)
    shown = leaf(found, asked(request), PICTURES)

    def here(number: int | None, *, with_names: bool = names) -> str | None:
        if number is None:
            return None
        return address(request, "papiers", tiroir=shelf, noms=int(with_names), suite=number if number > 1 else None)

    return page(
        request, "kiosk/papers.html", back="maison", shelf=shelf, names=names, said=SAID.get(asked_for.get("dit", "")),
        items=[item(request, card, names=names) for card in shown.items], before=here(shown.before), after=here(shown.after),
        other_names=here(shown.number, with_names=not names), to_confirm=len(leaving.arrived(context, session)),
        thrown=len(documents.bin_of(context, session)), may_show=any(card.state == "kept" for card in found),
    )  # fmt: skip


@get("/{language:str}/papiers/tiroirs", opt=who("person"), sync_to_thread=True)
def drawers(request: Req) -> Response[str]:
    """The drawers, five and five, each with how many papers lie in it."""
    counted = {one.kind: one.papers for one in documents.drawers(context_of(request), signed_in(request))}
    shown, first = drawer_pages(request)
    items = [
        (address(request, "papiers", tiroir=name), icon, key, counted.get(ShelfKind(name), 0)) for name, icon, key in shown
    ]  # fmt: skip
    return page(request, "kiosk/drawers.html", back="papiers", items=items, first=first)


@get("/{language:str}/papiers/jetes", opt=who("person"), sync_to_thread=True)
def bin_page(request: Req) -> Response[str]:
    """What was thrown away and can still come back."""
    thrown = leaf(documents.bin_of(context_of(request), signed_in(request)), asked(request), PICTURES)
    return page(
        request, "kiosk/bin.html", back="papiers", items=[item(request, card) for card in thrown.items],
        before=address(request, "papiers/jetes", suite=thrown.before) if thrown.before else None,
        after=address(request, "papiers/jetes", suite=thrown.after) if thrown.after else None,
    )  # fmt: skip


@get("/{language:str}/papiers/{paper:str}", opt=who("person"), sync_to_thread=True)
def paper(request: Req, paper: FromPath[str]) -> Response[Any]:
    """One paper: its pages one by one, its name, what can be done with it."""
    card = own_paper(request, paper)
    if card.state == "bin":
        return page(request, "kiosk/thrown.html", back="papiers/jetes", card=card, kind=kind_of(card))
    if card.damaged or card.state == "refused":
        return page(request, "kiosk/refused.html", back="papiers", card=card, kind=kind_of(card))
    if card.state == "to-confirm":
        return go(request, "ajouter/telephone/arrive")
    number = min(asked(request), max(card.pages, 1))
    large = request.query_params.get("grand") == "1"

    def here(wanted: int, *, zoomed: bool = large) -> str:
        return address(request, f"papiers/{paper}", suite=wanted if wanted > 1 else None, grand=int(zoomed))

    return page(
        request, "kiosk/paper.html", back="papiers", card=card, kind=kind_of(card), number=number, large=large,
        before=here(number - 1) if number > 1 else None, after=here(number + 1) if number < card.pages else None,
        zoom=here(number, zoomed=not large), said=SAID.get(request.query_params.get("dit", "")),
    )  # fmt: skip


@get("/{language:str}/papiers/{paper:str}/page/{number:int}", opt=who("person"), sync_to_thread=True)
def page_image(request: Req, paper: FromPath[str], number: FromPath[int]) -> Response[bytes]:
    """One page to look at; never kept by a cache. Looking at the first one is written in the history."""
    image = documents.page_image(context_of(request), signed_in(request), PaperId(paper), number)
    return Response(image.jpeg, media_type=JPEG)


@get("/{language:str}/papiers/{paper:str}/apercu", opt=who("person"), sync_to_thread=True)
def preview(request: Req, paper: FromPath[str]) -> Response[bytes]:
    """The small picture of the list."""
    return Response(documents.preview(context_of(request), signed_in(request), PaperId(paper)), media_type=JPEG)


# --- Its name, its kind ---------------------------------------------------------------------------------------------------


@get("/{language:str}/papiers/{paper:str}/nom", opt=who("person"), sync_to_thread=True)
def name(request: Req, paper: FromPath[str]) -> Response[str]:
    """Another name for it."""
    return _name_page(request, paper, kept_paper(request, paper).title, [])


def _name_page(request: Req, paper: str, typed: str, faults: list[Fault], status: int = 200) -> Response[str]:
    back = f"papiers/{paper}"
    return page(request, "kiosk/paper_name.html", status=status, back=back, paper=paper, name=typed, faults=faults)


@post("/{language:str}/papiers/{paper:str}/nom", opt=who("person"), sync_to_thread=True)
def rename(request: Req, paper: FromPath[str], form: Sent) -> Response[Any]:
    """The person's own words; sealed like the paper."""
    typed = form.get("name").strip()
    if not typed:
        return _name_page(request, paper, typed, [Fault("error.name-empty", "name")], 422)
    try:
        documents.rename(context_of(request), signed_in(request), PaperId(paper), typed)
    except BadInput as error:
        return _name_page(request, paper, typed, [Fault(error.shown, "name")], 422)
    return go(request, f"papiers/{paper}?dit=change")


@get("/{language:str}/papiers/{paper:str}/sorte", opt=who("person"), sync_to_thread=True)
def sort(request: Req, paper: FromPath[str]) -> Response[str]:
    """What kind of paper it is: the likely ones of its drawer first."""
    return kinds_page(request, kept_paper(request, paper).shelf, place=f"papiers/{paper}/sorte", back=f"papiers/{paper}")


@post("/{language:str}/papiers/{paper:str}/sorte", opt=who("person"), sync_to_thread=True)
def sort_as(request: Req, paper: FromPath[str], form: Sent) -> Response[Any]:
    """Say what kind of paper it is."""
    if chosen_kind(form):
        documents.sort_as(context_of(request), signed_in(request), PaperId(paper), chosen_kind(form))
    return go(request, f"papiers/{paper}")


# --- The bin --------------------------------------------------------------------------------------------------------------


@get("/{language:str}/papiers/{paper:str}/effacer", opt=who("person"), sync_to_thread=True)
def throw_page(request: Req, paper: FromPath[str]) -> Response[str]:
    """Before a paper goes to the bin: seven days to take it back."""
    return _throw_page(request, own_paper(request, paper))


def _throw_page(request: Req, card: PaperCard) -> Response[str]:
    back = f"papiers/{card.paper}"
    return page(request, "kiosk/throw.html", back=back, card=card, kind=kind_of(card), for_good=_goes_for_good(card))


def _goes_for_good(card: PaperCard) -> bool:
    return card.damaged or card.state in THROWN


@post("/{language:str}/papiers/{paper:str}/effacer", opt=who("person", over="papiers"), sync_to_thread=True)
def throw(request: Req, paper: FromPath[str], form: Sent) -> Response[Any]:
    """To the bin, and every share of it stops. What does not open, or is in the bin already, is erased for good.

    Only what was asked: a second tap on "for seven days" finds the paper in the bin and leaves it there.
    """
    context, session = context_of(request), signed_in(request)
    card, for_good = own_paper(request, paper), form.get("for_good") == "yes"
    if for_good and _goes_for_good(card):
        documents.erase_now(context, session, PaperId(paper))
        return go(request, "papiers?dit=efface")
    if card.state == "bin":
        return go(request, "papiers?dit=jete")
    if for_good or _goes_for_good(card):
        return _throw_page(request, card)  # it was taken back, or refused, since that page was drawn: another question
    try:
        documents.remove(context, session, PaperId(paper))
    except NotThere:
        if own_paper(request, paper).state != "bin":
            raise
    return go(request, "papiers?dit=jete")


@post("/{language:str}/papiers/{paper:str}/reprendre", opt=who("person", over="papiers"), sync_to_thread=True)
def restore(request: Req, paper: FromPath[str], form: Sent) -> Response[Any]:
    """Out of the bin, in its drawer again. When somebody sees that drawer, the person is told who, and asked, first."""
    shelf = PRIVATE if form.get("instead") == "private" else None
    try:
        documents.restore(context_of(request), signed_in(request), PaperId(paper), shelf=shelf, agreed=form.all("agreed"))
    except documents.WouldShow as question:
        place = f"papiers/{paper}/reprendre"
        return taking.would_show(request, question.seen, place=place, back=f"papiers/{paper}", instead="private")
    except NotThere:
        if own_paper(request, paper).state in THROWN:
            raise  # its days are over, or it was refused since
    return go(request, "papiers?dit=repris")


# --- Its drawer -----------------------------------------------------------------------------------------------------------


@get("/{language:str}/papiers/{paper:str}/tiroir", opt=who("person"), sync_to_thread=True)
def move_page(request: Req, paper: FromPath[str]) -> Response[str]:
    """K13 for a paper that already has a drawer."""
    card = kept_paper(request, paper)
    items, first = drawer_pages(request)
    items = [one for one in items if one[0] != card.shelf]
    return page(
        request, "kiosk/which_drawer.html", back=f"papiers/{paper}/que-faire", items=items, first=first, faults=[],
        place=f"papiers/{paper}/tiroir", what="", dont_know=False, private=DRAWERS["private"],
    )  # fmt: skip


@post("/{language:str}/papiers/{paper:str}/tiroir", opt=who("person"), sync_to_thread=True)
def move(request: Req, paper: FromPath[str], form: Sent) -> Response[Any]:
    """To another drawer. When somebody sees that drawer, the person is told who, and asked, first."""
    shelf = drawer(form.get("shelf"))
    try:
        documents.move(context_of(request), signed_in(request), PaperId(paper), shelf, agreed=form.all("agreed"))
    except documents.WouldShow as question:
        place = f"papiers/{paper}/tiroir"
        return taking.would_show(request, question.seen, place=place, back=place, hidden={"shelf": shelf})
    return go(request, f"papiers/{paper}?dit=change")


ROUTES: list[ControllerRouterHandler] = [
    papers, drawers, bin_page, paper, page_image, preview, name, rename, sort, sort_as, throw_page, throw, restore, move_page, move,
    *describing.ROUTES, *taking.ROUTES,
]  # fmt: skip
