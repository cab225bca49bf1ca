"""What comes in: the body of an upload, streamed through a parser into sinks, with nothing written on the way.

Memory stays constant whatever the body's length: a piece of the body is parsed, what it holds goes to the sink in
blocks of 1 MiB, each in a thread, and the next piece is asked for when the sink has taken it. No plaintext touches a
disk here. (Litestar's own multipart parsing and CSRF middleware spool bodies to temporary files, so neither is used.)
`prepare` and `read_qr` of `vault.preparing` are offered here too: they are what a page does next.
"""

import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import python_multipart
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from vault.preparing import Framing, PreparedPaper, prepare, read_qr
from vault.refusals import BadForm, NotAForm, TokenNotFirst, TooHeavy
from vault.sinks import BLOCK_BYTES, Blocks, MemorySink, Sink, abandon_all

__all__ = [
    "BLOCK_BYTES", "FilePart", "Form", "Framing", "MemorySink", "PreparedPaper", "Sink", "UploadLimits", "prepare",
    "read_qr", "receive_form", "receive_raw",
]  # fmt: skip

_PIECE_BYTES = 64 * 1024
_MOST_PART_HEADERS = 4
_MOST_NAME = 255

# At debug level it prints bytes of the body.
logging.getLogger(python_multipart.__name__).addHandler(logging.NullHandler())
logging.getLogger(python_multipart.__name__).setLevel(logging.CRITICAL + 1)
logging.getLogger(python_multipart.__name__).propagate = False


@dataclasses.dataclass(frozen=True, slots=True)
class UploadLimits:
    """What one body may hold."""

    file_bytes: int = 15 * 1024 * 1024
    files: int = 20
    total_bytes: int = 60 * 1024 * 1024 + 256 * 1024  # one paper's photos, and the fields around them
    fields: int = 32
    field_bytes: int = 4096


