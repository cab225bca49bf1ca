"""The interface for programs, off unless ABRI_API=yes: the same use cases and the same session as the pages, as a bearer.

No cookie is read here and none is set. No long-lived token exists: what a code opens ends as it does on a kiosk. Bodies of papers
stream: in constant memory when they are kept as received.
"""

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromPath, FromQuery, JSONBody

from consent.errors import ConsentError, TermsReason, TermsRefused
from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind, purpose
from consent.scope import Act
from crypto.errors import Malformed
from vault import arriving, documents, erasure, looking_back, people, proofs, sessions, sharing, showing, withdrawing, workers
from vault.errors import BadInput
from vault.languages import named
from vault.people import Chosen
from vault.receipts import Said
from vault.shelves import checked_kind
from vault.web import api_papers, api_shapes, errors, problems
from vault.web.api_shapes import How, NewShare, Secret, Unlock, Withdrawal
from vault.web.guards import OPEN, anyone, context_of, signed_in, who
from vault.web.problems import described, responses
from vault.web.shell import Req

JSON_BYTES = 64 * 1024
PERSON = {**who("person"), "api": True}
PUBLIC = {**anyone(), "api": True}
OLDER = ResponseHeader(
    name="Link", documentation_only=True, description="The address of what is older, rel=next, when there is some."
)
FIRST_DAY = (TermsReason.FIRST_DAY_SHELF, TermsReason.FIRST_DAY_TAKE)


def _chosen(code: str, pictures: list[int]) -> Chosen:
    if bool(code) == bool(pictures):
        raise BadInput("code")
    return code or tuple(pictures)


@post("/unlock", opt=PUBLIC, status_code=200, responses=responses(401, 413, 422, 429), sync_to_thread=True)
def unlock(request: Req, data: JSONBody[Unlock]) -> api_shapes.Opened:
    """Open a safe. 401 for anything that does not open, whichever part was wrong; 429 when it must wait."""
    context = context_of(request)
    if bool(data.card) == bool(data.number):
        raise BadInput("card")
    if data.number:
        cookie = people.unlock_with_words(context, None, data.number, data.words)
    else:
        chosen = _chosen(data.code, data.pictures)
        shown = sessions.find(context, people.present_card(context, None, data.card))
        try:
            if isinstance(chosen, str):
                cookie = people.unlock(context, shown, chosen)
            else:
                cookie = people.unlock_with_pictures(context, shown, chosen)
        finally:
            sessions.end(context, shown)  # safe to repeat: a right code has ended it already
    session = sessions.find(context, cookie)
    arriving.at_unlock(context, session)
    return api_shapes.Opened(cookie, sessions.idle_seconds(context, session.kind), session.term)


@delete("/session", opt=PERSON, **described(), sync_to_thread=True)
def end(request: Req) -> None:
    """End the session: the token opens nothing any more."""
    sessions.end(context_of(request), signed_in(request))


@get("/recipients", opt=PERSON, **described(), sync_to_thread=True)
def recipients(request: Req) -> list[api_shapes.Worker]:
    """Certified workers to whom papers can be shown."""
    return [api_shapes.worker(one) for one in workers.recipients(context_of(request), signed_in(request))]


def _said(how: How) -> Said:
    if not named(how.language):
        raise BadInput("language")
    try:
        digest = bytes.fromhex(how.text_sha256)
    except ValueError as error:
        raise BadInput("text_sha256") from error
    return Said(how.language, how.text_version, digest, heard=how.heard, interpreter=how.interpreter)


def _offer(data: JSONBody[NewShare]) -> sharing.Offer:
    try:
        what_for = purpose(PurposeId(data.purpose))
        papers = tuple(PaperId(str(UUID(one))) for one in data.papers)
    except (Malformed, ValueError) as error:
        raise BadInput("purpose" if isinstance(error, Malformed) else "papers") from error
    if bool(papers) == bool(data.shelf):
        raise BadInput("papers")
    shelf: ShelfKind | None = checked_kind(data.shelf) if data.shelf else None
    return sharing.Offer(
        purpose=what_for.id, acts=frozenset(Act(act) for act in data.acts), until=data.until, said=_said(data.said), papers=papers,
        shelf=shelf, own_words=data.own_words, words=what_for.words,
    )  # fmt: skip


