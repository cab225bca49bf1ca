"""Pages without personal data: the languages, the first choices, the conditions, help, and the end of every session."""

import calendar
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from vault import accessibility, conditions, kiosks, retaining
from vault.accessibility import State
from vault.errors import NotThere
from vault.languages import FRENCH, Language
from vault.settings import today_in_paris
from vault.web.forms import Sent
from vault.web.guards import COOKIE, anyone, context_of, session_of
from vault.web.shell import AREAS, CLEAR, HTML, Req, closed, end_session, kiosk_cookie, language_of, page, start_of


def _links(request: Req, rest: str, asked: str = "") -> list[tuple[Language, str]]:
    rest = f"{rest}?{asked}" if asked else rest
    return [(language, f"/{language.code}/{rest}") for language in request.app.state.pages.catalogues.offered()]


@get("/", opt=anyone(), sync_to_thread=True)
def languages(request: Req) -> Response[str]:
    """K01: each language in its own name. Nothing of the person before remains."""
    return page(request, "kiosk/languages.html", links=_links(request, ""))


@get("/langues/{rest:path}", opt=anyone(), sync_to_thread=True)
def other_language(request: Req, rest: FromPath[str]) -> Response[str]:
    """K01 in the middle of something: the same page, in the language that is touched."""
    return page(
        request, "kiosk/languages.html", links=_links(request, rest.lstrip("/"), request.scope["query_string"].decode("latin-1"))
    )


@get("/borne/{key:str}", opt=anyone(), sync_to_thread=True)
def start_of_kiosk(request: Req, key: FromPath[str]) -> Redirect:
    """Where an enrolled kiosk begins: it says what the kiosk has, then comes the choice of a language (ADR 0004), unless it was made
    already, on the page of the end (ADR 0081)."""
    if kiosks.by_token(context_of(request), key) is None:
        raise NotThere
    spoken = {one.code for one, _ in _links(request, "")}
    chosen = request.query_params.get("langue", "")
    answer = Redirect(f"/{chosen}" if chosen in spoken else "/", status_code=303)
    answer.set_cookie(kiosk_cookie(key))
    return answer


@get("/{language:str}", opt=anyone(), sync_to_thread=True)
def welcome(request: Req) -> Response[str]:
    """K02: four choices, and nothing else."""
    return page(request, "kiosk/welcome.html", back="/")


@get("/{language:str}/abri", opt=anyone(), sync_to_thread=True)
def what_is_abri(request: Req) -> Response[str]:
    """What Abri is, in six sentences."""
    return page(request, "kiosk/what.html", back="")


@get("/{language:str}/conditions", opt=anyone(), sync_to_thread=True)
def public_conditions(request: Req) -> Response[str]:
    """The five cards on one public page, with how long things are kept, the number of the version and the versions before (R55-1)."""
    context, sentences = context_of(request), request.app.state.pages.catalogues[language_of(request)]
    conditions.publish(context, request.app.state.pages.catalogues[FRENCH.code])
    text = conditions.current(context.settings, sentences)
    terms = [(one.what, one.said(sentences)) for one in retaining.terms(context.settings.retention, context.settings.limits)]
    earlier = [one for one in conditions.versions(context) if one.version != text.version]
    keepers = conditions.keepers(context.settings, sentences)
    return page(request, "kiosk/conditions.html", back="", text=text, terms=terms, keepers=keepers, earlier=earlier)


@get("/{language:str}/conditions/{version:str}", opt=anyone(), sync_to_thread=True)
def earlier_conditions(request: Req, version: FromPath[str]) -> Response[str]:
    """A version as it was shown, in French."""
    return page(
        request, "kiosk/conditions_before.html", back="conditions", one=conditions.one_version(context_of(request), version)
    )


@get("/{language:str}/aide", opt=anyone(), sync_to_thread=True)
def help_page(request: Req) -> Response[str]:
    """Help: always the same, always at the same place."""
    return page(request, "kiosk/help.html", back="", contact=context_of(request).settings.contact)


@get("/{language:str}/accessibilite", opt=anyone(), sync_to_thread=True)
def accessible(request: Req) -> Response[str]:
    """The statement of accessibility (law 2005-102, article 47): what works, what is missing and why, and who listens to a complaint."""
    told, audit, session = accessibility.statement(), accessibility.statement().audit, session_of(request)
    sentences = request.app.state.pages.catalogues[language_of(request)]
    return page(
        request, "kiosk/accessibility.html", back=AREAS.get(session.kind, "aide") if session else "aide",
        told=told, contact=context_of(request).settings.contact, defender=accessibility.DEFENDER,
        audited={"day": sentences.day(audit.day), "by": audit.by, "met": audit.met} if audit else {},
        missing=[f"access.limit.{one}" for one in told.limits],
        partly=[f"access.{one.id}" for one in told.told(State.PARTLY)],
        not_yet=[f"access.{one.id}" for one in told.told(State.NOT_YET)],
        works=[f"access.{one.id}" for one in told.told(State.MET)],
    )  # fmt: skip


def _closed(request: Req) -> Response[str]:
    end_session(request)
    start = start_of(request)
    at_kiosk = start != "/"
    links = [(one, f"{start}?langue={one.code}" if at_kiosk else url) for one, url in _links(request, "")]
    return closed(request, "kiosk/closed.html", links=links)


@get("/{language:str}/fin", opt=anyone(), sync_to_thread=True)
def finish(request: Req) -> Response[str]:
    """K22: the session ends, the browser is told to forget, the person takes card and sheets; the next one chooses a language."""
    return _closed(request)


@post("/{language:str}/fin", opt=anyone(), status_code=200, sync_to_thread=True)
def finish_by_form(request: Req, form: Sent) -> Response[str]:  # noqa: ARG001 — the token has been compared
    """The same from a button."""
    return _closed(request)


@get("/sortir", opt=anyone(), sync_to_thread=True)
def leave_fast(request: Req) -> Response[str]:
    """Quick exit: the session ends and the screen shows a calendar, as any computer might."""
    end_session(request)
    today = today_in_paris(context_of(request).clock())
    weeks = calendar.Calendar(firstweekday=0).monthdatescalendar(today.year, today.month)
    french = request.app.state.pages.catalogues[FRENCH.code]
    names = [french.weekday(day) for day in weeks[0]]
    html = request.app.state.pages.bare("neutral.html", today=today, weeks=weeks, month=french.month(today), names=names)
    answer: Response[str] = Response(html, media_type=HTML)
    answer.headers["Clear-Site-Data"] = CLEAR
    answer.delete_cookie(COOKIE, path="/")
    return answer


@get("/{language:str}/je-suis-la", opt=anyone(), sync_to_thread=True)
def still_here(request: Req) -> Response[dict[str, Any]]:
    """The page says that somebody is there (touch, sound, an upload): the session lives on."""
    return Response({"alive": session_of(request) is not None}, status_code=200 if session_of(request) else 401)


ROUTES: list[ControllerRouterHandler] = [
    languages, other_language, start_of_kiosk, welcome, what_is_abri, public_conditions, earlier_conditions, help_page, accessible,
    finish, finish_by_form, leave_fast, still_here,
]  # fmt: skip
DEMO_ROUTES: list[ControllerRouterHandler] = []
