"""Pages that a person's own phone opens from a one-time square: receive a paper, send a photo. Small, without script, without session."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import leaving
from vault.errors import TicketGone, TooMuch
from vault.refusals import PaperRefused, UploadError
from vault.tickets import Kind, Ticket
from vault.web.errors import NOT_NOW, status_and_sentence
from vault.web.forms import Sent
from vault.web.gathering import held_by
from vault.web.guards import anyone, context_of
from vault.web.pages import Fault
from vault.web.shell import Req, page
from vault.web.taking import attachment
from vault.web.uploads import in_thread, receive

GONE = 410


def _living(request: Req, ticket: str, kind: Kind) -> Ticket | None:
    """The link, when it still works and is of this kind. Looking does not use it up: a phone may preview."""
    try:
        shown = leaving.look(context_of(request), ticket)
    except TicketGone:
        return None
    return shown if shown.kind == kind else None


def _gone(request: Req) -> Response[str]:
    return page(request, "kiosk/phone_gone.html", status=GONE)


@get("/{language:str}/tel/{ticket:str}", opt=anyone(), sync_to_thread=True)
def receive_page(request: Req, ticket: FromPath[str]) -> Response[str]:
    """One button: the paper comes only when somebody presses it."""
    if not _living(request, ticket, "to-phone"):
        return _gone(request)
    return page(request, "kiosk/phone_receive.html", ticket=ticket)


@post("/{language:str}/tel/{ticket:str}", opt=anyone(), sync_to_thread=True)
def take_paper(request: Req, ticket: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — a session here has its token compared
    """The paper, once, under a neutral name."""
    try:
        content = leaving.redeem(context_of(request), ticket)
    except TicketGone:
        return _gone(request)
    return attachment(content)


@get("/{language:str}/envoi/{ticket:str}", opt=anyone(), sync_to_thread=True)
def send_page(request: Req, ticket: FromPath[str]) -> Response[str]:
    """Take a photo, send it."""
    if not _living(request, ticket, "from-phone"):
        return _gone(request)
    return _send_page(request, ticket, [])


def _send_page(request: Req, ticket: str, faults: list[Fault], status: int = 200) -> Response[str]:
    return page(request, "kiosk/phone_send.html", status=status, ticket=ticket, faults=faults)


@post("/{language:str}/envoi/{ticket:str}", opt=anyone(streams=True))
async def send(request: Req, ticket: FromPath[str]) -> Response[str]:
    """The paper comes in; the link is used up only when it is kept, so a refused photo can be taken again."""
    shown = await in_thread(_living, request, ticket, "from-phone")
    if shown is None:
        return await in_thread(_gone, request)
    held = held_by(request)
    if held is not None:
        held.count_for(f"phone {shown.person}")  # strangers who fill the memory that strangers may have stop no phone
    try:
        upload = await receive(request)
        contents = [content for content in upload.contents if content]
        if not contents:
            return await in_thread(_send_page, request, ticket, [Fault("error.no-file", "file")], 422)
        await in_thread(leaving.receive, context_of(request), ticket, contents, untrusted_name=upload.name)
    except TicketGone:
        return await in_thread(_gone, request)
    except (PaperRefused, UploadError, TooMuch, *NOT_NOW) as error:
        status, sentence = status_and_sentence(error)
        return await in_thread(_send_page, request, ticket, [Fault(sentence, "file")], status)
    return await in_thread(page, request, "kiosk/phone_sent.html")


ROUTES: list[ControllerRouterHandler] = [receive_page, take_paper, send_page, send]