@post("/shares", opt=PERSON, **described(404, 409, 413, 422), sync_to_thread=True)
def share(request: Req, data: JSONBody[NewShare]) -> api_shapes.Kept:
    """Show papers or a drawer to somebody. 409 for what the rules of consent do not allow."""
    try:
        made = sharing.grant(context_of(request), signed_in(request), data.worker, _offer(data))
    except Malformed as error:
        raise BadInput("own_words") from error
    return api_shapes.Kept(made)


@get("/shares", opt=PERSON, **described(), sync_to_thread=True)
def shares(request: Req, ended: FromQuery[bool] = False) -> list[api_shapes.Share]:
    """Who can see what; those that are over with `ended`."""
    return [api_shapes.share(one) for one in showing.grants_of(context_of(request), signed_in(request), ended=ended)]


@post("/shares/{grant:uuid}/withdraw", opt=PERSON, status_code=204, **described(404, 409, 413, 422), sync_to_thread=True)
def withdraw(request: Req, grant: FromPath[UUID], data: JSONBody[Withdrawal]) -> None:
    """Stop it, at once. Safe to repeat."""
    withdrawing.withdraw(context_of(request), signed_in(request), GrantId(str(grant)), _said(data.said))


@get("/history", opt=PERSON, response_headers=[OLDER], **described(422), sync_to_thread=True)
def history(request: Req, before: FromQuery[str] = "") -> Response[list[api_shapes.Line]]:
    """Who looked, and everything else that happened, newest first, 200 lines at a time: the header Link names what is older."""
    start = looking_back.cursor(before)
    if before and start is None:
        raise BadInput("before")  # the newest page again would be read without end
    sheet = looking_back.sheet(context_of(request), signed_in(request), 200, before=start)
    following = {"Link": f'</api/v1/history?before={sheet.older}>; rel="next"'} if sheet.older else {}
    return Response([api_shapes.line(one) for one in sheet.entries], headers=following)


@get("/history/{entry:uuid}/proof", opt=PERSON, media_type="text/plain", **described(404), sync_to_thread=True)
def prove(request: Req, entry: FromPath[UUID]) -> str:
    """The proof of one line of one's own history (C2SP tlog-proof), checked by anybody with the keys at /trace/keys."""
    return proofs.of_own(context_of(request), signed_in(request), str(entry))[1].file


@delete("/papers/{paper:uuid}", opt=PERSON, **described(404, 409), sync_to_thread=True)
def remove(request: Req, paper: FromPath[UUID]) -> None:
    """To the bin, for seven days; every share of it stops."""
    documents.remove(context_of(request), signed_in(request), PaperId(str(paper)))


@post("/erasure", opt=PERSON, status_code=202, **described(409, 413, 422, 429), sync_to_thread=True)
def erase(request: Req, data: JSONBody[Secret]) -> api_shapes.Asked:
    """Erase everything, the secret given again. It looks done at once; the card cancels it within 72 hours."""
    asked = erasure.ask(context_of(request), signed_in(request), _chosen(data.code, data.pictures))
    return api_shapes.Asked(asked.number, asked.due)


def _refused(request: Request[Any, Any, Any], error: ConsentError) -> Response[problems.Problem]:
    """What the rules of consent do not allow; `detail` names the rule."""
    reason = error.reason if isinstance(error, TermsRefused) else None
    sentence = "error.first-day" if reason in FIRST_DAY else "error.conflict"
    return problems.problem(request, 409, sentence, detail=reason.value if reason else str(error))


def router() -> Router:
    """Everything under /api/v1."""
    return Router(
        path="/api/v1",
        route_handlers=[
            unlock, end, recipients, share, shares, withdraw, history, prove, remove, erase, *api_papers.HANDLERS,
        ],
        exception_handlers={ConsentError: _refused, Exception: errors.show},
        request_max_body_size=JSON_BYTES,
        include_in_schema=True,
        tags=["api"],
    )  # fmt: skip


def openapi() -> OpenAPIConfig:
    """The description of it (OpenAPI 3.1), at /api/v1/schema/openapi.json."""
    return OpenAPIConfig(
        title="Abri",
        version="1",
        description="Same rules as the kiosk: a card and a code open, the session ends by itself, each opening is in the history.",
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
        openapi_router=Router(path="/api/v1/schema", route_handlers=[], opt={**OPEN, "api": True}, include_in_schema=False),
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
    )
