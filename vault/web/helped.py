"""Opening with somebody's help: the person's choice, the kiosk's six digits, and the drawers that open by it."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.ids import PaperId
from consent.purposes import ShelfKind
from consent.recipients import role
from vault import asking, assisted, assisting, card_keeping, people, workers
from vault.errors import BadInput, Busy, MustWait, NotThere, WrongSecret
from vault.pictograms import DRAWERS
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.home import secret_fault, secret_of
from vault.web.pages import Fault
from vault.web.paging import address, asked, leaf
from vault.web.paper_items import item, kind_of
from vault.web.shell import Req, fragment, go, page
from vault.web.unlock import picked_pictures, refused

PAPERS_A_PAGE = 9
SAID = {"refuse": "assist.refused", "arrete": "assist.stopped", "montre": "assist.given"}

# --- The person's choice --------------------------------------------------------------------------------------------------


@get("/{language:str}/moi/accompagne", opt=who("person"), sync_to_thread=True)
def mine(request: Req) -> Response[str]:
    """Who opens with me, which drawers, and the way to stop it; off unless it was chosen."""
    told = assisting.help_of(context_of(request), signed_in(request))
    return page(request, "kiosk/helped.html", back="moi/autres", told=told)


@get("/{language:str}/moi/accompagne/choisir", opt=who("person"), sync_to_thread=True)
def choose_page(request: Req) -> Response[str]:
    """One worker, some drawers, the code again; what it means is said before."""
    return _choose_page(request, [])


def _choose_page(request: Req, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    context, session = context_of(request), signed_in(request)
    keeper = card_keeping.keeper_of(context, session)
    known = workers.recipients(context, session)
    offered = [one for one in known if role(one.role).may_assist and (keeper is None or one.id != keeper.worker)]
    kinds = [name for name in DRAWERS if name != assisting.NEVER_LENT]
    return page(
        request, "kiosk/choose_helper.html", status=status, back="moi/accompagne", faults=faults, offered=offered, kinds=kinds,
        chosen=form.get("worker") if form else "", ticked=form.all("drawer") if form else (),
    )  # fmt: skip


@post("/{language:str}/moi/accompagne/choisir", opt=who("person"), sync_to_thread=True)
def choose(request: Req, form: Sent) -> Response[Any]:
    """Chosen: from now on that worker and the card open these drawers."""
    context, session = context_of(request), signed_in(request)
    told, drawers = people.me(context, session), [ShelfKind(one) for one in form.all("drawer") if one in DRAWERS]
    if not form.get("worker") or not drawers:  # said before the secret is tried
        return _choose_page(request, [Fault("assist.close")], form, 422)
    try:
        assisting.choose(
            context, session, secret_of(form), form.get("worker"), drawers, name=told.name or "", drawing=told.drawing
        )  # fmt: skip
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        if isinstance(error, BadInput) and error.field in ("worker", "drawers"):
            return _choose_page(request, [Fault("assist.close")], form, 422)
        faults, status = secret_fault(request, error)
        return _choose_page(request, faults, form, status)
    return go(request, "moi/accompagne")


@post("/{language:str}/accompagne/arreter", opt=who("person", "assisted"), sync_to_thread=True)
def stop(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """Nobody opens with the person any more. An assisted session ends with it."""
    session = signed_in(request)
    assisting.stop(context_of(request), session)
    return go(request, "moi/accompagne" if session.kind == "person" else "fin")


# --- At the kiosk, with the card ------------------------------------------------------------------------------------------


@get("/{language:str}/accompagne", opt=who("card"), sync_to_thread=True)
def begin_page(request: Req) -> Response[str]:
    """What it is, and the button that gives the digits."""
    return page(request, "kiosk/helped_begin.html", back="code")


@post("/{language:str}/accompagne", opt=who("card"), sync_to_thread=True)
def begin(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """Six digits to say; a card that nobody knows gets some too."""
    assisted.start(context_of(request), signed_in(request))
    return go(request, "accompagne/attente")


@get("/{language:str}/accompagne/attente", opt=who("card"), sync_to_thread=True)
def waiting(request: Req) -> Response[Any]:
    """The digits; the page looks again by itself until the worker has typed them."""
    told = assisted.asked(context_of(request), signed_in(request))
    if told.answered:
        return go(request, "accompagne/images")
    return page(request, "kiosk/helped_waiting.html", back="accompagne", code=told.code)


@get("/{language:str}/accompagne/images", opt=who("card"), sync_to_thread=True)
def pictures_page(request: Req) -> Response[str]:
    """The five pictures, for who chose to add them."""
    return page(request, "kiosk/helped_pictures.html", back="accompagne", faults=[])


@post("/{language:str}/accompagne/images", opt=who("card"), sync_to_thread=True)
def finish(request: Req, form: Sent) -> Response[Any]:
    """Open, or say that it did not work: never why."""
    try:
        chosen = None if form.has("none") else picked_pictures(form)
        cookie = assisted.finish(context_of(request), signed_in(request), chosen)
    except BadInput:
        faults = [Fault("error.pictures-count")]
        return page(request, "kiosk/helped_pictures.html", status=422, back="accompagne", faults=faults)
    except (WrongSecret, MustWait) as error:
        return refused(request, error, "accompagne")
    return go(request, "avec-aide", cookie=cookie)


# --- What is open ---------------------------------------------------------------------------------------------------------


@get("/{language:str}/avec-aide", opt=who("assisted"), sync_to_thread=True)
def home(request: Req) -> Response[str]:
    """The papers of the lent drawers; who helps is said on top, at each opening."""
    context, session = context_of(request), signed_in(request)
    shown = leaf(assisted.list_papers(context, session), asked(request), PAPERS_A_PAGE)
    items = [item(request, card, url=fragment(request, f"avec-aide/papiers/{card.paper}")) for card in shown.items]
    return page(
        request, "kiosk/helped_home.html", first=assisted.helper(context, session), items=items,
        said=SAID.get(request.query_params.get("dit", "")),
        before=address(request, "avec-aide", suite=shown.before) if shown.before else None,
        after=address(request, "avec-aide", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@get("/{language:str}/avec-aide/papiers/{paper:str}", opt=who("assisted"), sync_to_thread=True)
def paper(request: Req, paper: FromPath[str]) -> Response[str]:
    """One paper of a lent drawer, page by page."""
    cards = {card.paper: card for card in assisted.list_papers(context_of(request), signed_in(request))}
    card = cards.get(PaperId(paper))
    if card is None:
        raise NotThere
    number = min(asked(request), max(card.pages, 1))
    here = f"avec-aide/papiers/{paper}"
    return page(
        request, "kiosk/helped_paper.html", back="avec-aide", card=card, kind=kind_of(card), number=number,
        before=address(request, here, suite=number - 1) if number > 1 else None,
        after=address(request, here, suite=number + 1) if number < card.pages else None,
    )  # fmt: skip


@get("/{language:str}/avec-aide/papiers/{paper:str}/page/{number:int}", opt=who("assisted"), sync_to_thread=True)
def image(request: Req, paper: FromPath[str], number: FromPath[int]) -> Response[bytes]:
    """A page of it."""
    made = assisted.page_image(context_of(request), signed_in(request), PaperId(paper), number)
    return Response(made.jpeg, media_type="image/jpeg")


@post("/{language:str}/avec-aide/refuser", opt=who("assisted"), sync_to_thread=True)
def refuse(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """No to everything that is asked: narrowing needs no key."""
    asking.refuse_all(context_of(request), signed_in(request))
    return go(request, "avec-aide?dit=refuse")


ROUTES: list[ControllerRouterHandler] = [
    mine, choose_page, choose, stop, begin_page, begin, waiting, pictures_page, finish, home, paper, image, refuse,
]  # fmt: skip
