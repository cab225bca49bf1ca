"""K15: show papers to a named person. Who, what for, see or a copy, until when; then all of it once more, and a yes.

What was chosen waits in the session's sealed state, so that each question is a page of its own, in any language, with a way back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.days import add_months
from consent.errors import TermsReason, TermsRefused
from consent.ids import PaperId
from consent.purposes import PRIVATE, PurposeId
from consent.recipients import role
from consent.scope import MOST_PAPERS, Act
from consent.terms import LONGEST_OWN_WORDS
from vault import asking, documents, offers, sharing, workers
from vault.documents import PaperCard
from vault.errors import BadInput, NotThere
from vault.offers import Choices, Line
from vault.pictograms import REASONS
from vault.settings import today_in_paris
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import NEXT, PICTURES, address, asked, leaf
from vault.web.paper_items import KEPT, item, kept_paper, kind_of
from vault.web.shell import Req, go, language_of, page
from vault.web.unlock import here
from vault.workers import KnownWorker

PEOPLE_A_PAGE = 3
REASONS_A_PAGE = 8
MONTHS = (1, 3, 6, 12)
SEE, COPY = frozenset({Act.SEE}), frozenset({Act.SEE, Act.TAKE})
REFUSED = {
    TermsReason.FIRST_DAY_TAKE: "error.first-day", TermsReason.FIRST_DAY_SHELF: "error.first-day", TermsReason.PAST: "error.date",
    TermsReason.TOO_LONG: "error.date", TermsReason.RECIPIENT_LEAVES: "error.date", TermsReason.PRIVATE_SHELF: "k15.private",
}  # fmt: skip
"""How the pages say why a share may not be given as it was chosen; the other reasons are not the person's to put right."""


# --- Which papers ---------------------------------------------------------------------------------------------------------


@get("/{language:str}/papiers/{paper:str}/montrer", opt=who("person"), sync_to_thread=True)
def begin(request: Req, paper: FromPath[str]) -> Response[Any]:
    """From K14: one paper."""
    card = kept_paper(request, paper)
    if card.shelf == PRIVATE:
        raise NotThere
    offers.keep(context_of(request), signed_in(request), Choices(papers=(card.paper,)))
    return go(request, "montrer/qui")


def _to_show(request: Req) -> list[PaperCard]:
    found = documents.list_papers(context_of(request), signed_in(request))
    return [card for card in found if card.state in KEPT and card.shelf != PRIVATE and not card.damaged]


@get("/{language:str}/montrer", opt=who("person"), sync_to_thread=True)
def which(request: Req) -> Response[str]:
    """From the list: several papers, each with its box, nine a page."""
    return _which_page(request, asked(request), [])


def _which_page(request: Req, number: int, faults: list[Fault], status: int = 200) -> Response[str]:
    shown = leaf(_to_show(request), number, PICTURES)
    chosen = offers.current(context_of(request), signed_in(request)).papers
    return page(
        request, "kiosk/which_papers.html", status=status, back="papiers", faults=faults, leaf=shown, chosen=chosen,
        items=[item(request, card, names=True) for card in shown.items],
    )  # fmt: skip


@post("/{language:str}/montrer", opt=who("person"), sync_to_thread=True)
def choose_papers(request: Req, form: Sent) -> Response[Any]:
    """The boxes of this page are added to those of the others; then the next question."""
    context, session = context_of(request), signed_in(request)
    mine = [card.paper for card in _to_show(request)]
    ticked = [PaperId(one) for one in form.all("paper")]
    elsewhere = [one for one in offers.current(context, session).papers if one not in form.all("shown")]
    chosen = tuple(one for one in mine if one in ticked or one in elsewhere)[:MOST_PAPERS]
    offers.keep(context, session, Choices(papers=chosen))
    if form.has(NEXT):
        return go(request, f"montrer?{NEXT}={form.get(NEXT)}" if form.get(NEXT).isdigit() else "montrer")
    if not chosen:
        return _which_page(request, asked(request), [Fault("error.nothing-chosen")], 422)
    return go(request, "montrer/qui")


# --- To whom --------------------------------------------------------------------------------------------------------------


def _started(request: Req) -> Choices:
    """What was chosen; NotThere when no paper was (a page that was left long ago)."""
    choices = offers.current(context_of(request), signed_in(request))
    if not choices.papers:
        raise NotThere
    return choices


def _people(request: Req) -> list[KnownWorker]:
    return [one for one in workers.recipients(context_of(request), signed_in(request)) if Act.SEE in role(one.role).acts]


def _worker(request: Req, choices: Choices) -> KnownWorker:
    found = next((one for one in _people(request) if one.id == choices.worker), None)
    if found is None:
        raise NotThere
    return found


@get("/{language:str}/montrer/qui", opt=who("person"), sync_to_thread=True)
def to_whom(request: Req) -> Response[str]:
    """Three people a page, those of this place first."""
    _started(request)
    shown = leaf(_people(request), asked(request), PEOPLE_A_PAGE)
    return page(
        request, "kiosk/to_whom.html", back="montrer", people=shown.items,
        more=address(request, "montrer/qui", suite=shown.after) if shown.after else None,
        before=address(request, "montrer/qui", suite=shown.before) if shown.before else None,
    )  # fmt: skip


