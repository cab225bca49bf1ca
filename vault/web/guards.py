"""Who may reach which page. Every route says it: a guard made here, or `OPEN` (the short public list, checked by a test).

Two checks come before any handler: an unsafe request must come from our own pages, and a multipart body is refused except where
it is streamed into an encryptor (Litestar's own parsing would spool it to a disk in clear: see ADR 0002).
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from vault import sessions
from vault.context import Context
from vault.errors import NoSession, NotAllowed, NotThere
from vault.sessions import Kind, Session

COOKIE = "__Host-abri"
KIOSK_COOKIE = "__Host-borne"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

OPEN: dict[str, Any] = {"who": ("anyone",)}
"""For routes that anyone may reach: `@get(..., opt=OPEN)`."""


class WrongOrigin(NotAllowed):
    """A form that did not come from one of our pages."""

    sentence = "error.form-expired"


def who(*kinds: Kind, streams: bool = False, leaves: bool = False, over: str = "", inside: str = "") -> dict[str, Any]:
    """Route options: these kinds of session only. `streams`: reads its own multipart body. `leaves`: gives a file that is kept.

    Two places, without their language: `over`, where a step is led to whose way is over (Back, a second tap, a page of long ago),
    instead of "this page does not exist"; `inside`, where a form of before the unlock leads whoever is inside by now.
    """
    return {"who": kinds, "streams": streams, "leaves": leaves, "over": over, "inside": inside}


def anyone(*, streams: bool = False) -> dict[str, Any]:
    """Route options: public. With a session too, when there is one."""
    return {"who": ("anyone",), "streams": streams}


def context_of(connection: Connection) -> Context:
    """The application's context."""
    context: Context = connection.app.state.context
    return context


def session_of(connection: Connection) -> Session | None:
    """The session that the guard found, if there is one."""
    found: Session | None = connection.scope["state"].get("session")
    return found


def _bearer(connection: Connection) -> str | None:
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    return value if scheme.lower() == "bearer" and value else None


async def admit(connection: Connection, handler: BaseRouteHandler) -> None:
    """The one guard of the application: the address, origin, kind of body, then the session and what it may reach."""
    if not connection.scope["path"].isprintable():
        raise NotThere  # nothing of ours has such a name, and not every store takes the question (a NUL)
    allowed: tuple[str, ...] = handler.opt.get("who", ())
    if not allowed:
        raise NotThere  # a route that says nothing reaches nobody; a test finds it before a person does
    if connection.path_params.get("language", "fr") not in connection.app.state.pages.catalogues:
        raise NotThere
    api = bool(handler.opt.get("api"))
    if connection.scope.get("method") not in SAFE_METHODS and not api:
        _same_origin(connection)
    if "multipart/form-data" in connection.headers.get("content-type", "") and not handler.opt.get("streams"):
        raise HTTPException(status_code=415, detail="multipart")
    cookie = _bearer(connection) if api else connection.cookies.get(COOKIE)
    quiet = bool(handler.opt.get("quiet"))
    session = await _find(connection, cookie, idle=quiet) if cookie else None
    connection.scope["state"]["session"] = session
    connection.scope["state"]["again"] = partial(_look_again, context_of(connection), session, idle=quiet) if session else None
    if "anyone" in allowed:
        return
    if session is None:
        raise NoSession
    if session.kind not in allowed:
        raise NotAllowed


async def _find(connection: Connection, cookie: str, *, idle: bool) -> Session | None:
    context = context_of(connection)
    try:
        return await asyncio.to_thread(sessions.find, context, cookie, touch=not idle)
    except NoSession:
        return None


async def _look_again(context: Context, session: Session, *, idle: bool) -> None:
    await asyncio.to_thread(sessions.look_again, context, session, touch=not idle)


def _same_origin(connection: Connection) -> None:
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site == "same-origin":
        return
    if site is None and origin in context_of(connection).settings.origins:
        return
    raise WrongOrigin


def signed_in(connection: Connection) -> Session:
    """The session of a page that is not public: the guard has admitted it."""
    session = session_of(connection)
    if session is None:
        raise NoSession
    return session
