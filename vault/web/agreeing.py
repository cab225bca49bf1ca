"""K15: what the person chosen may do, until when; then all of it once more, and a yes. `offering` asks what comes before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from consent.days import add_months
from consent.errors import RequestRefused, TermsReason, TermsRefused
from consent.purposes import PRIVATE
from consent.recipients import role
from consent.scope import Act
from vault import documents, offers, sharing, workers
from vault.documents import PaperCard
from vault.errors import BadInput, NotThere
from vault.offers import Choices, Line
from vault.settings import today_in_paris
from vault.sharing import Limits
from vault.web import as_shown
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paper_items import KEPT
from vault.web.place import here
from vault.web.said_lines import paper_line, reason_line
from vault.web.shell import Elsewhere, Req, go, language_of, page
from vault.workers import KnownWorker

MONTHS = (1, 3, 6, 12)
GONE = "papier"  # in an address: a paper that was chosen cannot be shown any more
SEE, COPY, DEPOSIT = frozenset({Act.SEE}), frozenset({Act.SEE, Act.TAKE}), frozenset({Act.DEPOSIT})


@dataclass(frozen=True)
class Way:
    """One answer to "what may they do?": its name in the form, its acts, its pictogram, its sentence."""

    name: str
    acts: frozenset[Act]
    icon: str
    key: str
    kind: str = ""


OF_PAPERS = (
    Way("see", SEE, "eye", "k15.see", "main"),
    Way("replace", SEE | {Act.REPLACE}, "file-stack", "k15.see_replace"),
    Way("copy", COPY, "copy", "k15.take", "grave"),
)
OF_DRAWERS = (
    Way("see", SEE, "eye", "k15.see", "main"),
    Way("deposit", DEPOSIT, "file-plus", "k15.deposit"),
    Way("both", SEE | DEPOSIT, "folder-input", "k15.see_deposit"),
    Way("copy", COPY, "copy", "k15.take", "grave"),
)
REFUSED = {
    TermsReason.FIRST_DAY_TAKE: "error.first-day", TermsReason.FIRST_DAY_SHELF: "error.first-day", TermsReason.PAST: "error.date",
    TermsReason.TOO_LONG: "error.date", TermsReason.RECIPIENT_LEAVES: "error.date", TermsReason.PRIVATE_SHELF: "k15.private",
    TermsReason.NOTHING_LEFT: "error.nothing-left",
}  # fmt: skip
"""How the pages say why a share may not be given as it was chosen; the other reasons are not the person's to put right."""


# --- What was chosen ------------------------------------------------------------------------------------------------------


def started(request: Req) -> Choices:
    """What was chosen; leads to what is shown when neither papers nor a drawer were: it was given, or left long ago."""
    choices = offers.current(context_of(request), signed_in(request))
    if not choices.begun:
        raise Elsewhere("demandes" if choices.request else "partages")
    return choices


def _elsewhere(choices: Choices, why: str, place: str) -> Elsewhere:
    """Where a step leads that cannot go on: an answer to its request, which is for nobody else, and says why; of what was given already
    to what is shown."""
    if choices.given:
        return Elsewhere("partages")
    return Elsewhere(f"demandes?dit={why}" if choices.request else place)


def to_show(request: Req) -> list[PaperCard]:
    """The papers that can be shown to somebody."""
    found = documents.list_papers(context_of(request), signed_in(request))
    return [card for card in found if card.state in KEPT and card.shelf != PRIVATE and not card.damaged]


def _ways(acts: frozenset[Act], choices: Choices, *, first_day: bool, drawers_wait: bool) -> list[Way]:
    # On the first day papers are shown and no more, and nobody is given a drawer to look into: putting something in shows nothing.
    # Nor is anybody within a day of a recovery, when papers are given as on any day.
    if choices.shelf is None:
        return [way for way in OF_PAPERS if way.acts <= acts and not (first_day and way.acts != SEE)]
    return [way for way in OF_DRAWERS if way.acts <= acts and not (drawers_wait and way.acts != DEPOSIT)]


def ways_for(limits: Limits, choices: Choices) -> list[Way]:
    """What this worker may be allowed today, with what was chosen."""
    return _ways(limits.acts, choices, first_day=limits.first_day, drawers_wait=limits.drawers_wait)


