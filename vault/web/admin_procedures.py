"""Lists of papers for each procedure: read, compared with the official page, put right. Every earlier list stays readable."""

from dataclasses import replace
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.ids import KindId
from crypto.errors import Malformed
from vault import procedure_editing
from vault.errors import BadInput, Conflict, NotThere
from vault.pictograms import KINDS
from vault.procedure_editing import Edition
from vault.procedures import CONFIDENCES, Need, NeedKind, Piece, Procedure
from vault.settings import today_in_paris
from vault.typed import one_line
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.office_frame import office_page, typed_day
from vault.web.pages import Fault
from vault.web.shell import Req, go

NEW = "nouvelle"


@get("/demarches", opt=who("administrator"), sync_to_thread=True)
def procedures(request: Req) -> Response[str]:
    """All of them, and how old each list is."""
    context = context_of(request)
    found = procedure_editing.of_office(context, signed_in(request))
    return office_page(
        request, "office/procedures.html", "procedures", editions=list(found.values()), today=today_in_paris(context.clock())
    )  # fmt: skip


def _editions(request: Req, slug: str) -> list[Edition]:
    return procedure_editing.editions(context_of(request), signed_in(request), slug)


def _page(
    request: Req, slug: str, faults: list[Fault], form: Form | None = None, *, number: int | None = None, status: int = 200
) -> Response[str]:
    found = _editions(request, slug)
    shown = found[0] if number is None else next((one for one in found if one.number == number), None)
    if shown is None:
        raise NotThere
    typed = {
        "source": shown.procedure.source, "confidence": shown.procedure.confidence,
        "verified_on": shown.procedure.verified_on.isoformat() if shown.procedure.verified_on else "",
        "validity": str(shown.procedure.validity_months or ""), "reminders": "\n".join(shown.procedure.reminders),
    }  # fmt: skip
    if form:
        typed = {name: form.get(name) for name in typed}
    return office_page(
        request, "office/procedure.html", "procedures", status=status, editions=found, shown=shown, last=shown is found[0],
        faults=faults, typed=typed, confidences=[(one, f"procedure.confidence.{one}") for one in CONFIDENCES],
        today=today_in_paris(context_of(request).clock()),
    )  # fmt: skip


@get("/demarches/{slug:str}", opt=who("administrator"), sync_to_thread=True)
def procedure(request: Req, slug: FromPath[str]) -> Response[str]:
    """One list: its source, when it was verified, its lines, what it was before."""
    return _page(request, slug, [])


@get("/demarches/{slug:str}/avant/{number:int}", opt=who("administrator"), sync_to_thread=True)
def earlier(request: Req, slug: FromPath[str], number: FromPath[int]) -> Response[str]:
    """The list as it stood."""
    return _page(request, slug, [], number=number)


def _whole(text: str, field: str) -> int | None:
    if not text.strip():
        return None
    if not (text.strip().isascii() and text.strip().isdigit()):
        raise BadInput(field, "office.procedure.bad_months")
    return int(text)


def _keep(request: Req, procedure: Procedure, form: Form) -> None:
    number = form.get("edition")
    based_on = int(number) if number.isascii() and number.isdigit() else -1
    procedure_editing.change(context_of(request), signed_in(request), procedure, based_on=based_on)


@post("/demarches/{slug:str}", opt=who("administrator"), sync_to_thread=True)
def change(request: Req, slug: FromPath[str], form: Sent) -> Response[Any]:
    """Source, confidence, the day when both were compared, how long it is good for, what to remember."""
    today, last = today_in_paris(context_of(request).clock()), _editions(request, slug)[0].procedure
    try:
        verified = typed_day(form.get("verified_on"), "verified_on")
        if verified is not None and verified > today:
            raise BadInput("verified_on", "office.procedure.future")
        reminders = tuple(one for line in form.get("reminders").splitlines() if (one := one_line(line)))
        changed = replace(
            last, source=one_line(form.need("source")), confidence=form.get("confidence"), verified_on=verified,
            validity_months=_whole(form.get("validity"), "validity"), reminders=reminders,
        )  # fmt: skip
        _keep(request, changed, form)
    except BadInput as error:
        return _page(request, slug, [Fault(error.shown, error.field)], form, status=422)
    except Malformed:
        return _page(request, slug, [Fault("office.procedure.bad")], form, status=422)
    except Conflict:
        return _page(request, slug, [Fault("office.conflict")], status=409)
    return go(request, f"association/demarches/{slug}")


