"""A paper being added: its photos wait, sealed, until the person says "oui, garder". Any process serves the next page.

Blobs in the store under keys that stand only in the session's sealed state: when the session ends, nobody can open them any more,
and the sweep takes them away. Until `keep` nothing else is written.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, get_args

from sqlalchemy import Connection

from consent.ids import PaperId
from consent.purposes import ShelfKind
from crypto.canonical import Value
from crypto.keys import AgeFileKey
from crypto.stream import decrypt
from storage.blobs import BlobName
from vault import documents, endings, preparing, rendering, sessions, who
from vault.context import Context
from vault.deposits import discard, in_blocks, store_sealed
from vault.errors import BadInput, Conflict, NotThere
from vault.kinds import Kind, PaperLimits
from vault.paper_cards import tame_file_name
from vault.preparing import Corners, Edge, Framing, PreparedPaper
from vault.refusals import OnlyPhotosJoin, TooHeavy, TooManyPages
from vault.sessions import Session
from vault.unwritten import undone_unless
from vault.versions import one_refusal

STATE = "draft"
SENT, SENT_MOST = "sent", 200  # the files that became papers one by one in this session, by their digest
PARTS = 100_000  # corners are kept as whole parts of the picture: canonical JSON has no fractions
BY = 0.02

Nudge = Literal[
    "turn", "top-in", "top-out", "right-in", "right-out", "bottom-in", "bottom-out", "left-in", "left-out", "as-it-is",
    "straighten",
]  # fmt: skip


@dataclass(frozen=True)
class DraftPage:
    """One file of the draft: a photo, or a whole PDF. `images` is how many pages it shows; `photo` names it, however it is turned."""

    number: int
    photo: str
    kind: Kind
    blurred: bool
    images: int


@dataclass(frozen=True)
class Draft:
    """What is being added."""

    pages: tuple[DraftPage, ...]

    @property
    def name(self) -> str:
        """These photos in this order, however they are turned: other ones have another name."""
        return _named(*(page.photo for page in self.pages))

    @property
    def blurred(self) -> bool:
        """Whether the person is told to look closely."""
        return any(page.blurred for page in self.pages)


@dataclass(frozen=True)
class _Sealed:
    """A blob of the draft and the key that opens it."""

    blob: str
    key: AgeFileKey = field(repr=False)


@dataclass(frozen=True)
class _Piece:
    """One file of the draft as the session's state keeps it."""

    original: _Sealed
    view: _Sealed
    name: str = field(repr=False)
    kind: Kind
    size: int
    blurred: bool
    images: int
    framings: tuple[Framing, ...]

    def blobs(self) -> list[str]:
        return [self.original.blob, self.view.blob]


# --- The state ------------------------------------------------------------------------------------------------------------


def _told(piece: _Piece) -> dict[str, Value]:
    return {
        "original": [piece.original.blob, bytes(piece.original.key).hex()],
        "view": [piece.view.blob, bytes(piece.view.key).hex()],
        "name": piece.name, "kind": piece.kind.value, "size": piece.size, "blurred": piece.blurred, "images": piece.images,
        "framings": [_framing_told(one) for one in piece.framings],
    }  # fmt: skip


def _framing_told(framing: Framing) -> Value:
    corners = [round(part * PARTS) for point in framing.corners for part in point] if framing.corners else []
    return [framing.quarter_turns, framing.straighten, corners]


def _piece(told: Value) -> _Piece:
    match told:
        case {
            "original": [str(original), str(original_key)], "view": [str(view), str(view_key)], "name": str(name),
            "kind": str(kind), "size": int(size), "blurred": bool(blurred), "images": int(images), "framings": list(framings),
        }:  # fmt: skip
            return _Piece(
                _Sealed(original, AgeFileKey(bytes.fromhex(original_key))), _Sealed(view, AgeFileKey(bytes.fromhex(view_key))),
                name, Kind(kind), size, blurred, images, tuple(_framing(one) for one in framings),
            )  # fmt: skip
    raise NotThere


def _framing(told: Value) -> Framing:
    match told:
        case [int(turns), bool(straighten), list(parts)] if len(parts) in (0, 8):
            numbers = [part / PARTS for part in parts if isinstance(part, int)]
            corners: Corners | None = None
            if numbers:
                a, b, c, d, e, f, g, h = numbers
                corners = ((a, b), (c, d), (e, f), (g, h))
            return Framing(turns, corners, straighten)
    raise NotThere


