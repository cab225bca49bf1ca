"""Whole services over HTTP, broken from outside: bodies too large for memory, clients that leave, disks and stores that go.

`alone` is one service on SQLite and a folder; `pair` are two processes on the same PostgreSQL and S3. Derivations cost what they
cost in production.
"""

import dataclasses
import datetime as dt
import hashlib
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, delete, select, update

from storage.blobs import FolderStore
from storage.s3 import S3Settings
from storage.tables import attempts
from tests.engines import postgres_engines, sqlite_engines
from tests.faults import service
from tests.faults.houses import House, held, keep, lived_in, unfinished, until
from tests.faults.service import MARK, MIB, Service, Upload
from tests.servers import Weed
from tests.vault import builders
from vault import cards, orphans
from vault.context import Context
from vault.web.guards import COOKIE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole-service")]  # its services serve all of its tests
WRONG = "193746"
MOST_MEMORY = 16 * MIB
DAY = 24 * 3600


@pytest.fixture(scope="module")
def alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One process on SQLite and a folder."""
    folder = tmp_path_factory.mktemp("alone")
    with (
        sqlite_engines(request, folder) as engines,
        lived_in(service.stores(folder, engines.urls, engines.blob_place), 1) as house,
    ):
        yield house


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two processes on the same PostgreSQL and S3."""
    folder = tmp_path_factory.mktemp("pair")
    with postgres_engines(request, folder) as engines:
        assert isinstance(engines.blob_place, S3Settings)
        bucket = service.own_bucket(engines.blob_place)
        with lived_in(service.stores(folder, engines.urls, bucket), 2) as house:
            yield house


ALONE = pytest.param("alone", id="folder")
PAIR = pytest.param("pair", id="s3", marks=[pytest.mark.postgres, pytest.mark.s3])


@pytest.fixture(params=[ALONE, PAIR])
def any_house(request: pytest.FixtureRequest) -> House:
    """Either."""
    house: House = request.getfixturevalue(request.param)
    return house


# --- Memory and temporary files -------------------------------------------------------------------------------------------


@dataclass
class Growth:
    """How many bytes more than at the start the service held at its fullest."""

    most: int = 0


@contextmanager
def watched(one: Service) -> Iterator[Growth]:
    """Measure the service's memory every few milliseconds while the block runs."""
    grown, before, over = Growth(), one.resident(), threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            grown.most = max(grown.most, one.resident() - before)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield grown
    finally:
        over.set()
        thread.join()


def put_and_read(one: Service, token: str, size: int, title: str) -> None:
    """Upload so many bytes, then read them back and compare."""
    upload = Upload(one, token, size, title=title)
    upload.send()
    assert upload.answer() == 201
    with one.client(token) as client:
        (paper,) = [paper for paper in client.get("/papers").json() if paper["title"] == title]
        digest, received = hashlib.sha256(), 0
        with client.stream("GET", f"/papers/{paper['id']}/received") as answer:
            for block in answer.iter_raw(MIB):
                digest.update(block)
                received += len(block)
    assert received == size == paper["size"]
    assert digest.digest() == plain_digest(size)


def plain_digest(size: int) -> bytes:
    """SHA-256 of what `Upload` sends."""
    digest, rest, first = hashlib.sha256(), size, b"\xff\xd8\xff\xe0"
    while rest:
        block = first + service.PLAIN[len(first) : min(rest, len(service.PLAIN))]
        digest.update(block)
        rest, first = rest - len(block), b""
    return digest.digest()


def test_a_hundred_mebibytes_in_and_out_add_less_than_sixteen(any_house: House) -> None:
    token = any_house.one.unlock(builders.make_person(any_house.inside))
    for title in ("first", "second"):  # what is loaded once, whatever the size, and by each thread for itself
        put_and_read(any_house.one, token, 20 * MIB, title)
    with watched(any_house.one) as grown:
        put_and_read(any_house.one, token, 100 * MIB, "large")
    assert grown.most < MOST_MEMORY
    if isinstance(any_house.inside.blobs, FolderStore):
        for path in any_house.stores.folder.rglob("*"):
            assert not (path.is_file() and MARK in path.read_bytes()), path


@pytest.mark.postgres
@pytest.mark.s3
def test_an_upload_writes_not_one_byte_to_any_file(pair: House) -> None:
    """Rows and papers go elsewhere, so that the kernel may refuse every file of the whole process tree: nothing misses it."""
    token = pair.one.unlock(builders.make_person(pair.inside))
    with pair.one.room_for_files(0):
        put_and_read(pair.one, token, 20 * MIB, "by itself")
        form = Upload(pair.one, token, 20 * MIB, form=True)
        form.send()
        assert form.answer() == 201


def test_the_kernel_does_refuse_files_there(alone: House) -> None:
    """The instrument of the test above can fail: a service that keeps papers in files keeps none then."""
    token = alone.one.unlock(builders.make_person(alone.inside))
    with alone.one.room_for_files(0):
        assert keep(alone, token, "no room") in (503, 507)
    assert keep(alone, token, "room") == 201


