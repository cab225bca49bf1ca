"""The application over HTTPS in the test's own process, on a clock that the test moves, and people before browsers of their own."""

import asyncio
import dataclasses
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import LARGE
from tests.journeys.site import free_port, make_certificate
from tests.vault.builders import MadePerson, MadeWorker, Office, one_time_password
from vault import kiosks
from vault.app import create_app
from vault.context import Context
from vault.kiosks import Equipment

TOKENS = re.compile(r"\b[0-9a-f]{32}\b")


@contextmanager
def served(house: Context, folder: Path) -> Iterator[str]:
    """The application over HTTPS in this process, so that its clock is the test's."""
    certificate, key = make_certificate(folder)
    port = free_port()
    base = f"https://127.0.0.1:{port}"
    house = dataclasses.replace(house, settings=dataclasses.replace(house.settings, origins=(base,)))
    server = Server(
        create_app(house),
        port=port,
        interface=Interfaces.ASGI,
        ssl_cert=certificate,
        ssl_key=key,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield base
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(20)
        loop.close()


class Hands:
    """Somebody before a browser of their own; counts what they touch."""

    def __init__(self, page: Page, language: str = "fr") -> None:
        self.page, self.language, self.touches = page, language, 0

    def go(self, address: str) -> None:
        self.page.goto(f"/{self.language}/{address}")

    def touch(self, words: str | re.Pattern[str]) -> None:
        self.touches += 1
        self.page.locator("main a, main button").filter(has_text=words).first.click()
        self.page.wait_for_load_state()

    def says(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)

    def heading(self) -> str:
        return self.page.locator("h1").inner_text().replace("\u00a0", " ")

    def open_safe(self, awa: MadePerson) -> None:
        """The card by its reader, which types like a keyboard; then the code."""
        self.show_card(awa.card)
        self.type_code(awa.code)
        self.page.wait_for_url("**/maison")

    def show_card(self, card: str, place: str = "carte") -> None:
        """A card in front of the reader."""
        self.go(f"{place}?encore=1")  # also when another one has just been shown
        self.page.locator("input[name=card]").fill(card)
        self.page.locator("input[name=card]").press("Enter")
        self.page.wait_for_load_state()

    def type_code(self, code: str) -> None:
        """Six digits, in the field itself."""
        self.page.locator("input[name=code]").fill(code)
        self.page.locator("input[name=code]").press("Enter")
        self.page.wait_for_load_state()

    def fill(self, **fields: str) -> None:
        """What is typed into the form of the page; it is sent by its last button."""
        for name, value in fields.items():
            self.page.locator(f"main [name={name}]").fill(value)
        self.page.locator("main button[type=submit]:visible").last.click()
        self.page.wait_for_load_state()

    def stands_at(self, kiosk: str) -> "Hands":
        """This browser is the kiosk of that start address."""
        self.page.goto(kiosk)
        return self

    def reads(self) -> str:
        """Everything that this browser could tell its page from another by, without the token that each session has."""
        return TOKENS.sub("", self.page.content())

    def sign_in(self, house: Context, worker: MadeWorker) -> None:
        self.go("bureau/entrer")
        self.page.locator("[name=code]").fill(worker.code)
        self.page.locator("[name=words]").fill(" ".join(worker.words))
        self.page.locator("[name=totp]").fill(one_time_password(house, worker.totp))
        self.page.locator("main button[type=submit]").first.click()
        self.page.wait_for_load_state()


@pytest.fixture
def hands(chromium: Browser, reading_house: Context, tmp_path: Path) -> Iterator[Callable[[], Hands]]:
    """A browser for each person who sits down."""
    made: list[BrowserContext] = []
    with served(reading_house, tmp_path) as base:

        def sit_down() -> Hands:
            made.append(chromium.new_context(base_url=base, ignore_https_errors=True, viewport=LARGE))  # type: ignore[arg-type]  # a TypedDict there
            made[-1].set_default_timeout(8_000)
            return Hands(made[-1].new_page())

        yield sit_down
        for one in made:
            one.close()


def kiosk_of(house: Context, office: Office) -> str:
    """The start address of one more kiosk of that structure, which has everything."""
    everything = Equipment(camera=True, scanner=True, printer=True, sound=True)
    return f"/borne/{kiosks.enrol(house, office.admin, office.structure, 'poste', everything)}"
