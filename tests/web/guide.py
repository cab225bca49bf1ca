"""The style guide served alone: every shape that pages use, with the same headers as the real service, and no store behind it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from vault.assets.manifest import read_assets
from vault.languages import read_catalogues
from vault.web.pages import Frame, Idle, Pages, WorkFrame
from vault.web.style_guide import PARTS, WORK_PARTS, places, values_for

# The content policy of the service: a page that breaks under it breaks in the tests.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
MOMENT = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "woff2": "font/woff2", "mp3": "audio/mpeg"}


def pages(*, demo: bool = True) -> Pages:
    """Pages that also speak the pseudo-languages."""
    return Pages(assets=read_assets(), catalogues=read_catalogues(with_pseudo=True), demo=demo)


def frame(language: str = "fr", **changes: Any) -> Frame:
    """The frame of a page of an open session."""
    made = Frame(
        language=language, token="a-token-of-the-test", back=f"/{language}/style/home", help=f"/{language}/style/home",
        languages=f"/{language}/style/languages", finish=f"/{language}/style/home", leave=f"/{language}/style/languages",
        idle=Idle(180, f"/{language}/style/languages", f"/{language}/alive"),
    )  # fmt: skip
    return replace(made, **changes)


def work_frame(part: str, language: str = "fr") -> WorkFrame:
    """The frame of a page of the desk or of the office."""
    return WorkFrame(
        language=language, languages=f"/en/style/{part}", token="a-token-of-the-test", who="Fatou (démo), ESI Les Tilleuls",
        places=places(part), sign_out=f"/{language}/fin", hand_over=f"/{language}/passer",
        idle=Idle(600, f"/{language}/style/languages", f"/{language}/alive"),
    )  # fmt: skip


@dataclass(frozen=True)
class Guide:
    """Where the guide answers, and what was asked of it."""

    url: str
    asked: list[str]


@contextmanager
def serve() -> Iterator[Guide]:
    """The guide on a port of its own."""
    made = pages()
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            asked.append(path)
            kind, body = self._content(path)
            self.send_response(200 if body is not None else 404)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def _content(self, path: str) -> tuple[str, bytes | None]:
            parts = path.strip("/").split("/")
            if parts[0] == "static":
                file = made.assets.folder / "/".join(parts[1:])
                return TYPES.get(file.suffix[1:], "text/plain"), file.read_bytes() if file.is_file() else None
            if parts[-1] == "alive":
                return "application/json", b'{"alive": true}'
            if len(parts) == 3 and parts[1] == "style" and parts[2] in PARTS:
                template, values = values_for(parts[2], MOMENT)
                around = work_frame(parts[2], parts[0]) if parts[2] in WORK_PARTS else frame(parts[0])
                return "text/html; charset=utf-8", made.render(template, around, **values).encode()
            return "text/plain", None

        def do_POST(self) -> None:
            asked.append(f"POST {self.path}")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silence: tests say what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Guide(f"http://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