# --- One line -------------------------------------------------------------------------------------------------------------


def _piece(procedure: Procedure, name: str) -> Piece | None:
    if name == NEW:
        return None
    found = next((one for one in procedure.pieces if one.id == name), None)
    if found is None:
        raise NotThere
    return found


def _piece_page(
    request: Req, slug: str, name: str, faults: list[Fault], form: Form | None = None, status: int = 200
) -> Response[str]:
    edition = _editions(request, slug)[0]
    one = _piece(edition.procedure, name)
    typed: dict[str, Any] = {
        "name": one.name if one else "", "need": one.need.kind.value if one else "required", "about": one.need.about if one else "",
        "note": one.note if one else "", "months": str(one.max_age_months or "") if one else "",
    }  # fmt: skip
    kinds: tuple[str, ...] = tuple(one.kinds) if one else ()
    if form:
        typed, kinds = {field: form.get(field) for field in typed}, form.all("kind")
    return office_page(
        request, "office/piece.html", "procedures", status=status, edition=edition, piece=name, new=one is None, typed=typed,
        chosen=kinds, first=form.get("first") if form else (kinds[0] if kinds else ""), faults=faults,
        needs=[(kind.value, f"procedure.need.{kind.value}") for kind in NeedKind],
    )  # fmt: skip


@get("/demarches/{slug:str}/ligne/{piece:str}", opt=who("administrator"), sync_to_thread=True)
def piece(request: Req, slug: FromPath[str], piece: FromPath[str]) -> Response[str]:
    """One line, or a new one."""
    return _piece_page(request, slug, piece, [])


def _typed_piece(form: Form, name: str) -> Piece:
    kind = form.get("need")
    if kind not in [one.value for one in NeedKind]:
        raise BadInput("need", "error.nothing-chosen")
    with_words = kind in (NeedKind.ONE_OF, NeedKind.IF)
    about = one_line(form.need("about")) if with_words else ""
    chosen = [one for one in form.all("kind") if one in KINDS]
    first = form.get("first")
    if first in chosen:
        chosen.sort(key=lambda one: one != first)
    return Piece(
        name, one_line(form.need("name")), Need(NeedKind(kind), about), one_line(form.get("note")),
        _whole(form.get("months"), "months"), tuple(KindId(one) for one in chosen),
    )  # fmt: skip


def _free_name(procedure: Procedure) -> str:
    taken = {one.id for one in procedure.pieces}
    return next(name for number in range(1, len(taken) + 2) if (name := f"ligne-{number}") not in taken)


@post("/demarches/{slug:str}/ligne/{piece:str}", opt=who("administrator"), sync_to_thread=True)
def change_piece(request: Req, slug: FromPath[str], piece: FromPath[str], form: Sent) -> Response[Any]:
    """The line as it should be; a new one goes to the end."""
    last = _editions(request, slug)[0].procedure
    old = _piece(last, piece)
    try:
        new = _typed_piece(form, old.id if old else _free_name(last))
        pieces = tuple(new if one == old else one for one in last.pieces) if old else (*last.pieces, new)
        _keep(request, replace(last, pieces=pieces), form)
    except BadInput as error:
        return _piece_page(request, slug, piece, [Fault(error.shown, error.field)], form, 422)
    except Malformed:
        return _piece_page(request, slug, piece, [Fault("office.procedure.bad_piece")], form, 422)
    except Conflict:
        return _page(request, slug, [Fault("office.conflict")], status=409)
    return go(request, f"association/demarches/{slug}")


@post("/demarches/{slug:str}/ligne/{piece:str}/retirer", opt=who("administrator"), sync_to_thread=True)
def remove_piece(request: Req, slug: FromPath[str], piece: FromPath[str], form: Sent) -> Response[Any]:
    """The line goes; the lists before keep it."""
    last = _editions(request, slug)[0].procedure
    old = _piece(last, piece)
    try:
        _keep(request, replace(last, pieces=tuple(one for one in last.pieces if one != old)), form)
    except Malformed:
        return _page(request, slug, [Fault("office.procedure.last_piece")], status=422)
    except Conflict:
        return _page(request, slug, [Fault("office.conflict")], status=409)
    return go(request, f"association/demarches/{slug}")


HANDLERS: list[ControllerRouterHandler] = [procedures, procedure, earlier, change, piece, change_piece, remove_piece]
