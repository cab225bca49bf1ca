"""A body may come long after its headers: whoever sends it is looked for again before the act that it asks for.

The guard finds a session when the headers come. Without this a body that is held back would act after "J'ai fini", after the idle end
and after a block. A photo that is slow to arrive, piece after piece, counts as somebody being there.
"""

import datetime as dt
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from vault.sessions import SEEN_EVERY


def look_again(app: ASGIApp) -> ASGIApp:
    """Middleware: NoSession in the place of the end of a body whose session has ended meanwhile."""

    async def looking(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        clock = scope["app"].state.context.clock
        looked: dt.datetime = clock()

        async def receiving() -> Any:
            nonlocal looked
            message = await receive()
            again = scope["state"].get("again")  # the guard's: it has run before anything reads a body
            if message["type"] != "http.request" or again is None:
                return message
            if not message.get("more_body", False) or clock() - looked > SEEN_EVERY:
                looked = clock()
                await again()
            return message

        await app(scope, receiving, send)

    return looking
