"""Two safes of one person become one: the other card, then its code or its pictures, each on a page of its own."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from vault import adding, joining
from vault.errors import BadInput, Busy, Conflict, MustWait, WrongSecret
from vault.people import Chosen
from vault.refusals import PaperRefused
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import Req, fragment, go, language_of, page
from vault.web.taking import asked_first
from vault.web.taking_away import done
from vault.web.unlock import picked_pictures, refused, secret_page
from vault.web.uploads import in_square, in_thread, receive_frame, receive_photo
from vault.widening import WouldShow

PLACE = "autre-abri"
CODE = f"{PLACE}/code"


@get("/{language:str}/autre-abri", opt=who("person"), sync_to_thread=True)
def other(request: Req) -> Response[str]:
    """Two cards of one person: what the other one holds comes into this one. The other card first; before it, who would see it."""
    return asked_first(request, PLACE, "droits/autres") or _card_page(request, [])


def _card_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    equipment = here(request).equipment
    return page(request, "kiosk/other_safe.html", status=status, back="droits/autres", faults=faults, equipment=equipment)


@post("/{language:str}/autre-abri", opt=who("person"), sync_to_thread=True)
def read_card(request: Req, form: Sent) -> Response[Any]:
    """By the USB reader."""
    try:
        joining.show_card(context_of(request), signed_in(request), form.need("card"))
    except (WrongSecret, BadInput):
        return _card_page(request, [Fault("error.card-unreadable", "card")], 422)
    return go(request, CODE)


def _card_in(request: Req, picture: bytes) -> None:
    """Keep the first card of a picture. WrongSecret when none of its squares is one."""
    context, session = context_of(request), signed_in(request)
    in_square(context, picture, partial(joining.show_card, context, session))


@post("/{language:str}/autre-abri/photo", opt=who("person", streams=True))
async def photo_of_card(request: Req) -> Response[Any]:
    """By a photo."""
    try:
        upload = await receive_photo(request)
        if not upload.files:
            raise WrongSecret
        await in_thread(_card_in, request, upload.contents[0])
    except (WrongSecret, PaperRefused):
        return await in_thread(_card_page, request, [Fault("error.card-unreadable", "file")], 422)
    return go(request, CODE)


@post("/{language:str}/autre-abri/image", opt=who("person", streams=True))
async def card_from_camera(request: Req) -> Response[Any]:
    """One picture of the camera: 204 while there is no card in it, then where to go."""
    picture = await receive_frame(request)
    try:
        await in_thread(_card_in, request, picture)
    except (WrongSecret, PaperRefused):
        return Response(None, status_code=204)
    return Response({"next": fragment(request, CODE)}, status_code=200)


@get("/{language:str}/autre-abri/code", opt=who("person"), sync_to_thread=True)
def code(request: Req) -> Response[Any]:
    """Then the code of the other card."""
    return _secret_page(request, "code")


@get("/{language:str}/autre-abri/images", opt=who("person"), sync_to_thread=True)
def pictures(request: Req) -> Response[Any]:
    """Or its pictures."""
    return _secret_page(request, "images")


def _secret_page(request: Req, way: str, sentence: str | None = None) -> Response[Any]:
    if not joining.waits(context_of(request), signed_in(request)):
        return go(request, PLACE)
    template = "kiosk/code.html" if way == "code" else "kiosk/pictures.html"
    faults, status = ([Fault(sentence, "code" if way == "code" else None)], 422) if sentence else ([], 200)
    return secret_page(request, template, base=f"{PLACE}/", status=status, faults=faults, heading="join.code")


@post("/{language:str}/autre-abri/code", opt=who("person"), sync_to_thread=True)
def with_code(request: Req, form: Sent) -> Response[Any]:
    """Both are right, or nothing is brought."""
    return _join(request, form.get("code"), "code", "error.code-digits")


@post("/{language:str}/autre-abri/images", opt=who("person"), sync_to_thread=True)
def with_pictures(request: Req, form: Sent) -> Response[Any]:
    """The same with five pictures."""
    try:
        chosen = picked_pictures(form)
    except BadInput:
        return _secret_page(request, "images", "error.pictures-count")
    return _join(request, chosen, "images", "error.pictures-count")


def _join(request: Req, chosen: Chosen, way: str, unfinished: str) -> Response[Any]:
    if not joining.waits(context_of(request), signed_in(request)):
        return go(request, "papiers")  # of two taps the first brings, or has brought: what came is there
    try:
        agreed = adding.agreed(context_of(request), signed_in(request))
        found = joining.join(context_of(request), signed_in(request), chosen, language_of(request), agreed)
    except Conflict:
        return go(request, "papiers")
    except WouldShow:  # a drawer was shown to somebody on another screen since
        return go(request, PLACE)
    except BadInput as error:
        if error.field in ("code", "pictures"):
            return _secret_page(request, way, unfinished)
        return refused(request, WrongSecret(), PLACE)  # the card with which one is here: not told from another wrong one
    except (WrongSecret, MustWait, Busy) as error:
        return refused(request, error, f"{PLACE}/{way}")
    return done(request, found)


ROUTES: list[ControllerRouterHandler] = [
    other, read_card, photo_of_card, card_from_camera, code, pictures, with_code, with_pictures,
]  # fmt: skip
