"""The door: lanes that do not wait for each other, bounded, and nobody gets one with a cookie that they made up."""

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any

import httpx
import pytest

from tests.loops import run
from tests.vault.builders import make_office, make_person
from tests.web.site import ORIGIN, wired
from vault import kiosks, people, sessions
from vault.assets.manifest import read_assets
from vault.context import NOBODY, Context
from vault.kiosks import Equipment
from vault.lanes import LANE
from vault.languages import read_catalogues
from vault.sessions import Kind, Session
from vault.web import door
from vault.web.door import Door, Room, Rooms
from vault.web.guards import COOKIE, KIOSK_COOKIE
from vault.web.pages import Pages

ROOMS = Rooms(kiosk=Room(2, 3), account=Room(2, 3), strangers=Room(3, 4), pause=0, held=5)
KIOSK, OTHER = "__Host-borne=guessing", "__Host-borne=right"


@lru_cache(maxsize=1)
def pages() -> Pages:
    return Pages(assets=read_assets(), catalogues=read_catalogues())


def found(kind: Kind, account: str) -> Session:
    """A session as a guard finds it; only these two are looked at."""
    made = object.__new__(Session)
    object.__setattr__(made, "kind", kind)
    object.__setattr__(made, "account", account)
    return made


class House:
    """An application that answers when it is told to, and recognises what it was taught."""

    def __init__(self, rooms: Rooms = ROOMS) -> None:
        self.door = Door(self.answer, pages(), {"Cache-Control": "no-store"}, rooms)
        self.inside: list[str] = []
        self.seen: list[str] = []
        self.lanes: dict[str, str | None] = {}
        self.go: dict[str, asyncio.Event] = {}
        self.bodies: dict[str, asyncio.Event] = {}
        self.recognised: dict[str, dict[str, object]] = {}
        self.statuses: dict[str, int] = {}
        self.answers: dict[str, tuple[dict[str, str], str]] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["name"]
        self.inside.append(name)
        self.seen.append(name)
        self.lanes[name] = LANE.get()
        cookies = dict(scope["headers"]).get(b"cookie", b"").decode()
        for crumb in cookies.split("; "):
            scope.setdefault("state", {}).update(self.recognised.get(crumb, {}))
        try:
            if scope["path"].startswith("/envoi"):
                self.inside.remove(name)
                await receive()
                self.inside.append(name)
            await self.go[name].wait()
        finally:
            self.inside.remove(name)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def ask(self, name: str, *cookies: str, path: str = "/fr/code", **headers: str) -> None:
        """A request comes."""
        self.go[name] = asyncio.Event()
        sent = [(b"cookie", "; ".join(cookies).encode()), *((key.encode(), value.encode()) for key, value in headers.items())]
        scope = {"type": "http", "path": path, "headers": sent, "name": name}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses[name] = message["status"]
                self.answers[name] = ({key.decode(): value.decode() for key, value in message["headers"]}, "")
            else:
                self.answers[name] = (self.answers[name][0], message["body"].decode())

        self.bodies[name] = asyncio.Event()

        async def receive() -> Any:
            await self.bodies[name].wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        self.tasks[name] = asyncio.create_task(self.door(scope, receive, send))  # type: ignore[arg-type]  # what the door looks at

    async def settle(self) -> None:
        """Until nothing moves any more."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def done(self, *names: str) -> None:
        """These are answered."""
        for name in names:
            self.go[name].set()
        await self.settle()

    async def meet(self, crumb: str, **state: object) -> None:
        """The application recognises this cookie once."""
        self.recognised[crumb] = state
        self.ask("met", crumb)
        await self.done("met")
        assert self.statuses.pop("met") == 200

    async def end(self) -> None:
        """Everybody is answered; nothing is left of their lanes."""
        for event in [*self.go.values(), *self.bodies.values()]:
            event.set()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        assert self.door._lanes == {}
        assert self.inside == []


def scene(test: Callable[[House], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test in a loop of its own, with a house that knows both kiosks."""

    def running() -> None:
        async def whole() -> None:
            house = House()
            await house.meet(KIOSK, kiosk="k1")
            await house.meet(OTHER, kiosk="k2")
            house.seen.clear()
            await test(house)
            await house.end()

        run(whole())

    running.__name__ = test.__name__
    running.__doc__ = test.__doc__
    return running


