"""The papers of one share: the list, one page at a time with its watermark, a copy where it is granted.

Every answer to "not yours", "over", "taken back" and "never was" is D02. The image itself answers the same, drawn.
"""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from consent.ids import GrantId, PaperId
from consent.scope import Act
from vault import shared_papers, succession
from vault.errors import Conflict, NotThere
from vault.opening_shared import page_image_shared
from vault.page_rate import TooFast
from vault.pictograms import KINDS
from vault.shared_papers import PersonSharing, SharedPaper
from vault.web.desk_frame import NOT_SHOWN, desk_page, sentences
from vault.web.drawn import drawn
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.paging import asked
from vault.web.shell import Req, go
from vault.web.taking import attachment

SAID = {"remplace": "desk.replace.done", "relais": "desk.relay.done"}


def share_of(request: Req, grant: str) -> PersonSharing:
    """The share of the address, when it opens now."""
    for one in shared_papers.people_sharing(context_of(request), signed_in(request)):
        if one.grant == grant:
            return one
    raise NotThere


def kind_of(paper: SharedPaper) -> str:
    """The kind of paper that a page can name."""
    return paper.sort if paper.sort in KINDS else "other"


@get("/personnes/{grant:str}", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def papers(request: Req, grant: FromPath[str]) -> Response[str]:
    """What this share shows, newest first."""
    share = share_of(request, grant)
    found = shared_papers.papers_shared(context_of(request), signed_in(request), GrantId(grant))
    lines = [(one, kind_of(one)) for one in found]
    said = SAID.get(request.query_params.get("dit", ""), "")
    proposed = [one for one in succession.proposals(context_of(request), signed_in(request)) if one.grant == grant]
    return desk_page(
        request, "desk/papers.html", "people", share=share, lines=lines, said=said, proposed=proposed,
        more=any(one.more_than_pages for one in found),
    )  # fmt: skip


# --- Somebody else goes on ------------------------------------------------------------------------------------------------


def _relay_page(request: Req, grant: str, faults: list[Fault], status: int = 200) -> Response[str]:
    share = share_of(request, grant)
    found = succession.colleagues_of(context_of(request), signed_in(request), share.acts)
    return desk_page(
        request, "desk/relay.html", "people", status=status, share=share, colleagues=found, faults=faults
    )  # fmt: skip


@get("/personnes/{grant:str}/relais", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def relay_page(request: Req, grant: FromPath[str]) -> Response[str]:
    """Propose that a colleague go on: only the person gives."""
    return _relay_page(request, grant, [])


@post("/personnes/{grant:str}/relais", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def propose_relay(request: Req, grant: FromPath[str], form: Sent) -> Response[Any]:
    """The person reads it at their next opening."""
    acts, chosen = share_of(request, grant).acts, form.get("worker")
    if chosen not in [one.id for one in succession.colleagues_of(context_of(request), signed_in(request), acts)]:
        return _relay_page(request, grant, [Fault("error.nothing-chosen", "worker")], 422)
    try:
        succession.propose(context_of(request), signed_in(request), GrantId(grant), chosen)
    except Conflict:
        return _relay_page(request, grant, [Fault("desk.relay.already")], 409)
    return go(request, f"bureau/personnes/{grant}?dit=relais")


def _shared(request: Req, grant: str, paper: str) -> tuple[PersonSharing, SharedPaper]:
    context, session = context_of(request), signed_in(request)
    try:
        share = share_of(request, grant)
        for one in shared_papers.papers_shared(context, session, GrantId(grant)):
            if one.paper == paper and one.may_see:
                return share, one
    except NotThere:
        pass
    # It was asked for: the rules say no, and the person will read that somebody tried.
    shared_papers.open_shared(context, session, GrantId(grant), PaperId(paper), Act.SEE)
    raise NotThere


@get("/papiers/{grant:str}/{paper:str}", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def viewer(request: Req, grant: FromPath[str], paper: FromPath[str]) -> Response[str]:
    """One page to look at; arrow keys turn pages. Which page is in the address, never which paper by name."""
    share, shown = _shared(request, grant, paper)
    number = min(asked(request), max(shown.pages, 1))
    return desk_page(request, "desk/viewer.html", "people", share=share, paper=shown, kind=kind_of(shown), number=number)


@get("/papiers/{grant:str}/{paper:str}/page/{number:int}", opt=who("worker"), sync_to_thread=True)
def page_image(request: Req, grant: FromPath[str], paper: FromPath[str], number: FromPath[int]) -> Response[bytes]:
    """The page with who, what for and when in its pixels. What cannot be shown is said in the picture's place."""
    try:
        image = page_image_shared(context_of(request), signed_in(request), GrantId(grant), PaperId(paper), number)
    except NotThere:
        return drawn(sentences(request).plain("d02.title"), 404)
    except TooFast as error:
        answer = drawn(sentences(request).plain("desk.viewer.too_fast"), 429)
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
    return Response(image.jpeg, media_type="image/jpeg")


@post(
    "/papiers/{grant:str}/{paper:str}/copie", opt={**who("worker"), "leaves": True}, exception_handlers=NOT_SHOWN, status_code=200,
    sync_to_thread=True,
)  # fmt: skip
def take(request: Req, grant: FromPath[str], paper: FromPath[str], form: Sent) -> Stream:  # noqa: ARG001 — the token has been compared
    """The bytes as they were received. It cannot be undone, and the person reads it."""
    content: Any = shared_papers.take(context_of(request), signed_in(request), GrantId(grant), PaperId(paper))
    return attachment(content)


HANDLERS: list[ControllerRouterHandler] = [papers, relay_page, propose_relay, viewer, page_image, take]
