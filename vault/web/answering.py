"""K16: somebody asks for a paper, or for all those of a procedure. I give, I have not, I do not want: none needs a reason.

A whole procedure is one page, three answers on each line, and one share at the end for all that is given.
"""

from dataclasses import dataclass, replace
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.errors import RequestRefused
from consent.ids import KindId, PaperId, WorkerId
from consent.scope import Act
from vault import asking, documents, offers, procedure_asking, sharing
from vault.asking import Waiting
from vault.errors import NotThere
from vault.listing import PaperCard
from vault.offers import Choices
from vault.pictograms import KINDS
from vault.procedure_asking import Wanted
from vault.web.agreeing import GONE
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import PICTURES, address, asked, leaf
from vault.web.paper_items import item, kind_of
from vault.web.shell import Req, go, page

SAID = {
    "reponse": "k16.answered", "donne": "k16.given", "passee": "k16.no_longer", "partie": "k16.away", GONE: "k15.paper_gone",
}  # fmt: skip


NO = {"have-not": asking.have_not, "refuse": asking.refuse}


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
    """K16, one kind of paper at a time; a whole procedure on one page."""
    said = SAID.get(request.query_params.get("dit", ""))
    try:
        one, kind = _asked_for(request)
    except NotThere:
        return page(request, "kiosk/no_request.html", back="maison", said=said)
    if one.procedure:
        return _whole_page(request, one, [], said=said)
    shown = kind if kind in KINDS else "other"
    return page(request, "kiosk/request.html", back="maison", said=said, one=one, kind=kind, shown_kind=shown)


def _begun(request: Req, one: Waiting, **more: Any) -> Choices:
    limits = sharing.offer_limits(context_of(request), signed_in(request), one.worker)
    return Choices(
        worker=WorkerId(one.worker), purpose=one.purpose, own_words=one.own_words, acts=frozenset({Act.SEE}),
        until=limits.default_until, request=one.request, **more,
    )  # fmt: skip


@post("/{language:str}/demandes", opt=who("person", over="demandes"), sync_to_thread=True)
def answer(request: Req, form: Sent) -> Response[Any]:
    """The answer. A request that was answered meanwhile is simply no longer asked."""
    context, session = context_of(request), signed_in(request)
    one, kind = _asked_for(request, form)
    said = form.get("answer")
    if said == "give":
        offers.keep(context, session, _begun(request, one, todo=(kind,)))
        return go(request, "demandes/papier")
    if said not in NO:
        return go(request, "demandes")
    return go(request, "demandes?dit=reponse" if _no(request, one, kind, said) else "demandes?dit=passee")


def _no(request: Req, one: Waiting, kind: KindId, said: str) -> bool:
    """Say one of the two noes; False when another tap was faster."""
    try:
        NO[said](context_of(request), signed_in(request), one.request, kind)
    except RequestRefused:
        return False
    return True


# --- A whole procedure ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of the page: the name of its answer, what it is shown as, how many papers answer it, the answer already ticked."""

    name: str
    kind: str
    papers: int
    chosen: str


def _rows(wanted: list[Wanted], form: Form | None) -> list[Row]:
    return [
        Row(f"answer-{one.kind}", one.kind if one.kind in KINDS else "other", len(one.papers),
            form.get(f"answer-{one.kind}") if form else "")
        for one in wanted
    ]  # fmt: skip


def _whole_page(
    request: Req, one: Waiting, faults: list[Fault], form: Form | None = None, *, said: str | None = None, status: int = 200
) -> Response[str]:
    wanted = procedure_asking.wanted(context_of(request), signed_in(request), one)
    named = request.app.state.pages.catalogues["fr"].has(f"procedure.name.{one.procedure}")
    return page(
        request, "kiosk/whole_request.html", status=status, back="maison", said=said, faults=faults, one=one,
        rows=_rows(wanted, form), procedure=f"procedure.name.{one.procedure}" if named else "",
    )  # fmt: skip


@post("/{language:str}/demandes/demarche", opt=who("person"), sync_to_thread=True)
def answer_whole(request: Req, form: Sent) -> Response[Any]:
    """All the answers at once. What was left open still waits; what is given goes on to K15, as one share."""
    context, session = context_of(request), signed_in(request)
    waiting = asking.waiting_for_me(context, session)
    one = next((one for one in waiting if one.request == form.get("request") and one.procedure), None)
    if one is None:
        return go(request, "demandes")
    said = {kind: form.get(f"answer-{kind}") for kind in one.kinds}
    if not any(said.values()):
        if any(value for name, value in form.fields if name.startswith("answer-")):
            return go(request, "demandes?dit=reponse")  # a second tap: these lines have their answers
        return _whole_page(request, one, [Fault("error.nothing-chosen")], form, status=422)
    for kind, word in said.items():
        if word in NO:
            _no(request, one, kind, word)
    given = [kind for kind, word in said.items() if word == "give"]
    if not given:
        return go(request, "demandes?dit=reponse")
    return _choose(request, one, given)


