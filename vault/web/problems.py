"""Refusals of the interface for programs, as RFC 9457 writes them: what a program needs to do better next time, and nothing that tells
whether something exists. And the same in the description of the interface, so that what is sent is what was said.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypedDict

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec

from vault import errors
from vault.languages import FRENCH
from vault.widening import WouldShow

MEDIA_TYPE = "application/problem+json"
AGAIN_SECONDS = 5  # to whoever comes while there is no room, or a store is down
BAD = "error.bad-input"
UNSET = msgspec.UNSET
SAYS: Mapping[int, str] = {
    400: "The request is not written as described; `field` and `detail` say where.",
    401: "No session, or it has ended; or what was shown opens nothing.",
    403: "This session may not do this.",
    404: "It does not exist, or nobody may know that it does.",
    409: "It does not follow from the present state, or the rules of consent do not allow it; `detail` names the rule.",
    413: "Too large, or a limit of the person's space would be passed.",
    415: "Not a kind of paper that is taken.",
    416: "The range asked for lies outside the paper; the header Content-Range says its size.",
    422: "Something given cannot be meant; `field` names it.",
    429: "Too many attempts: nothing is lost. `seconds` and the header Retry-After say when to come back.",
    500: "What is stored was changed, or something failed: told to whoever runs the service.",
    503: "No room, or a store is down; nothing was changed. The header Retry-After says when to come back.",
    507: "The disk is full; nothing was changed.",
}


class Problem(msgspec.Struct, omit_defaults=True):
    """A refusal. `type` names it for programs, `title` is the French sentence that the pages show."""

    type: str
    title: str
    status: int
    detail: str | msgspec.UnsetType = UNSET
    field: str | msgspec.UnsetType = UNSET
    seconds: int | msgspec.UnsetType = UNSET
    would_see: list[str] | msgspec.UnsetType = UNSET  # with `error.would-show`: what a yes names, in `agreed`


class Described(TypedDict):
    """What a handler says of itself."""

    responses: dict[int, ResponseSpec]
    security: list[dict[str, list[str]]]


def responses(*statuses: int) -> dict[int, ResponseSpec]:
    """These refusals in the description of a handler, with those that every handler has."""
    return {
        status: ResponseSpec(Problem, generate_examples=False, description=SAYS[status], media_type=MEDIA_TYPE)
        for status in sorted({400, 500, 503, *statuses})
    }


def described(*statuses: int) -> Described:
    """The same for a handler that needs a session, and that it is a bearer's."""
    return {"responses": responses(401, 403, *statuses), "security": [{"bearer": []}]}


def problem(
    request: Request[Any, Any, Any], status: int, sentence: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> Response[Problem]:
    """One refusal; `more`: detail, field, seconds, would_see."""
    body = Problem(f"urn:abri:{sentence}", request.app.state.pages.sentence(FRENCH.code, sentence), status, **more)
    told = dict(headers or {})
    if body.seconds is not UNSET:
        told["Retry-After"] = str(body.seconds)
    if status == HTTPStatus.UNAUTHORIZED:
        told["WWW-Authenticate"] = "Bearer"
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=told)


def of_error(request: Request[Any, Any, Any], error: Exception, status: int, sentence: str) -> Response[Problem]:
    """The refusal of an error, with what it carries."""
    if isinstance(error, HTTPException):
        return _of_the_request(request, error, status, sentence)
    if isinstance(error, errors.MustWait):
        return problem(request, status, sentence, seconds=error.seconds)
    if isinstance(error, WouldShow):
        return problem(request, status, sentence, would_see=[one.agreed for one in error.seen])
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return problem(request, status, sentence, seconds=AGAIN_SECONDS)
    if isinstance(error, errors.BadInput):
        return problem(request, status, sentence, field=error.field)
    return problem(request, status, sentence)


def _of_the_request(request: Request[Any, Any, Any], error: HTTPException, status: int, sentence: str) -> Response[Problem]:
    """What the framework refused before any handler: a body or an address that is not as described."""
    if status != HTTPStatus.BAD_REQUEST:
        return problem(request, status, sentence, headers=error.headers)
    first = error.extra[0] if isinstance(error.extra, list) and error.extra else {}
    detail, field = (first.get(key) for key in ("message", "key")) if isinstance(first, dict) else (None, None)
    return problem(request, status, BAD, detail=str(detail) if detail else UNSET, field=str(field) if field else "body")
