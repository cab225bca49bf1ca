"""Bodies that stream: photos and files from the kiosk, from a phone, frames of the camera. No plaintext touches a disk."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from vault.intake import FilePart, MemorySink, UploadLimits, receive_form, receive_raw
from vault.refusals import TooHeavy
from vault.web.forms import TOKEN, Form
from vault.web.guards import WrongOrigin, session_of
from vault.web.shell import Req

P = ParamSpec("P")
R = TypeVar("R")
FRAME_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """A form with files, whole and in memory: the files' untrusted names and their bytes."""

    form: Form
    files: tuple[tuple[str, bytes], ...] = field(repr=False)

    @property
    def contents(self) -> list[bytes]:
        """The bytes of each file, in order."""
        return [content for _, content in self.files]

    @property
    def name(self) -> str:
        """The name that the sender gives to the first file; never trusted."""
        return self.files[0][0] if self.files else ""


def _length(request: Req) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


async def receive(request: Req, limits: UploadLimits | None = None) -> Upload:
    """Read the form to its end. Its first field is the session's token, compared before the first byte of a file."""
    bounds = limits or UploadLimits()
    session = session_of(request)

    def check(name: str, value: str) -> None:
        if session is not None and not (name == TOKEN and session.check_form_token(value)):
            raise WrongOrigin

    def sink(_: FilePart) -> MemorySink:
        return MemorySink(bounds.file_bytes)

    body = await receive_form(
        request.stream(),
        request.headers.get("content-type", ""),
        open_sink=sink,
        check_token=check,
        limits=bounds,
        content_length=_length(request),
    )
    files = tuple((part.untrusted_name, sink.content()) for part, sink in body.files if isinstance(sink, MemorySink))
    return Upload(Form(body.fields), files)


async def receive_frame(request: Req) -> bytes:
    """One picture of the kiosk's camera, posted by the page's script with the session's token in a header."""
    session = session_of(request)
    if session is not None and not session.check_form_token(request.headers.get("x-abri-token", "")):
        raise WrongOrigin
    if request.headers.get("content-type") != "image/jpeg":
        raise TooHeavy
    sink = MemorySink(FRAME_BYTES)
    await receive_raw(request.stream(), sink, limit=FRAME_BYTES, content_length=_length(request))
    return sink.content()


async def in_thread(use_case: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Run a use case, which blocks, beside the event loop."""
    return await asyncio.to_thread(use_case, *arguments, **named)
