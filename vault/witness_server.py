"""The witness's small HTTP service: one address that takes heads, one that says who it is. It listens on loopback unless told otherwise."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from vault.witness import MOST_BODY, Answer, Witness

SECONDS = 20  # a log that stops sending is let go of


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server that is not running yet; its port is chosen by the system when it is 0."""

    class Handler(BaseHTTPRequestHandler):
        """Answers; one thread for each connection."""

        protocol_version = "HTTP/1.1"
        server_version, sys_version = "abri-witness", ""
        timeout = SECONDS

        def do_POST(self) -> None:
            """Take a head."""
            length = self.headers.get("Content-Length", "")
            if self.path == "/add-checkpoint" and length.isascii() and length.isdigit() and int(length) <= MOST_BODY:
                self._answer(witness.add_checkpoint(self.rfile.read(int(length))))
                return
            self.close_connection = True  # the body is not read, so nothing can follow it
            known = self.path == "/add-checkpoint"
            self._answer(Answer(413, "the length of the body is said, and small\n") if known else Answer(404, "not here\n"))

        def do_GET(self) -> None:
            """Say by which key it signs."""
            known = self.path == "/key"
            self._answer(Answer(200, witness.signer.public.lattice.vkey() + "\n") if known else Answer(404, "not here\n"))

        def _answer(self, answer: Answer) -> None:
            body = answer.text.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Who asked is nobody's business."""

    return ThreadingHTTPServer((host, port), Handler)
