"""Showing one paper in an assisted opening: to whom, what for, who is witness; the same question twice, the witness's yes between.

Nothing typed and nothing to remember: a choice on each page, one month, to look at. The other ways of sharing need the person's code.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.errors import TermsRefused
from consent.ids import PaperId, WorkerId
from consent.purposes import PurposeId
from consent.recipients import role
from consent.scope import Act
from vault import assisted, offers, witnessed, workers
from vault.errors import BadInput, Conflict, NoSession, NotThere
from vault.listing import PaperCard
from vault.offers import Choices, Line
from vault.pictograms import REASONS
from vault.web import as_shown
from vault.web.agreeing import REFUSED
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import address, asked, leaf
from vault.web.said_lines import paper_line, reason_line
from vault.web.shell import Req, go, language_of, page
from vault.witnessed import Wish
from vault.workers import KnownWorker

OF_A_STEP = who("assisted", over="avec-aide")
GIVEN = "avec-aide?dit=montre"
PEOPLE_A_PAGE = 3
REASONS_A_PAGE = 8
OFFERED = [(name, icon, f"reason.{name}") for name, icon in REASONS.items() if name != "other"]
"""All reasons but the one in the person's own words: nothing is typed here, and nobody types it for them."""


def _papers(request: Req) -> dict[PaperId, PaperCard]:
    return {card.paper: card for card in assisted.list_papers(context_of(request), signed_in(request))}


def _chosen(request: Req) -> tuple[Choices, PaperCard]:
    """What was chosen; NotThere when no paper was, or it is not among those that are open any more."""
    choices = offers.current(context_of(request), signed_in(request))
    card = _papers(request).get(choices.papers[0]) if len(choices.papers) == 1 else None
    if card is None:
        raise NotThere
    return choices, card


def _may_see(request: Req) -> list[KnownWorker]:
    return [one for one in workers.recipients(context_of(request), signed_in(request)) if Act.SEE in role(one.role).acts]


def _may_witness(request: Req, worker: WorkerId | None) -> list[KnownWorker]:
    """Those who could stand beside: not whoever helps to open, not whoever would see."""
    context, session = context_of(request), signed_in(request)
    besides = (assisted.helper_id(context, session), worker)
    return [one for one in workers.recipients(context, session) if role(one.role).may_assist and one.id not in besides]


def _one_of(found: list[KnownWorker], name: str | None) -> KnownWorker:
    for one in found:
        if one.id == name:
            return one
    raise NotThere


