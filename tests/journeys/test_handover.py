"""A référent changes: Fatou proposes Marc, Awa says yes on one page and stops with Fatou; Fatou's next click is D02."""

import pytest

from tests.journeys.conftest import LARGE, SMALL, NewPage
from tests.journeys.navigators import Desk, Kiosk
from tests.journeys.site import Site
from tests.journeys.test_every_page import axe_script, check

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    """Nobody else's journeys have changed these shares."""
    return own_site


def test_the_person_gives_the_same_to_the_colleague_who_was_proposed(site: Site, new_page: NewPage) -> None:
    script, wrong = axe_script(), []
    desk = Desk(new_page(), site)
    desk.sign_in("fatou")
    desk.page.locator("tbody a.button").first.click()
    share = desk.page.url
    desk.page.locator("a[href$='/relais']").click()
    wrong += check(desk.page, "relais", script, at_work=True)
    desk.page.locator("select[name=worker]").select_option(index=0)
    proposed = desk.page.locator("select[name=worker] option").first.inner_text()
    desk.page.locator("main form button[type=submit]").click()
    desk.page.wait_for_url("**?dit=relais")
    for language, size in (("ar", SMALL), ("fr", LARGE)):
        kiosk = Kiosk(new_page(size=size), site, language)
        kiosk.open("awa")
        for address in ("suite", "suite/autre"):
            kiosk.go(address)
            wrong += check(kiosk.page, f"{language} {address}", script)
    assert wrong == []
    kiosk.go("suite")
    name = kiosk.page.locator("button[name=worker]").first
    assert proposed.split(" · ")[0].split(" ")[0] in name.inner_text()
    name.click()
    kiosk.page.locator("a[href$='/arreter']").click()
    kiosk.page.locator("main button[type=submit]").first.click()
    kiosk.page.wait_for_url("**/partages**")
    desk.page.goto(share)
    assert desk.page.locator("h1").inner_text() == "Ce papier n'est pas ou plus montré"
    kiosk.finish()
