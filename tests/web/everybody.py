"""Somebody of each kind in front of every route: what the tables of permissions ask with."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from consent.purposes import ShelfKind
from tests.vault.builders import (
    MadeAdministrator,
    MadeWorker,
    Office,
    make_office,
    make_person,
    make_worker,
    one_time_password,
    show_card,
)  # fmt: skip
from tests.web.site import wired
from vault import administrators, assisted, assisting, cards, opening, recovery, sessions, training, unlocking, workers
from vault.context import Context
from vault.errors import NoSession
from vault.web.guards import COOKIE

DUMMIES = {
    "int": "1",
    "path": "maison",
    "str": "00000000-0000-4000-8000-000000000000",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


@dataclass(frozen=True)
class Route:
    """One method of one address, its parameters filled with what belongs to nobody."""

    method: str
    template: str
    address: str


def routes_of(app: Litestar) -> list[Route]:
    """Every route of the application, as it is served."""
    found = []
    for route in app.routes:
        template = re.sub(r"\{language:str\}", "fr", route.path)
        address = re.sub(r"\{\w+:(\w+)\}", lambda one: DUMMIES[one[1]], template)
        found += [
            Route(str(method), template, address)
            for method in getattr(route, "methods", ())
            if method in ("GET", "POST", "DELETE")
        ]
    return sorted(found, key=lambda one: (one.template, one.method))


@dataclass
class Everybody:
    """Somebody of each kind, open again as often as a request has ended them."""

    house: Context
    office: Office
    worker: MadeWorker
    administrator: MadeAdministrator
    cookies: dict[str, str] = field(default_factory=dict)

    def cookie(self, kind: str) -> str | None:
        """The cookie of a living session of this kind."""
        if kind == "none":
            return None
        try:
            sessions.find(self.house, self.cookies.get(kind, ""))
        except NoSession:
            self.cookies[kind] = self._open(kind)
        return self.cookies[kind]

    def _open(self, kind: str) -> str:
        made: dict[str, Callable[[], str]] = {
            "card": lambda: unlocking.present_card(self.house, None, cards.new_cards(1)[0].text),
            "opening": lambda: opening.start(self.house, None, "fr"),
            "recovering": lambda: recovery.start(self.house, self.office.kiosk, "lost").cookie,
            "person": self._person,
            "assisted": self._assisted,
            "outside": self._outside,
            "named": self._named,
            "worker": lambda: workers.sign_in(self.house, self.worker.code, self.worker.words, self._digits(self.worker)),
            "administrator": lambda: administrators.sign_in(
                self.house, self.administrator.code, self.administrator.words, self._digits(self.administrator)
            ),
        }  # fmt: skip
        return made[kind]()

    def _digits(self, staff: MadeWorker | MadeAdministrator) -> str:
        return one_time_password(self.house, staff.totp)

    def _person(self) -> str:
        person = make_person(self.house, "Awa")
        return unlocking.unlock(self.house, show_card(self.house, person.card), person.code)

    def _outside(self) -> str:
        """Somebody with a link to a safe that has just been opened: it opens nothing, and stays what it is."""
        with self.house.database.transaction() as connection:
            state = {"share": DUMMIES["uuid"], "seed": bytes(32).hex()}
            return sessions.open_for(self.house, connection, kind="outside", state=state)

    def _named(self) -> str:
        """Whom a dead person named: they may take the papers away."""
        person = make_person(self.house, "Mariam")
        with self.house.database.transaction() as connection:
            keys = person.session.opened()
            return sessions.open_for(self.house, connection, kind="named", account=person.id, kiosk=self.office.kiosk, keys=keys)

    def _assisted(self) -> str:
        person = make_person(self.house, "Yonas")
        assisting.choose(
            self.house, person.session, person.code, self.worker.id, [ShelfKind("money")], name="Yonas", drawing="sun"
        )  # fmt: skip
        desk = sessions.find(self.house, self.cookie("worker") or "")
        slot = next(one.slot for one in assisting.people_i_help(self.house, desk) if one.person == person.id)
        shown = show_card(self.house, person.card)
        assisted.lend(self.house, desk, slot, assisted.start(self.house, shown).code)
        return assisted.finish(self.house, shown)


@pytest.fixture
def everybody(reading_house: Context) -> Iterator[tuple[Everybody, TestClient[Litestar]]]:
    """The application with everything on, and somebody of each kind."""
    settings = dataclasses.replace(reading_house.settings, mode="demo", api=True)
    with standing_in(dataclasses.replace(reading_house, settings=settings)) as found:
        yield found


@pytest.fixture
def everybody_of_a_room(reading_house: Context) -> Iterator[tuple[Everybody, TestClient[Litestar]]]:
    """The application of a room for training, with stores of its own, and somebody of each kind in it."""
    session = make_worker(reading_house, make_office(reading_house)).session
    made = training.make(reading_house, session)
    house = training.open_room(reading_house, made.name, training.generation(reading_house.settings, made.name) or "")
    try:
        with standing_in(house) as found:
            yield found
    finally:
        house.database.close()
        house.keyvault.close()


@contextmanager
def standing_in(house: Context) -> Iterator[tuple[Everybody, TestClient[Litestar]]]:
    """The application on this house, and somebody of each kind in it."""
    office = make_office(house)
    with TestClient(wired(house), base_url="https://abri.test", raise_server_exceptions=False) as client:
        yield Everybody(house, office, make_worker(house, office), office.administrators[0]), client


def ask(client: TestClient[Litestar], route: Route, cookie: str | None, token: str, query: str = "") -> httpx.Response:
    """The answer to one request, as a browser or a program makes it."""
    headers = {"Sec-Fetch-Site": "same-origin", "X-Abri-Token": token}
    client.cookies.clear()
    if route.address.startswith("/api/"):
        if cookie:
            headers["Authorization"] = f"Bearer {cookie}"
        body: dict[str, Any] = {"json": {}} if route.method == "POST" else {}
    else:
        if cookie:
            client.cookies.set(COOKIE, cookie, domain="abri.test", path="/")
        body = {"data": {"token": token}} if route.method == "POST" else {}
    return client.request(route.method, route.address + query, headers=headers, follow_redirects=False, **body)
