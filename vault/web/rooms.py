"""The door between the real service and the rooms for training: an application of its own behind each room's address.

What passes is what a proxy would pass. Of the cookies, only the room's own, under their inner names; of the answer, addresses and
cookies get the room's name in front. Neither application ever reads a cookie of the other.
"""

import asyncio
import re
import threading
from collections import OrderedDict
from typing import Any
from urllib.parse import unquote

from litestar import Litestar, asgi
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from vault import training
from vault.context import Context
from vault.errors import NotThere
from vault.web.guards import OPEN

AT_ONCE = 4  # applications of rooms kept ready in a process
COOKIES = "__Host-formation-"
INNER = "__Host-"
STANDARD = ("type", "asgi", "http_version", "method", "scheme", "query_string", "client", "server", "extensions")
LINKS = re.compile(r'((?:\s(?:href|action|formaction|src|data-[a-z-]+)|;url)="?)/(?!static/|/|\.\./)')
META = re.compile(r"(;url=)/(?!static/|/|\.\./)")
NEXT = re.compile(r'("next":\s*")/')


class Rooms:
    """The rooms that this process has open, the one asked for last at the end."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str], tuple[Litestar, Context]] = OrderedDict()
        self._lock = threading.Lock()

    def application(self, real: Context, name: str) -> Litestar:
        """The application of a room as it stands now; NotThere."""
        made = training.generation(real.settings, name)
        if made is None:
            raise NotThere
        with self._lock:
            if (name, made) not in self._open:
                self._begin(real, name, made)
            self._open.move_to_end((name, made))
            return self._open[name, made][0]

    def _begin(self, real: Context, name: str, made: str) -> None:
        from vault.app import create_app  # it wires this door too

        context = training.open_room(real, name, made)
        self._open[name, made] = create_app(context), context
        gone = [key for key in self._open if key[0] == name and key[1] != made]
        while len(self._open) - len(gone) > AT_ONCE:
            gone.append(next(key for key in self._open if key not in gone))
        for key in gone:
            _, old = self._open.pop(key)
            old.database.close()
            old.keyvault.close()

    def close(self) -> None:
        """Let go of every room."""
        with self._lock:
            for _, context in self._open.values():
                context.database.close()
                context.keyvault.close()
            self._open.clear()


def _path(scope: Scope) -> str:
    raw = scope.get("raw_path") or scope["path"].encode()
    return unquote(bytes(raw).partition(b"?")[0].decode("latin-1"))


@asgi("/formation", is_mount=True, opt={**OPEN, "streams": True, "quiet": True}, copy_scope=True)
async def door(scope: Scope, receive: Receive, send: Send) -> None:
    """Everything below `/formation/{room}` is the room's."""
    app = scope["litestar_app"]
    name, rest = [*_path(scope).split("/", 3), "", ""][2:4]
    try:
        rooms: Rooms = app.state.rooms
        inner = await asyncio.to_thread(rooms.application, app.state.context, name)
    except NotThere:
        await _nothing(send)
        return
    await _pass(inner, name, f"/{rest}", scope, receive, send)


async def _nothing(send: Send) -> None:
    await send({"type": "http.response.start", "status": 303, "headers": [(b"location", b"/")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _pass(inner: ASGIApp, name: str, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    asked: Any = {key: scope[key] for key in STANDARD if key in scope}  # type: ignore[literal-required]  # names of the standard
    asked |= {"path": path, "raw_path": path.encode(), "root_path": "", "state": {}, "headers": _own(scope["headers"], name)}
    answer = _Answer(name, send)
    await inner(asked, receive, answer.send)


def _own(headers: Any, name: str) -> list[tuple[bytes, bytes]]:
    """The headers with the room's own cookies alone, under the names that it gave them."""
    kept = [(key, value) for key, value in headers if key.lower() not in (b"cookie", b"authorization")]
    mark = f"{COOKIES}{name}-"
    sent = "; ".join(value.decode("latin-1") for key, value in headers if key.lower() == b"cookie")
    mine = [INNER + one.strip()[len(mark) :] for one in sent.split(";") if one.strip().startswith(mark)]
    return [*kept, (b"cookie", "; ".join(mine).encode("latin-1"))] if mine else kept


class _Answer:
    """An answer of a room on its way out: pages are held until they are whole, everything else goes through."""

    def __init__(self, name: str, send: Send) -> None:
        self._name, self._send = name, send
        self._prefix = f"{training.PREFIX}/{name}/"
        self._start: HTTPResponseStartEvent | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """One message of the inner application."""
        if message["type"] == "http.response.start":
            message["headers"] = self._headers(message["headers"])
            kind = dict(message["headers"]).get(b"content-type", b"").partition(b";")[0]
            if kind in (b"text/html", b"application/json"):
                self._start = message
                return
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message["body"]
            if message["more_body"]:
                return
            whole = self._rewritten(bytes(self._body).decode()).encode()
            others = [(key, value) for key, value in self._start["headers"] if key != b"content-length"]
            self._start["headers"] = [*others, (b"content-length", str(len(whole)).encode())]
            await self._send(self._start)
            message["body"] = whole
        await self._send(message)

    def _rewritten(self, text: str) -> str:
        for pattern in (LINKS, META, NEXT):
            text = pattern.sub(rf"\g<1>{self._prefix}", text)
        return text.replace('="/../', '="/')

    def _headers(self, headers: Any) -> list[tuple[bytes, bytes]]:
        kept = []
        for key, value in headers:
            lower, text = key.lower(), value.decode("latin-1")
            if lower == b"location" and text.startswith("/"):
                text = self._prefix + text[1:]
            elif lower == b"set-cookie" and text.startswith(INNER):
                text = f"{COOKIES}{self._name}-{text[len(INNER) :]}"
            elif lower == b"clear-site-data":
                text = '"cache"'  # the cookies of the real desk stay; the room's own is deleted by name
            kept.append((lower, text.encode("latin-1")))
        return kept
