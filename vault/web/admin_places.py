"""Structures of an operator, and their kiosks: what each machine has, and the address where it starts."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import administrators, kiosks, once, workers
from vault.errors import BadInput, NotThere
from vault.kiosks import Equipment, Kiosk
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.office_frame import office_page
from vault.web.pages import EVERY_WAY, Fault
from vault.web.shell import Req, go

THINGS = ("camera", "scanner", "printer", "sound")


def _structures_page(request: Req, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    context, session = context_of(request), signed_in(request)
    typed = {name: form.get(name) if form else "" for name in ("name", "contact")}
    return office_page(
        request, "office/structures.html", "structures", status=status, structures=workers.structures_of(context, session),
        operator=administrators.of(context, session).operator_name, faults=faults, typed=typed,
    )  # fmt: skip


@get("/structures", opt=who("administrator"), sync_to_thread=True)
def structures(request: Req) -> Response[str]:
    """Where people are received."""
    return _structures_page(request, [])


@post("/structures", opt=who("administrator"), sync_to_thread=True)
def add_structure(request: Req, form: Sent) -> Response[Any]:
    """One more."""
    try:
        workers.create_structure(context_of(request), signed_in(request), form.get("name"), form.get("contact"))
    except BadInput as error:
        return _structures_page(request, [Fault(error.shown, error.field)], form, 422)
    return go(request, "association/structures")


def _kiosks_page(request: Req, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    context, session = context_of(request), signed_in(request)
    return office_page(
        request, "office/kiosks.html", "kiosks", status=status, kiosks=kiosks.all_of(context, session), faults=faults, things=THINGS,
        structures=workers.structures_of(context, session), name=form.get("name") if form else "",
        chosen=form.get("structure") if form else "", has=_equipment(form) if form else EVERY_WAY,
    )  # fmt: skip


@get("/bornes", opt=who("administrator"), sync_to_thread=True)
def all_kiosks(request: Req) -> Response[str]:
    """Machines in use, and one more."""
    return _kiosks_page(request, [])


def _equipment(form: Form) -> Equipment:
    return Equipment(**{thing: form.get(thing) == "yes" for thing in THINGS})


@post("/bornes", opt=who("administrator"), sync_to_thread=True)
def enrol(request: Req, form: Sent) -> Response[Any]:
    """The start address comes on the next page, once."""
    context, session = context_of(request), signed_in(request)
    try:
        token = kiosks.enrol(context, session, form.get("structure"), form.get("name"), _equipment(form))
    except BadInput as error:
        return _kiosks_page(request, [Fault(error.shown, "name")], form, 422)
    once.keep(context, session, number=f"/borne/{token}")
    return go(request, "association/a-remettre")


def _kiosk(request: Req, kiosk: str) -> Kiosk:
    for one in kiosks.all_of(context_of(request), signed_in(request)):
        if one.id == kiosk:
            return one
    raise NotThere


def _kiosk_page(request: Req, kiosk: str, faults: list[Fault], form: Form | None = None, status: int = 200) -> Response[str]:
    found = _kiosk(request, kiosk)
    return office_page(
        request, "office/kiosk.html", "kiosks", status=status, kiosk=found, faults=faults, things=THINGS,
        name=form.get("name") if form else found.name, has=_equipment(form) if form else found.equipment,
    )  # fmt: skip


@get("/bornes/{kiosk:str}", opt=who("administrator"), sync_to_thread=True)
def kiosk(request: Req, kiosk: FromPath[str]) -> Response[str]:
    """One machine."""
    return _kiosk_page(request, kiosk, [])


@post("/bornes/{kiosk:str}", opt=who("administrator"), sync_to_thread=True)
def change(request: Req, kiosk: FromPath[str], form: Sent) -> Response[Any]:
    """Its name, and what stands beside it."""
    try:
        kiosks.change(context_of(request), signed_in(request), kiosk, form.get("name"), _equipment(form))
    except BadInput as error:
        return _kiosk_page(request, kiosk, [Fault(error.shown, "name")], form, 422)
    return go(request, "association/bornes")


@post("/bornes/{kiosk:str}/adresse", opt=who("administrator"), sync_to_thread=True)
def renew(request: Req, kiosk: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """A new start address; the one before opens nothing any more."""
    context, session = context_of(request), signed_in(request)
    once.keep(context, session, number=f"/borne/{kiosks.renew_token(context, session, kiosk)}")
    return go(request, "association/a-remettre")


@post("/bornes/{kiosk:str}/retirer", opt=who("administrator"), sync_to_thread=True)
def retire(request: Req, kiosk: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — the token has been compared
    """The machine leaves."""
    kiosks.retire(context_of(request), signed_in(request), kiosk)
    return go(request, "association/bornes")


HANDLERS: list[ControllerRouterHandler] = [
    structures, add_structure, all_kiosks, enrol, kiosk, change, renew, retire,
]  # fmt: skip
