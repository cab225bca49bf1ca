"""A worker asks for kinds of papers. They never know which papers exist; a no needs no reason."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.errors import RequestRefused
from consent.ids import GrantId
from consent.purposes import PurposeId
from consent.terms import LONGEST_OWN_WORDS
from crypto.errors import Malformed
from vault import answers, asking, shared_papers, typed
from vault.errors import BadInput
from vault.pictograms import KINDS, REASONS
from vault.web.desk_frame import NOT_SHOWN, day, desk_page
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.shell import Req, go

ANSWERS = {
    "give": ("done", "desk.requests.given"),
    "have-not": ("", "desk.requests.has_not"),
    "refuse": ("", "desk.requests.refused"),
}


@get("/demandes", opt=who("worker"), sync_to_thread=True)
def requests(request: Req) -> Response[str]:
    """What was asked, and the answers so far, kind by kind."""
    found = answers.given(context_of(request), signed_in(request))
    said = "desk.request.sent" if request.query_params.get("dit") == "envoye" else ""
    return desk_page(request, "desk/requests.html", "requests", requests=found, answers=ANSWERS, said=said)


@get("/demandes/nouvelle", opt=who("worker"), sync_to_thread=True)
def whom(request: Req) -> Response[str]:
    """Through which share: nobody is searched for."""
    found = shared_papers.people_sharing(context_of(request), signed_in(request))
    return desk_page(request, "desk/request_whom.html", "requests", shares=found)


def _name(request: Req, grant: str) -> str:
    """The name in the share, while it lives; a past share names nobody any more."""
    found = shared_papers.people_sharing(context_of(request), signed_in(request))
    return next((one.name or "" for one in found if one.grant == grant), "")


def _form(request: Req, grant: str, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    chosen = form.all("kind") if form else ()
    return desk_page(
        request, "desk/request.html", "requests", status=status, grant=grant, name=_name(request, grant), faults=faults, chosen=chosen,
        purpose=form.get("purpose") if form else "home", own_words=form.get("own_words") if form else "",
    )  # fmt: skip


@get("/demandes/nouvelle/{grant:str}", opt=who("worker"), sync_to_thread=True)
def new(request: Req, grant: FromPath[str]) -> Response[str]:
    """Which kinds, and what for."""
    return _form(request, grant, [])


@post("/demandes/nouvelle/{grant:str}", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def ask(request: Req, grant: FromPath[str], form: Sent) -> Response[Any]:
    """Ask. The person finds it at their next opening."""
    kinds, purpose, own_words = form.all("kind"), form.get("purpose"), ""
    try:
        own_words = typed.line_or_none(form.get("own_words"), "own_words", LONGEST_OWN_WORDS, long="error.phrase-long")
    except BadInput as error:
        return _form(request, grant, [Fault(error.shown, "own_words")], form, 422)
    if not kinds or not set(kinds) <= set(KINDS):
        return _form(request, grant, [Fault("desk.request.choose_kind")], form, 422)
    if purpose not in REASONS or (purpose == "other") != bool(own_words):
        return _form(request, grant, [Fault("desk.request.own_words_wrong", "own_words")], form, 422)
    try:
        asking.ask(context_of(request), signed_in(request), GrantId(grant), kinds, PurposeId(purpose), own_words=own_words)
    except RequestRefused as error:
        values: dict[str, object] = {"day": day(request, error.not_before)} if error.not_before else {}
        return _form(request, grant, [Fault(f"desk.request.{error.reason.value}", values=values)], form, 409)
    except (BadInput, Malformed):
        return _form(request, grant, [Fault("desk.request.own_words_wrong", "own_words")], form, 422)
    return go(request, "bureau/demandes?dit=envoye")


HANDLERS: list[ControllerRouterHandler] = [requests, whom, new, ask]