# --- What goes wrong on the way -------------------------------------------------------------------------------------------


def test_a_client_that_leaves_in_the_middle_leaves_nothing(any_house: House) -> None:
    token = any_house.one.unlock(builders.make_person(any_house.inside))
    assert keep(any_house, token, "before") == 201
    before = held(any_house.inside)
    for form in (False, True):
        upload = Upload(any_house.one, token, 40 * MIB, form=form)
        upload.send(12 * MIB)
        until(lambda: unfinished(any_house.inside) == 1)
        upload.leave()
        until(lambda: unfinished(any_house.inside) == 0)
    assert held(any_house.inside) == before
    assert orphans.sweep(any_house.inside, older_than=dt.timedelta(0)) == 0
    assert keep(any_house, token, "after") == 201


def test_a_full_disk_leaves_nothing(alone: House) -> None:
    token = alone.one.unlock(builders.make_person(alone.inside))
    assert keep(alone, token, "before") == 201
    before = held(alone.inside)
    with alone.one.room_for_files(16 * MIB):  # rows still find room
        upload = Upload(alone.one, token, 24 * MIB, title="too much")
        upload.send()
        assert upload.answer() == 507
        assert held(alone.inside) == before
        assert keep(alone, token, "small enough") == 201
    with alone.one.client(token) as client:
        assert sorted(service.titles(client)) == ["before", "small enough"]


def test_when_rows_find_no_room_the_paper_is_refused_and_the_sweep_takes_what_is_left(alone: House) -> None:
    """The blob was durable when the row was refused, and nobody could know whether the row was written: the sweep looks later."""
    token = alone.one.unlock(builders.make_person(alone.inside))
    assert keep(alone, token, "before") == 201
    before = held(alone.inside)
    with alone.one.room_for_files(8192):  # a small blob fits; the database, which is larger already, does not grow
        assert keep(alone, token, "no row", 4000) == 503
    assert dataclasses.replace(held(alone.inside), blobs=before.blobs) == before
    orphans.sweep(alone.inside, older_than=dt.timedelta(0))
    assert held(alone.inside) == before
    assert keep(alone, token, "after") == 201


@pytest.mark.postgres
@pytest.mark.s3
def test_an_s3_that_is_lost_on_the_way_leaves_nothing_after_the_sweep(pair: House, s3_server: Weed) -> None:
    token = pair.one.unlock(builders.make_person(pair.inside))
    assert keep(pair, token, "before") == 201
    before = held(pair.inside)
    upload = Upload(pair.one, token, 20 * MIB, title="lost")
    upload.send(12 * MIB)
    until(lambda: unfinished(pair.inside) == 1)
    s3_server.kill()
    try:
        upload.send()
        assert upload.answer() == 503
    finally:
        s3_server.start()
    orphans.sweep(pair.inside, older_than=dt.timedelta(0))
    assert held(pair.inside) == before
    assert keep(pair, token, "after") == 201


