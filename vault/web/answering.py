"""K16: somebody asks for a paper. I give, I have not, I do not want: three answers of the same size, none needs a reason."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.ids import KindId, PaperId, WorkerId
from consent.purposes import PRIVATE
from consent.scope import Act
from vault import asking, documents, offers, sharing
from vault.asking import Waiting
from vault.errors import NotThere
from vault.offers import Choices
from vault.pictograms import KINDS
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.paging import PICTURES, address, asked, leaf
from vault.web.paper_items import KEPT, item, kind_of
from vault.web.shell import Req, go, page

SAID = {"reponse": "k16.answered", "donne": "k16.given"}


def _asked_for(request: Req, form: Form | None = None) -> tuple[Waiting, KindId]:
    """The question on the page: the oldest request, its first kind; with a form, the one that it answers. NotThere."""
    waiting = asking.waiting_for_me(context_of(request), signed_in(request))
    for one in waiting:
        for kind in one.kinds:
            if form is None or (one.request == form.get("request") and kind == form.get("kind")):
                return one, kind
    raise NotThere


@get("/{language:str}/demandes", opt=who("person"), sync_to_thread=True)
def requests(request: Req) -> Response[str]:
    """K16, one kind of paper at a time."""
    said = SAID.get(request.query_params.get("dit", ""))
    try:
        one, kind = _asked_for(request)
    except NotThere:
        return page(request, "kiosk/no_request.html", back="maison", said=said)
    shown = kind if kind in KINDS else "other"
    return page(request, "kiosk/request.html", back="maison", said=said, one=one, kind=kind, shown_kind=shown)


@post("/{language:str}/demandes", opt=who("person"), sync_to_thread=True)
def answer(request: Req, form: Sent) -> Response[Any]:
    """The answer. A request that was answered meanwhile is simply no longer asked."""
    context, session = context_of(request), signed_in(request)
    try:
        one, kind = _asked_for(request, form)
    except NotThere:
        return go(request, "demandes")
    match form.get("answer"):
        case "give":
            limits = sharing.offer_limits(context, session, one.worker)
            chosen = Choices(
                worker=WorkerId(one.worker), purpose=one.purpose, own_words=one.own_words, acts=frozenset({Act.SEE}),
                until=limits.default_until, request=one.request, kind=kind,
            )  # fmt: skip
            offers.keep(context, session, chosen)
            return go(request, "demandes/papier")
        case "have-not":
            asking.have_not(context, session, one.request, kind)
        case "refuse":
            asking.refuse(context, session, one.request, kind)
        case _:
            return go(request, "demandes")
    return go(request, "demandes?dit=reponse")


def _giving(request: Req) -> Choices:
    choices = offers.current(context_of(request), signed_in(request))
    if choices.request is None:
        raise NotThere
    return choices


@get("/{language:str}/demandes/papier", opt=who("person"), sync_to_thread=True)
def which_paper(request: Req) -> Response[str]:
    """Which paper to give: those of the kind that is asked for first."""
    choices = _giving(request)
    found = documents.list_papers(context_of(request), signed_in(request))
    kept = [card for card in found if card.state in KEPT and card.shelf != PRIVATE and not card.damaged]
    kept.sort(key=lambda card: kind_of(card) != choices.kind)
    shown = leaf(kept, asked(request), PICTURES)
    return page(
        request, "kiosk/which_to_give.html", back="demandes", kind=choices.kind if choices.kind in KINDS else "other",
        items=[item(request, card, names=True) for card in shown.items],
        before=address(request, "demandes/papier", suite=shown.before) if shown.before else None,
        after=address(request, "demandes/papier", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@post("/{language:str}/demandes/papier", opt=who("person"), sync_to_thread=True)
def choose_paper(request: Req, form: Sent) -> Response[Any]:
    """The paper; then K15 says all of it once more."""
    choices = _giving(request)
    given = Choices(
        papers=(PaperId(form.need("paper")),), worker=choices.worker, purpose=choices.purpose, own_words=choices.own_words,
        acts=choices.acts, until=choices.until, request=choices.request, kind=choices.kind,
    )  # fmt: skip
    offers.keep(context_of(request), signed_in(request), given)
    return go(request, "montrer/accord")


ROUTES: list[ControllerRouterHandler] = [requests, answer, which_paper, choose_paper]
