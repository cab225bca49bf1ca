"""A colleague's kiosk asks this worker to stand for somebody's yes: six digits, what is asked in neutral words, and a signature."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import witnessed
from vault.errors import MustWait, WrongSecret
from vault.web.desk_frame import desk_page
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.shell import Req, go

SAID = {"signe": "desk.witness.signed", "refuse": "desk.witness.declined"}


def _code_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    return desk_page(
        request, "desk/witness_code.html", "guardian", status=status, faults=faults,
        said=SAID.get(request.query_params.get("dit", ""), ""),
    )  # fmt: skip


@get("/accompagner/temoin", opt=who("worker"), sync_to_thread=True)
def code_page(request: Req) -> Response[str]:
    """The digits of the kiosk."""
    return _code_page(request, [])


@post("/accompagner/temoin", opt=who("worker"), sync_to_thread=True)
def type_code(request: Req, form: Sent) -> Response[Any]:
    """Right digits show what is asked."""
    try:
        asking = witnessed.type_code(context_of(request), signed_in(request), form.get("code").strip())
    except WrongSecret:
        return _code_page(request, [Fault("desk.guardian.wrong_code", "code")], 422)
    except MustWait:
        return _code_page(request, [Fault("desk.guardian.too_many", "code")], 429)
    return go(request, f"bureau/accompagner/temoin/{asking}")


def _question_page(request: Req, asking: str, faults: list[Fault], status: int = 200) -> Response[str]:
    told = witnessed.asked(context_of(request), signed_in(request), asking)
    return desk_page(request, "desk/witness.html", "guardian", status=status, told=told, faults=faults)


@get("/accompagner/temoin/{asking:str}", opt=who("worker"), sync_to_thread=True)
def question(request: Req, asking: FromPath[str]) -> Response[str]:
    """A kind of paper, what for, for whom, until when: no name and no title."""
    return _question_page(request, asking, [])


@post("/accompagner/temoin/{asking:str}", opt=who("worker"), sync_to_thread=True)
def answer(request: Req, asking: FromPath[str], form: Sent) -> Response[Any]:
    """Signed, by whoever says that they stand beside the person; or not."""
    context, session = context_of(request), signed_in(request)
    if form.get("answer") != "sign":
        witnessed.decline(context, session, asking)
        return go(request, "bureau/accompagner/temoin?dit=refuse")
    if not form.has("beside"):
        return _question_page(request, asking, [Fault("desk.witness.say_it", "beside")], 422)
    witnessed.sign(context, session, asking)
    return go(request, "bureau/accompagner/temoin?dit=signe")


HANDLERS: list[ControllerRouterHandler] = [code_page, type_code, question, answer]
