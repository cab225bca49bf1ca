"""The interface for programs: the whole round trip over HTTP, streams and ranges, and no answer of it is ever a 500."""

import asyncio
import dataclasses
import hashlib
import io
import json
import random
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
import schemathesis.specs.openapi.checks as checks
from hypothesis import HealthCheck, Phase, given, settings
from litestar import Litestar
from litestar.testing import TestClient

from tests import loops
from tests.vault.builders import CODE, MadePerson, make_office, make_person, make_worker
from tests.vault.clock import Clock
from tests.vault.scenes import saved, sheet
from tests.vault.test_sharing import SEE, second_day
from tests.vault.test_sharing import offer as to_share
from tests.web.desk_scene import clock_of
from tests.web.site import wired
from vault import cards, sessions, sharing
from vault.context import Context
from vault.web.guards import COOKIE

MIB = 1024 * 1024
NOWHERE = "00000000-0000-4000-8000-000000000000"
PHOTO = saved(sheet(620, 877), "JPEG", quality=85)
SAID = {"language": "fr", "text_version": "partage/1", "text_sha256": hashlib.sha256(b"oui").hexdigest(), "heard": True}
Client = TestClient[Litestar]


@dataclasses.dataclass
class Programs:
    """The application with the interface on, and how a program speaks to it."""

    house: Context
    client: Client

    def unlock(self, person: MadePerson) -> dict[str, str]:
        """The header of an open session."""
        answer = self.client.post("/api/v1/unlock", json={"card": person.card, "code": CODE})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
def programs(reading_house: Context) -> Iterator[Programs]:
    """A house whose interface is on."""
    context = dataclasses.replace(reading_house, settings=dataclasses.replace(reading_house.settings, api=True))
    with TestClient(wired(context), base_url="https://abri.test", raise_server_exceptions=False) as client:
        yield Programs(context, client)


def test_it_is_off_unless_it_is_asked_for(reading_house: Context) -> None:
    with TestClient(wired(reading_house), base_url="https://abri.test") as client:
        assert client.post("/api/v1/unlock", json={}).status_code == 404
        assert client.get("/api/v1/schema/openapi.json").status_code == 404


def test_a_paper_goes_in_comes_out_is_shown_and_taken_back(programs: Programs) -> None:
    office = make_office(programs.house)
    fatou, awa = make_worker(programs.house, office), make_person(programs.house)
    client, bearer = programs.client, programs.unlock(awa)
    kept = client.post("/api/v1/papers?shelf=money&title=Avis&sort=tax-notice", content=PHOTO, headers=bearer)
    assert kept.status_code == 201, kept.text
    paper = kept.json()["id"]
    (listed,) = client.get("/api/v1/papers", headers=bearer).json()
    assert (listed["id"], listed["title"], listed["shelf"], listed["kind"]) == (paper, "Avis", "money", "tax-notice")
    view = client.get(f"/api/v1/papers/{paper}/view", headers=bearer)
    assert (view.status_code, view.headers["content-type"]) == (200, "image/jpeg")

    (worker,) = client.get("/api/v1/recipients", headers=bearer).json()
    assert worker["id"] == fatou.id
    until = (programs.house.clock().date()).replace(year=2027).isoformat()
    offer = {"worker": fatou.id, "purpose": "home", "acts": ["see"], "until": "2027-01-31", "papers": [paper], "said": SAID}
    assert client.post("/api/v1/shares", json={**offer, "until": until, "acts": ["take"]}, headers=bearer).status_code == 409
    grant = client.post("/api/v1/shares", json=offer, headers=bearer).json()["id"]
    (share,) = client.get("/api/v1/shares", headers=bearer).json()
    assert (share["id"], share["worker_name"].split(",")[0], share["papers"]) == (grant, "Fatou", [paper])
    assert client.post(f"/api/v1/shares/{grant}/withdraw", json={"said": SAID}, headers=bearer).status_code == 204
    assert client.get("/api/v1/shares", headers=bearer).json() == []
    assert [one["id"] for one in client.get("/api/v1/shares?ended=true", headers=bearer).json()] == [grant]

    assert client.delete(f"/api/v1/papers/{paper}", headers=bearer).status_code == 204
    assert client.get("/api/v1/papers", headers=bearer).json() == []
    lines = client.get("/api/v1/history", headers=bearer).json()
    told = [one["event"] for one in lines]
    proof = client.get(f"/api/v1/history/{lines[0]['id']}/proof", headers=bearer)
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert client.get(f"/trace/proof/{lines[0]['id']}").text == proof.text
    assert {"paper.deposited", "paper.opened", "share.given", "share.withdrawn", "paper.removed"} <= set(told)
    assert client.delete("/api/v1/session", headers=bearer).status_code == 204
    assert client.get("/api/v1/papers", headers=bearer).status_code == 401


