"""Papers over the interface for programs: bodies that stream in, bytes that stream out, whole or by ranges."""

import re
from collections.abc import Iterator
from typing import Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from consent.ids import PaperId
from vault import documents
from vault.contents import Content
from vault.errors import BadInput
from vault.incoming import Incoming
from vault.intake import FilePart, MemorySink, UploadLimits, prepare, receive_form, receive_raw
from vault.paper_cards import checked_sort, checked_title
from vault.shelves import checked_kind
from vault.sinks import Sink, abandon_all
from vault.web import api_shapes, problems
from vault.web.api_bytes import Deposits, Gives
from vault.web.gathering import gathering
from vault.web.guards import context_of, signed_in, who
from vault.web.problems import described
from vault.web.shell import Req
from vault.web.uploads import in_thread

PERSON = {**who("person"), "api": True}
LEAVES = {**PERSON, "leaves": True}
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
Keep = Literal["prepared", "received"]


@get("/papers", opt=PERSON, **described(422), sync_to_thread=True)
def papers(request: Req, shelf: FromQuery[str | None] = None) -> list[api_shapes.Paper]:
    """The papers, newest first, of one drawer or of all; without the bin."""
    kind = checked_kind(shelf) if shelf else None
    return [api_shapes.paper(one) for one in documents.list_papers(context_of(request), signed_in(request), kind)]


@get("/papers/{paper:uuid}", opt=PERSON, **described(404), sync_to_thread=True)
def one_paper(request: Req, paper: FromPath[UUID]) -> api_shapes.Paper:
    """One of them."""
    return api_shapes.paper(documents.paper(context_of(request), signed_in(request), PaperId(str(paper))))


# --- In -------------------------------------------------------------------------------------------------------------------


def _length(request: Req) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class _Words:
    """Where a paper goes, what it is called and who may see it there, from the address or from the fields of a form."""

    def __init__(self, shelf: str, title: str, sort: str, agreed: list[str] | None) -> None:
        self.agreed = agreed or []
        self.shelf, self.title, self.sort = checked_kind(shelf), checked_title(title), checked_sort(sort)


@post(
    "/papers", opt={**PERSON, "streams": True}, request_max_body_size=None, operation_class=Deposits,
    **described(409, 413, 415, 422, 507),
)  # fmt: skip
async def deposit(
    request: Req, shelf: FromQuery[str] = "", title: FromQuery[str] = "", sort: FromQuery[str] = "",
    keep: FromQuery[Keep] = "prepared", agreed: FromQuery[list[str] | None] = None,
) -> api_shapes.Kept:  # fmt: skip
    """Put a paper in: its bytes as the body, or a form with one file and the fields `shelf`, `title`, `sort`.

    `prepared` (15 MiB at most): parsed behind walls, straightened, without what its device wrote in it; one can look at it.
    `received`: kept as it came, whatever its size, sealed while it arrives.
    409 `error.would-show`: somebody sees that drawer. Ask the person, then send it again with each name of `would_see` as `agreed`.
    """
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data"
    words = None if form else _Words(shelf, title, sort, agreed)  # refused before the body is read
    limits, context, session = UploadLimits(files=1), context_of(request), signed_in(request)
    most = context.settings.limits.person_bytes if keep == "received" else limits.file_bytes
    body = request.stream() if keep == "received" else gathering(request)

    def sink() -> Sink:
        return Incoming(context, session, limit=most) if keep == "received" else MemorySink(most)

    if not form:
        made = await in_thread(sink)
        await receive_raw(body, made, limit=most, content_length=_length(request))
        return await _kept(request, made, words)
    bounds = UploadLimits(file_bytes=most, files=1, total_bytes=most + 256 * 1024)
    name: list[str] = []

    def open_sink(part: FilePart) -> Sink:
        name.append(part.untrusted_name)
        return sink()

    sent = await receive_form(
        body, request.headers["content-type"], open_sink=open_sink, check_token=None, limits=bounds,
        content_length=_length(request),
    )  # fmt: skip
    try:
        if len(sent.files) != 1:
            raise BadInput("file", "error.no-file")
        words = _Words(sent.first("shelf") or shelf, sent.first("title") or title, sent.first("sort") or sort, agreed)
    except BadInput as error:
        await abandon_all([one for _, one in sent.files], error)
        raise
    return await _kept(request, sent.files[0][1], words, name[0])


async def _kept(request: Req, sink: Sink, words: _Words | None, untrusted_name: str = "") -> api_shapes.Kept:
    if words is None:
        raise BadInput("shelf")
    try:
        return api_shapes.Kept(await in_thread(_keep, request, sink, words, untrusted_name))
    except BaseException as error:
        await abandon_all([sink], error)
        raise


def _keep(request: Req, sink: Sink, words: _Words, untrusted_name: str) -> PaperId:
    context, session = context_of(request), signed_in(request)
    if isinstance(sink, Incoming):
        return sink.keep(words.shelf, title=words.title, sort=words.sort, untrusted_name=untrusted_name, agreed=words.agreed)
    if not isinstance(sink, MemorySink):
        raise BadInput("keep")
    prepared = prepare(context.confinement, [sink.content()])
    return documents.deposit(
        context, session, prepared, words.shelf, title=words.title, sort=words.sort, untrusted_name=untrusted_name,
        agreed=words.agreed,
    )  # fmt: skip


# --- Out ------------------------------------------------------------------------------------------------------------------


def _asked(header: str | None, size: int) -> tuple[int, int] | None:
    """The one range that a header asks for, `end` not included; None for all of it. ValueError when there is nothing there."""
    found = RANGE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(int(found[2]) + 1 if found[2] else size, size)
        if found[2] and int(found[2]) < start:
            return None
    if start >= size or start >= end:
        raise ValueError
    return start, end


def _sent(request: Req, content: Content) -> Stream | Response[problems.Problem]:
    headers = {"Content-Disposition": f'attachment; filename="{content.download_name}"', "Accept-Ranges": "bytes"}
    try:
        wanted = _asked(request.headers.get("range"), content.size)
    except ValueError:
        content.close()
        return problems.problem(request, 416, problems.BAD, headers={"Content-Range": f"bytes */{content.size}"}, field="Range")
    start, end = wanted or (0, content.size)

    def blocks() -> Iterator[bytes]:
        with content:
            yield from content.read(start, end) if wanted else content.chunks()

    headers["Content-Length"] = str(end - start)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.size}"
    return Stream(blocks(), status_code=206 if wanted else 200, media_type=content.kind.media_type, headers=headers)


@get("/papers/{paper:uuid}/received", opt=LEAVES, operation_class=Gives, **described(404, 416), sync_to_thread=True)
def received(request: Req, paper: FromPath[UUID]) -> Stream | Response[problems.Problem]:
    """The bytes as they came, whole or one range of them. Each answer is a line of the history."""
    return _sent(request, documents.open_paper(context_of(request), signed_in(request), PaperId(str(paper)), "received"))


@get("/papers/{paper:uuid}/view", opt=LEAVES, operation_class=Gives, **described(404, 416), sync_to_thread=True)
def view(request: Req, paper: FromPath[UUID]) -> Stream | Response[problems.Problem]:
    """The copy to look at: straightened, without what its device wrote in it."""
    return _sent(request, documents.open_paper(context_of(request), signed_in(request), PaperId(str(paper)), "view"))


HANDLERS: list[ControllerRouterHandler] = [papers, one_paper, deposit, received, view]
