"""The office: the door, what waits, and the pages behind. For the administrators of one operator, in French and English."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, Router, get, post
from litestar.types import ControllerRouterHandler

from vault import administrators, authenticators, health, once, register_reading, workers
from vault.errors import BadInput, Busy, MustWait, WrongSecret
from vault.web import (
    admin_figures,
    admin_notices,
    admin_places,
    admin_procedures,
    admin_register,
    admin_staff,
    admin_trace,
    key_entry,
    keys,
)
from vault.web.desk_entry import person_sits_here, sign_in_page
from vault.web.desk_frame import OFFICE_ERRORS, in_two_languages
from vault.web.forms import Sent
from vault.web.guards import anyone, context_of, signed_in, who
from vault.web.office_frame import office_page
from vault.web.place import here
from vault.web.shell import Req, end_session, go, work_page
from vault.web.squares import own_origin

PARTS = {
    "rows": "office.health.rows", "papers": "office.health.papers", "key vault": "office.health.keyvault",
    "schema": "office.health.schema", "erasures": "office.health.erasures",
    "requests": "office.health.requests",
}  # fmt: skip
SOON_DAYS = 7


@dataclass(frozen=True)
class Part:
    """A store as the first page names it."""

    key: str
    good: bool
    words: str


@get("/entrer", opt=anyone(), sync_to_thread=True)
def sign_in_form(request: Req) -> Response[str]:
    """Code, words, digits."""
    return sign_in_page(request, "office/sign_in.html")


@post("/entrer", opt=anyone(), sync_to_thread=True)
def sign_in(request: Req, form: Sent) -> Response[Any]:
    """Open the office. Never beside a person's open papers."""
    if person_sits_here(request):
        return work_page(request, "office/sign_in.html", status=409, faults=[], code="", person_here=True, ended=False)
    words, totp = " ".join(form.get("words").split()), form.get("totp").strip()
    try:
        cookie = administrators.sign_in(context_of(request), form.get("code"), words, totp, here(request).id)
    except (WrongSecret, MustWait, Busy, BadInput) as error:
        return sign_in_page(request, "office/sign_in.html", error, code=form.get("code"))
    end_session(request)
    return go(request, "association", cookie=cookie)


@get("/", opt=who("administrator"), sync_to_thread=True)
def home(request: Req) -> Response[str]:
    """What waits for this administrator, and whether the service is as it should be."""
    context, session = context_of(request), signed_in(request)
    waiting = register_reading.requests(context, session)
    parts = [Part(PARTS[line.name], line.good, line.words) for line in health.look(context) if line.name in PARTS]
    return office_page(
        request, "office/home.html", "home", certifications=sum(one.may_i_sign for one in workers.of_office(context, session)),
        requests=len(waiting), late=sum(one.late for one in waiting), parts=parts,
        soon=sum(one.days_left is not None and 0 <= one.days_left <= SOON_DAYS for one in waiting),
        layers=context.confinement.layers(), without_key=not authenticators.held(context, session).keys,
    )  # fmt: skip


@get("/a-remettre", opt=who("administrator"), sync_to_thread=True)
def hand_over_page(request: Req) -> Response[str]:
    """The code of an invitation, or the start address of a kiosk: shown here until it is said to be handed over."""
    told = once.told(context_of(request), signed_in(request)).number
    kiosk = told.startswith("/borne/")
    return office_page(
        request, "office/handover.html", "kiosks" if kiosk else "workers", kiosk=kiosk, told=told, origin=own_origin(request)
    )


@post("/a-remettre", opt=who("administrator"), sync_to_thread=True)
def handed_over(request: Req, form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """It is nowhere any more."""
    once.forget(context_of(request), signed_in(request))
    return go(request, "association")


ROUTES: list[ControllerRouterHandler] = [
    Router(
        path="/{language:str}/association",
        route_handlers=[
            sign_in_form, sign_in, home, hand_over_page, handed_over, *admin_staff.HANDLERS, *admin_places.HANDLERS,
            *admin_register.HANDLERS, *admin_notices.HANDLERS, *admin_trace.HANDLERS, *admin_figures.HANDLERS, *admin_procedures.HANDLERS,
            *key_entry.handlers(key_entry.OFFICE), *keys.handlers(key_entry.OFFICE),
        ],
        guards=[in_two_languages],
        exception_handlers=OFFICE_ERRORS,
    )
]  # fmt: skip
