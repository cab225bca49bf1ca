"""K12 and K13: "On lit bien ?", turn, cut, again, one page more; then a drawer and a kind, each in one touch."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.purposes import ShelfKind
from vault import adding, drafts, leaving, widening
from vault.adding import Adding
from vault.errors import BadInput, NotThere, TooMuch
from vault.kinds import Kind, PaperLimits
from vault.pictograms import DRAWERS
from vault.refusals import PaperRefused
from vault.web.errors import status_and_sentence
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paper_items import drawer, drawer_pages
from vault.web.paper_kinds import chosen_kind, kinds_page
from vault.web.place import here
from vault.web.shell import Req, go, page
from vault.web.taking import would_show
from vault.widening import WouldShow

UNSORTED = ShelfKind("other")
PAGE = "page"
IMAGE = "image"
FOR = "pour"
"""What an address and a form of K13 are about: the paper or the photos by name, and for the kind the drawer too (ADR 0122)."""


def _number(text: str, most: int) -> int:
    """A page number that an address or a form names, within what there is."""
    return min(max(int(text), 1), most) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _way(request: Req) -> str:
    return "ajouter/photo" if here(request).equipment.camera else "ajouter/fichier"


@get("/{language:str}/ajouter/lire", opt=who("person", over="papiers"), sync_to_thread=True)
def read(request: Req) -> Response[Any]:
    """K12: the last page that was added, or the one asked for."""
    return _read_page(request, request.query_params.get(PAGE, ""), [])


def _read_page(request: Req, asked: str, faults: list[Fault], status: int = 200) -> Response[Any]:
    draft = drafts.current(context_of(request), signed_in(request))
    if draft is None:
        return go(request, "ajouter")
    number = _number(asked, len(draft.pages)) if asked else len(draft.pages)
    one = draft.pages[number - 1]
    image = _number(request.query_params.get(IMAGE, ""), one.images)
    whole = one.kind is Kind.PDF
    return page(
        request, "kiosk/read.html", status=status, back="maison", faults=faults, one=one, image=image, whole=whole,
        total=one.images if whole else len(draft.pages), shown=image if whole else number,
        turns=f"ajouter/lire?{PAGE}={number}&{IMAGE}=" if whole else f"ajouter/lire?{PAGE}=",
        may_join=not whole and len(draft.pages) < PaperLimits().pages,
        again=_way(request), what=draft.name,
    )  # fmt: skip


@get("/{language:str}/ajouter/page/{number:int}", opt=who("person"), sync_to_thread=True)
def draft_image(request: Req, number: FromPath[int]) -> Response[bytes]:
    """A page of what is being added, as it will be seen."""
    wanted = _number(request.query_params.get(IMAGE, ""), PaperLimits().pages)
    image = drafts.image(context_of(request), signed_in(request), number, page=wanted)
    return Response(image.jpeg, media_type="image/jpeg")


@post("/{language:str}/ajouter/lire", opt=who("person", over="papiers"), sync_to_thread=True)
def change(request: Req, form: Sent) -> Response[Any]:
    """Turn the page, cut an edge, take it as it was; or throw this page away and begin it again."""
    context, session, photo = context_of(request), signed_in(request), form.get("photo")
    draft = drafts.current(context, session)
    number = next((one.number for one in draft.pages if one.photo == photo), None) if draft else None
    if form.has("again"):
        if number is not None:
            with suppress(NotThere):  # a second tap at the same moment
                drafts.remove(context, session, number, photo=photo)
        return go(request, _way(request))
    if number is None:
        return go(request, "ajouter/lire")
    nudge = form.get("nudge")
    if nudge not in get_args(drafts.Nudge):
        raise BadInput("nudge")
    try:
        drafts.adjust(context, session, number, cast("drafts.Nudge", nudge))
    except PaperRefused as error:
        status, sentence = status_and_sentence(error)
        return _read_page(request, str(number), [Fault(sentence)], status)
    return go(request, f"ajouter/lire?{PAGE}={number}")


# --- K13 ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Something:
    """What is being put away, and how forms and addresses name it."""

    told: Adding
    name: str

    @property
    def drawers(self) -> str:
        """Where its drawer is asked."""
        return f"ajouter/tiroir?{FOR}={self.name}"

    @property
    def with_drawer(self) -> str:
        """The same once its drawer is chosen."""
        return f"{self.name}.{self.told.shelf}"


def _something(request: Req) -> Something:
    """A paper from the phone, or the draft. NotThere when there is neither."""
    context, session = context_of(request), signed_in(request)
    told = adding.current(context, session)
    if told.paper is not None and told.paper in [card.paper for card in leaving.arrived(context, session)]:
        return Something(told, told.paper)
    draft = drafts.current(context, session)
    if draft is None:
        raise NotThere
    return Something(Adding(None, told.shelf if told.paper is None else None), draft.name)


def _stands(request: Req, told: Adding) -> Response[Any]:
    """Another paper, other photos or another drawer than the page was about: what waits now is looked at first."""
    return go(request, "ajouter/telephone/arrive" if told.paper else "ajouter/lire")


@get("/{language:str}/ajouter/tiroir", opt=who("person", over="ajouter"), sync_to_thread=True)
def which_drawer(request: Req) -> Response[Any]:
    """K13: five pictures, five more, or "je ne sais pas"."""
    one = _something(request)
    if request.query_params.get(FOR, one.name) != one.name:
        return _stands(request, one.told)
    return _drawer_page(request, one, [])


def _drawer_page(request: Req, one: Something, faults: list[Fault], status: int = 200) -> Response[str]:
    items, first = drawer_pages(request)
    return page(
        request, "kiosk/which_drawer.html", status=status, items=items, first=first, faults=faults, place="ajouter/tiroir",
        what=one.name, back="ajouter/telephone/arrive" if one.told.paper else "ajouter/lire", dont_know=True,
        private=DRAWERS["private"],
    )  # fmt: skip


@post("/{language:str}/ajouter/tiroir", opt=who("person", over="papiers"), sync_to_thread=True)
def choose_drawer(request: Req, form: Sent) -> Response[Any]:
    """The drawer. When somebody sees it, the person is told who, and asked, before anything is put in."""
    context, session, one = context_of(request), signed_in(request), _something(request)
    if form.get(FOR) != one.name:
        return _stands(request, one.told)
    dont_know, agreed = form.has("dont_know"), form.all("agreed")
    shelf = UNSORTED if dont_know else drawer(form.get("shelf"))
    try:
        widening.ask(widening.would_see(context, session, [shelf]), agreed)
    except WouldShow as question:
        return _asks(request, one, question, {"dont_know": "yes"} if dont_know else {"shelf": shelf})
    adding.agree(context, session, agreed)
    chosen = replace(one, told=Adding(one.told.paper, shelf))
    if dont_know:
        return _keep(request, chosen, "")
    adding.keep(context, session, chosen.told)
    return go(request, f"ajouter/sorte?{FOR}={chosen.with_drawer}")


def _asks(request: Req, one: Something, question: WouldShow, hidden: dict[str, str]) -> Response[str]:
    return would_show(request, question.seen, place=one.drawers, back=one.drawers, hidden={FOR: one.name, **hidden})


@get("/{language:str}/ajouter/sorte", opt=who("person", over="ajouter"), sync_to_thread=True)
def which_kind(request: Req) -> Response[Any]:
    """Which paper is it? The likely ones of that drawer; one may not know."""
    one = _something(request)
    if one.told.shelf is None:
        return go(request, "ajouter/tiroir")
    if request.query_params.get(FOR, one.with_drawer) != one.with_drawer:
        return _stands(request, one.told)
    return kinds_page(request, one.told.shelf, place="ajouter/sorte", back=one.drawers, what=one.with_drawer)


@post("/{language:str}/ajouter/sorte", opt=who("person", over="papiers"), sync_to_thread=True)
def choose_kind(request: Req, form: Sent) -> Response[Any]:
    """The last question: then the paper is kept."""
    one = _something(request)
    if one.told.shelf is None or form.get(FOR) != one.with_drawer:
        return _stands(request, one.told)
    return _keep(request, one, chosen_kind(form))


def _keep(request: Req, one: Something, sort: str) -> Response[Any]:
    """Keep it. What refuses here changes nothing: the paper still waits, and the page says what to do."""
    context, session, told = context_of(request), signed_in(request), one.told
    shelf = told.shelf or UNSORTED
    agreed = adding.agreed(context, session)
    try:
        if told.paper is None:
            drafts.keep(context, session, shelf, sort=sort, agreed=agreed)
        else:
            leaving.confirm(context, session, told.paper, shelf=shelf, sort=sort, agreed=agreed)
    except WouldShow as question:  # the drawer was shown to somebody on another screen, after it was chosen here
        return _asks(request, one, question, {"shelf": shelf})
    except (PaperRefused, TooMuch) as error:
        status, sentence = status_and_sentence(error)
        return _read_page(request, "", [Fault(sentence)], status)
    adding.forget(context, session)
    return go(request, "papiers?dit=garde")


ROUTES: list[ControllerRouterHandler] = [
    read, draft_image, change, which_drawer, choose_drawer, which_kind, choose_kind,
]  # fmt: skip