@dataclasses.dataclass(frozen=True, slots=True)
class FilePart:
    """What the sender says of a file: the form's field, and a name to show but never to trust."""

    field: str
    untrusted_name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """A whole body: its fields in order, and its files with the sinks that took them."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[tuple[FilePart, Sink], ...]

    def first(self, name: str) -> str | None:
        """The value of the first field of that name."""
        return next((value for field, value in self.fields if field == name), None)

    def all(self, name: str) -> tuple[str, ...]:
        """The values of every field of that name, in order."""
        return tuple(value for field, value in self.fields if field == name)


OpenSink = Callable[[FilePart], Sink]
CheckToken = Callable[[str, str], None]


async def receive_form(
    stream: AsyncIterator[bytes],
    content_type: str,
    *,
    open_sink: OpenSink,
    check_token: CheckToken | None,
    limits: UploadLimits | None = None,
    content_length: int | None = None,
    read: list[tuple[str, str]] | None = None,
) -> Form:
    """Read a multipart/form-data body to its end.

    `read` is filled with the fields as they come, the checked token first: what a page shows again when a file is refused.

    `check_token(name, value)` gets the first field and raises to refuse; until it has returned no sink is opened.
    Every sink opened is abandoned when anything goes wrong, also when the sender leaves.
    Raises NotAForm, BadForm, TokenNotFirst, TooHeavy, and whatever the callback, the sinks and the stream raise.
    """
    limits = limits or UploadLimits()
    if content_length is not None and content_length > limits.total_bytes:
        raise TooHeavy
    reading = _FormReading(_boundary(content_type), limits, open_sink, check_token, [] if read is None else read)
    try:
        async with contextlib.aclosing(_small_pieces(stream, limits.total_bytes)) as pieces:
            async for piece in pieces:
                await reading.take(piece)
        return reading.form()
    except BaseException as reason:
        await abandon_all(reading.sinks, reason)
        raise


async def receive_raw(stream: AsyncIterator[bytes], sink: Sink, *, limit: int, content_length: int | None = None) -> int:
    """Pour a whole body into one sink; the number of bytes. Raises TooHeavy, BadForm when it is shorter than told."""
    blocks = Blocks(sink)
    length = 0
    try:
        if content_length is not None and content_length > limit:
            raise TooHeavy
        async with contextlib.aclosing(_small_pieces(stream, limit)) as pieces:
            async for piece in pieces:
                length += len(piece)
                await blocks.add(piece)
        if content_length is not None and length != content_length:
            raise BadForm("cut short")
        await blocks.finish()
    except BaseException as reason:
        await abandon_all([sink], reason)
        raise
    return length


async def _small_pieces(stream: AsyncIterator[bytes], limit: int) -> AsyncGenerator[bytes, None]:
    """The body in pieces that bound what one round of parsing can hold. Raises TooHeavy past the limit."""
    length = 0
    async for chunk in stream:
        length += len(chunk)
        if length > limit:
            raise TooHeavy
        for at in range(0, len(chunk), _PIECE_BYTES):
            yield chunk[at : at + _PIECE_BYTES]


def _boundary(content_type: str) -> bytes:
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if media_type != b"multipart/form-data":
        raise NotAForm
    if not 1 <= len(boundary) <= 70:  # RFC 2046
        raise BadForm("boundary")
    return boundary


@dataclasses.dataclass(slots=True)
class _Part:
    """The part being read: a field gathers its few bytes, a file pours."""

    field: str
    untrusted_name: str | None
    gathered: bytearray
    blocks: Blocks | None = None
    opened: bool = False


class _FormReading:
    """The parser's callbacks only note what happened; `take` then does it in order, awaiting the sinks."""

    def __init__(
        self, boundary: bytes, limits: UploadLimits, open_sink: OpenSink, check_token: CheckToken | None,
        fields: list[tuple[str, str]],
    ) -> None:  # fmt: skip
        self.sinks: list[Sink] = []
        self._limits, self._open_sink, self._check_token = limits, open_sink, check_token
        self._token_seen = check_token is None
        self._fields = fields
        self._files: list[tuple[FilePart, Sink]] = []
        self._part: _Part | None = None
        self._parts, self._file_length, self._ended = 0, 0, False
        self._headers: dict[bytes, bytes] = {}
        self._header_name, self._header_value = bytearray(), bytearray()
        self._noted: list[tuple[str, bytes | dict[bytes, bytes]]] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=_MOST_PART_HEADERS,
        )

    async def take(self, piece: bytes) -> None:
        """Parse a piece and do what it says."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise BadForm("malformed") from error
        noted, self._noted = self._noted, []
        for event, value in noted:
            if event == "begin" and isinstance(value, dict):
                self._begin(value)
            elif event == "data" and isinstance(value, bytes):
                await self._data(value)
            else:
                await self._end()

    def form(self) -> Form:
        """The whole form. Raises BadForm when the body stopped before its closing boundary."""
        if not self._ended or self._part is not None:
            raise BadForm("cut short")
        if not self._token_seen:
            raise TokenNotFirst
        return Form(tuple(self._fields), tuple(self._files))

    # -- what the parser says: noted, in order

    def _on_part_begin(self) -> None:
        self._headers = {}
        self._parts += 1
        if self._parts > self._limits.fields + self._limits.files:
            raise BadForm("too many parts")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        name = bytes(self._header_name).lower()
        if name in self._headers:
            raise BadForm("a header twice")
        self._headers[name] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _on_headers_finished(self) -> None:
        self._noted.append(("begin", self._headers))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._noted.append(("data", data[start:end]))

    def _on_part_end(self) -> None:
        self._noted.append(("end", b""))

    def _on_end(self) -> None:
        self._ended = True

    # -- what is done about it

    def _begin(self, headers: dict[bytes, bytes]) -> None:
        disposition, options = parse_options_header(headers.get(b"content-disposition", b""))
        if disposition != b"form-data" or b"content-transfer-encoding" in headers:
            raise BadForm("part header")
        field = _text(options.get(b"name", b""))
        if not field or len(field) > _MOST_NAME:
            raise BadForm("part name")
        name = options.get(b"filename")
        self._part = _Part(field, None if name is None else _text(name)[-_MOST_NAME:], bytearray())
        self._file_length = 0
        if name is not None and not self._token_seen:
            raise TokenNotFirst

    async def _data(self, data: bytes) -> None:
        part = self._part
        if part is None:
            raise BadForm("data outside a part")
        if part.untrusted_name is None:
            part.gathered += data
            if len(part.gathered) > self._limits.field_bytes:
                raise BadForm("field too long")
            return
        self._file_length += len(data)
        if self._file_length > self._limits.file_bytes:
            raise TooHeavy
        await self._blocks_of(part).add(data)

    async def _end(self) -> None:
        part, self._part = self._part, None
        if part is None:
            raise BadForm("end outside a part")
        if part.untrusted_name is None:
            self._take_field(part.field, _text(bytes(part.gathered)))
        elif part.blocks is not None or part.untrusted_name:
            await self._blocks_of(part).finish()
        # else: a file input left empty, which browsers send without name or bytes

    def _take_field(self, name: str, value: str) -> None:
        if not self._token_seen and self._check_token is not None:
            self._check_token(name, value)
            self._token_seen = True
        self._fields.append((name, value))
        if len(self._fields) > self._limits.fields:
            raise BadForm("too many fields")

    def _blocks_of(self, part: _Part) -> Blocks:
        if part.blocks is None:
            if len(self._files) == self._limits.files:
                raise TooHeavy
            told = FilePart(part.field, part.untrusted_name or "")
            sink = self._open_sink(told)
            self.sinks.append(sink)
            self._files.append((told, sink))
            part.blocks = Blocks(sink)
        return part.blocks


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadForm("not UTF-8") from error