@post("/{language:str}/montrer/qui", opt=who("person"), sync_to_thread=True)
def choose_worker(request: Req, form: Sent) -> Response[Any]:
    """The person chosen. What was already answered for somebody else before is not asked again."""
    context, session, choices = context_of(request), signed_in(request), _started(request)
    found = next((one for one in _people(request) if one.id == form.get("worker")), None)
    if found is None:
        raise NotThere
    limits = sharing.offer_limits(context, session, found.id)
    if not choices.purpose:
        offers.keep(context, session, replace(choices, worker=found.id))
        return go(request, "montrer/pourquoi")
    until = min(choices.until or limits.default_until, limits.latest_until)
    offers.keep(context, session, replace(choices, worker=found.id, acts=choices.acts & limits.acts or SEE, until=until))
    return go(request, "montrer/accord")


# --- What for -------------------------------------------------------------------------------------------------------------


@get("/{language:str}/montrer/pourquoi", opt=who("person"), sync_to_thread=True)
def what_for(request: Req) -> Response[str]:
    """Eight reasons, and eight more."""
    _started(request)
    shown = leaf(list(REASONS.items()), asked(request), REASONS_A_PAGE)
    return page(
        request, "kiosk/what_for.html", back="montrer/qui", items=[(name, icon, f"reason.{name}") for name, icon in shown.items],
        more=address(request, "montrer/pourquoi", suite=shown.after),
    )  # fmt: skip


@post("/{language:str}/montrer/pourquoi", opt=who("person"), sync_to_thread=True)
def choose_reason(request: Req, form: Sent) -> Response[Any]:
    """The reason; "autre chose" asks for the person's own words."""
    context, session, choices = context_of(request), signed_in(request), _started(request)
    reason = form.get("reason")
    if reason not in REASONS:
        raise BadInput("reason", "error.nothing-chosen")
    offers.keep(context, session, replace(choices, purpose=PurposeId(reason)))
    return go(request, "montrer/mots" if reason == "other" else "montrer/comment")


@get("/{language:str}/montrer/mots", opt=who("person"), sync_to_thread=True)
def own_words(request: Req) -> Response[str]:
    """In the person's own words: whoever sees the papers reads them."""
    return _words_page(request, _started(request).own_words, [])


def _words_page(request: Req, typed: str, faults: list[Fault], status: int = 200) -> Response[str]:
    return page(
        request, "kiosk/own_words.html", status=status, back="montrer/pourquoi", typed=typed, faults=faults, most=LONGEST_OWN_WORDS
    )  # fmt: skip


@post("/{language:str}/montrer/mots", opt=who("person"), sync_to_thread=True)
def say_words(request: Req, form: Sent) -> Response[Any]:
    """A short sentence, on one line."""
    typed = " ".join(form.get("words").split())
    if not typed or len(typed) > LONGEST_OWN_WORDS:
        return _words_page(request, typed, [Fault("error.name-long" if typed else "error.missing", "words")], 422)
    offers.keep(context_of(request), signed_in(request), replace(_started(request), own_words=typed))
    return go(request, "montrer/comment")


# --- See, or a copy; until when -------------------------------------------------------------------------------------------


@get("/{language:str}/montrer/comment", opt=who("person"), sync_to_thread=True)
def how(request: Req) -> Response[Any]:
    """See or copy. Where a copy cannot be given the question is not asked: it is seeing."""
    context, session, choices = context_of(request), signed_in(request), _started(request)
    chosen = _worker(request, choices)
    limits = sharing.offer_limits(context, session, chosen.id)
    if Act.TAKE not in limits.acts:
        offers.keep(context, session, replace(choices, acts=SEE, until=choices.until or limits.default_until))
        return go(request, "montrer/accord")
    return page(request, "kiosk/see_or_copy.html", back="montrer/pourquoi", first=chosen.first_name)


@post("/{language:str}/montrer/comment", opt=who("person"), sync_to_thread=True)
def choose_how(request: Req, form: Sent) -> Response[Any]:
    """The day is three months from now until the person changes it."""
    context, session, choices = context_of(request), signed_in(request), _started(request)
    limits = sharing.offer_limits(context, session, _worker(request, choices).id)
    acts = COPY if form.get("how") == "copy" and Act.TAKE in limits.acts else SEE
    offers.keep(context, session, replace(choices, acts=acts, until=choices.until or limits.default_until))
    return go(request, "montrer/accord")


@dataclass(frozen=True)
class Term:
    """One choice of K15's dates."""

    months: int
    until: date


