"""Over HTTP/2 a browser may send each cookie in a header of its own (RFC 9113, 8.2.3); they are one header before anything reads them.

Without this the second cookie is not seen, and a session opened at an enrolled kiosk is lost at once.
"""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

COOKIE = b"cookie"


def joined(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The same headers with the pieces of the cookie header put together, in their order."""
    pieces = [value for name, value in headers if name == COOKIE]
    if len(pieces) < 2:
        return headers
    return [*((name, value) for name, value in headers if name != COOKIE), (COOKIE, b"; ".join(pieces))]


def join_crumbs(app: ASGIApp) -> ASGIApp:
    """Middleware: the application sees one cookie header."""

    async def joining(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            scope["headers"] = joined(list(scope["headers"]))
        await app(scope, receive, send)

    return joining