def _choose(request: Req, one: Waiting, given: list[KindId]) -> Response[Any]:
    """Where exactly one paper answers a line it is taken; the others are asked for one after the other."""
    known = {want.kind: want.papers for want in procedure_asking.wanted(context_of(request), signed_in(request), one)}
    sure = {kind: known[kind][0].paper for kind in given if len(known.get(kind, ())) == 1}
    chosen = _begun(
        request, one, papers=tuple(dict.fromkeys(sure.values())), kinds=tuple(sure), todo=tuple(kind for kind in given if kind not in sure)
    )  # fmt: skip
    offers.keep(context_of(request), signed_in(request), chosen)
    return _go_on(request, chosen)


def _go_on(request: Req, chosen: Choices) -> Response[Any]:
    return go(request, "demandes/papier" if chosen.todo else "montrer/comment")


# --- Which paper ----------------------------------------------------------------------------------------------------------


def _giving(request: Req) -> Choices:
    choices = offers.current(context_of(request), signed_in(request))
    if choices.request is None or not choices.todo:
        raise NotThere
    return choices


def _answering(request: Req, choices: Choices) -> frozenset[PaperId]:
    """The papers of the kind that is asked for, or of those that answer its line of the procedure."""
    context, session = context_of(request), signed_in(request)
    one = next((one for one in asking.waiting_for_me(context, session) if one.request == choices.request), None)
    if one is None:
        raise NotThere
    found = next((want for want in procedure_asking.wanted(context, session, one) if want.kind == choices.todo[0]), None)
    return frozenset(card.paper for card in found.papers) if found else frozenset()


@get("/{language:str}/demandes/papier", opt=who("person", over="demandes"), sync_to_thread=True)
def which_paper(request: Req) -> Response[str]:
    """Which paper to give: those of the kind that is asked for first."""
    return _which_page(request, _giving(request), [])


def _kept(request: Req) -> list[PaperCard]:
    return procedure_asking.can_be_given(documents.list_papers(context_of(request), signed_in(request)))


def _which_page(request: Req, choices: Choices, faults: list[Fault], status: int = 200) -> Response[str]:
    first, kind = _answering(request, choices), choices.todo[0]
    kept = sorted(_kept(request), key=lambda card: (card.paper not in first, kind_of(card) != kind))
    shown = leaf(kept, asked(request), PICTURES)
    return page(
        request, "kiosk/which_to_give.html", status=status, back="demandes", faults=faults, asked_by=choices.request, kind=kind,
        shown_kind=kind if kind in KINDS else "other",
        items=[item(request, card, names=True) for card in shown.items],
        before=address(request, "demandes/papier", suite=shown.before) if shown.before else None,
        after=address(request, "demandes/papier", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@post("/{language:str}/demandes/papier", opt=who("person", over="demandes"), sync_to_thread=True)
def choose_paper(request: Req, form: Sent) -> Response[Any]:
    """The paper of the line that the page asked about; then the next line's; then whether to look or a copy (ADR 125), and K15 says all
    of it once more. A second tap goes on to what stands then; another paper for a line that has one begins the answer anew."""
    choices, paper = offers.current(context_of(request), signed_in(request)), PaperId(form.need("paper"))
    if choices.request != form.get("request") or choices.given:
        return go(request, "demandes")
    if form.get("kind") not in choices.todo[:1]:
        return _go_on(request, choices) if paper in choices.papers else go(request, "demandes")
    if paper not in {card.paper for card in _kept(request)}:
        return _which_page(request, choices, [Fault("k15.paper_gone")], 422)
    chosen = replace(
        choices, papers=tuple(dict.fromkeys((*choices.papers, paper))), kinds=(*choices.kinds, choices.todo[0]), todo=choices.todo[1:],
    )  # fmt: skip
    offers.keep(context_of(request), signed_in(request), chosen)
    return _go_on(request, chosen)


ROUTES: list[ControllerRouterHandler] = [requests, answer, answer_whole, which_paper, choose_paper]
