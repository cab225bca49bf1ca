"""Receipts leave with the person: on paper, with pictograms, in their language; or as a file for a key, which verifies anywhere."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from consent.grant import OPEN_STATES
from consent.ids import GrantId
from consent.scope import Act
from vault import checkpoints, receipt_files
from vault.errors import NotThere
from vault.web.guards import anyone, context_of, signed_in, who
from vault.web.shell import Req, page

ICONS = {Act.SEE: "eye", Act.TAKE: "copy", Act.DEPOSIT: "file-plus", Act.REPLACE: "file-stack"}


@get("/{language:str}/partages/{grant:str}/recu", opt=who("person"), sync_to_thread=True)
def receipt(request: Req, grant: FromPath[str]) -> Response[str]:
    """The last receipt of a share or of a link, for paper: with whom, what for, until when, how to stop."""
    context = context_of(request)
    found = receipt_files.records_of(context, signed_in(request), GrantId(grant))
    if not found:
        raise NotThere
    last = found[-1].receipt
    acts = [(act.value, icon) for act, icon in ICONS.items() if last.processing and act in last.processing.acts]
    return page(
        request, "printed/receipt.html", receipt=last, acts=acts, contact=context.settings.contact or "Abri",
        over=last.change.state not in OPEN_STATES, imprint=receipt_files.imprint(last),
        line=receipt_files.line_of(context, last),
    )  # fmt: skip


@get("/{language:str}/partages/{grant:str}/recu/cle", opt=who("person", leaves=True), sync_to_thread=True)
def receipt_file(request: Req, grant: FromPath[str]) -> Response[bytes]:
    """All receipts of a share as one file, under a name that tells nothing."""
    return _attached(receipt_files.of_share(context_of(request), signed_in(request), GrantId(grant)))


@get("/{language:str}/partages/recus", opt=who("person", leaves=True), sync_to_thread=True)
def every_receipt(request: Req) -> Response[bytes]:
    """All receipts of all shares as one file."""
    return _attached(receipt_files.of_all(context_of(request), signed_in(request)))


@get("/cles.json", opt=anyone(), sync_to_thread=True)
def public_keys(request: Req) -> Response[dict[str, Any]]:
    """The service's public keys, its trace's, and the administrators' root keys: what `abri receipt verify` needs on another machine."""
    return Response(checkpoints.anchors(context_of(request).settings))


def _attached(content: bytes) -> Response[bytes]:
    headers = {"Content-Disposition": 'attachment; filename="recu.json"'}
    return Response(content, media_type="application/json", headers=headers)


ROUTES: list[ControllerRouterHandler] = [receipt, receipt_file, every_receipt, public_keys]