@scene
async def test_a_thousand_at_one_kiosk_reach_two_places_and_the_other_kiosk_enters_at_once(house: House) -> None:
    for number in range(1000):
        house.ask(f"wrong {number}", KIOSK)
    await house.settle()
    assert house.inside == ["wrong 0", "wrong 1"]
    house.ask("right", OTHER)
    await house.settle()
    assert house.inside == ["wrong 0", "wrong 1", "right"]
    assert house.lanes == {"met": "strangers", "wrong 0": "kiosk k1", "wrong 1": "kiosk k1", "right": "kiosk k2"}, (
        "told to all below"
    )
    await house.done("right")
    assert house.statuses["right"] == 200
    refused = [name for name, status in house.statuses.items() if status == 503]
    assert refused == sorted((f"wrong {number}" for number in range(5, 1000)), key=refused.index)
    assert len(refused) == 995, "two are inside, three wait"
    await house.done(*(f"wrong {number}" for number in range(5)))
    assert [name for name in house.seen if name != "right"] == [f"wrong {number}" for number in range(5)]


@scene
async def test_who_waits_is_answered_in_the_order_of_coming(house: House) -> None:
    for number in range(5):
        house.ask(str(number), KIOSK)
    await house.settle()
    await house.done("1")
    assert house.inside == ["0", "2"]
    await house.done("0")
    assert house.inside == ["2", "3"]


@scene
async def test_bodies_that_do_not_come_hold_no_place(house: House) -> None:
    for number in range(50):
        house.ask(f"slow {number}", path="/envoi")
        await house.settle()
    house.ask("me")
    await house.settle()
    assert house.inside == ["me"]
    assert house.statuses == {}
    await house.done("me")
    for number in range(10):
        house.bodies[f"slow {number}"].set()
    await house.settle()
    assert house.inside == ["slow 0", "slow 1", "slow 2"], "what has come is answered as few at once as anything else"
    await house.done("slow 1")
    assert house.inside == ["slow 0", "slow 2", "slow 3"]
    house.tasks["slow 20"].cancel()
    house.tasks["slow 5"].cancel()
    await house.settle()
    await house.done("slow 0", "slow 2", "slow 3")
    assert house.inside == ["slow 4", "slow 6", "slow 7"]


@scene
async def test_who_listens_for_the_end_of_a_download_gives_the_place_back_once(house: House) -> None:
    async def streaming(_scope: Any, receive: Any, _send: Any) -> None:
        listening = asyncio.create_task(receive())
        await asyncio.sleep(0)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    house.door._app = streaming
    for number in range(5):
        house.ask(f"download {number}")
    await house.settle()
    assert all(task.done() for task in house.tasks.values())


@scene
async def test_cookies_that_nobody_recognised_make_no_lane(house: House) -> None:
    for number in range(20):
        house.ask(str(number), f"__Host-borne=made up {number}; __Host-abri=made up {number}")
    await house.settle()
    assert len(house.inside) == 3
    assert len(house.statuses) == 20 - 3 - 4
    house.ask("right", OTHER)
    await house.settle()
    assert "right" in house.inside


@pytest.mark.parametrize(("kind", "own"), [("person", True), ("worker", True), ("card", False), ("outside", False)])
def test_only_a_session_that_a_secret_opened_has_a_lane(kind: Kind, own: bool) -> None:
    async def whole() -> None:
        house = House()
        await house.meet("__Host-abri=mine", session=found(kind, "a1" if own else NOBODY))
        for number in range(3):
            house.ask(f"stranger {number}")
        await house.settle()
        house.ask("me", "__Host-abri=mine")
        await house.settle()
        assert ("me" in house.inside) is own
        await house.end()

    run(whole())


@scene
async def test_a_session_that_ended_and_a_kiosk_that_left_lose_their_lane(house: House) -> None:
    await house.meet("__Host-abri=mine", session=found("person", "a1"))
    assert house.door._lane_of(b"", b"mine") == "account a1"
    await house.meet("__Host-abri=mine", session=None)
    assert house.door._lane_of(b"", b"mine") == "strangers"
    await house.meet(KIOSK, kiosk=None)
    assert house.door._lane_of(b"guessing", b"") == "strangers"


@scene
async def test_a_page_that_looked_at_no_session_forgets_none(house: House) -> None:
    await house.meet("__Host-abri=mine", session=found("worker", "w1"))
    house.recognised.clear()
    house.ask("page", "__Host-abri=mine")
    await house.done("page")
    assert house.door._lane_of(b"", b"mine") == "account w1"


