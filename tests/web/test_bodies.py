"""Bodies that are held back: what was asked for before the end of a session is not done after it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select

from storage.tables import papers
from tests.loops import run
from tests.vault.builders import MadePerson, Office, make_worker
from tests.vault.clock import Clock
from tests.vault.papers import keep
from tests.web.site import ORIGIN, Site
from vault import documents, means, people, sessions, slots, unlocking, workers
from vault.errors import NoSession
from vault.web.guards import COOKIE


def send(site: Site, address: str, pieces: AsyncIterator[bytes]) -> int:
    """A form whose body comes in these pieces, from the browser of the site; the status of the answer."""

    async def sending() -> int:
        transport = httpx.ASGITransport(site.client.app, raise_app_exceptions=False)  # type: ignore[arg-type]  # Litestar's own types
        async with httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, cookies={COOKIE: site.client.cookies[COOKIE]}
        ) as client:
            headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
            return (await client.post(address, content=pieces, headers=headers)).status_code

    return run(sending())


def held(site: Site, address: str, body: bytes, meanwhile: Callable[[], object]) -> int:
    """Send all but the last byte, let something happen, send the last byte."""

    async def pieces() -> AsyncIterator[bytes]:
        yield body[:-1]
        await asyncio.to_thread(meanwhile)
        yield body[-1:]

    return send(site, address, pieces())


def form(site: Site, **fields: str) -> bytes:
    return urlencode({"token": site.token(), **fields}).encode()


def block(site: Site, awa: MadePerson) -> None:
    """She shows her card at another kiosk: everything is blocked."""
    shown = sessions.find(site.house, unlocking.present_card(site.house, None, awa.card))
    people.freeze(site.house, shown)


def test_a_body_that_is_slow_and_whole_is_believed(site: Site, awa: MadePerson) -> None:
    paper = keep(site.house, awa.session, "Avis", "money")
    assert held(site, f"/fr/papiers/{paper}/nom", form(site, name="Impôts"), lambda: None) == 303
    assert documents.paper(site.house, awa.session, paper).title == "Impôts"


def test_nothing_is_erased_after_a_block(site: Site, awa: MadePerson) -> None:
    paper = keep(site.house, awa.session, "Avis", "money")
    assert held(site, f"/fr/papiers/{paper}/effacer", form(site), lambda: block(site, awa)) == 401
    with site.house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(papers.c.state).where(papers.c.id == paper)).scalar_one() == "kept"
    with pytest.raises(NoSession):  # nor does whoever holds the keys of the ended session in hand
        documents.erase_now(site.house, awa.session, paper)


def test_nothing_is_done_after_the_end_or_its_time(site: Site, awa: MadePerson, clock: Clock) -> None:
    paper = keep(site.house, awa.session, "Avis", "money")
    renamed = f"/fr/papiers/{paper}/nom"
    idle = sessions.idle_seconds(site.house, "person") + 1
    assert held(site, renamed, form(site, name="Impôts"), lambda: clock.forward(seconds=idle)) == 401
    site.open(awa)
    assert held(site, renamed, form(site, name="Impôts"), lambda: sessions.end(site.house, awa.session)) == 401
    site.open(awa)
    assert documents.paper(site.house, awa.session, paper).title == "Avis"


def test_what_arrives_little_by_little_is_somebody_being_there(site: Site, awa: MadePerson, clock: Clock) -> None:
    """Four pieces, half the time apart after which a session ends without a touch: longer than it lasts, and nothing is lost."""
    step, paper = sessions.idle_seconds(site.house, "person") // 2, keep(site.house, awa.session, "Avis", "money")
    body = form(site, name="Impôts")

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), len(body) // 4 + 1):
            clock.forward(seconds=step)
            yield body[at : at + len(body) // 4 + 1]

    assert send(site, f"/fr/papiers/{paper}/nom", pieces()) == 303
    assert documents.paper(site.house, awa.session, paper).title == "Impôts"


def test_a_worker_who_was_suspended_meanwhile_blocks_nobody(site: Site, awa: MadePerson, office: Office) -> None:
    fatou = make_worker(site.house, office, "Fatou")
    site.sign_in(fatou)
    body = form(site, number=awa.number)
    assert held(site, "/fr/bureau/bloquer", body, lambda: workers.suspend(site.house, office.admin, fatou.id, None)) == 401
    site.open(awa)  # she is not blocked


def test_a_block_while_a_card_or_everything_is_changed_leaves_nobody_inside(site: Site, awa: MadePerson) -> None:
    """The secret was right, the block comes before the last transaction: the new means never begin."""
    with site.house.database.transaction() as connection:
        way = slots.living(connection, awa.session.account)[0]
    block(site, awa)
    with pytest.raises(NoSession), site.house.database.transaction() as connection:
        means.reopen(site.house, connection, awa.session, way)
