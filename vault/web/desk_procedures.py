"""Checklists: what each procedure asks for, and for one person what is there, what is missing, what must not be handed over."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.errors import RequestRefused
from consent.ids import GrantId
from vault import procedure_asking, procedure_editing, shared_papers
from vault.errors import BadInput
from vault.settings import today_in_paris
from vault.web.desk_frame import NOT_SHOWN, day, desk_page
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.shell import Req, go

STATES = {
    "there": ("done", "procedure.line.there"), "old": ("soon", "procedure.line.old"), "expired": ("late", "procedure.line.expired"),
    "missing": ("", "procedure.line.missing"), "together": ("", "procedure.together"), "never": ("", "procedure.line.never"),
    "shown-never": ("late", "procedure.line.shown_never"),
}  # fmt: skip
"""How a line of a checklist is said: the kind of its mark, its words."""


@get("/demarches", opt=who("worker"), sync_to_thread=True)
def procedures(request: Req) -> Response[str]:
    """Every procedure, with its source and how old its list is."""
    context = context_of(request)
    found = procedure_editing.for_worker(context, signed_in(request))
    return desk_page(
        request, "desk/procedures.html", "procedures", procedures=list(found.values()), today=today_in_paris(context.clock())
    )  # fmt: skip


@get("/demarches/{slug:str}", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def procedure(request: Req, slug: FromPath[str]) -> Response[str]:
    """One list, and for whom to look through it: those who show me something."""
    context, session = context_of(request), signed_in(request)
    people = {one.person: one for one in reversed(shared_papers.people_sharing(context, session))}
    return desk_page(
        request, "desk/procedure.html", "procedures", one=procedure_asking.procedure_of(context, session, slug),
        people=list(reversed(people.values())), today=today_in_paris(context.clock()),
    )  # fmt: skip


def _page(request: Req, slug: str, grant: str, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    context, session = context_of(request), signed_in(request)
    found = procedure_asking.for_one(context, session, GrantId(grant), slug)
    return desk_page(
        request, "desk/checklist.html", "procedures", status=status, found=found, states=STATES, faults=faults,
        ticked=form.all("piece") if form else None,
        today=today_in_paris(context.clock()), said="desk.request.sent" if request.query_params.get("dit") == "envoye" else "",
    )  # fmt: skip


@get("/demarches/{slug:str}/{grant:str}", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def checklist(request: Req, slug: FromPath[str], grant: FromPath[str]) -> Response[str]:
    """For one person: line by line, only among what they show to me."""
    return _page(request, slug, grant, [])


@post("/demarches/{slug:str}/{grant:str}", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def ask(request: Req, slug: FromPath[str], grant: FromPath[str], form: Sent) -> Response[Any]:
    """Ask for what is missing, in one request: the person answers it on one page."""
    try:
        procedure_asking.ask(context_of(request), signed_in(request), GrantId(grant), slug, form.all("piece"))
    except BadInput:
        return _page(request, slug, grant, [Fault("desk.request.choose_kind")], form, 422)
    except RequestRefused as error:
        values: dict[str, object] = {"day": day(request, error.not_before)} if error.not_before else {}
        return _page(request, slug, grant, [Fault(f"desk.request.{error.reason.value}", values=values)], form, 409)
    return go(request, f"bureau/demarches/{slug}/{grant}?dit=envoye")


HANDLERS: list[ControllerRouterHandler] = [procedures, procedure, checklist, ask]