@scene
async def test_who_hangs_up_while_waiting_leaves_the_queue(house: House) -> None:
    for number in range(5):
        house.ask(str(number), KIOSK)
    await house.settle()
    house.tasks["2"].cancel()
    await house.settle()
    await house.done("0", "1")
    assert house.inside == ["3", "4"]


@scene
async def test_a_place_given_to_somebody_who_hangs_up_goes_on_to_the_next(house: House) -> None:
    for number in range(4):
        house.ask(str(number), KIOSK)
    await house.settle()
    house.tasks["0"].cancel()
    await asyncio.sleep(0)  # the place of "0" is given to "2", who has not run yet
    house.tasks["2"].cancel()
    await house.settle()
    assert house.inside == ["1", "3"]


@scene
async def test_an_application_that_fails_gives_its_place_back(house: House) -> None:
    for number in range(20):
        house.ask(str(number), KIOSK)
        await house.settle()
        house.tasks[str(number)].cancel()
        await house.settle()
    assert house.inside == []
    assert house.statuses == {}


@scene
async def test_what_is_remembered_is_bounded(house: House) -> None:
    for number in range(door.REMEMBERED + 10):
        house.door._remember(str(number).encode(), f"kiosk {number}")
    assert len(house.door._known) == door.REMEMBERED
    assert house.door._lane_of(b"9", b"") == "strangers"
    assert house.door._lane_of(str(door.REMEMBERED).encode(), b"") == f"kiosk {door.REMEMBERED}"
    assert not any(b"guessing" in digest for digest in house.door._known)


@scene
async def test_few_of_the_refused_are_kept_waiting_and_the_others_told_at_once(house: House) -> None:
    house.door._rooms = dataclasses.replace(ROOMS, pause=3600)
    for number in range(5 + 5 + 7):
        house.ask(str(number), KIOSK)
    await house.settle()
    assert sorted(house.statuses) == sorted(str(number) for number in range(10, 17))
    for number in range(5, 10):
        house.tasks[str(number)].cancel()
    await house.settle()
    assert house.door._held == 0


@scene
async def test_the_refusal_speaks_the_language_of_the_page_and_says_what_to_do(house: House) -> None:
    for number in range(5):
        house.ask(str(number), KIOSK)
    for language in ("fr", "ar", "xx"):
        house.ask(language, KIOSK, path=f"/{language}/code")
    house.ask("api", KIOSK, path="/api/v1/unlock")
    await house.settle()
    for language, shown in (("fr", "fr"), ("ar", "ar"), ("xx", "fr")):
        headers, body = house.answers[language]
        assert house.statuses[language] == 503
        assert headers["cache-control"] == "no-store"
        assert headers["retry-after"] == "5"
        assert int(headers["content-length"]) == len(body.encode())
        assert f'<html lang="{shown}"' in body
        assert f'href="/{shown}/"' in body
        assert str(pages().catalogues[shown].plain("error.busy")).split("\n")[0] in body
    assert 'dir="rtl"' in house.answers["ar"][1]
    headers, body = house.answers["api"]
    assert headers["content-type"] == "application/problem+json"
    assert '"status":503' in body


@scene
async def test_styles_and_pictures_pass_by(house: House) -> None:
    for number in range(5):
        house.ask(str(number), KIOSK)
    house.ask("style", KIOSK, path="/static/style.css")
    await house.settle()
    assert "style" in house.inside


def test_the_application_says_whom_it_recognised(house: Context) -> None:
    """Through the real pages: the kiosk by its token, the person by the session that their code opened, and nobody by a card."""
    office, awa = make_office(house), make_person(house)
    kiosk = kiosks.enrol(house, office.admin, office.structure, "poste 2", Equipment())
    shown, opened = (people.present_card(house, None, awa.card) for _ in range(2))
    opened = people.unlock(house, sessions.find(house, opened), awa.code)
    made = Door(wired(house), pages(), {})

    async def visit() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url=ORIGIN) as client:  # type: ignore[arg-type]
            for path, cookie in (
                ("carte", f"{KIOSK_COOKIE}={kiosk}"),
                ("maison", f"{COOKIE}={opened}"),
                ("code", f"{COOKIE}={shown}"),
            ):
                answer = await client.get(f"/fr/{path}", headers={"Cookie": cookie})
                assert answer.status_code == 200, answer.text[:300]

    run(visit())
    assert made._lane_of(kiosk.encode(), b"") == f"kiosk {kiosks.by_token(house, kiosk).id}"
    assert made._lane_of(b"", opened.encode()) == f"account {awa.id}"
    assert made._lane_of(b"", shown.encode()) == "strangers"
