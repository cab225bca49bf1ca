"""Somebody goes on from somebody else: one question for the person, with all that would be given on the same page."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.errors import TermsRefused
from consent.ids import WorkerId
from consent.scope import Act
from vault import documents, offers, succession
from vault.errors import NotThere
from vault.offers import Line
from vault.pictograms import KINDS
from vault.succession import Succession
from vault.web import as_shown
from vault.web.agreeing import REFUSED
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import address, asked, leaf
from vault.web.paper_items import kind_of
from vault.web.said_lines import reason_line
from vault.web.shell import Req, go, language_of, page
from vault.workers import KnownWorker

PEOPLE_A_PAGE = 3
ACT_LINES = {Act.SEE: "next.see", Act.TAKE: "next.take", Act.DEPOSIT: "next.deposit", Act.REPLACE: "next.replace"}


def _question(request: Req, source: str = "") -> Succession:
    found = succession.waiting(context_of(request), signed_in(request))
    for one in found:
        if not source or one.source == source:
            return one
    raise NotThere


def _offered(request: Req, one: Succession) -> tuple[KnownWorker, ...]:
    """Those who are named on the page: whoever was just chosen from the list, or those who are offered."""
    chosen = request.query_params.get("avec", "")
    for each in succession.successors(context_of(request), signed_in(request), one) if chosen else ():
        if each.id == chosen:
            return (each,)
    return one.offered


def _last(request: Req, one: Succession, names: Sequence[KnownWorker]) -> date:
    """The one day of the page: with several names the first of their last days, whoever is chosen then."""
    context, session = context_of(request), signed_in(request)
    return min((succession.last_day(context, session, one, each.id) for each in names), default=one.until)


def _lines(request: Req, one: Succession, names: Sequence[KnownWorker]) -> list[Line]:
    """Everything that stands on the page, in its order: it is what the receipt says was shown."""
    context, session = context_of(request), signed_in(request)
    sentences = request.app.state.pages.catalogues[language_of(request)]
    heading = Line(f"next.{one.cause}", None, {"first": one.first})
    if one.cause == "proposed":
        heading = Line("next.proposed", None, {"first": one.first, "other": one.offered[0].first_name})
    cards = {card.paper: card for card in documents.list_papers(context, session)}
    sorts = [kind_of(cards[paper]) for paper in one.papers if paper in cards]
    kinds = [(kind, sorts.count(kind)) for kind in KINDS if kind in sorts]
    return [
        heading, Line(f"next.{one.cause}_text"),
        *(Line(f"kind.{kind}", after=f" ({many})" if many > 1 else "") for kind, many in kinds),
        *([Line(f"drawer.{one.shelf}")] if one.shelf else []),
        *([Line("next.takes_copy")] if Act.TAKE in one.acts else []),
        reason_line(one.purpose, one.own_words), *(Line(key) for act, key in ACT_LINES.items() if act in one.acts),
        Line("k15.until", None, {"day": sentences.day(_last(request, one, names))}), Line("k15.text"),
    ]  # fmt: skip


def _asks(request: Req, one: Succession, lines: Sequence[Line], names: Sequence[KnownWorker]) -> str:
    return as_shown.question(request, lines, [one.source, *one.papers, *(each.id for each in names)])


def _page(
    request: Req, one: Succession, faults: list[Fault], status: int = 200, names: Sequence[KnownWorker] = ()
) -> Response[str]:  # fmt: skip
    names = names or _offered(request, one)
    lines = _lines(request, one, names)
    return page(
        request, "kiosk/next.html", back="maison", status=status, one=one, names=names, heading=lines[0], below=lines[1:],
        faults=faults, shown=_asks(request, one, lines, names),
    )  # fmt: skip


@get("/{language:str}/suite", opt=who("person"), sync_to_thread=True)
def question(request: Req) -> Response[str]:
    """The oldest question, or that there is none any more."""
    try:
        return _page(request, _question(request, request.query_params.get("pour", "")), [])
    except NotThere:
        return page(request, "kiosk/next_none.html", back="maison")


@post("/{language:str}/suite", opt=who("person", over="suite"), sync_to_thread=True)
def answer(request: Req, form: Sent) -> Response[Any]:
    """Yes to somebody by name, or no to everybody. What was answered meanwhile is simply no longer asked."""
    one, chosen = _question(request, form.need("source")), form.get("worker")
    if chosen != "nobody":
        return _given(request, form, one, WorkerId(chosen))
    succession.decline(context_of(request), signed_in(request), one.source)
    return go(request, "suite")


def _given(request: Req, form: Form, one: Succession, chosen: WorkerId) -> Response[Any]:
    """A yes to somebody who stood on that page, until the day that stood there. To another page it gives nothing, and asks again."""
    context, session = context_of(request), signed_in(request)
    known = {each.id: each for each in succession.successors(context, session, one)}
    names = tuple(known[WorkerId(each)] for each in form.all("offered") if each in known)
    lines = _lines(request, one, names)
    if not as_shown.is_for(form, _asks(request, one, lines, names)):
        return _page(request, one, [as_shown.ANOTHER], names=names)
    if chosen not in [each.id for each in names]:
        return _page(request, one, [Fault("error.nothing-chosen")], 422, names)
    sentences, first = request.app.state.pages.catalogues[language_of(request)], known[chosen].first_name
    lines = [*lines, Line("next.yes", None, {"first": first})]
    said = offers.said(sentences, lines, heard=form.get("heard") == "yes", interpreter=form.get("interpreter") == "yes")
    words = one.own_words or sentences.plain(f"reason.{one.purpose}")
    try:
        succession.follow(context, session, one.source, chosen, said, words, shown=_last(request, one, names))
    except TermsRefused as error:
        return _page(request, one, [Fault(REFUSED.get(error.reason, "error.bad-input"))], 422, names)
    return page(request, "kiosk/next_given.html", back="maison", status=200, one=one, first=first)


@get("/{language:str}/suite/autre", opt=who("person", over="suite"), sync_to_thread=True)
def others(request: Req) -> Response[str]:
    """Another person than those who are named."""
    one = _question(request, request.query_params.get("pour", ""))
    shown = leaf(succession.successors(context_of(request), signed_in(request), one), asked(request), PEOPLE_A_PAGE)
    people = [(each, address(request, "suite", pour=one.source, avec=each.id)) for each in shown.items]
    return page(
        request, "kiosk/next_others.html", back="suite", people=people,
        more=address(request, "suite/autre", pour=one.source, suite=shown.after) if shown.after else None,
        before=address(request, "suite/autre", pour=one.source, suite=shown.before) if shown.before else None,
    )  # fmt: skip


ROUTES: list[ControllerRouterHandler] = [question, answer, others]
