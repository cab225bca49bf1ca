"""The door: each kiosk, and each account that is open, has a few places of its own, so that a crowd at one stops nobody at another.

Whoever guesses sends many requests at once. Each would take a thread, look up a session and be refused only then, while everybody
else waits behind it. Here, before any of that, a request takes a place in its own lane, waits for one in the order of coming, or,
when too many wait already, is told to come back: nothing was read, counted, derived or written for it. Lanes do not wait for each
other. A lane of its own has who was recognised: a kiosk in use by its token, an account by a session that its secret opened. A
cookie that nobody has recognised yet waits with the strangers, so that made-up cookies make no lanes.
"""

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from vault.lanes import LANE
from vault.languages import FRENCH
from vault.sessions import STAFF, Kind, Session
from vault.web.gathering import Gathered, Held, Pace, in_time
from vault.web.guards import COOKIE, KIOSK_COOKIE
from vault.web.pages import Frame, Pages
from vault.web.problems import AGAIN_SECONDS
from vault.web.shell import LEAVE, error_values

OPENED: tuple[Kind, ...] = ("person", "assisted", *STAFF)  # a card alone opens a session of nobody: anyone may make thousands
REMEMBERED = 4096
BUSY = "error.busy"


@dataclass(frozen=True)
class Room:
    """How many requests of one lane are answered at once, how many wait for it, and what their bodies may hold of the memory."""

    at_once: int
    waiting: int
    held_bytes: int = 128 * 1024 * 1024  # two papers at once, as heavy as a paper may be


@dataclass(frozen=True)
class Rooms:
    """A kiosk is one browser, an account one person; strangers are many. `held`: refused ones who are kept waiting `pause` seconds.

    Who is refused at once asks again at once: waiting costs us nothing, and makes a thousand of them cheap.
    """

    kiosk: Room = Room(4, 32)
    account: Room = Room(8, 32)
    strangers: Room = Room(16, 512)
    pause: float = 3
    held: int = 2000
    pace: Pace = field(default_factory=Pace)


@dataclass
class _Lane:
    room: Room
    inside: int = 0
    queue: "deque[asyncio.Future[None]]" = field(default_factory=deque)


