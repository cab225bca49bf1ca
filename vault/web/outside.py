"""Pages for somebody outside who was given a link and a code: no account, no script needed, nothing of the person but what was given.

The link's secret never stands in an address: it is typed, or comes behind the # of the square, and goes in the body of a form.
"""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import outside_opening
from vault.errors import Busy, MustWait, NotThere, WrongSecret
from vault.page_rate import TooFast
from vault.pictograms import KINDS
from vault.web.drawn import drawn
from vault.web.forms import Sent
from vault.web.guards import COOKIE, anyone, context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.shell import CLEAR, Req, end_session, go, language_of, page


@get("/{language:str}/lien", opt=anyone(), sync_to_thread=True)
def door(request: Req) -> Response[str]:
    """Two fields: the link, the code."""
    return _door(request, [])


def _door(request: Req, faults: list[Fault], status: int = 200, link: str = "") -> Response[str]:
    return page(request, "outside/door.html", status=status, faults=faults, link=link)


@post("/{language:str}/lien", opt=anyone(), sync_to_thread=True)
def enter(request: Req, form: Sent) -> Response[Any]:
    """One of the openings, or one answer to everything that is wrong."""
    link = form.get("link")
    try:
        cookie = outside_opening.enter(context_of(request), link, form.get("code"))
    except WrongSecret:
        return _door(request, [Fault("error.outside-wrong", "link")], 401, link)
    except MustWait as error:
        answer = _door(request, [Fault("error.outside-locked")], 429, link)
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
    except Busy:
        return _door(request, [Fault("error.busy")], 503, link)
    end_session(request)
    return go(request, "lien/papiers", cookie=cookie)


def _words(request: Req, sentence: str) -> str:
    return str(request.app.state.pages.sentence(language_of(request), sentence))


def _over(request: Req) -> Response[str]:
    """Taken back, used up, or never there: one page."""
    return page(request, "outside/over.html", status=404)


@get("/{language:str}/lien/papiers", opt=who("outside"), sync_to_thread=True)
def papers(request: Req) -> Response[str]:
    """What was given: each page, and all of it as one file."""
    try:
        look = outside_opening.look(context_of(request), signed_in(request))
    except NotThere:
        return _over(request)
    sheets = [(one, one.kind if one.kind in KINDS else "other") for one in look.sheets]
    return page(request, "outside/papers.html", look=look, sheets=sheets)


@get("/{language:str}/lien/papiers/{sheet:int}/page/{number:int}", opt=who("outside"), sync_to_thread=True)
def page_image(request: Req, sheet: FromPath[int], number: FromPath[int]) -> Response[bytes]:
    """A page with their name, the reason and the minute in its pixels."""
    try:
        image = outside_opening.page_image(context_of(request), signed_in(request), sheet, number)
    except NotThere:
        return drawn(_words(request, "outside.over"), 404)
    except TooFast as error:
        answer = drawn(_words(request, "outside.too_fast"), 429)
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
    return Response(image.jpeg, media_type="image/jpeg")


@post("/{language:str}/lien/dossier", opt=who("outside", leaves=True), status_code=200, sync_to_thread=True)
def dossier(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """All of it as one file of pictures; written in the person's history."""
    try:
        made = outside_opening.as_dossier(context_of(request), signed_in(request))
    except NotThere:
        return _over(request)
    return Response(made, media_type="application/pdf", headers={"Content-Disposition": 'attachment; filename="dossier.pdf"'})


@post("/{language:str}/lien/fini", opt=who("outside"), sync_to_thread=True)
def leave(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """They have read it: nothing stays in this browser."""
    end_session(request)
    answer = page(request, "outside/left.html")
    answer.headers["Clear-Site-Data"] = CLEAR
    answer.delete_cookie(COOKIE, path="/")
    return answer


ROUTES: list[ControllerRouterHandler] = [door, enter, papers, page_image, dossier, leave]