def can_receive(request: Req, choices: Choices) -> list[KnownWorker]:
    """Whom the pages offer: those whose role allows something with what was chosen."""
    context, session = context_of(request), signed_in(request)
    first_day, drawers_wait = sharing.on_first_day(context, session), sharing.drawers_wait(context, session)
    found = []
    for one in workers.recipients(context, session):
        possible = [way.acts for way in _ways(role(one.role).acts, choices, first_day=first_day, drawers_wait=drawers_wait)]
        if DEPOSIT in possible if choices.acts == DEPOSIT else possible:
            found.append(one)
    return found


def _worker(request: Req, choices: Choices) -> KnownWorker:
    found = next((one for one in can_receive(request, choices) if one.id == choices.worker), None)
    if found is None:
        raise _elsewhere(choices, "partie", "montrer/qui")
    return found


# --- What they may do; until when -----------------------------------------------------------------------------------------


@get("/{language:str}/montrer/comment", opt=who("person", over="montrer/qui"), sync_to_thread=True)
def how(request: Req) -> Response[Any]:
    """What they may do. Where there is one answer only, or it was said before, the question is not asked."""
    context, session, choices = context_of(request), signed_in(request), started(request)
    chosen = _worker(request, choices)
    limits = sharing.offer_limits(context, session, chosen.id)
    ways = ways_for(limits, choices)
    only = ways[0].acts if len(ways) == 1 else choices.acts if choices.until is None else None
    if only:
        offers.keep(context, session, replace(choices, acts=only, until=choices.until or limits.default_until))
        return go(request, "montrer/accord")
    copy = any(Act.TAKE in way.acts for way in ways)
    back = "demandes" if choices.request else "montrer/pourquoi"
    return page(request, "kiosk/what_may.html", back=back, first=chosen.first_name, ways=ways, copy=copy)


@post("/{language:str}/montrer/comment", opt=who("person", over="montrer/qui"), sync_to_thread=True)
def choose_how(request: Req, form: Sent) -> Response[Any]:
    """The day is three months from now until the person changes it."""
    context, session, choices = context_of(request), signed_in(request), started(request)
    limits = sharing.offer_limits(context, session, _worker(request, choices).id)
    way = next((one for one in ways_for(limits, choices) if one.name == form.get("how")), None)
    if way is None:
        raise BadInput("how", "error.nothing-chosen")
    offers.keep(context, session, replace(choices, acts=way.acts, until=choices.until or limits.default_until))
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


@get("/{language:str}/montrer/date", opt=who("person", over="montrer/qui"), sync_to_thread=True)
def until_when(request: Req) -> Response[str]:
    """Another day."""
    return page(request, "kiosk/until_when.html", back="montrer/accord", terms=_terms(request, started(request)))


@post("/{language:str}/montrer/date", opt=who("person", over="montrer/qui"), sync_to_thread=True)
def choose_date(request: Req, form: Sent) -> Response[Any]:
    """One of the days that were offered."""
    context, session, choices = context_of(request), signed_in(request), started(request)
    chosen = next((one.until for one in _terms(request, choices) if str(one.months) == form.get("months")), None)
    if chosen is None:
        raise BadInput("months", "error.date")
    offers.keep(context, session, replace(choices, until=chosen))
    return go(request, "montrer/accord")


# --- K15 ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What K15 shows, whole: the choices, the reason as it is said, the lines of the page in their order, the digest of them."""

    choices: Choices
    reason: str
    lines: Sequence[Line]
    question: str


def _heading(choices: Choices, first: str, papers: int) -> Line:
    if choices.shelf is None:
        return Line("k15.title", papers, {"first": first})
    return Line("k15.deposit_title" if choices.acts == DEPOSIT else "k15.drawer_title", None, {"first": first})


