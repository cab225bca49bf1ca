"""The office's page about the trace: is it numbered, signed, witnessed, counted again. Nothing of what it says."""

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from vault import checkpoints, trace_state
from vault.web.guards import context_of, who
from vault.web.office_frame import office_page
from vault.web.shell import Req


@get("/trace", opt=who("administrator"), sync_to_thread=True)
def trace(request: Req) -> Response[str]:
    """Four questions, each with its answer and since when."""
    context = context_of(request)
    return office_page(
        request, "office/trace.html", "trace", state=trace_state.look(context), name=context.settings.trace_origin,
        fingerprint=checkpoints.fingerprint(context),
    )  # fmt: skip


HANDLERS: list[ControllerRouterHandler] = [trace]
