"""From a request to an answer: the frame that each page shares, cookies, redirects, the end of a session."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect
from litestar.routes import BaseRoute, HTTPRoute

from consent.days import PARIS
from vault import people, sessions
from vault.aftermath import AfterRecovery
from vault.errors import MustWait, NotThere
from vault.kiosks import Equipment
from vault.languages import FRENCH, WORKER_LANGUAGES
from vault.printed import Printing
from vault.sessions import NO_IDLE, STAFF, Session
from vault.web.guards import COOKIE, KIOSK_COOKIE, context_of, session_of
from vault.web.pages import Frame, Idle, Pages, Place, WorkFrame
from vault.web.place import here, known_here

Req = Request[Any, Any, Any]
LEAVE = "/sortir"


class Elsewhere(NotThere):
    """What this page was about is over or elsewhere: the answer leads to `place`, an address without its language."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place


COPY_COOKIE = "__Host-copie"
"""The ticket of a copy for the next person at this kiosk, for ten minutes; any end of a session forgets it."""
HTML = "text/html"  # Litestar adds the charset
SOURCE = FRENCH.code
AREAS: Mapping[str, str] = {"worker": "bureau", "administrator": "association"}
SAID_IN_SECONDS = SAID_IN_MINUTES = 120
CLEAR = '"cache", "cookies", "storage"'


def language_of(request: Req) -> str:
    """The first part of the address, when it is one of our languages; French otherwise."""
    first = request.scope["path"].lstrip("/").partition("/")[0]
    return first if first in request.app.state.pages.catalogues else SOURCE


def route_of(request: Req) -> str:
    """The template of the route that was asked for: safe to log, because ids are not in it."""
    return str(request.scope.get("path_template", "?"))


def area_of(request: Req) -> Literal["kiosk", "desk", "office"]:
    """Which of the three audiences a page is for, from its address."""
    second = request.scope["path"].lstrip("/").split("/")[1:2]
    return "desk" if second == ["bureau"] else "office" if second == ["association"] else "kiosk"


def _idle(request: Req, session: Session | None) -> Idle | None:
    if session is None or session.kind in NO_IDLE:
        return None
    language = language_of(request)
    return Idle(
        seconds=sessions.idle_seconds(context_of(request), session.kind),
        end=f"/{language}/fin",
        alive=f"/{language}/je-suis-la",
    )


def _there(request: Req, rest: str) -> bool:
    """Whether some page answers at this address after its language: what a form was sent to is not always one."""
    wanted = ["", *rest.split("/")]
    return any(
        len(parts) == len(wanted) and all(part in (one, "") for part, one in zip(parts[1:], wanted[1:], strict=True))
        for parts in request.app.state.readable
    )


def readable(routes: Iterable[BaseRoute]) -> tuple[tuple[str, ...], ...]:
    """The addresses that can be read, each after its language; what stands for anything is empty."""
    found = {
        tuple("" if part.startswith("{") else part for part in one.path_format.strip("/").split("/"))
        for one in routes
        if isinstance(one, HTTPRoute) and "GET" in one.methods and one.path_format.startswith("/{language}/")
    }
    return tuple(sorted(found))


def _address(request: Req) -> str:
    """Where the same page is, after its language and with what it asks for; the nearest one above where a form alone is taken.

    Empty when there is none but the first page.
    """
    rest, asked = request.scope["path"].lstrip("/").partition("/")[2], request.scope["query_string"].decode("latin-1")
    if request.method not in ("GET", "HEAD"):
        while rest and not _there(request, rest):
            rest, asked = rest.rpartition("/")[0], ""
    return f"{rest}?{asked}" if rest and asked else rest


def _sent_to(request: Req) -> str:
    """Of the answer to a form: the nearest page that can be read. The browser's Back comes there and asks for no form again."""
    return "" if request.method in ("GET", "HEAD") else fragment(request, _address(request))