@post("/{language:str}/avec-aide/papiers/{paper:str}/montrer", opt=who("assisted"), sync_to_thread=True)
def begin(request: Req, paper: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """From the paper's own page. What was asked before, and not given, is forgotten."""
    if PaperId(paper) not in _papers(request):
        raise NotThere
    _chooses(request, Choices(papers=(PaperId(paper),)))
    return go(request, "avec-aide/montrer/qui")


def _chooses(request: Req, choices: Choices) -> None:
    """Keep it for the next page. Whoever chooses anew takes back what a witness was asked to stand for, or has signed."""
    context, session = context_of(request), signed_in(request)
    witnessed.forget(context, session)
    offers.keep(context, session, choices)


# --- To whom, what for, who stands beside ---------------------------------------------------------------------------------


def _people_page(request: Req, found: list[KnownWorker], here: str, back: str, title: str, text: str) -> Response[str]:
    shown = leaf(found, asked(request), PEOPLE_A_PAGE)
    return page(
        request, "kiosk/to_whom.html", back=back, people=shown.items, title=title, text=text, action=here,
        more=address(request, here, suite=shown.after) if shown.after else None,
        before=address(request, here, suite=shown.before) if shown.before else None,
    )  # fmt: skip


@get("/{language:str}/avec-aide/montrer/qui", opt=OF_A_STEP, sync_to_thread=True)
def to_whom(request: Req) -> Response[str]:
    """Three people a page, those of this place first."""
    choices, _ = _chosen(request)
    back = f"avec-aide/papiers/{choices.papers[0]}"
    return _people_page(request, _may_see(request), "avec-aide/montrer/qui", back, "k15.who_title", "k15.who_text")


@post("/{language:str}/avec-aide/montrer/qui", opt=OF_A_STEP, sync_to_thread=True)
def choose_worker(request: Req, form: Sent) -> Response[Any]:
    """The person chosen."""
    choices, _ = _chosen(request)
    found = _one_of(_may_see(request), form.get("worker"))
    _chooses(request, replace(choices, worker=found.id))
    return go(request, "avec-aide/montrer/pourquoi")


@get("/{language:str}/avec-aide/montrer/pourquoi", opt=OF_A_STEP, sync_to_thread=True)
def what_for(request: Req) -> Response[str]:
    """Eight reasons, and seven more."""
    _chosen(request)
    here = "avec-aide/montrer/pourquoi"
    shown = leaf(OFFERED, asked(request), REASONS_A_PAGE)
    return page(
        request, "kiosk/what_for.html", back="avec-aide/montrer/qui", items=shown.items, action=here,
        more=address(request, here, suite=shown.after),
    )  # fmt: skip


@post("/{language:str}/avec-aide/montrer/pourquoi", opt=OF_A_STEP, sync_to_thread=True)
def choose_reason(request: Req, form: Sent) -> Response[Any]:
    """The reason."""
    choices, _ = _chosen(request)
    if form.get("reason") not in {name for name, _, _ in OFFERED}:
        raise BadInput("reason", "error.nothing-chosen")
    _chooses(request, replace(choices, purpose=PurposeId(form.get("reason"))))
    return go(request, "avec-aide/montrer/temoin")


@get("/{language:str}/avec-aide/montrer/temoin", opt=OF_A_STEP, sync_to_thread=True)
def who_stands(request: Req) -> Response[str]:
    """A second person of the team, who is here."""
    choices, _ = _chosen(request)
    return _people_page(
        request, _may_witness(request, choices.worker), "avec-aide/montrer/temoin", "avec-aide/montrer/pourquoi", "assist.witness_title",
        "assist.witness_text",
    )  # fmt: skip


@post("/{language:str}/avec-aide/montrer/temoin", opt=OF_A_STEP, sync_to_thread=True)
def choose_witness(request: Req, form: Sent) -> Response[Any]:
    """The witness; then the question, for the first time."""
    choices, _ = _chosen(request)
    found = _one_of(_may_witness(request, choices.worker), form.get("worker"))
    _chooses(request, replace(choices, witness=found.id))
    return go(request, "avec-aide/montrer/accord")


# --- The question, twice ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asks:
    """One answer to each page: what would be given, to whom, who stands for it, until when."""

    paper: PaperId
    worker: WorkerId
    purpose: PurposeId
    witness: WorkerId
    until: date


@dataclass(frozen=True)
class Question:
    """What both pages show, whole, the lines of it in their order, and the digest of them."""

    asks: Asks
    witness: str
    reason: str
    lines: tuple[Line, ...]
    question: str


def _asked_first(request: Req) -> Asks:
    """What was chosen; NotThere when a question before it has no answer."""
    choices, card = _chosen(request)
    if not (choices.worker and choices.purpose and choices.witness):
        raise NotThere
    until = witnessed.last_day(context_of(request), signed_in(request), choices.worker)
    return Asks(card.paper, choices.worker, choices.purpose, choices.witness, until)


def _question(request: Req, asks: Asks) -> Question:
    card = _papers(request).get(asks.paper)
    if card is None:
        raise NotThere
    to = _one_of(_may_see(request), asks.worker)
    witness = _one_of(_may_witness(request, asks.worker), asks.witness)
    sentences = request.app.state.pages.catalogues[language_of(request)]
    reason = sentences.plain(f"reason.{asks.purpose}")
    lines = (
        Line("k15.title", 1, {"first": to.first_name}), paper_line(sentences, card), reason_line(asks.purpose, ""),
        Line("k15.until", None, {"day": sentences.day(asks.until)}), Line("k15.text"),
        Line("assist.witness_is", None, {"first": witness.first_name}),
    )  # fmt: skip
    shown = as_shown.question(request, lines, [asks.paper, asks.worker, asks.purpose, asks.witness])
    return Question(asks, witness.first_name, reason, lines, shown)


def _ask_page(request: Req, told: Question, *, again: bool, faults: list[Fault], status: int = 200) -> Response[str]:
    return page(
        request, "kiosk/helped_agree.html", status=status, back=None if again else "avec-aide/montrer/temoin",
        heading=told.lines[0], below=told.lines[1:], witness=told.witness, again=again, faults=faults, shown=told.question,
    )  # fmt: skip


@get("/{language:str}/avec-aide/montrer/accord", opt=OF_A_STEP, sync_to_thread=True)
def agree_page(request: Req) -> Response[str]:
    """The question, for the first time."""
    return _ask_page(request, _question(request, _asked_first(request)), again=False, faults=[])


@post("/{language:str}/avec-aide/montrer/accord", opt=OF_A_STEP, sync_to_thread=True)
def agree(request: Req, form: Sent) -> Response[Any]:
    """Yes asks the witness; anything else forgets. A yes to what another page has replaced asks nobody, and is asked again."""
    context, session = context_of(request), signed_in(request)
    if form.get("answer") != "yes":
        return _no(request)
    if _just_given(request, form):
        return go(request, GIVEN)
    told = _question(request, _asked_first(request))
    if not as_shown.is_for(form, told.question):
        return _ask_page(request, told, again=False, faults=[as_shown.ANOTHER])
    sentences = request.app.state.pages.catalogues[language_of(request)]
    said = offers.said(sentences, told.lines, heard=form.get("heard") == "yes", interpreter=form.get("interpreter") == "yes")
    asks = told.asks
    try:
        witnessed.ask(context, session, Wish(asks.paper, asks.worker, asks.purpose, asks.witness, said, told.reason))
    except TermsRefused as refused:
        faults = [Fault(REFUSED.get(refused.reason, "error.not-allowed"))]
        return _ask_page(request, told, again=False, faults=faults, status=422)
    return go(request, "avec-aide/montrer/attente")


@get("/{language:str}/avec-aide/montrer/attente", opt=OF_A_STEP, sync_to_thread=True)
def waiting(request: Req) -> Response[Any]:
    """The digits to say; the page looks again by itself until the witness has signed, or said no."""
    context, session = context_of(request), signed_in(request)
    try:
        told = witnessed.waiting(context, session)
    except (NotThere, NoSession):
        if witnessed.given_last(context, session) is not None:
            return go(request, GIVEN)
        return page(request, "kiosk/helped_unsigned.html", back=None, status=200)
    if told.signed:
        return go(request, "avec-aide/montrer/encore")
    first = _one_of(_may_witness(request, told.worker), told.witness).first_name
    return page(request, "kiosk/helped_witness.html", back=None, code=told.code, first=first)


@get("/{language:str}/avec-aide/montrer/encore", opt=OF_A_STEP, sync_to_thread=True)
def again_page(request: Req) -> Response[Any]:
    """The same question, once the witness has signed: what was signed for, whatever was chosen since."""
    told = _signed(request)
    return _ask_page(request, told, again=True, faults=[]) if told else go(request, "avec-aide/montrer/attente")


def _just_given(request: Req, form: Form) -> bool:
    """Whether this very question had its second yes already: the second of two taps, which gives nothing and takes nothing back."""
    return witnessed.given_last(context_of(request), signed_in(request)) == form.get(as_shown.FIELD)


def _signed(request: Req) -> Question | None:
    try:
        told = witnessed.waiting(context_of(request), signed_in(request))
    except (NotThere, NoSession):
        return None
    asks = Asks(told.paper, told.worker, told.purpose, told.witness, told.last_day)
    return _question(request, asks) if told.signed else None


@post("/{language:str}/avec-aide/montrer/encore", opt=OF_A_STEP, sync_to_thread=True)
def again(request: Req, form: Sent) -> Response[Any]:
    """The second yes gives it: what stood there, and no other. Pressed twice it says what the first of two taps has done."""
    if form.get("answer") != "yes":
        return _no(request)
    if _just_given(request, form):
        return go(request, GIVEN)
    context, session = context_of(request), signed_in(request)
    told = _signed(request)
    if told is None:
        return go(request, "avec-aide/montrer/attente")
    if not as_shown.is_for(form, told.question):
        return _ask_page(request, told, again=True, faults=[as_shown.ANOTHER])
    try:
        witnessed.give(context, session, told.question)
    except (NotThere, NoSession, Conflict):
        return go(request, GIVEN if _just_given(request, form) else "avec-aide/montrer/attente")
    offers.forget(context, session)
    return go(request, GIVEN)


@post("/{language:str}/avec-aide/montrer/non", opt=OF_A_STEP, sync_to_thread=True)
def stop(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """No, while the witness is awaited."""
    return _no(request)


def _no(request: Req) -> Response[Any]:
    context, session = context_of(request), signed_in(request)
    witnessed.forget(context, session)
    offers.forget(context, session)
    return go(request, "avec-aide")


ROUTES: list[ControllerRouterHandler] = [
    begin, to_whom, choose_worker, what_for, choose_reason, who_stands, choose_witness, agree_page, agree, waiting, again_page, again,
    stop,
]  # fmt: skip
