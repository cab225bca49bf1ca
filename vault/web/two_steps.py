"""A card, then its code, for something else than opening: come back after a recovery that had to wait, stop a recovery, cancel an
erasure. The same two screens, and the same answer for a card that nobody knows. Or a card alone, for a page that asks the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from crypto.printed import card_text
from vault import coming_back, erasure, people
from vault.context import Context
from vault.errors import BadInput, Busy, MustWait, NotThere, WrongSecret
from vault.people import Chosen
from vault.refusals import PaperRefused
from vault.web.forms import Sent
from vault.web.guards import anyone, context_of, session_of, signed_in, who
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import Req, closed, end_session, go, page
from vault.web.unlock import picked_pictures, present_in_picture, refused, secret_page, seen_by_camera, words_fault, words_page
from vault.web.uploads import in_thread, receive_photo


@dataclass(frozen=True)
class Done:
    """What came of it: the cookie of an open safe, or the sentence to read."""

    cookie: str = field(default="", repr=False)
    said: str = ""


def _come_back(context: Context, kiosk: str | None, card: str, chosen: Chosen) -> Done:
    return Done(cookie=coming_back.come_back(context, kiosk, card, chosen))


def _stop(context: Context, kiosk: str | None, card: str, chosen: Chosen) -> Done:
    return Done(said="k23.stopped" if coming_back.stop(context, kiosk, card, chosen) else "k23.stopped_waiting")


def _cancel(context: Context, kiosk: str | None, card: str, chosen: Chosen) -> Done:
    erasure.cancel(context, kiosk, card, chosen)
    return Done(said="k20.cancelled")


Act = Callable[[Context, str | None, str, Chosen], Done]
ACTS: dict[str, Act] = {"retour": _come_back, "reouverture": _stop, "effacement": _cancel}
CANCELS = ("effacement", "reouverture")
# The card alone is asked here; what follows is asked on the page that it leads to.
LEADS_TO = {"deblocage": "debloquer", "oublie": "perdu/raison/forgotten"}


def _act(what: str) -> Act:
    if what not in ACTS:
        raise NotThere
    return ACTS[what]


def _after_card(what: str) -> str:
    return LEADS_TO.get(what, f"avec-la-carte/{what}/code")


@get("/{language:str}/annuler", opt=anyone(), sync_to_thread=True)
def what_to_cancel(request: Req) -> Response[str]:
    """Cancel an erasure, or stop a recovery that one did not ask for."""
    return page(request, "kiosk/cancel.html", back="aide")


@get("/{language:str}/annuler/mots", opt=anyone(), sync_to_thread=True)
def words(request: Req) -> Response[str]:
    """Cancel an erasure without the card: the number and the five words."""
    return words_page(request, "annuler/mots", [])


@post("/{language:str}/annuler/mots", opt=anyone(), sync_to_thread=True)
def with_words(request: Req, form: Sent) -> Response[Any]:
    """Everything is there again."""
    typed = " ".join(form.get("words").split())
    try:
        erasure.cancel_with_words(context_of(request), here(request).id, form.get("number"), typed)
    except (WrongSecret, BadInput) as error:
        return words_page(request, "annuler/mots", *words_fault(error), form.get("number"))
    except (MustWait, Busy) as error:
        return refused(request, error, "annuler/mots")
    end_session(request)
    return closed(request, "kiosk/said.html", said="k20.cancelled")


@get("/{language:str}/avec-la-carte/{what:str}", opt=anyone(), sync_to_thread=True)
def show_card(request: Req, what: FromPath[str]) -> Response[Any]:
    """The card first; not again when it has just been shown, unless another one is wanted."""
    _check(what)
    session = session_of(request)
    if session is not None and session.kind == "card" and not request.query_params.get("encore"):
        return go(request, _after_card(what))
    return _card_page(request, what, [])


def _check(what: str) -> None:
    if what not in LEADS_TO:
        _act(what)


def _card_page(request: Req, what: str, faults: list[Fault], status: int = 200) -> Response[str]:
    _check(what)
    back = "annuler" if what in CANCELS else "proteger" if what == "deblocage" else "perdu"
    equipment = here(request).equipment
    return page(request, "kiosk/card_then_code.html", status=status, back=back, faults=faults, what=what, equipment=equipment)


@post("/{language:str}/avec-la-carte/{what:str}", opt=anyone(), sync_to_thread=True)
def read_card(request: Req, what: FromPath[str], form: Sent) -> Response[Any]:
    """By the USB reader."""
    try:
        cookie = people.present_card(context_of(request), here(request).id, form.need("card"))
    except (WrongSecret, BadInput):
        return _card_page(request, what, [Fault("error.card-unreadable", "card")], 422)
    return go(request, _after_card(what), cookie=cookie)


@post("/{language:str}/avec-la-carte/{what:str}/photo", opt=anyone(streams=True))
async def photo_of_card(request: Req, what: FromPath[str]) -> Response[Any]:
    """By a photo."""
    upload = await receive_photo(request)
    try:
        if not upload.files:
            raise WrongSecret
        cookie = await in_thread(present_in_picture, context_of(request), here(request).id, upload.contents[0])
    except (WrongSecret, PaperRefused):
        return await in_thread(_card_page, request, what, [Fault("error.card-unreadable", "file")], 422)
    return go(request, _after_card(what), cookie=cookie)


@post("/{language:str}/avec-la-carte/{what:str}/image", opt=anyone(streams=True))
async def card_from_camera(request: Req, what: FromPath[str]) -> Response[Any]:
    """One picture of the camera, as on the page where safes are opened."""
    _check(what)
    return await seen_by_camera(request, _after_card(what))


@get("/{language:str}/avec-la-carte/{what:str}/code", opt=who("card"), sync_to_thread=True)
def code(request: Req, what: FromPath[str]) -> Response[str]:
    """Then the code."""
    _act(what)
    return secret_page(request, "kiosk/code.html", base=f"avec-la-carte/{what}/")


@get("/{language:str}/avec-la-carte/{what:str}/images", opt=who("card"), sync_to_thread=True)
def pictures(request: Req, what: FromPath[str]) -> Response[str]:
    """Or the pictures."""
    _act(what)
    return secret_page(request, "kiosk/pictures.html", base=f"avec-la-carte/{what}/")


def _do(request: Req, what: str, chosen: Chosen, again: str) -> Response[Any]:
    act = _act(what)
    context, session = context_of(request), signed_in(request)
    try:
        done = act(context, here(request).id, card_text(people.card_of(context, session)), chosen)
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        return refused(request, error, f"avec-la-carte/{what}/{again}")
    if done.cookie:
        return go(request, "maison", cookie=done.cookie)
    end_session(request)
    return closed(request, "kiosk/said.html", said=done.said)


@post("/{language:str}/avec-la-carte/{what:str}/code", opt=who("card"), sync_to_thread=True)
def with_code(request: Req, what: FromPath[str], form: Sent) -> Response[Any]:
    """Done with card and code."""
    return _do(request, what, form.get("code"), "code")


@post("/{language:str}/avec-la-carte/{what:str}/images", opt=who("card"), sync_to_thread=True)
def with_pictures(request: Req, what: FromPath[str], form: Sent) -> Response[Any]:
    """Done with card and pictures."""
    try:
        return _do(request, what, picked_pictures(form), "images")
    except BadInput:
        faults = [Fault("error.pictures-count")]
        return secret_page(request, "kiosk/pictures.html", base=f"avec-la-carte/{what}/", status=422, faults=faults)


ROUTES: list[ControllerRouterHandler] = [
    what_to_cancel, words, with_words, show_card, read_card, photo_of_card, card_from_camera, code, pictures, with_code, with_pictures,
]  # fmt: skip