def _frame(request: Req, session: Session | None, back: str | None, *, over: bool, equipment: Equipment) -> Frame:
    language, rest = language_of(request), "" if over else _address(request)
    return Frame(
        language=language,
        help=f"/{language}/aide",
        languages=f"/langues/{rest}" if rest else "/",
        finish=f"/{language}/fin",
        leave=LEAVE,
        token=session.form_token if session else "",
        back=fragment(request, back) if back is not None else None,
        idle=_idle(request, session),
        equipment=equipment,
        sent_to=_sent_to(request),
    )


def page(
    request: Req, template: str, *, status: int = 200, back: str | None = None, session: Session | None = None, session_over: bool = False,
    **values: Any,
) -> Response[str]:  # fmt: skip
    """A kiosk page: HTML, never kept by a cache, in the language of its address. `back` is an address without its language.

    `session_over`: it has just ended, and what was done is no page that one could read in another language.
    """
    pages: Pages = request.app.state.pages
    found = session or session_of(request)

    def secret_way() -> str:  # looked for by the few pages that ask the secret again
        return people.way_in(context_of(request), found).value if found is not None else ""

    equipment = known_here(request) if status >= 500 else here(request).equipment
    frame = _frame(request, found, back, over=session_over, equipment=equipment)
    html = pages.render(template, frame, secret_way=secret_way, **values)
    return Response(html, status_code=status, media_type=HTML)


def work_page(
    request: Req, template: str, *, places: Sequence[Place] = (), who: str = "", status: int = 200, **values: Any
) -> Response[str]:
    """A page of the desk or of the office, with its menu and who is signed in."""
    pages, session, language = request.app.state.pages, session_of(request), work_language(request)
    rest = _address(request) or ("association" if area_of(request) == "office" else "bureau")
    frame = WorkFrame(
        language=language,
        languages=f"/{'en' if language == 'fr' else 'fr'}/{rest}",
        token=session.form_token if session else "",
        who=who,
        places=tuple(places),
        sign_out=f"/{language}/fin" if session else None,
        hand_over=f"/{language}/bureau/passer" if session and session.kind == "worker" else None,
        keys=f"/{language}/{AREAS[session.kind]}/cles" if session and session.kind in AREAS else None,
        idle=_idle(request, session),
        sent_to=_sent_to(request),
    )
    html = pages.render(template, frame, **values)
    return Response(html, status_code=status, media_type=HTML)


def work_language(request: Req) -> str:
    """The desk and the office speak French and English."""
    language = language_of(request)
    return language if language in WORKER_LANGUAGES else SOURCE


def fragment(request: Req, address: str) -> str:
    """An address in the language of the request: `fragment(request, "maison")` -> `/ar/maison`."""
    return f"/{language_of(request)}/{address}"


def go(request: Req, address: str, *, cookie: str | None = None) -> Redirect:
    """Go on to another page (303), with a new session's cookie when one was opened."""
    answer = Redirect(fragment(request, address), status_code=303)
    if cookie is not None:
        close_desk(request)
        answer.set_cookie(session_cookie(cookie))
    return answer


def close_desk(request: Req) -> None:
    """Whoever works here leaves the chair when another session begins in this browser: theirs ends, it is not only forgotten (WRK-10)."""
    left = session_of(request)
    if left is not None and left.kind in ("worker", "administrator"):
        sessions.end(context_of(request), left)


def session_cookie(value: str) -> Cookie:
    """The cookie of a session: no other site, no script, no other host ever has it."""
    return Cookie(key=COOKIE, value=value, path="/", secure=True, httponly=True, samesite="strict")


def kiosk_cookie(value: str) -> Cookie:
    """Which kiosk this browser is: tells what it has, opens nothing."""
    return Cookie(key=KIOSK_COOKIE, value=value, path="/", secure=True, httponly=True, samesite="strict")


def pdf(request: Req, content: bytes) -> Response[bytes]:
    """A sheet to print, shown in the browser's own viewer; its name tells nothing.

    No page of ours stands around it to see that nobody is there any more: the answer itself leads to the end, after the same time.
    """
    headers, idle = {"Content-Disposition": 'inline; filename="papier.pdf"'}, _idle(request, session_of(request))
    if idle is not None:
        headers["Refresh"] = f"{idle.seconds}; url={idle.end}"
    return Response(content, media_type="application/pdf", headers=headers)


