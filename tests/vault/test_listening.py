"""A check asks the service where it listens, whatever that address is, and behind a certificate of its own."""

import dataclasses
import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.journeys.site import make_certificate
from vault.context import Context
from vault.health import report
from vault.listening import address


class Pages(http.server.BaseHTTPRequestHandler):
    """A service that answers one page, and nothing else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/fr/abri" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is written."""


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Its port on loopback, and its certificate, which is of no name that a check would type."""
    certificate, key = make_certificate(tmp_path)
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate, key)
    service.socket = trust.wrap_socket(service.socket, server_side=True)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield service.server_address[1], certificate
    service.shutdown()
    thread.join()
    service.server_close()


def test_a_service_with_a_certificate_of_its_own_is_found_alive_and_no_other_one_is(
    house: Context, secure: tuple[int, Path], tmp_path: Path
) -> None:
    port, certificate = secure
    settings = dataclasses.replace(house.settings, host="0.0.0.0", port=port, certificate=certificate)  # noqa: S104 (asked, not bound)
    (line,) = report(settings, alive_only=True)
    assert (line.good, line.words) == (True, "answers 200")
    (tmp_path / "other").mkdir()
    other, _ = make_certificate(tmp_path / "other", ec.generate_private_key(ec.SECP256R1()))
    (line,) = report(dataclasses.replace(settings, certificate=other), alive_only=True)
    assert not line.good
    assert line.words.startswith("does not answer")


@pytest.mark.parametrize(
    ("host", "asked"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("10.0.0.7", "10.0.0.7")],  # noqa: S104
)
def test_where_it_listens_is_where_it_is_asked(house: Context, host: str, asked: str) -> None:
    assert address(dataclasses.replace(house.settings, host=host, port=8000)) == f"http://{asked}:8000/fr/abri"
