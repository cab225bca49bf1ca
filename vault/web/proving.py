"""K18: the proof of one line of one's own history: its number, since when it is there, and a way to take the proof away."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import checkpoints, proofs
from vault.web.guards import context_of, signed_in, who
from vault.web.history import line_of
from vault.web.place import here
from vault.web.shell import Req, page
from vault.web.squares import drawn, own_origin

KEEPING = "attachment; filename=preuve.tlog-proof"


@get("/{language:str}/regards/{entry:uuid}/preuve", opt=who("person"), sync_to_thread=True)
def proof_page(request: Req, entry: FromPath[UUID]) -> Response[Any]:
    """One line again, with what proves it."""
    line, proof = proofs.of_own(context_of(request), signed_in(request), str(entry))
    return page(
        request, "kiosk/proof.html", back="regards?preuve=1", line=line_of(line), proof=proof, late=proof.backdated(line.at),
        ours=here(request).id is not None,
    )  # fmt: skip


@get("/{language:str}/regards/{entry:uuid}/preuve/imprimer", opt=who("person"), sync_to_thread=True)
def on_paper(request: Req, entry: FromPath[UUID]) -> Response[Any]:
    """For paper: what a lawyer or a friend needs to check it without us."""
    context = context_of(request)
    line, proof = proofs.of_own(context, signed_in(request), str(entry))
    return page(
        request, "printed/proof.html", line=line_of(line), proof=proof, place=f"{own_origin(request)}/trace",
        fingerprint=checkpoints.fingerprint(context),
    )  # fmt: skip


@get("/{language:str}/regards/{entry:uuid}/preuve/fichier", opt=who("person", leaves=True), sync_to_thread=True)
def file(request: Req, entry: FromPath[UUID]) -> Response[str]:
    """The proof itself, a text that a program reads."""
    _, proof = proofs.of_own(context_of(request), signed_in(request), str(entry))
    return Response(proof.file, media_type="text/plain", headers={"Content-Disposition": KEEPING})


@get("/{language:str}/regards/{entry:uuid}/preuve/carre", opt=who("person"), sync_to_thread=True)
def square(request: Req, entry: FromPath[UUID]) -> Response[bytes]:
    """Where a phone finds the proof: its address has nothing of the person in it."""
    return drawn(f"{own_origin(request)}/trace/proof/{entry}")


ROUTES: list[ControllerRouterHandler] = [proof_page, on_paper, file, square]