def test_a_program_too_asks_before_it_puts_a_paper_where_somebody_looks(programs: Programs) -> None:
    fatou, awa = make_worker(programs.house, make_office(programs.house)), make_person(programs.house)
    second_day(programs.house, clock_of(programs.house), awa)
    grant = sharing.grant(programs.house, awa.session, fatou.id, to_share(acts=SEE, shelf="health"))
    client, bearer = programs.client, programs.unlock(awa)
    for keep in ("prepared", "received"):
        where = f"/api/v1/papers?shelf=health&keep={keep}"
        asked = client.post(where, content=PHOTO, headers=bearer)
        assert asked.status_code == 409, asked.text
        told = asked.json()
        assert (told["type"], told["would_see"]) == ("urn:abri:error.would-show", [grant])
        assert client.post(f"{where}&agreed={grant}", content=PHOTO, headers=bearer).status_code == 201
    assert len(client.get("/api/v1/papers", headers=bearer).json()) == 2


def test_erasing_everything_asks_the_secret_again_and_ends_the_session(programs: Programs, clock: Clock) -> None:
    awa = make_person(programs.house)
    clock.forward(days=2)
    bearer = programs.unlock(awa)
    assert programs.client.post("/api/v1/erasure", json={"code": "739164"}, headers=bearer).status_code == 401
    asked = programs.client.post("/api/v1/erasure", json={"code": CODE}, headers=bearer)
    assert asked.status_code == 202
    assert len(asked.json()["number"]) == 14
    assert programs.client.get("/api/v1/papers", headers=bearer).status_code == 401
    assert programs.client.post("/api/v1/unlock", json={"card": awa.card, "code": CODE}).status_code == 401