def _asked(request: Req) -> Asked:
    """Everything that K15 says; NotThere when a question before it has no answer."""
    choices = started(request)
    if not (choices.purpose and choices.until and choices.acts):
        raise NotThere
    worker = _worker(request, choices)
    known = {card.paper: card for card in to_show(request)} if choices.papers else {}
    cards = [known[one] for one in choices.papers if one in known]
    if len(cards) != len(choices.papers):
        # One of them was moved, hidden or thrown away since it was chosen.
        raise _elsewhere(choices, GONE, f"montrer?dit={GONE}")
    sentences, first = request.app.state.pages.catalogues[language_of(request)], {"first": worker.first_name}
    own = choices.own_words if choices.purpose == "other" else ""
    reason = own or sentences.plain(f"reason.{choices.purpose}")
    only_in = choices.acts == DEPOSIT
    lines = [
        _heading(choices, worker.first_name, len(cards)),
        *([Line("k15.takes_copy", None, first)] if Act.TAKE in choices.acts else []),
        *(paper_line(sentences, card) for card in cards),
        *([Line(f"drawer.{choices.shelf}")] if choices.shelf else []),
        *([Line("k15.and_later")] if choices.shelf and not only_in else []),
        *([Line("k15.no_sight", None, first)] if only_in else []),
        *([Line("k15.deposits", None, first)] if Act.DEPOSIT in choices.acts and not only_in else []),
        *([Line("k15.replaces", None, first)] if Act.REPLACE in choices.acts else []),
        reason_line(choices.purpose, own),
        Line("k15.until", None, {"day": sentences.day(choices.until)}),
        Line("k15.stop_any" if only_in else "k15.text"),
    ]
    return Asked(choices, reason, lines, as_shown.question(request, lines, offers.told(replace(choices, given=None))))


@get("/{language:str}/montrer/accord", opt=who("person", over="montrer/qui"), sync_to_thread=True)
def agree_page(request: Req) -> Response[str]:
    """K15: all of it, and yes or no."""
    return _agree_page(request, [])


def _agree_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    shown = _asked(request)
    return page(
        request, "kiosk/agree.html", status=status, back="montrer/comment" if not shown.choices.request else "demandes",
        faults=faults, heading=shown.lines[0], below=shown.lines[1:], shown=shown.question,
    )  # fmt: skip


@post("/{language:str}/montrer/accord", opt=who("person", over="montrer/qui"), sync_to_thread=True)
def agree(request: Req, form: Sent) -> Response[Any]:
    """Yes gives, once: pressed twice, or again after Back, it leads to the share that there is. Anything else gives nothing and forgets.

    A yes to what another page has replaced gives nothing either: what is chosen now is shown, and asked (ADR 0122).
    """
    context, session = context_of(request), signed_in(request)
    if form.get("answer") != "yes":
        offers.forget(context, session)
        return go(request, "papiers")
    shown = _asked(request)
    if not as_shown.is_for(form, shown.question):
        return go(request, "partages") if shown.choices.given else _agree_page(request, [as_shown.ANOTHER])
    choices, sentences = shown.choices, request.app.state.pages.catalogues[language_of(request)]
    said = offers.said(sentences, shown.lines, heard=form.get("heard") == "yes", interpreter=form.get("interpreter") == "yes")
    try:
        given = offers.give(context, session, choices, said, shown.reason)
    except TermsRefused as refused:
        return _agree_page(request, [Fault(REFUSED.get(refused.reason, "error.not-allowed"))], 422)
    except RequestRefused:  # answered on another screen, or its time is over
        offers.forget(context, session)
        return go(request, "demandes?dit=passee")
    return go(request, "demandes?dit=donne" if choices.request else f"montrer/fait?recu={given}")


@get("/{language:str}/montrer/fait", opt=who("person", over="montrer/qui"), sync_to_thread=True)
def done(request: Req) -> Response[str]:
    """It is given; the same may be given to a second person, without answering again. What answered a request is for nobody else."""
    choices = started(request)
    if choices.request or not choices.given:
        raise Elsewhere("partages")
    chosen = _worker(request, choices)
    others = [one for one in can_receive(request, choices) if one.id != chosen.id]
    given = request.query_params.get("recu", "")
    return page(
        request, "kiosk/agreed.html", back="maison", first=chosen.first_name, others=bool(others),
        said="k15.done_deposit" if choices.acts == DEPOSIT else "k15.done",
        receipt=given if given.replace("-", "").isalnum() and here(request).equipment.printer else "",
    )  # fmt: skip


ROUTES: list[ControllerRouterHandler] = [how, choose_how, until_when, choose_date, agree_page, agree, done]
