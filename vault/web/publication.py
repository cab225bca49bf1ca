"""The trace for anybody who wants to check it: its keys, its published head and tiles, and a proof for whoever holds an entry's id."""

from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from vault import checkpoints, proofs, publication
from vault.web.guards import anyone, context_of
from vault.web.shell import Req

SOON = {"Cache-Control": "public, max-age=5"}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
TEXT = "text/plain"  # Litestar adds the charset


@get("/trace/keys", opt=anyone(), sync_to_thread=True)
def keys(request: Req) -> Response[str]:
    """The two public keys of the log, a line each."""
    return Response(checkpoints.keys(context_of(request)).lines(), media_type=TEXT, headers=SOON)


@get("/trace/checkpoint", opt=anyone(), sync_to_thread=True)
def checkpoint(request: Req) -> Response[str]:
    """The last head that was published: one a day."""
    return Response(publication.checkpoint(context_of(request)), media_type=TEXT, headers=SOON)


@get("/trace/tile/{place:path}", opt=anyone(), sync_to_thread=True)
def tile(request: Req, place: FromPath[str]) -> Response[bytes]:
    """Hashes, or entries as their leaves, 256 at a time; it never changes."""
    found = publication.resource(context_of(request), place.lstrip("/"))
    return Response(found, media_type="application/octet-stream", headers=FOR_EVER)


@get("/trace/proof/{entry:uuid}", opt=anyone(), sync_to_thread=True)
def proof(request: Req, entry: FromPath[UUID]) -> Response[str]:
    """The proof of one entry, for whoever holds its id: from a sheet, a receipt, or a published bundle."""
    return Response(proofs.inclusion(context_of(request), str(entry)).file, media_type=TEXT)


@get("/trace/consistency/{old:int}", opt=anyone(), sync_to_thread=True)
def consistency(request: Req, old: FromPath[int]) -> Response[str]:
    """The proof that the published trace continues the one of that size, as a witness is sent it."""
    return Response(proofs.consistency(context_of(request), old), media_type=TEXT)


ROUTES: list[ControllerRouterHandler] = [keys, checkpoint, tile, proof, consistency]