def test_ranges_and_lengths_are_those_of_the_paper(programs: Programs) -> None:
    bearer = programs.unlock(make_person(programs.house))
    client = programs.client
    paper = client.post("/api/v1/papers?shelf=other&keep=received", content=PHOTO, headers=bearer).json()["id"]
    address = f"/api/v1/papers/{paper}/received"
    whole = client.get(address, headers=bearer)
    assert (whole.content, whole.headers["content-length"], whole.headers["accept-ranges"]) == (PHOTO, str(len(PHOTO)), "bytes")
    for asked, start, end in (("10-19", 10, 20), ("100-", 100, len(PHOTO)), ("-7", len(PHOTO) - 7, len(PHOTO))):
        part = client.get(address, headers={**bearer, "Range": f"bytes={asked}"})
        assert (part.status_code, part.content) == (206, PHOTO[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(PHOTO)}"
        assert part.headers["content-length"] == str(end - start)
    beyond = client.get(address, headers={**bearer, "Range": f"bytes={len(PHOTO)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(PHOTO)}")
    assert client.get(address, headers={**bearer, "Range": "lines=1-2"}).status_code == 200


def test_a_form_with_one_file_is_a_paper_too(programs: Programs) -> None:
    bearer = programs.unlock(make_person(programs.house))
    fields, parts = {"shelf": "work", "title": "Contrat"}, {"file": ("contrat.jpg", PHOTO, "image/jpeg")}
    kept = programs.client.post("/api/v1/papers", data=fields, files=parts, headers=bearer)
    assert kept.status_code == 201, kept.text
    card = programs.client.get(f"/api/v1/papers/{kept.json()['id']}", headers=bearer).json()
    assert (card["shelf"], card["title"]) == ("work", "Contrat")
    two = [("file", ("a.jpg", PHOTO, "image/jpeg")), ("file", ("b.jpg", PHOTO, "image/jpeg"))]
    assert programs.client.post("/api/v1/papers", data=fields, files=two, headers=bearer).status_code == 413
    wrong = programs.client.post("/api/v1/papers", data={"shelf": "attic"}, files=parts, headers=bearer)
    assert wrong.status_code == 422


def test_a_large_paper_goes_in_and_out_in_constant_memory(programs: Programs) -> None:
    """Asked of the application itself: a client of the tests would hold the body in memory."""
    bearer = programs.unlock(make_person(programs.house))
    block, count = PHOTO[:64] + random.Random(7).randbytes(MIB - 64), 48
    sent = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        for _ in range(count):
            sent.update(block)
            yield block

    tracemalloc.start()
    query = b"shelf=other&keep=received"
    kept = loops.run(_speak(programs.client.app, "POST", "/api/v1/papers", query, bearer, pieces()))
    _, peak_in = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    assert kept.status == 201
    paper = json.loads(kept.head)["id"]
    taken = loops.run(_speak(programs.client.app, "GET", f"/api/v1/papers/{paper}/received", b"", bearer, iter(())))
    _, peak_out = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (taken.status, taken.headers[b"content-length"]) == (200, str(count * MIB).encode())
    assert (taken.size, taken.digest) == (count * MIB, sent.digest())
    assert max(peak_in, peak_out) < 16 * MIB


@dataclasses.dataclass
class Answer:
    """What the application said, and what of it is worth keeping."""

    status: int
    headers: dict[bytes, bytes]
    head: bytes
    size: int
    digest: bytes


async def _speak(
    app: Any, method: str, path: str, query: bytes, headers: dict[str, str], body: Iterator[bytes]
) -> Answer:  # fmt: skip
    waiting, whole = [True], asyncio.Event()
    status, told, size, head, digest = 0, {}, 0, b"", hashlib.sha256()

    async def receive() -> dict[str, Any]:
        piece = next(body, None)
        if piece is not None:
            return {"type": "http.request", "body": piece, "more_body": True}
        if waiting:
            waiting.clear()
            return {"type": "http.request", "body": b"", "more_body": False}
        await whole.wait()  # the client stays until it has its answer
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status, told, size, head
        if message["type"] == "http.response.start":
            status, told = message["status"], dict(message["headers"])
            return
        piece = message.get("body", b"")
        head, size = head or piece[:4096], size + len(piece)
        digest.update(piece)
        if not message.get("more_body", False):
            whole.set()

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https", "path": path,
        "raw_path": path.encode(), "query_string": query, "root_path": "", "client": ("127.0.0.1", 1), "server": ("abri.test", 443),
        "headers": [(b"host", b"abri.test"), *((name.lower().encode(), value.encode()) for name, value in headers.items())],
        "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return Answer(status, told, head, size, digest.digest())


def test_what_is_cut_short_or_refused_leaves_nothing(programs: Programs) -> None:
    bearer = programs.unlock(make_person(programs.house))
    client = programs.client
    assert client.post("/api/v1/papers?shelf=other", content=b"nothing", headers=bearer).status_code == 415
    assert client.post("/api/v1/papers?shelf=other&keep=received", content=b"nothing", headers=bearer).status_code == 415
    assert client.post("/api/v1/papers?shelf=other&keep=received", content=b"", headers=bearer).status_code == 422
    assert client.post("/api/v1/papers", content=PHOTO, headers=bearer).status_code == 422
    too_long = client.post("/api/v1/papers?shelf=other", content=io.BytesIO(PHOTO + bytes(15 * MIB)), headers=bearer)
    assert too_long.status_code == 413
    assert client.get("/api/v1/papers", headers=bearer).json() == []


def test_a_cookie_opens_nothing_and_a_refusal_is_a_problem(programs: Programs) -> None:
    awa = make_person(programs.house)
    token = programs.unlock(awa)["Authorization"].partition(" ")[2]
    programs.client.cookies.set(COOKIE, token, domain="abri.test", path="/")
    answer = programs.client.get("/api/v1/papers")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.json()["type"] == "urn:abri:error.session-ended"
    programs.client.cookies.clear()
    bearer = {"Authorization": f"Bearer {token}"}
    answer = programs.client.post("/api/v1/unlock", json={"card": awa.card, "code": CODE, "colour": "red"}, headers=bearer)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    wrong = [
        programs.client.post("/api/v1/unlock", json={"card": card, "code": code})
        for card, code in ((awa.card, "739164"), (_stranger(), "739164"))
    ]
    assert [one.status_code for one in wrong] == [401, 401]
    assert len({one.content for one in wrong}) == 1
    assert "set-cookie" not in wrong[0].headers


def _stranger() -> str:
    return cards.new_cards(1)[0].text


def test_somebody_elses_paper_is_a_paper_that_does_not_exist(programs: Programs) -> None:
    awa, yonas = make_person(programs.house), make_person(programs.house, "Yonas")
    paper = programs.client.post("/api/v1/papers?shelf=other", content=PHOTO, headers=programs.unlock(awa)).json()["id"]
    other = programs.unlock(yonas)
    answers = [programs.client.get(f"/api/v1/papers/{one}/received", headers=other) for one in (paper, NOWHERE)]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_every_answer_is_as_the_description_says_and_none_is_a_500(programs: Programs) -> None:
    client = programs.client
    schema = client.get("/api/v1/schema/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert all(path.startswith("/api/v1") for path in schema["paths"])
    assert len(schema["paths"]) >= 11
    awa = make_person(programs.house)
    loaded = schemathesis.openapi.from_dict(schema)
    clock_of(programs.house).forward(minutes=1)

    asked: set[str] = set()
    for result in loaded.get_all_operations():
        operation = result.ok()
        # A session of its own for each operation: some of them end it.
        given(case=operation.as_strategy())(BRIEFLY(_attempt(client, programs.unlock(awa))))()
        asked.add(operation.label)
    assert len(asked) == sum(len(methods) for methods in schema["paths"].values())


BRIEFLY = settings(
    max_examples=5, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
CONFORMS = [
    checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance,
    checks.response_headers_conformance,
]  # fmt: skip


def _attempt(client: Client, bearer: dict[str, str]) -> Callable[[Any], None]:
    def attempt(case: Any) -> None:
        answer = client.request(**_request(case, bearer))
        assert answer.status_code < 500, (case.method, case.path, answer.text)
        case.validate_response(answer, checks=CONFORMS)

    return attempt


def _request(case: Any, headers: dict[str, str]) -> dict[str, Any]:
    """A case of the schema as our client sends it."""
    ready = case.as_transport_kwargs(base_url="https://abri.test")
    wanted = {name: ready[name] for name in ("method", "url", "params", "json", "data", "files") if ready.get(name) is not None}
    if isinstance(wanted.get("data"), (bytes, str)):
        wanted["content"] = wanted.pop("data")
    own = {name: value for name, value in ready["headers"].items() if name.lower() in ("content-type", "range")}
    return {**wanted, "headers": {**own, **headers}}


def test_what_is_described_is_what_is_asked_and_answered(programs: Programs) -> None:
    """The answers that no invented request reaches: with a right code, a paper that is there, and a range of it."""
    client, bearer = programs.client, programs.unlock(make_person(programs.house))
    schema = client.get("/api/v1/schema/openapi.json").json()
    loaded = schemathesis.openapi.from_dict(schema)
    assert "security" not in schema["paths"]["/api/v1/unlock"]["post"]
    others = [one for path, ways in schema["paths"].items() for one in ways.values() if path != "/api/v1/unlock"]
    assert all(one["security"] == [{"bearer": []}] for one in others)
    for ways in schema["paths"].values():
        for one in ways.values():
            kinds = {kind for status, said in one["responses"].items() if status >= "400" for kind in said["content"]}
            assert kinds == {"application/problem+json"}
    assert {"multipart/form-data", "image/jpeg"} <= set(schema["paths"]["/api/v1/papers"]["post"]["requestBody"]["content"])

    def asked(way: str, path: str, **more: Any) -> Any:
        answer = client.request(way, path.format(paper=paper), headers={**bearer, **more.pop("headers", {})}, **more)
        told = path.partition("?")[0]
        loaded[told][way].Case(method=way, path_parameters={"paper": paper}).validate_response(answer, checks=CONFORMS)
        return answer

    paper = ""
    paper = asked("POST", "/api/v1/papers?shelf=other", content=PHOTO).json()["id"]
    for path in ("/api/v1/papers", "/api/v1/papers/{paper}", "/api/v1/history", "/api/v1/shares", "/api/v1/recipients"):
        assert asked("GET", path).status_code == 200
    for ranged, status in (({}, 200), ({"Range": "bytes=0-9"}, 206), ({"Range": "bytes=99999999-"}, 416)):
        for path in ("/api/v1/papers/{paper}/received", "/api/v1/papers/{paper}/view"):
            assert asked("GET", path, headers=ranged).status_code == status


WRONG: list[tuple[str, str, Any, int, str]] = [
    ("POST", "unlock", b'{"card": ', 400, "body"),
    ("POST", "unlock", {"card": "x", "code": 3}, 400, "code"),
    ("POST", "unlock", {"card": "x", "number": "y"}, 422, "card"),
    ("GET", "history?before=zz", None, 422, "before"),
    ("GET", "shares?ended=perhaps", None, 400, "ended"),
    ("POST", "papers?shelf=attic", PHOTO, 422, "shelf"),
    ("POST", f"shares/{NOWHERE}/withdraw", {"said": {**SAID, "language": "zz"}}, 422, "language"),
]


def test_a_refusal_says_what_is_to_be_written_better(programs: Programs) -> None:
    bearer = programs.unlock(make_person(programs.house))
    for way, path, body, status, field in WRONG:
        sent = {"content": body} if isinstance(body, bytes) else {"json": body} if body else {}
        answer = programs.client.request(way, f"/api/v1/{path}", headers=bearer, **sent)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path
        found = answer.json()
        assert (found["type"], found["status"], found["field"]) == ("urn:abri:error.bad-input", status, field), path
        assert "faute" not in found["title"]


def test_a_deposit_that_is_named_badly_is_refused_before_its_body_is_read(programs: Programs) -> None:
    bearer = programs.unlock(make_person(programs.house))
    read: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        read.append(b"")
        yield PHOTO

    for query in (b"shelf=attic", b"shelf=other&sort=No+Slug", b"shelf=other&title=%E2%80%AEx"):
        answer = loops.run(_speak(programs.client.app, "POST", "/api/v1/papers", query, bearer, pieces()))
        assert (answer.status, read) == (422, [])


def test_whoever_must_wait_is_told_how_long(programs: Programs) -> None:
    awa = make_person(programs.house)
    tries = [programs.client.post("/api/v1/unlock", json={"card": awa.card, "code": "739164"}) for _ in range(4)]
    assert [one.status_code for one in tries] == [401, 401, 401, 429]
    assert tries[0].headers["www-authenticate"] == "Bearer"
    assert tries[3].json()["seconds"] > 0
    assert tries[3].headers["retry-after"] == str(tries[3].json()["seconds"])


def test_the_session_is_the_pages_own(programs: Programs, clock: Clock) -> None:
    bearer = programs.unlock(make_person(programs.house))
    found = sessions.find(programs.house, bearer["Authorization"].partition(" ")[2])
    assert found.kind == "person"
    clock.forward(seconds=programs.house.settings.limits.idle_seconds + 1)
    assert programs.client.get("/api/v1/papers", headers=bearer).status_code == 401
