"""The real application, seen as a browser sees it: pages are asked for, forms are found in them, filled and sent."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from litestar import Litestar
from litestar.testing import TestClient
from lxml import etree, html
from PIL import Image, ImageDraw

from tests.qr import qr_codes
from tests.vault.builders import MadeAdministrator, MadePerson, MadeWorker, one_time_password, sign_in
from vault import administrators, assisted, assisting, kiosks, sessions, unlocking, workers
from vault.app import create_app
from vault.context import Context
from vault.kiosks import Equipment
from vault.sessions import Session
from vault.web.guards import COOKIE, KIOSK_COOKIE

ORIGIN = "https://abri.test"
HOST = "abri.test"
EVERYTHING = Equipment(camera=True, scanner=True, printer=True, sound=True)
NO_PRINTER = Equipment(camera=True, scanner=True, printer=False, sound=True)
Fields = Mapping[str, str | Sequence[str]]


_wired: dict[tuple[object, ...], Litestar] = {}


def wired(context: Context) -> Litestar:
    """The real application on a house. It is wired once for each way to set it up, and each test stands it on a house of its own."""
    settings = context.settings
    way = (settings.mode, settings.api, settings.ribbon, settings.origins)
    if way not in _wired:
        _wired[way] = create_app(context)
    _wired[way].state.context = context
    return _wired[way]


@dataclass(frozen=True)
class Shown:
    """What a browser got: the answer after redirects, and how a person reads it."""

    status: int
    url: str
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The address without its origin and without what it asks for."""
        return urlsplit(self.url).path

    @property
    def tree(self) -> Any:
        """The page, parsed."""
        return html.document_fromstring(self.content.decode())

    @property
    def heading(self) -> str:
        """The one heading of the page."""
        (heading,) = self.tree.xpath("//h1")
        return _words(heading)

    @property
    def title(self) -> str:
        """The title of the window."""
        return str(self.tree.findtext(".//title"))

    @property
    def text(self) -> str:
        """All that stands between the frame's controls."""
        return _words(self.tree.xpath("//main")[0])

    @property
    def links(self) -> list[str]:
        """Every address that the page itself leads to."""
        return [str(one) for one in self.tree.xpath("//main//a/@href")]

    @property
    def images(self) -> list[str]:
        """Every picture of the page."""
        return [str(one) for one in self.tree.xpath("//main//img/@src")]

    @property
    def errors(self) -> str:
        """The summary on top, when something must be put right."""
        return " ".join(_words(one) for one in self.tree.xpath("//*[@id='errors']"))

    def link(self, ending: str) -> str:
        """The one address that ends so, with or else without what it asks for."""
        links = set(self.links)
        found = sorted(one for one in links if one.endswith(ending)) or sorted(
            one for one in links if one.partition("?")[0].endswith(ending)
        )
        assert len(found) == 1, (ending, self.links)
        return found[0]

    def fields(self) -> dict[str, list[str]]:
        """The hidden and the ticked fields of the page's form, in order."""
        found: dict[str, list[str]] = {}
        for one in self.form.xpath(".//input[@type='hidden' or (@type='checkbox' and @checked)]"):
            found.setdefault(str(one.get("name")), []).append(str(one.get("value")))
        return found

    @property
    def form(self) -> Any:
        """The one form of the page."""
        (form,) = self.tree.xpath("//main//form")
        return form

    @property
    def buttons(self) -> dict[str, list[str]]:
        """The values that the buttons of the form would send, by name."""
        found: dict[str, list[str]] = {}
        for one in self.form.xpath(".//button[@name]"):
            found.setdefault(str(one.get("name")), []).append(str(one.get("value")))
        return found


def read_square(svg: bytes) -> str:
    """What a phone reads in a square drawn as SVG: its dark runs are drawn again as pixels, then read."""
    tree = etree.fromstring(svg)
    size, path = int(tree.get("viewBox", "0 0 0 0").split()[2]), ""
    scale, pixels = 8, None
    for one in tree.iter("{http://www.w3.org/2000/svg}path"):
        if one.get("stroke"):
            path = str(one.get("d"))
            pixels = Image.new("L", (size, size), 255)
    assert pixels is not None
    draw, column, row = ImageDraw.Draw(pixels), 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]*)", path):
        values = [float(one) for one in numbers.split()]
        if command == "h":
            draw.line([(int(column), int(row)), (int(column + values[0]) - 1, int(row))], fill=0)
            column += values[0]
        else:
            column, row = (values[0], values[1]) if command == "M" else (column + values[0], row + values[1])
    (text,) = qr_codes(pixels.resize((size * scale, size * scale), Image.Resampling.NEAREST))
    return text


def _words(element: Any) -> str:
    words = " ".join(" ".join(element.itertext()).replace("\u00a0", " ").split())
    return re.sub(r" (?=[.,])", "", words)  # values stand in elements of their own


