"""The first page of a room for training: who is in it, their cards and codes, and the desk in one click. No other service has it."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import training
from vault.web.forms import Sent
from vault.web.guards import anyone, context_of
from vault.web.shell import Req, end_session, go, work_page


@get("/{language:str}/salle", opt=anyone(), sync_to_thread=True)
def room(request: Req) -> Response[str]:
    """Everybody here is false, and how to be each of them."""
    return work_page(request, "desk/room.html", access=training.access(context_of(request)))


@get("/{language:str}/salle/carte/{key:str}", opt=anyone(), sync_to_thread=True)
def card(request: Req, key: FromPath[str]) -> Response[bytes]:
    """Somebody's card as a picture, to give where a photo of the card is asked for."""
    headers = {"Content-Disposition": f'attachment; filename="carte-{key}.jpg"'}
    picture = training.card_picture(context_of(request), key)
    return Response(picture, media_type="image/jpeg", headers=headers)


@post("/{language:str}/salle/entrer", opt=anyone(), sync_to_thread=True)
def enter(request: Req, form: Sent) -> Response[Any]:
    """The desk of a worker of the room, without words and digits. Whatever was open in the room's browser closes."""
    cookie = training.enter(context_of(request), form.need("worker"))
    end_session(request)
    return go(request, "bureau", cookie=cookie)


ROUTES: list[ControllerRouterHandler] = [room, card, enter]
