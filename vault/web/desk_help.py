"""Help at the desk: the first visit, what to say and what not to, the keyboard, the charter, and what ends soon."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from vault import charter, news, soon
from vault.settings import today_in_paris
from vault.web.desk_frame import ACCESS_KEYS, MENU, desk_page, sentences
from vault.web.forms import Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.shell import Req, go

FIRST_STEPS = ("people", "ask", "deposit", "trust", "leave")
SAY = ("abri", "free", "hands", "limits", "stop", "lost")
NEVER = ("safe", "promise", "code", "must", "belongs", "ask_card")
CASES = ("refusal", "all_lost", "violence", "pressure", "minor", "letter")


@get("/aide", opt=who("worker"), sync_to_thread=True)
def help_page(request: Req) -> Response[str]:
    """Where everything is that is not daily work."""
    return desk_page(request, "desk/help.html", "help")


@get("/aide/premiers-pas", opt=who("worker"), sync_to_thread=True)
def first_steps(request: Req) -> Response[str]:
    """The first visit: five things, on one page that can be left at any moment."""
    return desk_page(request, "desk/first_steps.html", "help", steps=FIRST_STEPS)


@get("/aide/quoi-dire", opt=who("worker"), sync_to_thread=True)
def what_to_say(request: Req) -> Response[str]:
    """Quoi dire, ne pas dire: one page, to read beside somebody."""
    return desk_page(request, "desk/what_to_say.html", "help", say=SAY, never=NEVER, cases=CASES)


@get("/aide/clavier", opt=who("worker"), sync_to_thread=True)
def keyboard(request: Req) -> Response[str]:
    """Every key that does something here."""
    keys = [(key, f"desk.nav.{name}") for name, key in ACCESS_KEYS.items() if name in MENU]
    return desk_page(request, "desk/keyboard.html", "help", keys=keys)


@get("/aide/charte", opt=who("worker"), sync_to_thread=True)
def charter_page(request: Req) -> Response[str]:
    """The charter, and whether these very words were accepted."""
    version = charter.version(sentences(request))
    accepted = charter.accepted(context_of(request), signed_in(request))
    return desk_page(
        request, "desk/charter.html", "help", lines=charter.LINES, version=version, accepted=accepted == version, before=accepted
    )  # fmt: skip


@post("/aide/charte", opt=who("worker"), sync_to_thread=True)
def accept_charter(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """Its words changed: they are read again."""
    charter.accept(context_of(request), signed_in(request), charter.version(sentences(request)))
    return go(request, "bureau/aide/charte")


@get("/bientot", opt=who("worker"), sync_to_thread=True)
def ending_soon(request: Req) -> Response[str]:
    """What ends soon among what is shared."""
    context, session = context_of(request), signed_in(request)
    today = today_in_paris(context.clock())
    return desk_page(request, "desk/soon.html", "soon", endings=soon.ending_soon(context, session), today=today)


@get("/bientot/imprimer", opt=who("worker"), sync_to_thread=True)
def print_soon(request: Req) -> Response[str]:
    """The same on paper."""
    context, session = context_of(request), signed_in(request)
    today = today_in_paris(context.clock())
    return desk_page(request, "printed/soon.html", "soon", endings=soon.ending_soon(context, session), today=today)


@get("/nouveau", opt=who("worker"), sync_to_thread=True)
def what_is_new(request: Req) -> Response[str]:
    """All that happened since the last visit; the first page shows the latest."""
    return desk_page(request, "desk/news.html", "people", news=news.since_last_visit(context_of(request), signed_in(request)))


HANDLERS: list[ControllerRouterHandler] = [
    help_page, first_steps, what_to_say, keyboard, charter_page, accept_charter, ending_soon, print_soon, what_is_new,
]  # fmt: skip
