"""A copy for another person who is here: the first says yes and closes, the second opens and says yes or no. One kiosk, two cards."""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from consent.ids import PaperId
from consent.purposes import PRIVATE
from vault import copying
from vault.errors import NotThere, TicketGone
from vault.pictograms import KINDS
from vault.web.forms import Sent
from vault.web.guards import COOKIE, anyone, context_of, signed_in, who
from vault.web.paper_items import kept_paper, kind_of
from vault.web.shell import COPY_COOKIE, Req, end_session, go, page
from vault.web.taking import would_show
from vault.widening import WouldShow

FORGET = '"cache", "storage"'  # not "cookies": the ticket would be forgotten too


@get("/{language:str}/papiers/{paper:str}/copier", opt=who("person"), sync_to_thread=True)
def offer_page(request: Req, paper: FromPath[str]) -> Response[str]:
    """Yes or no, by whoever the paper belongs to."""
    card = kept_paper(request, paper)
    if card.shelf == PRIVATE:
        raise NotThere
    return page(
        request, "kiosk/copy_offer.html", back=f"papiers/{card.paper}/que-faire?plus=2", paper=card.paper, kind=kind_of(card)
    )


@post("/{language:str}/papiers/{paper:str}/copier", opt=who("person"), sync_to_thread=True)
def offer(request: Req, paper: FromPath[str], form: Sent) -> Redirect:  # noqa: ARG001 — the token has been compared
    """Yes: this safe closes before the other one opens."""
    secret = copying.offer(context_of(request), signed_in(request), PaperId(paper))
    end_session(request)
    answer = go(request, "copie/carte")
    answer.headers["Clear-Site-Data"] = FORGET
    answer.delete_cookie(COOKIE, path="/")
    answer.set_cookie(
        Cookie(COPY_COOKIE, value=secret, path="/", max_age=copying.MINUTES * 60, secure=True, httponly=True, samesite="strict")
    )
    return answer


@get("/{language:str}/copie/carte", opt=anyone(), sync_to_thread=True)
def your_turn(request: Req) -> Response[str]:
    """The first takes their card; the second shows theirs."""
    return page(request, "kiosk/copy_turn.html")


def _without(request: Req, place: str) -> Redirect:
    """Go there, and forget the ticket."""
    answer = go(request, place)
    answer.delete_cookie(COPY_COOKIE, path="/")
    return answer


@get("/{language:str}/copie", opt=who("person", over="maison"), sync_to_thread=True)
def question(request: Req) -> Response[Any]:
    """What is offered; when nothing is any more, the first page of one's own safe."""
    try:
        one = copying.look(context_of(request), signed_in(request), request.cookies.get(COPY_COOKIE, ""))
    except TicketGone:
        return _without(request, "maison")
    return page(request, "kiosk/copy_keep.html", back="maison", one=one, kind=one.sort if one.sort in KINDS else "other")


@post("/{language:str}/copie", opt=who("person", over="maison"), sync_to_thread=True)
def answer(request: Req, form: Sent) -> Response[Any]:
    """Kept under one's own keys, or not at all."""
    context, session, secret = context_of(request), signed_in(request), request.cookies.get(COPY_COOKIE, "")
    if form.get("answer") != "yes":
        copying.refuse(context, session, secret)
        return _without(request, "maison")
    private, agreed = form.get("instead") == "private", form.all("agreed")
    try:  # TooMuch keeps the ticket: room can be made within its minutes
        kept = copying.keep(context, session, secret, private=private, agreed=agreed)
    except WouldShow as question:
        return would_show(
            request, question.seen, place="copie", back="copie", hidden={"answer": "yes"}, instead="private"
        )  # fmt: skip
    return _without(request, f"papiers/{kept}")


ROUTES: list[ControllerRouterHandler] = [offer_page, offer, your_turn, question, answer]