def printing(request: Req) -> Printing:
    """In which language a sheet is printed, and whether it says that it is false."""
    return Printing(
        language=language_of(request), demo=context_of(request).settings.demo, ribbon=context_of(request).settings.ribbon
    )


def end_session(request: Req) -> None:
    """The session of this request, if it lives, ends now."""
    session = session_of(request)
    if session is not None:
        sessions.end(context_of(request), session)
        request.scope["state"]["session"] = None


def start_of(request: Req) -> str:
    """Where the next person begins: at a kiosk its own address, because the end of a session takes the kiosk's cookie too (ADR 0004)."""
    kiosk = request.cookies.get(KIOSK_COOKIE)
    return f"/borne/{kiosk}" if kiosk else "/"


def closed(request: Req, template: str, **values: Any) -> Response[str]:
    """A page after the end: the cookie goes, the browser is told to forget everything. `again` leads to where a kiosk begins."""
    answer = page(request, template, session_over=True, again=start_of(request), **values)
    answer.headers["Clear-Site-Data"] = CLEAR
    answer.delete_cookie(COOKIE, path="/")
    answer.delete_cookie(COPY_COOKIE, path="/")
    return answer


def error_values(pages: Pages, status: int, sentence: str) -> dict[str, Any]:
    """What the page of an error says: its heading, the sentence, what to do when there is something to do.

    `told`: the fault lies with the service or the moment, not with what was sent. The scripts that send papers then show the
    sentence where one is, and keep the photo.
    """
    known = pages.catalogues[SOURCE].entries
    title, ask = f"{sentence}.title", f"{sentence}.ask"
    return {
        "sentence": sentence, "title": title if title in known else "error.title", "ask": ask if ask in known else None, "wait": None,
        "told": status in (409, 429) or status >= 500,
    }  # fmt: skip


def _wait(request: Req, error: MustWait) -> dict[str, Any]:
    """How long, in the unit that one counts in: seconds up to two minutes, minutes up to two hours; after a recovery, when."""
    if isinstance(error, AfterRecovery):
        sentences = request.app.state.pages.catalogues[language_of(request)]
        until = context_of(request).clock() + timedelta(seconds=error.seconds, minutes=1)  # the minute after: never too early
        day = sentences.day(until.astimezone(PARIS).date())
        return {"key": "error.after-recovery.until", "n": None, "values": {"day": day, "hour": sentences.hour(until)}}
    if error.seconds <= SAID_IN_SECONDS:
        return {"key": "error.wait", "n": error.seconds, "values": {}}
    minutes = math.ceil(error.seconds / 60)
    if minutes <= SAID_IN_MINUTES:
        return {"key": "error.wait_minutes", "n": minutes, "values": {}}
    return {"key": "error.wait_hours", "n": math.ceil(minutes / 60), "values": {}}


def error_page(request: Req, status: int, sentence: str, error: Exception) -> Response[Any]:
    """The page of an error. After the end of a session it also clears the browser."""
    session, area = session_of(request), area_of(request)
    values = error_values(request.app.state.pages, status, sentence)
    values["wait"] = _wait(request, error) if isinstance(error, MustWait) else None
    inside = "avec-aide" if session and session.kind == "assisted" else "maison"
    homes = {"desk": "bureau", "office": "association", "kiosk": inside if session and session.kind not in STAFF else ""}
    over = status == 401 and session is None and COOKIE in request.cookies
    values["home"] = start_of(request) if over and area == "kiosk" else fragment(request, homes[area])
    if area == "kiosk":
        answer = page(request, "error.html", status=status, **values)
    else:
        template = "desk/error.html" if area == "desk" else "office/error.html"
        answer = work_page(request, template, status=status, **values)
    if over:
        answer.headers["Clear-Site-Data"] = CLEAR
        answer.delete_cookie(COOKIE, path="/")
    return answer
