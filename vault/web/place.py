"""In front of which kiosk a request was made, and what stands beside its screen."""

from dataclasses import dataclass
from typing import Any

from litestar import Request

from vault import kiosks
from vault.errors import NotThere
from vault.kiosks import Equipment
from vault.web.guards import KIOSK_COOKIE, context_of
from vault.web.pages import EVERY_WAY

Req = Request[Any, Any, Any]


@dataclass(frozen=True)
class Here:
    """The kiosk in front of which the request was made, if it is one of ours, and what it has."""

    id: str | None
    equipment: Equipment


def here(request: Req) -> Here:
    """What this kiosk has, looked up once for a request. A browser that is no enrolled kiosk is offered everything."""
    seen = request.scope["state"]
    if not isinstance(seen.get("here"), Here):
        seen["here"] = _looked_up(request)
    found: Here = seen["here"]
    return found


def _looked_up(request: Req) -> Here:
    token = request.cookies.get(KIOSK_COOKIE)
    if not token:
        return Here(None, EVERY_WAY)
    recognised = request.scope["state"]  # the door gives this kiosk places of its own, from its next request on
    try:
        kiosk = kiosks.by_token(context_of(request), token)
    except NotThere:
        recognised["kiosk"] = None
        return Here(None, EVERY_WAY)
    recognised["kiosk"] = kiosk.id
    return Here(kiosk.id, kiosk.equipment)


def known_here(request: Req) -> Equipment:
    """The same without asking anybody: for the page of an error, which must come when no store answers."""
    found = request.scope["state"].get("here")
    return found.equipment if isinstance(found, Here) else EVERY_WAY
