"""What all pages of the desk and of the office share: two languages, the menu, who is signed in, what an error looks like there."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from litestar import Response
from litestar.handlers import BaseRouteHandler

from vault import workers
from vault.errors import NoSession, NotAllowed, NotThere
from vault.languages import WORKER_LANGUAGES, Sentences
from vault.sessions import Kind
from vault.web import errors
from vault.web.guards import COOKIE, Connection, WrongOrigin, context_of, session_of
from vault.web.pages import Place
from vault.web.place import here
from vault.web.shell import CLEAR, Req, fragment, work_language, work_page

MENU: Mapping[str, tuple[str, str]] = {
    "people": ("bureau", "users-round"),
    "requests": ("bureau/demandes", "inbox"),
    "deposit": ("bureau/deposer", "file-plus"),
    "soon": ("bureau/bientot", "calendar-clock"),
    "procedures": ("bureau/demarches", "list-checks"),
    "guardian": ("bureau/confiance", "life-buoy"),
    "card": ("bureau/carte", "id-card"),
    "acts": ("bureau/actes", "history"),
    "help": ("bureau/aide", "circle-question-mark"),
}
ACCESS_KEYS: Mapping[str, str] = {name: str(number) for number, name in enumerate(MENU, start=1)}
"""Digits: letters are taken by browsers and readers. With Alt and Shift, or as each browser has it; the page of keys says so."""
OF_PEOPLE = ("person", "assisted")
"""Sessions that end before a worker opens: both roles never stand in one browser (WRK-10)."""


async def in_two_languages(connection: Connection, _: BaseRouteHandler) -> None:
    """The desk and the office are written in French and in English; in another language they do not exist."""
    if connection.path_params.get("language") not in WORKER_LANGUAGES:
        raise NotThere


def sentences(request: Req) -> Sentences:
    """The sentences of the page's language."""
    found: Sentences = request.app.state.pages.catalogues[work_language(request)]
    return found


def day(request: Req, when: date | None) -> str:
    """A day as the page writes it; empty for none."""
    return sentences(request).day(when) if when else ""


def menu(request: Req, area: str, entries: Mapping[str, tuple[str, str]], here: str) -> list[Place]:
    """The entries of a menu, the present one marked, each with its key at the desk."""
    keys = ACCESS_KEYS if area == "desk" else {}
    return [
        Place(f"{area}.nav.{name}", fragment(request, address), icon, current=name == here, key_to_press=keys.get(name, ""))
        for name, (address, icon) in entries.items()
    ]  # fmt: skip


def desk_page(request: Req, template: str, here: str = "", *, status: int = 200, **values: Any) -> Response[str]:
    """A page of the desk; `here` is the entry of the menu that it belongs to."""
    session = session_of(request)
    if session is None or session.kind != "worker":
        return work_page(request, template, status=status, **values)
    me = workers.me(context_of(request), session)
    places = menu(request, "desk", MENU, here)
    return work_page(
        request, template, status=status, places=places, who=f"{me.first_name}, {me.structure_name}", **values
    )  # fmt: skip


def nothing_shown(request: Req, error: Exception) -> Response[Any]:  # noqa: ARG001 — every reason looks the same
    """D02: it never was, it is over, it was taken back: one page for all."""
    grant = str(request.path_params.get("grant", ""))
    return desk_page(request, "desk/nothing.html", "people", status=404, grant=grant)


def _instead(request: Req, error: Exception, kind: Kind, template: str) -> Response[Any]:
    """The door, where one may be opened: in the two languages, and for whoever does not stand behind it already."""
    if request.path_params.get("language") not in WORKER_LANGUAGES:
        return errors.show(request, NotThere())
    session = session_of(request)
    if isinstance(error, WrongOrigin) or (session is not None and session.kind == kind):
        return errors.show(request, error)
    ended = session is None and COOKIE in request.cookies
    status = 401 if isinstance(error, NoSession) else 403
    person_here = session is not None and session.kind in OF_PEOPLE
    answer = work_page(
        request,
        template,
        status=status,
        faults=[],
        code="",
        person_here=person_here,
        ended=ended,
        at_kiosk=here(request).id is not None,
    )
    if ended:
        answer.headers["Clear-Site-Data"] = CLEAR
        answer.delete_cookie(COOKIE, path="/")
    return answer


def not_a_worker(request: Req, error: Exception) -> Response[Any]:
    """Nobody is signed in, or somebody else is: the door of the desk. A worker who may not do this reads why."""
    return _instead(request, error, "worker", "desk/sign_in.html")


def not_an_administrator(request: Req, error: Exception) -> Response[Any]:
    """The same for the office."""
    return _instead(request, error, "administrator", "office/sign_in.html")


DESK_ERRORS: dict[int | type[Exception], Any] = {NoSession: not_a_worker, NotAllowed: not_a_worker}
OFFICE_ERRORS: dict[int | type[Exception], Any] = {NoSession: not_an_administrator, NotAllowed: not_an_administrator}
NOT_SHOWN: dict[int | type[Exception], Any] = {NotThere: nothing_shown}
