""" "Carte gardée à l'accueil": who keeps my card, what they can do with it (nothing), and the touch that ends it."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.recipients import role
from vault import assisting, card_keeping, people, workers
from vault.errors import BadInput, NoSession
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import address, asked, leaf
from vault.web.shell import Req, go, page

KEEPERS_A_PAGE = 3


@get("/{language:str}/moi/carte-gardee", opt=who("person"), sync_to_thread=True)
def mine(request: Req) -> Response[str]:
    """Who keeps it, since when; or what it would mean. Off unless it was chosen."""
    keeper = card_keeping.keeper_of(context_of(request), signed_in(request))
    return page(request, "kiosk/kept_card.html", back="moi/autres", keeper=keeper)


@get("/{language:str}/moi/carte-gardee/choisir", opt=who("person"), sync_to_thread=True)
def choose_page(request: Req) -> Response[str]:
    """One worker; whoever helps to open is not among them."""
    return _choose_page(request, [])


def _choose_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    context, session = context_of(request), signed_in(request)
    helper = assisting.help_of(context, session)
    known = workers.recipients(context, session)
    may = [one for one in known if role(one.role).may_guard and (helper is None or one.id != helper.worker)]
    shown = leaf(may, asked(request), KEEPERS_A_PAGE)
    return page(
        request, "kiosk/choose_keeper.html", status=status, back="moi/carte-gardee", faults=faults, offered=shown.items,
        more=address(request, "moi/carte-gardee/choisir", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@post("/{language:str}/moi/carte-gardee/choisir", opt=who("person"), sync_to_thread=True)
def choose(request: Req, form: Sent) -> Response[Any]:
    """Chosen: the card is given to them by hand, here and now."""
    context, session = context_of(request), signed_in(request)
    told = people.me(context, session)
    try:
        card_keeping.keep(context, session, form.get("worker"), name=told.name or "", drawing=told.drawing)
    except BadInput:
        return _choose_page(request, [Fault("error.nothing-chosen")], 422)
    except NoSession:  # opened with words: no card is known here, and none can be kept
        return _choose_page(request, [Fault("kept.no_card")], 422)
    return go(request, "moi/carte-gardee")


@post("/{language:str}/carte-reprise", opt=who("person", "assisted"), sync_to_thread=True)
def take_back(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """The person has their card again."""
    session = signed_in(request)
    card_keeping.take_back(context_of(request), session)
    return go(request, "moi/carte-gardee" if session.kind == "person" else "avec-aide")


ROUTES: list[ControllerRouterHandler] = [mine, choose_page, choose, take_back]
