"""Bodies that stream: photos and files from the kiosk, from a phone, frames of the camera. No plaintext touches a disk."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from vault.context import Context
from vault.errors import WrongSecret
from vault.intake import FilePart, MemorySink, UploadLimits, read_qr, receive_form, receive_raw
from vault.refusals import BadForm, TooHeavy
from vault.web.forms import TOKEN, Form
from vault.web.gathering import gathering
from vault.web.guards import WrongOrigin, session_of
from vault.web.shell import Req

P = ParamSpec("P")
R = TypeVar("R")
FRAME_BYTES = 2 * 1024 * 1024
PHOTO_BYTES = 8 * 1024 * 1024  # of a card: anybody may send one
PHOTO_LIMITS = UploadLimits(file_bytes=PHOTO_BYTES, files=1)
CARD = "card"  # the field of a card reader


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


def first_right(texts: Iterable[str], act: Callable[[str], R], wrong: tuple[type[Exception], ...] = (WrongSecret,)) -> R:
    """Do this with the first text that is what was asked for: what is `wrong` is passed over. WrongSecret when none is."""
    for text in texts:
        try:
            return act(text)
        except wrong:
            continue
    raise WrongSecret


def in_square(
    context: Context, picture: bytes, act: Callable[[str], R], wrong: tuple[type[Exception], ...] = (WrongSecret,)
) -> R:  # fmt: skip
    """The same with the squares of a picture: a photo may show more than the card. PaperRefused for what is no picture."""
    return first_right(read_qr(context.confinement, picture), act, wrong)


def _length(request: Req) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


async def receive(request: Req, limits: UploadLimits | None = None, read: list[tuple[str, str]] | None = None) -> Upload:
    """Read the form to its end. Its first field is the session's token, compared before the first byte of a file.

    `read`: the fields that came before a file that is refused, for the page that says so.
    """
    bounds = limits or UploadLimits()
    session = session_of(request)

    def check(name: str, value: str) -> None:
        if session is not None and not (name == TOKEN and session.check_form_token(value)):
            raise WrongOrigin

    def sink(_: FilePart) -> MemorySink:
        return MemorySink(bounds.file_bytes)

    body = await receive_form(
        gathering(request),
        request.headers.get("content-type", ""),
        open_sink=sink,
        check_token=check,
        limits=bounds,
        content_length=_length(request),
        read=read,
    )
    files = tuple((part.untrusted_name, sink.content()) for part, sink in body.files if isinstance(sink, MemorySink))
    return Upload(Form(body.fields), files)


async def receive_photo(request: Req) -> Upload:
    """A form with one photo of a card or of a sheet.

    A photo that is too heavy, or whose sending broke off, is none: the page says that nothing was seen on it, and shows the fields
    before it again. A card that was typed beside it is left out, so that nothing is done with half a form.
    """
    read: list[tuple[str, str]] = []
    try:
        return await receive(request, PHOTO_LIMITS, read)
    except (TooHeavy, BadForm):
        return Upload(Form(tuple((name, value) for name, value in read if name != CARD)), ())


async def receive_frame(request: Req) -> bytes:
    """One picture of the kiosk's camera, posted by the page's script with the session's token in a header."""
    session = session_of(request)
    if session is not None and not session.check_form_token(request.headers.get("x-abri-token", "")):
        raise WrongOrigin
    if request.headers.get("content-type") != "image/jpeg":
        raise TooHeavy
    sink = MemorySink(FRAME_BYTES)
    await receive_raw(gathering(request), sink, limit=FRAME_BYTES, content_length=_length(request))
    return sink.content()


async def in_thread(use_case: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Run a use case, which blocks, beside the event loop."""
    return await asyncio.to_thread(use_case, *arguments, **named)
