"""Who can see, and how it stops: the shares of a person, K17, one tap more for three months, the tidying after a stop.

Stopping never asks for more than giving did, and the card alone is enough for it.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.errors import TermsReason, TermsRefused
from consent.ids import GrantId
from consent.terms import opens_something
from vault import asking, offers, outside, reencryption, restricting, sharing, showing, withdrawing
from vault.errors import NotThere
from vault.languages import Sentences
from vault.offers import Line
from vault.receipts import Said
from vault.showing import ShareCard
from vault.web import as_shown
from vault.web.agreeing import REFUSED
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import address, asked, leaf
from vault.web.said_lines import reason_words, share_lines
from vault.web.shell import Elsewhere, Req, go, language_of, page

SHARES_A_PAGE = 3
ENDED_SHOWN = 20
STOPPED = {"arrete": "shares.stopped", "refuse": "assist.refused"}
TIDY_SECONDS = 2.0  # of work before the page shows how far it is


@get("/{language:str}/partages", opt=who("person"), sync_to_thread=True)
def shares(request: Req) -> Response[str]:
    """Who can see: each with its papers, its day, and a way to stop."""
    return _shares_page(request, [])


def _shares_page(request: Req, faults: list[Fault], status: int = 200, *, about: GrantId | None = None) -> Response[str]:
    """The page that the address asks for, or the one where the share stands that a fault is about."""
    context, session = context_of(request), signed_in(request)
    every = showing.grants_of(context, session)
    at = next((number for number, one in enumerate(every) if one.grant == about), None)
    shown = leaf(every, asked(request) if at is None else at // SHARES_A_PAGE + 1, SHARES_A_PAGE)
    ended = showing.grants_of(context, session, ended=True, openings=False)
    stopped = next((one for one in ended if one.grant == request.query_params.get("arrete")), None)
    return page(
        request, "kiosk/shares.html", status=status, back="maison", faults=faults, shares=shown.items, stopped=stopped,
        links=outside.mine(context, session), renewals=_renewals(request, shown.items),
        held_back=restricting.state(context, session),
        handed=outside.mine(context, session, ended=True, openings=False)[::-1][:ENDED_SHOWN], ended=ended[::-1][:ENDED_SHOWN],
        done=request.query_params.get("dit") in ("continue", "moins"),
        before=address(request, "partages", suite=shown.before) if shown.before else None,
        after=address(request, "partages", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@dataclass(frozen=True)
class Renewal:
    """Until when a share can go on, what stands above the button, and the digest of it."""

    until: date
    lines: Sequence[Line]
    question: str


def _renewal(request: Req, share: ShareCard, until: date) -> Renewal:
    sentences = sentences_of(request)
    lines = [
        *share_lines(sentences, share), Line("shares.renew_until", None, {"day": sentences.day(until)}),
        Line("shares.renew", None, {"first": share.first}),
    ]  # fmt: skip
    papers = [one.paper for one in share.papers]
    return Renewal(until, lines, as_shown.question(request, lines, [share.grant, until.isoformat(), *papers]))


def _renewals(request: Req, shown: Iterable[ShareCard]) -> dict[GrantId, Renewal]:
    """How those that end soon can go on; nothing for a worker who is away, or leaves before."""
    context, session = context_of(request), signed_in(request)
    soon = [one for one in shown if one.ending_soon and not one.suspended]
    days: dict[GrantId, date] = {}
    for one in soon:
        with suppress(NotThere):  # a certificate that does not hold any more: nothing goes on with them, and the rest is shown
            days[one.grant] = sharing.offer_limits(context, session, one.worker).default_until
    later = [one for one in soon if one.grant in days and days[one.grant] > one.until]
    return {one.grant: _renewal(request, one, days[one.grant]) for one in later}


def share_of(request: Req, grant: str) -> ShareCard:
    """One living share of this person. Of one that is over: where what is left is shown."""
    for found in showing.grants_of(context_of(request), signed_in(request), only=grant):
        if found.grant == grant:
            return found
    if showing.grants_of(context_of(request), signed_in(request), only=grant, ended=True, openings=False):
        raise Elsewhere(f"partages?arrete={grant}" if signed_in(request).kind == "person" else "arreter?dit=arrete")
    raise NotThere


# --- K17 ------------------------------------------------------------------------------------------------------------------


def said_so(request: Req, lines: list[Line], form: Form) -> Said:
    """How the person was asked, in the language of the page."""
    heard, interpreter = form.get("heard") == "yes", form.get("interpreter") == "yes"
    return offers.said(sentences_of(request), lines, heard=heard, interpreter=interpreter)


def sentences_of(request: Req) -> Sentences:
    """The sentences of the page."""
    found: Sentences = request.app.state.pages.catalogues[language_of(request)]
    return found


def stop_text(request: Req, share: ShareCard) -> str:
    """The key of what stopping with this worker takes away: sight; from whoever sees nothing the putting in; where it is not known which
    of both, as with the card alone, what is true of both."""
    context, session = context_of(request), signed_in(request)
    found = [one for one in showing.grants_of(context, session, openings=False) if one.worker == share.worker] or [share]
    if any(opens_something(one.acts) for one in found):
        return "k17.text"
    known = all(one.acts for one in found) and len(found) >= showing.times_with(context, session, share.worker)
    return "k17.text_deposit" if known else "k17.text_any"


def stop_lines(request: Req, share: ShareCard) -> list[Line]:
    """What K17 says: with whom, what it takes away, and how many shares with this worker end."""
    first, times = {"first": share.first}, showing.times_with(context_of(request), signed_in(request), share.worker)
    lines = [Line("k17.title", None, first), Line(stop_text(request, share), None, first)]
    return [*lines, Line("k17.all", times)] if times > 1 else lines


def _stop_page(request: Req, place: str) -> Response[str]:
    share = share_of(request, request.path_params["grant"])
    times = showing.times_with(context_of(request), signed_in(request), share.worker)
    return page(request, "kiosk/stop.html", back=place, share=share, place=place, times=times, text=stop_text(request, share))


def _stop(request: Req, form: Form) -> None:
    """All with the worker of this share, which may have ended since its page was drawn: the words are those for them all the same."""
    context, session, grant = context_of(request), signed_in(request), GrantId(request.path_params["grant"])
    found = (showing.grants_of(context, session, ended=over, only=grant, openings=False) for over in (False, True))
    share = next((one for cards in found for one in cards if one.grant == grant), None)
    if share is None:
        raise NotThere
    withdrawing.withdraw_all(context, session, grant, said_so(request, stop_lines(request, share), form))


@get("/{language:str}/partages/{grant:str}/arreter", opt=who("person"), sync_to_thread=True)
def stop_page(request: Req, grant: FromPath[str]) -> Response[str]:  # noqa: ARG001 — read from the address
    """K17: what stops, which is all that this worker sees, and what cannot be taken back."""
    return _stop_page(request, "partages")


@post("/{language:str}/partages/{grant:str}/arreter", opt=who("person"), sync_to_thread=True)
def stop(request: Req, grant: FromPath[str], form: Sent) -> Response[Any]:
    """Stopped before the answer leaves. What could be read is then sealed anew, on a page that shows how far it is."""
    _stop(request, form)
    if reencryption.waiting(context_of(request), signed_in(request)):
        return go(request, f"partages/menage?arrete={grant}")
    return go(request, f"partages?arrete={grant}")


@get("/{language:str}/arreter", opt=who("card", "assisted"), sync_to_thread=True)
def stop_with_card(request: Req) -> Response[str]:
    """With the card alone: who, until when, and stop. The same page for a card that nobody knows."""
    shown = leaf(showing.grants_of(context_of(request), signed_in(request)), asked(request), SHARES_A_PAGE)
    back = "avec-aide" if signed_in(request).kind == "assisted" else "code"
    return page(
        request, "kiosk/stop_with_card.html", back=back, shares=shown.items, said=STOPPED.get(request.query_params.get("dit", "")),
        more=address(request, "arreter", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@post("/{language:str}/arreter/demandes", opt=who("card", "assisted"), sync_to_thread=True)
def refuse_with_card(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """No to everything that is asked, unread: the card alone is enough (ADR 0020). The same answer for a card that nobody knows."""
    asking.refuse_all(context_of(request), signed_in(request))
    return go(request, "arreter?dit=refuse")


@get("/{language:str}/arreter/qui-a-recu", opt=who("card", "assisted"), sync_to_thread=True)
def received_with_card(request: Req) -> Response[str]:
    """With the card alone: whom something was shown to, also before. The same page for a card that nobody knows (ADR 0065)."""
    context, session = context_of(request), signed_in(request)
    every = [(one, not over) for over in (False, True) for one in showing.grants_of(context, session, ended=over)]
    shown = leaf(every, asked(request), SHARES_A_PAGE * 2)
    return page(
        request, "kiosk/received_with_card.html", back="arreter", shares=shown.items,
        more=address(request, "arreter/qui-a-recu", suite=shown.after) if shown.after else None,
    )  # fmt: skip


@get("/{language:str}/arreter/{grant:str}", opt=who("card", "assisted"), sync_to_thread=True)
def stop_one_page(request: Req, grant: FromPath[str]) -> Response[str]:  # noqa: ARG001 — read from the address
    """K17 with the card alone."""
    return _stop_page(request, "arreter")


@post("/{language:str}/arreter/{grant:str}", opt=who("card", "assisted"), sync_to_thread=True)
def stop_one(request: Req, grant: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — read from the address
    """Stopped. The sealing anew waits for the next opening: it needs the code."""
    _stop(request, form)
    return go(request, "arreter?dit=arrete")


# --- Longer ---------------------------------------------------------------------------------------------------------------


@post("/{language:str}/partages/continuer", opt=who("person"), sync_to_thread=True)
def renew(request: Req, form: Sent) -> Response[Any]:
    """The same, to the same person, until the day that stood there: one tap and a new receipt. A second tap finds nothing to lengthen;
    where the day or the papers are others by now, nothing goes on, and it is asked again (ADR 0136)."""
    share = share_of(request, form.need("grant"))
    longer = _renewals(request, [share]).get(share.grant)
    if longer is None:
        return go(request, "partages")
    if not as_shown.is_for(form, longer.question, share.grant):
        return _shares_page(request, [as_shown.ANOTHER], about=share.grant)
    said, words = said_so(request, list(longer.lines), form), reason_words(sentences_of(request), share)
    try:
        sharing.renew(context_of(request), signed_in(request), share.grant, longer.until, said, words)
    except TermsRefused as refused:
        if refused.reason is TermsReason.NOT_LONGER:
            return go(request, "partages")
        return _shares_page(request, [Fault(REFUSED.get(refused.reason, "error.date"))], 422, about=share.grant)
    return go(request, "partages?dit=continue")


# --- Tidying --------------------------------------------------------------------------------------------------------------


@get("/{language:str}/partages/menage", opt=who("person"), sync_to_thread=True)
def tidy(request: Req) -> Response[Any]:
    """Seal anew what somebody could read: a little at each showing of this page, which comes back by itself until it is done.

    Going away loses nothing: what is left is taken up at the next opening.
    """
    context, session, stopped = context_of(request), signed_in(request), request.query_params.get("arrete")
    began = time.monotonic()
    progress = reencryption.go_on(context, session)
    while progress.done and progress.left and time.monotonic() - began < TIDY_SECONDS:
        progress = reencryption.go_on(context, session)
    less = request.query_params.get("dit") == "moins"
    if not (progress.done and progress.left):
        ended = stopped if stopped and stopped.replace("-", "").isalnum() else None
        return go(request, f"partages?arrete={ended}" if ended else "partages?dit=moins" if less else "partages")
    return page(
        request, "kiosk/tidy.html", back="partages", left=progress.left,
        title="less.done" if less else "shares.tidy_title" if stopped else "shares.tidy_going_on",
    )  # fmt: skip


ROUTES: list[ControllerRouterHandler] = [
    shares, stop_page, stop, stop_with_card, refuse_with_card, received_with_card, stop_one_page, stop_one, renew, tidy,
]  # fmt: skip
