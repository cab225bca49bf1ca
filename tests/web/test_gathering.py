"""Bodies on their way: what each lane may hold of the memory, and how long a body may take."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

import pytest

from tests.loops import run
from tests.vault.builders import make_office, make_person
from tests.web.site import HOST, ORIGIN, wired
from vault import kiosks, leaving
from vault.assets.manifest import read_assets
from vault.context import Context
from vault.errors import Busy
from vault.kiosks import Equipment
from vault.languages import read_catalogues
from vault.web.door import Door, Room, Rooms
from vault.web.gathering import Gathered, Held, Pace
from vault.web.guards import KIOSK_COOKIE
from vault.web.pages import Pages

MIB = 1024 * 1024
BOUNDARY = b"--------------------limit"
PHOTO = "/fr/carte/photo"


@lru_cache(maxsize=1)
def pages() -> Pages:
    return Pages(assets=read_assets(), catalogues=read_catalogues())


def part(name: str, content: bytes, filename: str = "") -> bytes:
    told = f'; filename="{filename}"' if filename else ""
    return b'--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (
        BOUNDARY,
        name.encode(),
        told.encode(),
        content,
    )


def begun(megabytes: int) -> bytes:
    """The beginning of a form with a photo, whose end does not come."""
    return part("token", b"") + part("file", bytes(megabytes * MIB), "photo.jpg")[:-2]


class Sender:
    """One request whose body comes in pieces: None where nothing comes any more until `hang_up`."""

    def __init__(self, door: Door, path: str, pieces: list[bytes | None], cookie: str = "", media: bytes = b"") -> None:
        self.status = 0
        self._pieces, self._gone = list(pieces), asyncio.Event()
        headers = [
            (b"host", HOST.encode()), (b"origin", ORIGIN.encode()), (b"sec-fetch-site", b"same-origin"),
            (b"content-type", media or b"multipart/form-data; boundary=" + BOUNDARY), (b"cookie", cookie.encode()),
        ]  # fmt: skip
        scope = {
            "type": "http", "http_version": "1.1", "asgi": {"version": "3.0"}, "method": "POST", "scheme": "https", "path": path,
            "raw_path": path.encode(), "query_string": b"", "headers": headers, "server": (HOST, 443), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        self.task = asyncio.create_task(door(scope, self._receive, self._send))  # type: ignore[arg-type]  # as a server calls it

    async def _receive(self) -> Any:
        piece = self._pieces.pop(0) if self._pieces else None
        if piece is None:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]

    async def hang_up(self) -> None:
        self._gone.set()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(told: Callable[[], bool]) -> None:
    """Until it is so; the test fails when it is not within ten seconds."""

    async def looking() -> None:
        while not told():
            await asyncio.sleep(0.005)

    await asyncio.wait_for(looking(), 10)


def scene(house: Context, rooms: Rooms, test: Callable[[Door], Awaitable[None]]) -> None:
    async def whole() -> None:
        door = Door(wired(house), pages(), {}, rooms)
        await test(door)
        assert door._gathered == {}, "what is answered holds nothing"

    run(whole())


def test_bodies_that_strangers_hold_open_fill_their_own_memory_and_no_more(house: Context) -> None:
    office, awa = make_office(house), make_person(house)
    kiosk = kiosks.enrol(house, office.admin, office.structure, "poste 2", Equipment())
    ticket = leaving.from_phone(house, awa.session)
    rooms = Rooms(strangers=Room(4, 64, held_bytes=7 * MIB))

    async def test(door: Door) -> None:
        crowd = [Sender(door, PHOTO, [begun(3), None]) for _ in range(12)]
        await until(lambda: sum(one.status == 503 for one in crowd) == 10)
        assert 6 * MIB < door._gathered.total() <= 7 * MIB, "two photos of three"
        at_kiosk = Sender(door, PHOTO, [begun(3), None], f"{KIOSK_COOKIE}={kiosk}")
        await until(lambda: at_kiosk.status == 503)  # nobody has recognised the kiosk yet: it is a stranger among strangers
        door._remember(kiosk.encode(), "kiosk k1")
        at_kiosk = Sender(door, PHOTO, [begun(3), b"\r\n--" + BOUNDARY + b"--\r\n"], f"{KIOSK_COOKIE}={kiosk}")
        by_phone = Sender(door, f"/fr/envoi/{ticket.secret}", [begun(3), b"\r\n--" + BOUNDARY + b"--\r\n"])
        await until(lambda: bool(at_kiosk.status and by_phone.status))
        assert (at_kiosk.status, by_phone.status) == (422, 415), "read whole, and no photo"
        assert door._gathered.total() <= 7 * MIB
        for one in crowd:
            await one.hang_up()

    scene(house, rooms, test)


def test_a_photo_of_a_card_is_refused_long_before_a_paper_would_be(house: Context) -> None:
    async def test(door: Door) -> None:
        heavy = Sender(door, PHOTO, [begun(9), None])
        await until(lambda: heavy.status != 0)
        await heavy.hang_up()

    scene(house, Rooms(), test)


@pytest.mark.parametrize("media", [b"", b"application/x-www-form-urlencoded"])
def test_a_body_that_does_not_come_is_not_waited_for_for_ever(house: Context, media: bytes) -> None:
    async def test(door: Door) -> None:
        slow = Sender(door, PHOTO if not media else "/fr/carte", [b"card=a", None] if media else [begun(0), None], media=media)
        await until(lambda: slow.status != 0)
        assert slow.status < 500
        await slow.task

    scene(house, Rooms(pace=Pace(0.05, MIB)), test)


def test_bytes_are_counted_for_whoever_answers_for_them() -> None:
    counts = Gathered()
    stranger, phone = Held(counts, "strangers", 10), Held(counts, "strangers", 10)
    phone.add(4)
    stranger.add(6)
    with pytest.raises(Busy):
        stranger.add(1)
    phone.count_for("phone awa")
    stranger.add(4)
    phone.add(6)
    assert counts == {"strangers": 10, "phone awa": 10}
    with pytest.raises(Busy):
        phone.add(1)
    stranger.let_go()
    phone.let_go()
    phone.let_go()
    assert counts == {}


def test_a_slow_line_has_its_time() -> None:
    assert Pace().allows(0) == 60
    assert Pace().allows(60 * MIB) > 4 * 3600
