"""Show less to somebody: fewer papers, a nearer end, no copy, no deposit; and the yes of the first day, asked once more.

The worker is not asked anything. All of it needs the code: what is left is agreed anew, and signed. The card alone stops whole shares.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.days import add_months
from consent.errors import TermsReason, TermsRefused
from consent.ids import GrantId, PaperId
from consent.scope import Act
from vault import first_day, reencryption, sharing, withdrawing
from vault.errors import BadInput
from vault.offers import Line
from vault.settings import today_in_paris
from vault.showing import ShareCard
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.said_lines import reason_words, share_lines, title_lines
from vault.web.shell import Req, go, page
from vault.web.stopping import said_so, sentences_of, share_of

DROPPED = {
    Act.TAKE: ("copy", "less.no_copy"), Act.SEE: ("eye-off", "less.no_sight"), Act.DEPOSIT: ("file-plus", "less.no_deposit"),
    Act.REPLACE: ("file-stack", "less.no_replace"),
}  # fmt: skip
SOONER = {"today": "less.today", "week": "less.week", "month": "less.month"}


@get("/{language:str}/partages/{grant:str}/plus", opt=who("person"), sync_to_thread=True)
def more(request: Req, grant: FromPath[str]) -> Response[str]:
    """What else can be done with a share: show less, take the receipt away on paper or as a file."""
    share = share_of(request, grant)
    return page(request, "kiosk/share_more.html", back="partages", share=share, printer=here(request).equipment.printer)


# --- Less -----------------------------------------------------------------------------------------------------------------


def _acts_left(share: ShareCard, dropped: Act) -> frozenset[Act]:
    """What would be left; nothing when that makes no sense to offer: a copy without sight, a newer version of what is not seen."""
    left = share.acts - {dropped}
    return left if dropped is not Act.SEE or left == {Act.DEPOSIT} else frozenset()


@get("/{language:str}/partages/{grant:str}/moins", opt=who("person"), sync_to_thread=True)
def less(request: Req, grant: FromPath[str]) -> Response[str]:
    """What could be taken away; stopping altogether is another page, and needs the card alone."""
    share = share_of(request, grant)
    drops = [(act, *DROPPED[act]) for act in DROPPED if act in share.acts and _acts_left(share, act)]
    return page(
        request, "kiosk/show_less.html", back=f"partages/{grant}/plus", share=share, drops=drops, days=bool(_sooner(request, share))
    )  # fmt: skip


@post("/{language:str}/partages/{grant:str}/moins", opt=who("person"), sync_to_thread=True)
def drop(request: Req, grant: FromPath[str], form: Sent) -> Response[Any]:
    """One of the things that they may do is taken away."""
    share = share_of(request, grant)
    act = next((one for one in DROPPED if one.value == form.get("act") and one in share.acts), None)
    if act is None or not _acts_left(share, act):
        raise BadInput("act", "error.nothing-chosen")
    lines = [Line("less.title", None, {"first": share.first}), Line("less.text"), Line(DROPPED[act][1])]
    return _narrowed(request, share, form, lines, acts=_acts_left(share, act))


@get("/{language:str}/partages/{grant:str}/moins/papiers", opt=who("person"), sync_to_thread=True)
def fewer(request: Req, grant: FromPath[str]) -> Response[str]:
    """Which papers go on being shown: all are ticked at first."""
    return _fewer_page(request, share_of(request, grant), [])


def _fewer_page(request: Req, share: ShareCard, faults: list[Fault], status: int = 200) -> Response[str]:
    return page(
        request, "kiosk/fewer_papers.html", status=status, back=f"partages/{share.grant}/moins", share=share, faults=faults
    )


@post("/{language:str}/partages/{grant:str}/moins/papiers", opt=who("person"), sync_to_thread=True)
def keep_fewer(request: Req, grant: FromPath[str], form: Sent) -> Response[Any]:
    """Those that stay. None at all is a stop: that page is shown."""
    share = share_of(request, grant)
    ticked = form.all("paper")
    kept = [one.paper for one in share.papers if one.paper in ticked]
    if not kept:
        return go(request, f"partages/{grant}/arreter")
    if len(kept) == len(share.papers):
        return _fewer_page(request, share, [Fault("less.all_left")], 422)
    left = title_lines(one for one in share.papers if one.paper in kept)
    lines = [Line("less.papers_title", None, {"first": share.first}), Line("less.papers_text"), *left]
    return _narrowed(request, share, form, lines, papers=kept)


@dataclass(frozen=True)
class Sooner:
    """A nearer end."""

    name: str
    until: date
    key: str


def _sooner(request: Req, share: ShareCard, form: Form | None = None) -> list[Sooner]:
    """The days of now; with a form those that stood on its page, which may be of before midnight."""
    today = today_in_paris(context_of(request).clock())
    days = {"today": today, "week": today + timedelta(days=7), "month": add_months(today, 1)}
    if form is not None:
        days = {name: _as_read(form.get(f"day-{name}"), today, until) for name, until in days.items()}
    return [Sooner(name, until, SOONER[name]) for name, until in days.items() if until < share.until]


def _as_read(shown: str, today: date, until: date) -> date:
    """The day that was read, never one that is over: nobody is shown anything for longer than that."""
    with suppress(ValueError):
        return min(until, max(today, date.fromisoformat(shown)))
    return until


@get("/{language:str}/partages/{grant:str}/moins/date", opt=who("person"), sync_to_thread=True)
def sooner(request: Req, grant: FromPath[str]) -> Response[str]:
    """This evening, in a week, in a month: those that come before the end that was said."""
    share = share_of(request, grant)
    return page(request, "kiosk/end_sooner.html", back=f"partages/{grant}/moins", share=share, days=_sooner(request, share))


@post("/{language:str}/partages/{grant:str}/moins/date", opt=who("person"), sync_to_thread=True)
def end_sooner(request: Req, grant: FromPath[str], form: Sent) -> Response[Any]:
    """A nearer last day."""
    share = share_of(request, grant)
    chosen = next((one for one in _sooner(request, share, form) if one.name == form.get("until")), None)
    if chosen is None:
        raise BadInput("until", "error.date")
    day = sentences_of(request).day(chosen.until)
    lines = [
        Line("less.date_title"), Line("shares.with", None, {"first": share.first}), Line(chosen.key),
        Line("k15.until", None, {"day": day}),
    ]  # fmt: skip
    return _narrowed(request, share, form, lines, until=chosen.until)


def _narrowed(
    request: Req, share: ShareCard, form: Form, lines: list[Line], *, papers: list[PaperId] | None = None,
    acts: frozenset[Act] | None = None, until: date | None = None,
) -> Response[Any]:  # fmt: skip
    context, session = context_of(request), signed_in(request)
    said, words = said_so(request, lines, form), reason_words(sentences_of(request), share)
    try:
        sharing.narrow(context, session, share.grant, said, papers=papers, acts=acts, until=until, words=words)
    except TermsRefused as refused:
        if refused.reason is TermsReason.NOTHING_LEFT:
            return go(request, f"partages/{share.grant}/arreter")  # nothing is left to show: what remains is to stop
        return go(request, "partages")  # it ended meanwhile, or was narrowed on another screen: the list says how it stands
    left = reencryption.waiting(context, session)
    return go(request, "partages/menage?dit=moins" if left else "partages?dit=moins")


# --- The yes of the first day ---------------------------------------------------------------------------------------------


@get("/{language:str}/partages/toujours-oui", opt=who("person"), sync_to_thread=True)
def last_time(request: Req) -> Response[Any]:
    """What was said on the first day, one share at a time: it is still yes, or it is taken back."""
    asked = first_day.said_yes(context_of(request), signed_in(request))
    if not asked:
        return go(request, "maison")
    return page(request, "kiosk/still_yes.html", share=asked[0], back=None)


@post("/{language:str}/partages/toujours-oui", opt=who("person", over="partages/toujours-oui"), sync_to_thread=True)
def still_yes(request: Req, form: Sent) -> Response[Any]:
    """The answer; then the next share, or the first page."""
    context, session = context_of(request), signed_in(request)
    share = share_of(request, form.need("grant"))
    if form.get("answer") == "no":
        # This yes alone, not all with somebody.
        witness = [Line("assist.witness_was", None, {"first": share.witness})] if share.witness else []
        lines = [
            Line("k15.still_yes_title"), Line("k15.said_yes", None, {"first": share.first}), *witness,
            *share_lines(sentences_of(request), share),
        ]  # fmt: skip
        withdrawing.withdraw(context, session, GrantId(share.grant), said_so(request, lines, form))
    elif form.get("answer") == "yes":
        first_day.still_yes(context, session, share.grant)
    return go(request, "partages/toujours-oui")


ROUTES: list[ControllerRouterHandler] = [
    more, less, drop, fewer, keep_fewer, sooner, end_sooner, last_time, still_yes,
]  # fmt: skip
