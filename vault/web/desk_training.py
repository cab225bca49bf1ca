"""From the desk to a room for training: made anew in one click, entered in another."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from vault import training
from vault.web.desk_frame import DESK_ERRORS, desk_page, in_two_languages
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.rooms import door
from vault.web.shell import Req, work_language


@get("/", opt=who("worker"), sync_to_thread=True)
def training_page(request: Req) -> Response[str]:
    """What a room is, and whether mine stands."""
    found = training.room(context_of(request), signed_in(request))
    address = f"{training.PREFIX}/{found.name}/{work_language(request)}/salle"
    return desk_page(request, "desk/training.html", "help", made=found.made, address=address)


@post("/", opt=who("worker"), sync_to_thread=True)
def make_room(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """A new room; what was in the one before is gone."""
    made = training.make(context_of(request), signed_in(request))
    return Redirect(f"{training.PREFIX}/{made.name}/{work_language(request)}/salle", status_code=303)


ROUTES: list[ControllerRouterHandler] = [
    Router(
        path="/{language:str}/bureau/formation", route_handlers=[training_page, make_room], guards=[in_two_languages],
        exception_handlers=DESK_ERRORS,
    ),
    door,
]  # fmt: skip
