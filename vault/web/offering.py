"""Before K15: which papers or which drawer, to whom, what for. `agreeing` goes on with what they may do, until when, and the yes.

What was chosen waits in the session's sealed state, so that each question is a page of its own, in any language, with a way back.
"""

from dataclasses import replace
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.ids import PaperId
from consent.purposes import PRIVATE, PurposeId
from consent.scope import MOST_PAPERS
from consent.terms import LONGEST_OWN_WORDS
from vault import offers, restricting, sharing, typed
from vault.errors import BadInput, NotThere
from vault.offers import Choices
from vault.pictograms import DRAWERS, REASONS
from vault.web.agreeing import DEPOSIT, GONE, can_receive, started, to_show, ways_for
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import NEXT, PICTURES, address, asked, leaf, numbered
from vault.web.paper_items import drawer, item, kept_paper
from vault.web.shell import Elsewhere, Req, go, page

PEOPLE_A_PAGE = 3
REASONS_A_PAGE = 8


# --- Which papers ---------------------------------------------------------------------------------------------------------


@get("/{language:str}/papiers/{paper:str}/montrer", opt=who("person"), sync_to_thread=True)
def begin(request: Req, paper: FromPath[str]) -> Response[Any]:
    """From K14: one paper."""
    restricting.refuse_early(context_of(request), signed_in(request))
    card = kept_paper(request, paper)
    if card.shelf == PRIVATE:
        raise NotThere
    offers.keep(context_of(request), signed_in(request), Choices(papers=(card.paper,)))
    return go(request, "montrer/qui")


@get("/{language:str}/montrer", opt=who("person"), sync_to_thread=True)
def which(request: Req) -> Response[str]:
    """From the list: several papers, each with its box, nine a page."""
    restricting.refuse_early(context_of(request), signed_in(request))
    return _which_page(request, asked(request), [Fault("k15.paper_gone")] if request.query_params.get("dit") == GONE else [])


def _ticked(request: Req) -> tuple[PaperId, ...]:
    """The papers that were chosen on these pages before; not those of an answer to a request, nor of what was given."""
    choices = offers.current(context_of(request), signed_in(request))
    return () if choices.request or choices.given else choices.papers


def _which_page(request: Req, number: int, faults: list[Fault], status: int = 200) -> Response[str]:
    context, session = context_of(request), signed_in(request)
    shown = leaf(to_show(request), number, PICTURES)
    chosen = _ticked(request)
    return page(
        request, "kiosk/which_papers.html", status=status, back="papiers", faults=faults, leaf=shown, chosen=chosen,
        items=[item(request, card, names=True) for card in shown.items], drawers_too=not sharing.drawers_wait(context, session),
    )  # fmt: skip


@post("/{language:str}/montrer", opt=who("person"), sync_to_thread=True)
def choose_papers(request: Req, form: Sent) -> Response[Any]:
    """The boxes of this page are added to those of the others; then the next question."""
    context, session = context_of(request), signed_in(request)
    mine = [card.paper for card in to_show(request)]
    ticked = [PaperId(one) for one in form.all("paper")]
    elsewhere = [one for one in _ticked(request) if one not in form.all("shown")]
    chosen = tuple(one for one in mine if one in ticked or one in elsewhere)[:MOST_PAPERS]
    offers.keep(context, session, Choices(papers=chosen))
    if form.has(NEXT):
        return go(request, f"montrer?{NEXT}={numbered(form.get(NEXT))}")
    if not chosen:
        return _which_page(request, asked(request), [Fault("error.nothing-chosen")], 422)
    return go(request, "montrer/qui")


# --- Which drawer ---------------------------------------------------------------------------------------------------------


@get("/{language:str}/montrer/tiroir", opt=who("person"), sync_to_thread=True)
def which_drawer(request: Req) -> Response[str]:
    """A whole drawer with what comes later, or a drawer to put papers in; never the private one."""
    restricting.refuse_early(context_of(request), signed_in(request))
    deposit = request.query_params.get("pour") == "deposer"
    items = [(name, icon, f"drawer.{name}") for name, icon in DRAWERS.items() if name != PRIVATE]
    return page(
        request, "kiosk/which_to_share.html", back="partages" if deposit else "montrer", deposit=deposit, items=items
    )  # fmt: skip


@post("/{language:str}/montrer/tiroir", opt=who("person"), sync_to_thread=True)
def choose_drawer(request: Req, form: Sent) -> Response[Any]:
    """The drawer. Whoever came to let somebody deposit is not asked what else they may do."""
    shelf = drawer(form.get("shelf"))
    if shelf == PRIVATE:
        raise NotThere
    acts = DEPOSIT if form.has("deposit") else frozenset()
    offers.keep(context_of(request), signed_in(request), Choices(shelf=shelf, acts=acts))
    return go(request, "montrer/qui")