def _terms(request: Req, choices: Choices) -> list[Term]:
    """One, three, six, twelve months: as many as this worker's own time allows, and never none."""
    context = context_of(request)
    latest = sharing.offer_limits(context, signed_in(request), _worker(request, choices).id).latest_until
    today = today_in_paris(context.clock())
    found = [Term(months, add_months(today, months)) for months in MONTHS]
    return [one for one in found if one.until <= latest] or [Term(1, latest)]


@get("/{language:str}/montrer/date", opt=who("person"), sync_to_thread=True)
def until_when(request: Req) -> Response[str]:
    """Another day."""
    return page(request, "kiosk/until_when.html", back="montrer/accord", terms=_terms(request, _started(request)))


@post("/{language:str}/montrer/date", opt=who("person"), sync_to_thread=True)
def choose_date(request: Req, form: Sent) -> Response[Any]:
    """One of the days that were offered."""
    context, session, choices = context_of(request), signed_in(request), _started(request)
    chosen = next((one.until for one in _terms(request, choices) if str(one.months) == form.get("months")), None)
    if chosen is None:
        raise BadInput("months", "error.date")
    offers.keep(context, session, replace(choices, until=chosen))
    return go(request, "montrer/accord")


# --- K15 ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What K15 shows, whole: the choices, the worker, the papers, the reason as it is said, the lines of the page."""

    choices: Choices
    worker: KnownWorker
    papers: Sequence[PaperCard]
    reason: str
    lines: Sequence[Line]


def _asked(request: Req) -> Asked:
    """Everything that K15 says; NotThere when a question before it has no answer."""
    choices = _started(request)
    if not (choices.purpose and choices.until and choices.acts):
        raise NotThere
    worker = _worker(request, choices)
    known = {card.paper: card for card in _to_show(request)}
    cards = [known[one] for one in choices.papers if one in known]
    if len(cards) != len(choices.papers):
        raise NotThere  # one of them was moved, hidden or thrown away since it was chosen
    sentences = request.app.state.pages.catalogues[language_of(request)]
    own = choices.purpose == "other" and choices.own_words
    reason = choices.own_words if own else sentences.plain(f"reason.{choices.purpose}")
    lines = [
        Line("k15.title", len(cards), {"first": worker.first_name}),
        *([Line("k15.take_title", None, {"first": worker.first_name})] if Act.TAKE in choices.acts else []),
        *(Line(f"kind.{kind_of(card)}") for card in cards),
        Line("k15.reason", None, {"reason": reason}),
        Line("k15.until", None, {"day": sentences.day(choices.until)}),
        Line("k15.text"),
    ]
    return Asked(choices, worker, cards, reason, lines)


@get("/{language:str}/montrer/accord", opt=who("person"), sync_to_thread=True)
def agree_page(request: Req) -> Response[str]:
    """K15: all of it, and yes or no."""
    return _agree_page(request, [])


def _agree_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    shown = _asked(request)
    return page(
        request, "kiosk/agree.html", status=status, back="montrer/comment" if not shown.choices.request else "demandes",
        faults=faults, shown=shown, copy=Act.TAKE in shown.choices.acts, kinds_shown=[kind_of(card) for card in shown.papers],
        own_words=shown.choices.purpose == "other",
    )  # fmt: skip


@post("/{language:str}/montrer/accord", opt=who("person"), sync_to_thread=True)
def agree(request: Req, form: Sent) -> Response[Any]:
    """Yes gives; anything else gives nothing and forgets."""
    context, session = context_of(request), signed_in(request)
    if form.get("answer") != "yes":
        offers.forget(context, session)
        return go(request, "papiers")
    shown = _asked(request)
    choices, sentences = shown.choices, request.app.state.pages.catalogues[language_of(request)]
    said = offers.said(sentences, shown.lines, heard=form.get("heard") == "yes", interpreter=form.get("interpreter") == "yes")
    offer = choices.offer(said, shown.reason)
    try:
        if choices.request and choices.kind:
            asking.give(context, session, choices.request, choices.kind, offer)
            offers.forget(context, session)
            return go(request, "demandes?dit=donne")
        given = sharing.grant(context, session, shown.worker.id, offer)
    except TermsRefused as refused:
        return _agree_page(request, [Fault(REFUSED.get(refused.reason, "error.not-allowed"))], 422)
    return go(request, f"montrer/fait?recu={given}")


@get("/{language:str}/montrer/fait", opt=who("person"), sync_to_thread=True)
def done(request: Req) -> Response[str]:
    """It is given; the same may be given to a second person, without answering again."""
    choices = _started(request)
    chosen = _worker(request, choices)
    others = [one for one in _people(request) if one.id != chosen.id]
    given = request.query_params.get("recu", "")
    return page(
        request, "kiosk/agreed.html", back="maison", first=chosen.first_name, others=bool(others),
        receipt=given if given.replace("-", "").isalnum() and here(request).equipment.printer else "",
    )  # fmt: skip


ROUTES: list[ControllerRouterHandler] = [
    begin, which, choose_papers, to_whom, choose_worker, what_for, choose_reason, own_words, say_words, how, choose_how, until_when,
    choose_date, agree_page, agree, done,
]  # fmt: skip
