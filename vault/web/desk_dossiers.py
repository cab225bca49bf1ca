"""A dossier for a procedure: which papers, in which order, for whom; told before a piece that should not go along; then one PDF."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.ids import GrantId, PaperId
from consent.outside import LONGEST_NAME
from vault import dossiers
from vault.dossiers import Choices, Chosen, DossierTooHeavy
from vault.errors import BadInput
from vault.pictograms import KINDS
from vault.procedure_asking import Shown
from vault.settings import today_in_paris
from vault.web.desk_frame import NOT_SHOWN, desk_page
from vault.web.forms import Form, Sent
from vault.web.guards import context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.shell import Req

WARNINGS = {"never": "desk.dossier.never", "not-asked": "desk.dossier.not_asked"}


@dataclass(frozen=True)
class Row:
    """A paper that may go along: its place in the dossier, 0 when it stays out."""

    one: Chosen
    shown: Shown
    kind: str
    place: int


def _rows(offered: Choices, form: Form | None) -> list[Row]:
    rows, next_place = [], 1
    for one in offered.here:
        place = next_place if form is None and not one.warning else 0
        if form is not None:
            typed = form.get(f"place-{one.paper}").strip()
            place = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0
        next_place += bool(place)
        rows.append(Row(one, offered.papers[one.paper], one.sort if one.sort in KINDS else "other", place))
    return rows


def _page(
    request: Req, slug: str, grant: str, faults: list[Fault], form: Form | None = None, *, warned: bool = False, status: int = 200
) -> Response[str]:  # fmt: skip
    context, session = context_of(request), signed_in(request)
    offered = dossiers.choices(context, session, GrantId(grant), slug)
    return desk_page(
        request, "desk/dossier.html", "procedures", status=status, share=offered.share, faults=faults, rows=_rows(offered, form),
        elsewhere=offered.elsewhere, askable=offered.askable, one=offered.procedure, today=today_in_paris(context.clock()),
        warnings=WARNINGS, recipient=form.get("recipient") if form else "", most=LONGEST_NAME, warned=warned,
    )  # fmt: skip


@get("/dossiers/{slug:str}/{grant:str}", opt=who("worker"), exception_handlers=NOT_SHOWN, sync_to_thread=True)
def dossier_page(request: Req, slug: FromPath[str], grant: FromPath[str]) -> Response[str]:
    """What the procedure asks for and may be copied is chosen already, in the order of its list."""
    return _page(request, slug, grant, [])


@post(
    "/dossiers/{slug:str}/{grant:str}", opt={**who("worker"), "leaves": True}, exception_handlers=NOT_SHOWN, status_code=200,
    sync_to_thread=True,
)  # fmt: skip
def make(request: Req, slug: FromPath[str], grant: FromPath[str], form: Sent) -> Response[Any]:
    """The PDF. Before a piece that should not go along: the page again, with what and why, and a yes of its own."""
    offered = dossiers.choices(context_of(request), signed_in(request), GrantId(grant), slug)
    rows = sorted((row for row in _rows(offered, form) if row.place), key=lambda row: row.place)
    if any(row.one.warning for row in rows) and form.get("despite") != "yes":
        return _page(request, slug, grant, [Fault("desk.dossier.warned", "despite")], form, warned=True, status=409)
    papers = [PaperId(row.one.paper) for row in rows]
    recipient = " ".join(form.get("recipient").split())
    try:
        made = dossiers.make(context_of(request), signed_in(request), GrantId(grant), slug, papers, recipient)
    except BadInput as error:
        return _page(
            request, slug, grant, [Fault(error.shown, error.field if error.field == "recipient" else "")], form, status=422
        )
    except DossierTooHeavy as error:
        return _page(request, slug, grant, [Fault(error.sentence)], form, status=413)
    return Response(made, media_type="application/pdf", headers={"Content-Disposition": 'attachment; filename="dossier.pdf"'})


HANDLERS: list[ControllerRouterHandler] = [dossier_page, make]