class Site:
    """A browser in front of the application. One cookie: whoever comes in next ends what was there before."""

    def __init__(self, house: Context, client: TestClient[Litestar]) -> None:
        self.house, self.client = house, client

    # --- Coming in

    def _cookie(self, value: str) -> None:
        self.client.cookies.set(COOKIE, value, domain=HOST, path="/")

    def session(self) -> Session:
        """The session that this browser's cookie opens."""
        return sessions.find(self.house, self.client.cookies[COOKIE], touch=False)

    def open(self, person: MadePerson) -> None:
        """The person shows the card and gives the code, by the use cases that the pages call; `person.session` is the browser's."""
        shown = sessions.find(self.house, unlocking.present_card(self.house, person.kiosk, person.card))
        if person.pictures:
            cookie = unlocking.unlock_with_pictures(self.house, shown, person.pictures)
        else:
            cookie = unlocking.unlock(self.house, shown, person.code)
        self._cookie(cookie)
        person.session = sessions.find(self.house, cookie)

    def open_with_help(self, person: MadePerson, worker: MadeWorker) -> None:
        """The card at the kiosk, the digits at the desk of the worker who helps: the drawers that were lent are open."""
        shown = sessions.find(self.house, unlocking.present_card(self.house, person.kiosk, person.card))
        code, desk = assisted.start(self.house, shown).code, sign_in(self.house, worker)
        assisted.lend(self.house, desk, assisting.people_i_help(self.house, desk)[0].slot, code)
        self._cookie(assisted.finish(self.house, shown))

    def open_with_words(self, person: MadePerson) -> None:
        """The person types the number of the slip and the five words."""
        self._cookie(unlocking.unlock_with_words(self.house, person.kiosk, person.number, " ".join(person.words or ())))
        person.session = self.session()

    def film(self, address: str, picture: bytes) -> httpx.Response:
        """One picture of the camera, as the page's script posts it."""
        headers = {"Content-Type": "image/jpeg", "Sec-Fetch-Site": "same-origin", "X-Abri-Token": self.token()}
        return self.client.post(address, content=picture, headers=headers)

    def token(self) -> str:
        """The token of the forms of this browser's session; empty without one."""
        return self.session().form_token if self.client.cookies.get(COOKIE) else ""

    def show_card(self, person: MadePerson) -> None:
        """The card alone."""
        self._cookie(unlocking.present_card(self.house, person.kiosk, person.card))

    def show_text(self, card: str) -> None:
        """Any card's text, known or not."""
        self._cookie(unlocking.present_card(self.house, None, card))

    def sign_in(self, worker: MadeWorker) -> None:
        """The worker, at the desk."""
        code = one_time_password(self.house, worker.totp)
        self._cookie(workers.sign_in(self.house, worker.code, worker.words, code))

    def sign_in_administrator(self, administrator: MadeAdministrator) -> None:
        """The administrator, in the office."""
        code = one_time_password(self.house, administrator.totp)
        self._cookie(administrators.sign_in(self.house, administrator.code, administrator.words, code))

    def stand_at(self, administrator: MadeAdministrator, structure: str, equipment: Equipment = EVERYTHING) -> None:
        """This browser is a kiosk of that structure, with what it has."""
        token = kiosks.enrol(self.house, administrator.session, structure, "poste d'essai", equipment)  # type: ignore[arg-type]
        self.client.cookies.set(KIOSK_COOKIE, token, domain=HOST, path="/")

    def leave(self) -> None:
        """A browser without any session."""
        self.client.cookies.clear()

    @contextmanager
    def phone(self) -> Iterator["Site"]:
        """Another browser, which holds no cookie of this one."""
        yield Site(self.house, TestClient(self.client.app, base_url=ORIGIN, raise_server_exceptions=False))

    def weight(self, page: Shown) -> int:
        """The bytes of all that a page makes a browser fetch besides itself."""
        wanted = page.tree.xpath("//link/@href | //script/@src | //img/@src")
        return sum(len(self.get(str(one)).content) for one in wanted)

    # --- Pages and forms

    def get(self, address: str) -> Shown:
        """A page, after redirects."""
        return _shown(self.client.get(address))

    def post(self, address: str, fields: Fields, *, site: str = "same-origin") -> Shown:
        """A form as it is, without looking for a token."""
        return _shown(self.client.post(address, data=dict(fields), headers={"Sec-Fetch-Site": site}))

    def press(self, page: Shown, **pressed: str | Sequence[str]) -> Shown:
        """Send the form of a page with its hidden fields, and what was typed, ticked and pressed."""
        action = urljoin(page.url, str(page.form.get("action")))
        fields = {
            **page.fields(),
            **{name: [value] if isinstance(value, str) else list(value) for name, value in pressed.items()},
        }
        return self.post(action, fields)

    def send(self, page: Shown, *files: tuple[str, bytes], **pressed: str) -> Shown:
        """Send the form of a page with files; the token first, as browsers do."""
        action = urljoin(page.url, str(page.form.get("action")))
        fields = {**page.fields(), **pressed}
        parts = [("file", (name, content, "application/octet-stream")) for name, content in files or (("", b""),)]
        headers = {"Sec-Fetch-Site": "same-origin"}
        answer = self.client.post(action, data=fields, files=parts, headers=headers, follow_redirects=False)
        if answer.status_code == 303:  # followed as browsers do: the client would keep the body's content type
            answer = self.client.get(answer.headers["location"])
        return _shown(answer)


def _shown(answer: Any) -> Shown:
    return Shown(answer.status_code, str(answer.url), answer.headers, answer.content)