# --- To whom --------------------------------------------------------------------------------------------------------------


def _unasked(request: Req) -> Choices:
    """What was chosen to be shown of oneself. An answer is led back to its request, which says itself to whom and what for: asked here
    again, what Fatou asked for would be given under another name (ADR 0136)."""
    choices = started(request)
    if choices.request:
        raise Elsewhere("demandes")
    return choices


@get("/{language:str}/montrer/qui", opt=who("person"), sync_to_thread=True)
def to_whom(request: Req) -> Response[str]:
    """Three people a page, those of this place first."""
    choices = _unasked(request)
    shown = leaf(can_receive(request, choices), asked(request), PEOPLE_A_PAGE)
    return page(
        request, "kiosk/to_whom.html", back="montrer/tiroir" if choices.shelf else "montrer", people=shown.items,
        title="k15.deposit_who" if choices.acts == DEPOSIT else "k15.who_title",
        more=address(request, "montrer/qui", suite=shown.after) if shown.after else None,
        before=address(request, "montrer/qui", suite=shown.before) if shown.before else None,
    )  # fmt: skip


@post("/{language:str}/montrer/qui", opt=who("person"), sync_to_thread=True)
def choose_worker(request: Req, form: Sent) -> Response[Any]:
    """The person chosen. What was already answered for somebody else before is not asked again."""
    context, session, choices = context_of(request), signed_in(request), _unasked(request)
    found = next((one for one in can_receive(request, choices) if one.id == form.get("worker")), None)
    if found is None:
        raise NotThere
    if not choices.purpose:
        offers.keep(context, session, replace(choices, worker=found.id))
        return go(request, "montrer/pourquoi")
    limits = sharing.offer_limits(context, session, found.id)
    until = min(choices.until or limits.default_until, limits.latest_until)
    possible = [way.acts for way in ways_for(limits, choices)]
    acts = choices.acts if choices.acts in possible else possible[0]
    offers.keep(context, session, replace(choices, worker=found.id, acts=acts, until=until))
    return go(request, "montrer/accord")


# --- What for -------------------------------------------------------------------------------------------------------------


@get("/{language:str}/montrer/pourquoi", opt=who("person"), sync_to_thread=True)
def what_for(request: Req) -> Response[str]:
    """Eight reasons, and eight more."""
    _unasked(request)
    shown = leaf(list(REASONS.items()), asked(request), REASONS_A_PAGE)
    return page(
        request, "kiosk/what_for.html", back="montrer/qui", items=[(name, icon, f"reason.{name}") for name, icon in shown.items],
        more=address(request, "montrer/pourquoi", suite=shown.after),
    )  # fmt: skip


@post("/{language:str}/montrer/pourquoi", opt=who("person"), sync_to_thread=True)
def choose_reason(request: Req, form: Sent) -> Response[Any]:
    """The reason; "autre chose" asks for the person's own words."""
    context, session, choices = context_of(request), signed_in(request), _unasked(request)
    reason = form.get("reason")
    if reason not in REASONS:
        raise BadInput("reason", "error.nothing-chosen")
    offers.keep(context, session, replace(choices, purpose=PurposeId(reason)))
    return go(request, "montrer/mots" if reason == "other" else "montrer/comment")


@get("/{language:str}/montrer/mots", opt=who("person"), sync_to_thread=True)
def own_words(request: Req) -> Response[str]:
    """In the person's own words: whoever sees the papers reads them."""
    return _words_page(request, _unasked(request).own_words, [])


def _words_page(request: Req, written: str, faults: list[Fault], status: int = 200) -> Response[str]:
    return page(
        request, "kiosk/own_words.html", status=status, back="montrer/pourquoi", typed=written, faults=faults, most=LONGEST_OWN_WORDS
    )  # fmt: skip


@post("/{language:str}/montrer/mots", opt=who("person"), sync_to_thread=True)
def say_words(request: Req, form: Sent) -> Response[Any]:
    """A short sentence, on one line."""
    choices = _unasked(request)
    try:
        words = typed.line(form.get("words"), "words", LONGEST_OWN_WORDS, long="error.phrase-long")
    except BadInput as error:
        return _words_page(request, form.get("words"), [Fault(error.shown, "words")], 422)
    offers.keep(context_of(request), signed_in(request), replace(choices, own_words=words))
    return go(request, "montrer/comment")


ROUTES: list[ControllerRouterHandler] = [
    begin, which, choose_papers, which_drawer, choose_drawer, to_whom, choose_worker, what_for, choose_reason, own_words, say_words,
]  # fmt: skip
