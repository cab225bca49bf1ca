"""People who chose this worker to open with them: the six digits of their kiosk, typed beside the right name."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import assisted, assisting
from vault.assisting import Helped
from vault.errors import MustWait, NotThere, WrongSecret
from vault.web.desk_frame import desk_page
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.shell import Req, go


@get("/accompagner", opt=who("worker"), sync_to_thread=True)
def helped_people(request: Req) -> Response[str]:
    """By the name and the drawing that each one gave; nobody else can be found here."""
    found = assisting.people_i_help(context_of(request), signed_in(request))
    said = "desk.assist.done" if request.query_params.get("dit") == "ouvert" else ""
    return desk_page(request, "desk/helped_people.html", "guardian", helped=found, said=said)


def _one(request: Req, slot: str) -> Helped:
    for one in assisting.people_i_help(context_of(request), signed_in(request)):
        if one.slot == slot:
            return one
    raise NotThere


def _page(request: Req, slot: str, faults: list[Fault], status: int = 200) -> Response[str]:
    return desk_page(request, "desk/helped_person.html", "guardian", status=status, one=_one(request, slot), faults=faults)


@get("/accompagner/{slot:str}", opt=who("worker"), sync_to_thread=True)
def helped_person(request: Req, slot: FromPath[str]) -> Response[str]:
    """The person stands here with their card."""
    return _page(request, slot, [])


@post("/accompagner/{slot:str}", opt=who("worker"), sync_to_thread=True)
def open_together(request: Req, slot: FromPath[str], form: Sent) -> Response[Any]:
    """What this worker holds goes to that kiosk, and nowhere else."""
    try:
        assisted.lend(context_of(request), signed_in(request), slot, form.get("code").strip())
    except WrongSecret:
        return _page(request, slot, [Fault("desk.guardian.wrong_code", "code")], 422)
    except MustWait:
        return _page(request, slot, [Fault("desk.guardian.too_many", "code")], 429)
    return go(request, "bureau/accompagner?dit=ouvert")


HANDLERS: list[ControllerRouterHandler] = [helped_people, helped_person, open_together]