class Door:
    """Stands before the application, in one process and one event loop: nothing here is shared or locked."""

    def __init__(self, app: ASGIApp, pages: Pages, headers: Mapping[str, str], rooms: Rooms | None = None) -> None:
        self._app, self._pages, self._headers, self._rooms = app, pages, headers, rooms or Rooms()
        self._lanes: dict[str, _Lane] = {}
        self._gathered = Gathered()
        self._known: dict[bytes, str] = {}
        self._secret = secrets.token_bytes(16)  # what is remembered of a cookie means nothing elsewhere
        self._held = 0
        self._refusals: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request when there is room for it."""
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        kiosk, session = _shown(scope)
        name = self._lane_of(kiosk, session)
        if not await self._enter(name):
            await self._refuse(scope, send)
            return
        inside = True
        coming = in_time(receive, self._rooms.pace)
        held = Held(self._gathered, name, self._room(name).held_bytes)

        async def receiving() -> Any:
            # Whoever sends slowly, or not at all, must hold nobody's place: it is free until the next piece is there.
            nonlocal inside
            if inside:
                inside = False
                self._leave(name)
            message = await coming()
            await self._come_back(name)
            inside = True
            return message

        lane = LANE.set(name)
        try:
            scope["state"] = state = dict(scope.get("state") or {}) | {"held": held}
            await self._app(scope, receiving, send)
            self._recognise(state, kiosk, session)
        finally:
            LANE.reset(lane)
            held.let_go()
            if inside:
                self._leave(name)

    def _lane_of(self, kiosk: bytes, session: bytes) -> str:
        return self._known.get(self._digest(session)) or self._known.get(self._digest(kiosk)) or "strangers"

    def _digest(self, cookie: bytes) -> bytes:
        return hashlib.blake2b(cookie, key=self._secret, digest_size=16).digest()

    async def _enter(self, name: str) -> bool:
        lane = self._lanes.get(name)
        if lane is not None and lane.inside >= lane.room.at_once and len(lane.queue) >= lane.room.waiting:
            return False
        await self._come_back(name)
        return True

    async def _come_back(self, name: str) -> None:
        """Take a place, or wait for one: whoever was let in once is not refused any more."""
        lane = self._lanes.setdefault(name, _Lane(self._room(name)))
        if lane.inside < lane.room.at_once:
            lane.inside += 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # the place was given in the same instant: pass it on
                self._leave(name)
            else:
                lane.queue.remove(mine)
            raise

    def _room(self, name: str) -> Room:
        kind = name.partition(" ")[0]
        return self._rooms.kiosk if kind == "kiosk" else self._rooms.account if kind == "account" else self._rooms.strangers

    def _leave(self, name: str) -> None:
        lane = self._lanes[name]
        while lane.queue:
            following = lane.queue.popleft()
            if not following.done():
                following.set_result(None)
                return
        lane.inside -= 1
        if not lane.inside:
            del self._lanes[name]

    def _recognise(self, state: Mapping[str, object], kiosk: bytes, session: bytes) -> None:
        """What the application has verified on its way: whose session it was, and which kiosk."""
        if session and "session" in state:
            found = state["session"]
            opened = isinstance(found, Session) and found.kind in OPENED
            self._remember(session, f"account {found.account}" if isinstance(found, Session) and opened else None)
        if kiosk and "kiosk" in state:
            self._remember(kiosk, f"kiosk {state['kiosk']}" if state["kiosk"] else None)

    def _remember(self, cookie: bytes, name: str | None) -> None:
        digest = self._digest(cookie)
        self._known.pop(digest, None)
        if name is not None:
            self._known[digest] = name
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]

    async def _refuse(self, scope: Scope, send: Send) -> None:
        if self._held < self._rooms.held:
            self._held += 1
            try:
                await asyncio.sleep(self._rooms.pause)
            finally:
                self._held -= 1
        program = scope["path"].startswith("/api/")
        body = self._refusal(scope["path"], program=program)
        told = {
            **self._headers, "Content-Type": "application/problem+json" if program else "text/html; charset=utf-8",
            "Content-Length": str(len(body)), "Retry-After": str(AGAIN_SECONDS),
        }  # fmt: skip
        headers = [(key.lower().encode(), value.encode()) for key, value in told.items()]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _refusal(self, path: str, *, program: bool) -> bytes:
        """The page of the sentence, made once for each language."""
        first = path.lstrip("/").partition("/")[0]
        language = "api" if program else first if first in self._pages.catalogues else FRENCH.code
        if language not in self._refusals:
            self._refusals[language] = self._made(language)
        return self._refusals[language]

    def _made(self, language: str) -> bytes:
        if language == "api":
            title = self._pages.sentence(FRENCH.code, BUSY)
            return f'{{"type":"urn:abri:{BUSY}","title":"{title}","status":503,"seconds":{AGAIN_SECONDS}}}'.encode()
        at = f"/{language}"
        frame = Frame(language, help=f"{at}/aide", languages="/", finish=f"{at}/fin", leave=LEAVE)
        return self._pages.render("error.html", frame, home=f"{at}/", **error_values(self._pages, 503, BUSY)).encode()


def _shown(scope: Scope) -> tuple[bytes, bytes]:
    """The cookie of the kiosk and that of the session (or the bearer's token), as they were sent; nothing is verified."""
    kiosk = session = b""
    for name, value in scope["headers"]:
        if name == b"cookie":
            for crumb in value.split(b"; "):
                key, _, content = crumb.partition(b"=")
                if key == KIOSK_COOKIE.encode():
                    kiosk = content
                elif key == COOKIE.encode():
                    session = content
        elif name == b"authorization" and value[:7].lower() == b"bearer ":
            session = value[7:]
    return kiosk, session