def _pieces(state: Mapping[str, Value]) -> list[_Piece]:
    told = state.get(STATE, [])
    return [_piece(one) for one in told] if isinstance(told, list) else []


def _draft(pieces: Sequence[_Piece]) -> Draft:
    found = enumerate(pieces, 1)
    return Draft(tuple(DraftPage(at, _named(one.original.blob), one.kind, one.blurred, one.images) for at, one in found))


def _named(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _read(context: Context, session: Session) -> list[_Piece]:
    who.person(session)
    with context.database.transaction(read_only=True) as connection:
        return _pieces(sessions.read_state(connection, session, hold=False))


def _write(connection: Connection, session: Session, state: Mapping[str, Value], pieces: Sequence[_Piece]) -> None:
    sessions.write_state(connection, session, {**state, STATE: [_told(one) for one in pieces]})


# --- Blobs ----------------------------------------------------------------------------------------------------------------


def _seal(context: Context, content: bytes) -> _Sealed:
    key = AgeFileKey.random()
    return _Sealed(store_sealed(context, key, "view", in_blocks(content)).blob, key)


def _open(context: Context, sealed: _Sealed) -> bytes:
    with one_refusal(), context.blobs.open(BlobName(sealed.blob)) as reader:
        return decrypt(sealed.key, reader.read_at(0, reader.size))


@contextmanager
def _sealed(context: Context, session: Session, *contents: bytes) -> Iterator[list[_Sealed]]:
    """Blobs that go again when the block raises and the draft does not name them."""
    kept: list[_Sealed] = []

    def written(connection: Connection) -> bool:
        named = {blob for piece in _pieces(sessions.read_state(connection, session, hold=False)) for blob in piece.blobs()}
        return any(one.blob in named for one in kept)

    with undone_unless(context, written, lambda: discard(context, [one.blob for one in kept])):
        kept.extend(_seal(context, content) for content in contents)
        yield kept


# --- Use cases ------------------------------------------------------------------------------------------------------------


def current(context: Context, session: Session) -> Draft | None:
    """What is being added, or nothing."""
    pieces = _read(context, session)
    return _draft(pieces) if pieces else None


def add(context: Context, session: Session, received: bytes, *, untrusted_name: str = "") -> Draft:
    """Add a photo or a PDF to the draft. Raises PaperRefused when it cannot be a page of this paper; nothing has changed then."""
    _check_joins(_read(context, session), len(received))
    prepared = preparing.prepare(context.confinement, [received])
    with _sealed(context, session, received, prepared.view) as (original, view), context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        pieces = _pieces(state)
        _check_joins(pieces, len(received))
        if pieces and Kind.PDF in (prepared.kind, pieces[0].kind):
            raise OnlyPhotosJoin
        pieces.append(_made(prepared, original, view, tame_file_name(untrusted_name), len(received)))
        _write(connection, session, state, pieces)
    return _draft(pieces)


def _made(prepared: PreparedPaper, original: _Sealed, view: _Sealed, name: str, size: int) -> _Piece:
    return _Piece(original, view, name, prepared.kind, size, any(prepared.blurred), prepared.pages, prepared.framings)


def _check_joins(pieces: Sequence[_Piece], size: int) -> None:
    limits = PaperLimits()
    if len(pieces) >= limits.pages:
        raise TooManyPages
    if size > limits.file_bytes or sum(piece.size for piece in pieces) + size > limits.paper_bytes:
        raise TooHeavy


def adjust(context: Context, session: Session, number: int, nudge: Nudge) -> Draft:
    """Turn or cut out a page again; what is kept follows what the person said yes to."""
    if nudge not in get_args(Nudge):
        raise BadInput("nudge")
    piece = _numbered(_read(context, session), number)
    if piece.kind is Kind.PDF:
        raise BadInput("number")
    framings = tuple(_nudged(one, nudge) for one in piece.framings)
    prepared = preparing.prepare(context.confinement, [_open(context, piece.original)], framings=framings)
    with _sealed(context, session, prepared.view) as (view,), context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        pieces = _pieces(state)
        if _numbered(pieces, number) != piece:
            raise Conflict  # another screen changed it meanwhile
        pieces[number - 1] = _made(prepared, piece.original, view, piece.name, piece.size)
        _write(connection, session, state, pieces)
        endings.doom(context, connection, [piece.view.blob])
    return _draft(pieces)


def _nudged(framing: Framing, nudge: Nudge) -> Framing:
    if nudge == "turn":
        return framing.turned()
    if nudge in ("as-it-is", "straighten"):
        return Framing(framing.quarter_turns, None, nudge == "straighten")
    edge, way = nudge.split("-")
    edges: dict[str, Edge] = {"top": "top", "right": "right", "bottom": "bottom", "left": "left"}
    return framing.nudged(edges[edge], BY if way == "in" else -BY)


def _numbered(pieces: Sequence[_Piece], number: int) -> _Piece:
    if not 1 <= number <= len(pieces):
        raise NotThere
    return pieces[number - 1]


def image(context: Context, session: Session, number: int, *, page: int = 1) -> rendering.PageImage:
    """What will be seen of a page of the draft: "On lit bien ?"."""
    piece = _numbered(_read(context, session), number)
    return rendering.page_image(context.confinement, _open(context, piece.view), page)


def remove(context: Context, session: Session, number: int, *, photo: str | None = None) -> Draft | None:
    """Take one page out: "Recommencer". NotThere when it is another photo than `photo`: this one is out already."""
    who.person(session)
    with context.database.transaction() as connection:
        state = sessions.read_state(connection, session)
        pieces = _pieces(state)
        gone = _numbered(pieces, number)
        if photo not in (None, _named(gone.original.blob)):
            raise NotThere
        pieces.remove(gone)
        _write(connection, session, state, pieces)
        endings.doom(context, connection, gone.blobs())
    return _draft(pieces) if pieces else None


def drop(context: Context, session: Session) -> None:
    """Forget the draft."""
    who.person(session)
    with context.database.transaction() as connection:
        _end(context, connection, session, None)


def _end(
    context: Context, connection: Connection, session: Session, expected: Sequence[_Piece] | None, sent: str = ""
) -> None:  # fmt: skip
    state = sessions.read_state(connection, session)
    pieces = _pieces(state)
    if expected is not None and pieces != expected:
        raise Conflict  # kept already, or changed, by another screen
    endings.doom(context, connection, [blob for piece in pieces for blob in piece.blobs()])
    rest = {name: value for name, value in state.items() if name != STATE}
    sessions.write_state(connection, session, rest | ({SENT: [*_sent(state), sent][-SENT_MOST:]} if sent else {}))


def _sent(state: Mapping[str, Value]) -> list[Value]:
    told = state.get(SENT, [])
    return told if isinstance(told, list) else []


def keep_at_once(
    context: Context,
    session: Session,
    received: bytes,
    shelf: ShelfKind,
    *,
    untrusted_name: str = "",
    agreed: Collection[str] = (),
) -> PaperId | None:
    """One file is one paper. None when the very same file became one in this session: it is sent again after an error, or twice.

    Raises what `add` and `keep` raise, and leaves no draft then.
    """
    sent = hashlib.sha256(received).hexdigest()[:32]
    with context.database.transaction(read_only=True) as connection:
        if sent in _sent(sessions.read_state(connection, session, hold=False)):
            return None
    add(context, session, received, untrusted_name=untrusted_name)
    try:
        return keep(context, session, shelf, sent=sent, agreed=agreed)
    except BaseException:
        drop(context, session)
        raise


def keep(
    context: Context, session: Session, shelf: ShelfKind, *, title: str = "", sort: str = "", replaces: PaperId | None = None,
    sent: str = "", agreed: Collection[str] = (),
) -> PaperId:  # fmt: skip
    """Make one paper of the draft, in the order of its pages, and keep it; the draft ends in the same commit.

    `sent`: what `keep_at_once` knows the file by. Raises WouldShow until all who would see it are in `agreed`.
    """
    pieces = _read(context, session)
    if not pieces:
        raise NotThere
    framings = [framing for piece in pieces for framing in piece.framings]
    originals = [_open(context, piece.original) for piece in pieces]
    prepared = preparing.prepare(context.confinement, originals, framings=framings)
    return documents.deposit(
        context, session, prepared, shelf, title=title, sort=sort, untrusted_name=pieces[0].name, replaces=replaces,
        along=lambda connection: _end(context, connection, session, pieces, sent), agreed=agreed,
    )  # fmt: skip
