"""The office's page of yearly figures, the same on paper and as CSV; and how many safes nobody has opened for long."""

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from vault import figures, silence
from vault.settings import today_in_paris
from vault.web.guards import context_of, signed_in, who
from vault.web.office_frame import office_page
from vault.web.shell import Req


@get("/chiffres", opt=who("administrator"), sync_to_thread=True)
def all_figures(request: Req) -> Response[str]:
    """Each year that is over; then the silent safes, by month."""
    context, session = context_of(request), signed_in(request)
    return office_page(
        request, "office/figures.html", "figures", years=figures.years(context, session), all=figures.ALL,
        silent=silence.list_silent(context, session),
    )  # fmt: skip


@get("/chiffres/imprimer", opt=who("administrator"), sync_to_thread=True)
def print_figures(request: Req) -> Response[str]:
    """The years alone, to hand to whoever funds."""
    context = context_of(request)
    return office_page(
        request, "printed/figures.html", "figures", years=figures.years(context, signed_in(request)), all=figures.ALL,
        today=today_in_paris(context.clock()),
    )  # fmt: skip


@get("/chiffres/csv", opt=who("administrator"), sync_to_thread=True)
def csv_figures(request: Req) -> Response[bytes]:
    """The same for a spreadsheet."""
    content = figures.to_csv(figures.years(context_of(request), signed_in(request)))
    headers = {"Content-Disposition": 'attachment; filename="abri-chiffres.csv"'}
    return Response(content.encode(), media_type="text/csv", headers=headers)


HANDLERS: list[ControllerRouterHandler] = [all_figures, print_figures, csv_figures]
