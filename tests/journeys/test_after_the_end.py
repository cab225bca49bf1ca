"""Between two people nothing shows: Back, Forward, a second tab, the cache, the browser's stores (rows SAFE of the kiosk's table)."""

import re

import pytest
from playwright.sync_api import Page, Response

from tests.journeys.conftest import NewPage
from tests.journeys.navigators import Kiosk
from tests.journeys.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("tour")]
OF_AWA = re.compile(r"Awa|avis d'impôt|Attestation|Fatou|Marc")  # the journeys of others may have ended a share: not all


def tells(page: Page) -> bool:
    """Whether the page says anything of Awa's."""
    return bool(OF_AWA.search(page.locator("body").inner_text()))


def test_back_and_forward_after_the_end_show_nothing(site: Site, new_page: NewPage) -> None:
    awa = Kiosk(new_page(), site)
    awa.open("awa")
    for address in ("papiers?noms=1", "partages"):
        awa.go(address)
        assert tells(awa.page)
    second = awa.page.context.new_page()
    second.goto("/fr/papiers?noms=1")
    awa.finish()
    assert awa.heading() == "C'est fermé"
    assert awa.page.context.cookies() == []
    for _ in range(3):
        awa.page.go_back(wait_until="commit")
        awa.page.wait_for_load_state()
        assert not tells(awa.page)
    awa.page.go_forward(wait_until="commit")
    awa.page.wait_for_load_state()
    assert not tells(awa.page)
    answer = second.goto("/fr/papiers")
    assert answer is not None
    assert answer.status == 401
    assert not tells(second)


def test_nothing_is_kept_by_the_browser(site: Site, new_page: NewPage) -> None:
    awa = Kiosk(new_page(), site)
    answers: list[Response] = []
    hosts: set[str] = set()
    awa.page.on("response", lambda answer: answers.append(answer))
    awa.page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    awa.open("awa")
    for address in ("papiers", "ajouter", "partages", "regards", "moi"):
        awa.go(address)
    kept = awa.page.evaluate(
        """async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
                        (await navigator.serviceWorker.getRegistrations()).length, (await caches.keys()).length]"""
    )
    assert kept == [0, 0, 0, 0, 0]
    assert hosts == {site.base.split("/")[2]}
    for answer in answers:
        if "/static/" in answer.url:
            continue
        headers = answer.headers
        assert headers["cache-control"] == "no-store", answer.url
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    awa.finish()


def test_the_quick_exit_leaves_a_calendar(site: Site, new_page: NewPage) -> None:
    awa = Kiosk(new_page(), site)
    awa.open("awa")
    awa.page.locator("[data-leave-now]").click()
    awa.page.wait_for_url("**/sortir")
    assert "Abri" not in awa.page.content()
    assert awa.page.context.cookies() == []
    awa.page.go_back(wait_until="commit")
    awa.page.wait_for_load_state()
    assert not tells(awa.page)


def test_a_second_session_ends_the_first(site: Site, new_page: NewPage) -> None:
    first, second = Kiosk(new_page(), site), Kiosk(new_page(), site)
    page = first.page
    first.open("mariam")
    first.go("papiers?noms=1")
    assert page.locator("a.paper").count() > 0
    for address in ("maison", "moi"):
        first.go(address)
    page.go_back()
    assert "Mariam" in page.locator("body").inner_text(), "the instrument: as long as she is there, Back shows it"
    page.go_forward()
    second.open("mariam")
    # SAFE-03: the service ended it, not the person, and this browser has asked nothing since: Back shows nothing of before.
    for _ in range(3):
        page.go_back(wait_until="commit")
        page.wait_for_load_state()
        assert "Mariam" not in page.content()
        assert page.locator("a.paper").count() == 0
    page.go_forward(wait_until="commit")
    page.wait_for_load_state()
    assert "Mariam" not in page.content()
    answer = page.goto("/fr/papiers")
    assert answer is not None
    assert answer.status == 401
    page.go_back(wait_until="commit")
    page.wait_for_load_state()
    assert "Mariam" not in page.content()
    second.finish()


def test_back_after_an_end_by_waiting_shows_nothing(site: Site, new_page: NewPage) -> None:
    """SAFE-02: nobody touched anything for three minutes; what Awa left on the screen comes back by no key."""
    page = new_page()
    page.clock.install()
    awa = Kiosk(page, site)
    awa.open("awa")
    for address in ("partages", "papiers?noms=1"):
        awa.go(address)
        assert tells(page)
    for _ in range(3):
        page.clock.fast_forward(100_000)
    page.wait_for_url("**/fin")
    assert page.context.cookies() == []
    for _ in range(3):
        page.go_back(wait_until="commit")
        page.wait_for_load_state()
        assert not tells(page)
    page.go_forward(wait_until="commit")
    page.wait_for_load_state()
    assert not tells(page)


def test_the_language_does_not_stay_for_the_next_person(site: Site, new_page: NewPage) -> None:
    mariam = Kiosk(new_page(), site, "ar")
    mariam.open("mariam")
    mariam.finish()
    mariam.page.locator("main a").first.click()
    mariam.page.wait_for_url(re.compile(r"/$"))
    assert mariam.page.locator("html").get_attribute("lang") == "fr"
    assert mariam.page.locator("a.language").count() >= 3