def test_a_request_that_has_begun_survives_sigterm(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with (
        sqlite_engines(request, tmp_path) as engines,
        lived_in(service.stores(tmp_path, engines.urls, engines.blob_place), 1) as house,
    ):
        token = house.one.unlock(builders.make_person(house.inside))
        upload = Upload(house.one, token, 6 * MIB, title="to the end")
        upload.send(2 * MIB)
        until(lambda: unfinished(house.inside) == 1)
        house.one.process.terminate()
        time.sleep(1)
        assert house.one.process.poll() is None
        upload.send()
        assert upload.answer() == 201
        assert house.one.process.wait(service.ENDS_WITHIN) == 0  # a second signal might come when nobody handles it any more
        found = held(house.inside)
        assert (found.papers, found.unfinished) == (1, 0)
        assert found.blobs == found.named


def test_the_log_of_a_served_process_holds_nothing_that_is_known(alone: House) -> None:
    """What the process wrote while people opened their safes, were wrong, put papers in, looked and asked for what is not there."""
    awa = builders.make_person(alone.inside, "Awa-qui-chante")
    title, token = "Avis-de-la-lune", alone.one.unlock(awa)
    assert keep(alone, token, title) == 201
    with alone.one.client(token) as client:
        (paper,) = client.get("/papers").json()
        assert MARK in client.get(f"/papers/{paper['id']}/received").content
        assert client.get("/history").status_code == 200
        assert client.get(f"/papers/{title}/received").status_code == 404
        assert client.post("/unlock", json={"card": awa.card, "code": WRONG}).status_code == 401
        assert client.post("/unlock", json={"card": awa.card, "code": [awa.code]}).status_code >= 400
    with httpx.Client(base_url=alone.one.base, trust_env=False, cookies={COOKIE: token}) as browser:
        assert browser.get(f"/{title}").status_code == 404
        assert browser.get("/").status_code < 500
    said = b"".join(path.read_bytes() for path in alone.stores.folder.glob("server-*.log"))
    assert b"Listening at" in said
    known = (awa.name or "", awa.card, awa.code, awa.number, WRONG, token, title, MARK.decode())
    assert [one for one in known if one.encode() in said] == []


# --- Two processes --------------------------------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.s3
def test_two_processes_serve_one_session(pair: House) -> None:
    token = pair.one.unlock(builders.make_person(pair.inside))
    assert keep(pair, token, "through the first") == 201
    with pair.one.client(token) as first, pair.two.client(token) as second:
        assert service.titles(second) == ["through the first"]
        (paper,) = second.get("/papers").json()
        assert hashlib.sha256(second.get(f"/papers/{paper['id']}/received").content).digest() == plain_digest(100_000)
        upload = Upload(pair.two, token, 1000, title="through the second")
        upload.send()
        assert upload.answer() == 201
        assert sorted(service.titles(first)) == ["through the first", "through the second"]
        assert "paper.opened" in [line["event"] for line in first.get("/history").json()]
        assert first.delete("/session").status_code == 204
        assert second.get("/papers").status_code == 401
        assert second.get(f"/papers/{paper['id']}/received").status_code == 401
        assert first.get("/papers").status_code == 401


def storm(house: House, card: str, many: int) -> Counter[int]:
    """So many wrong codes at once, half of them at each process; the statuses of the answers."""
    start = threading.Barrier(many)

    def guess(number: int) -> int:
        with house.services[number % 2].client() as client:
            start.wait(30)
            return client.post("/unlock", json={"card": card, "code": f"7{number:02}193"}).status_code

    with ThreadPoolExecutor(many) as pool:
        return Counter(pool.map(guess, range(many)))


def counted(connection: Connection, house: Context, card: str) -> tuple[int, float]:
    """How many wrong attempts are counted for a card, and how many seconds it has to wait."""
    query = select(attempts.c.wrong, attempts.c.wait_until).where(attempts.c.shown_digest == cards.digest(cards.read(card)))
    row = connection.execute(query).one()
    return row.wrong, (row.wait_until - house.clock()).total_seconds() if row.wait_until else 0


def let_pass(house: Context, card: str) -> None:
    """The wait is over."""
    over = update(attempts).where(attempts.c.shown_digest == cards.digest(cards.read(card)))
    with house.database.transaction() as connection:
        connection.execute(over.values(wait_until=house.clock() - dt.timedelta(seconds=1)))


@pytest.mark.postgres
@pytest.mark.s3
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_fifty_wrong_codes_at_two_processes_are_counted_wait_and_lock(pair: House, known: bool) -> None:
    """401 is an attempt that was made, 429 has to wait, 503 found the queue full: neither was tried, neither is counted."""
    awa = builders.make_person(pair.inside)
    card = awa.card if known else cards.new_cards(1)[0].text
    for tried, total, many, seconds in ((3, 3, 50, 60), (1, 4, 12, 300), (1, 5, 12, DAY)):
        statuses = storm(pair, card, many)
        assert statuses[401] == tried
        assert statuses.keys() <= {401, 429, 503}
        assert statuses.total() == many
        with pair.inside.database.transaction(read_only=True) as connection:
            wrong, waits = counted(connection, pair.inside, card)
        assert wrong == total
        assert seconds - 60 < waits <= seconds
        with pair.two.client() as client:
            assert client.post("/unlock", json={"card": card, "code": awa.code}).status_code == 429, "the right one waits too"
        let_pass(pair.inside, card)
    if known:
        with pair.one.client(pair.two.unlock(awa)) as client:
            tags = Counter(line["event"] for line in client.get("/history").json())
        assert (tags["safe.attempt-failed"], tags["safe.locked"]) == (5, 1)


@pytest.mark.postgres
@pytest.mark.s3
def test_an_unknown_card_and_a_wrong_code_are_answered_alike_and_as_late(pair: House) -> None:
    """Medians within a fifth. On a busy machine they are measured again, up to three times as long: what differs stays different."""
    people = [builders.make_person(pair.inside) for _ in range(4)]
    times: dict[bool, list[float]] = {True: [], False: []}
    bodies = set()
    with pair.one.client() as client:
        for number in range(60):
            order = (True, False) if number % 2 else (False, True)
            for known in order:
                card = people[number % 4].card if known else cards.new_cards(1)[0].text
                began = time.perf_counter()
                answer = client.post("/unlock", json={"card": card, "code": WRONG})
                times[known].append(time.perf_counter() - began)
                headers = {name: value for name, value in answer.headers.items() if name != "date"}
                bodies.add((answer.status_code, answer.content, tuple(sorted(headers.items()))))
            with pair.inside.database.transaction() as connection:
                connection.execute(delete(attempts))
            if number % 20 == 19 and 0.8 < ratio(times) < 1.2:
                break
    assert {status for status, _, _ in bodies} == {401}
    assert len(bodies) == 1
    assert 0.8 < ratio(times) < 1.2, times


def ratio(times: dict[bool, list[float]]) -> float:
    """The median for cards that are known, against the median for others."""
    return statistics.median(times[True]) / statistics.median(times[False])
