"""Bodies of forms as a browser sends them, and sinks that note what was asked of them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Sequence

from tests import loops
from vault.intake import (
    FilePart,
    Form,
    Sink,
    UploadLimits,
    receive_form,
)

BOUNDARY = "a-line-that-nobody-writes"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
TOKEN = ("csrf", "the token")
MIB = 1024 * 1024


class Recorder:
    """A sink that notes what was asked of it."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.lengths: list[int] = []
        self.threads: set[int] = set()
        self.events: list[str] = []

    def write(self, block: bytes) -> None:
        assert not self.events
        self.blocks.append(block)
        self.lengths.append(len(block))
        self.threads.add(threading.get_ident())

    def finish(self) -> None:
        self.events.append("finish")

    def abandon(self) -> None:
        self.events.append("abandon")

    @property
    def content(self) -> bytes:
        return b"".join(self.blocks)


class Sinks:
    """Opens recorders, and remembers them."""

    def __init__(self) -> None:
        self.opened: list[tuple[FilePart, Recorder]] = []

    def __call__(self, part: FilePart) -> Sink:
        sink = Recorder()
        self.opened.append((part, sink))
        return sink


class Refused(Exception):
    """What a page raises over a wrong token."""


def check(name: str, value: str) -> None:
    """The session-bound token."""
    if (name, value) != TOKEN:
        raise Refused


def field(name: str, value: str | bytes) -> bytes:
    """One field as a browser writes it."""
    body = value.encode() if isinstance(value, str) else value
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + body + b"\r\n"


def file(name: str, file_name: str, content: bytes, media_type: str = "application/octet-stream") -> bytes:
    """One file as a browser writes it."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
    return head.encode() + f"Content-Type: {media_type}\r\n\r\n".encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


async def stream_of(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    """What the server hands over, piece by piece."""
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def receive(
    body: bytes | Sequence[bytes], sinks: Sinks, *, content_type: str = FORM, limits: UploadLimits | None = None,
    length: int | None = None,
) -> Form:  # fmt: skip
    """Run the reading to its end."""
    pieces = [body] if isinstance(body, bytes) else body
    return loops.run(
        receive_form(stream_of(pieces), content_type, open_sink=sinks, check_token=check, limits=limits, content_length=length)
    )
