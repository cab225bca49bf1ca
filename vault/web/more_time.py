"""More time for somebody who is adding papers: the code once more, and the screen stays open, two hours in all at most."""

from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from vault import people
from vault.errors import BadInput, Busy, MustWait, WrongSecret
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.home import secret_of, unfinished_secret
from vault.web.pages import Fault
from vault.web.shell import Req, go, page
from vault.web.unlock import refused

SOON = timedelta(minutes=10)


def ends_soon(request: Req) -> bool:
    """Whether this session is in its last ten minutes, and may still be made longer."""
    context, session = context_of(request), signed_in(request)
    most = session.created + timedelta(seconds=context.settings.limits.extended_seconds)
    return session.term - context.clock() < SOON and session.term < most


@get("/{language:str}/ajouter/temps", opt=who("person"), sync_to_thread=True)
def ask(request: Req) -> Response[str]:
    """The code, the pictures or the words: as the safe was opened."""
    return _ask_page(request, [])


def _ask_page(request: Req, faults: list[Fault], status: int = 200) -> Response[str]:
    return page(request, "kiosk/more_time.html", status=status, back="ajouter", faults=faults)


@post("/{language:str}/ajouter/temps", opt=who("person"), sync_to_thread=True)
def give(request: Req, form: Sent) -> Response[Any]:
    """Half an hour more."""
    context, session = context_of(request), signed_in(request)
    try:
        people.stay(context, session, secret_of(form))
    except BadInput:
        return _ask_page(request, [unfinished_secret(request)], 422)
    except (WrongSecret, MustWait, Busy) as error:
        return refused(request, error, "ajouter/temps")
    return go(request, "ajouter")


ROUTES: list[ControllerRouterHandler] = [ask, give]
