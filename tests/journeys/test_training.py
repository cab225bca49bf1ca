"""Training: a worker prepares a room in one click, plays both sides, throws everything away in one click; the real desk never moves."""

import pytest

from tests.journeys.conftest import NewPage
from tests.journeys.navigators import Desk
from tests.journeys.site import Site
from tests.journeys.test_every_page import axe_script, check

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]
RIBBON = "FORMATION — faux papiers"


@pytest.fixture
def site(own_site: Site) -> Site:
    """A share that another journey stopped would be missing here."""
    return own_site


def test_a_room_is_prepared_used_and_reset(site: Site, new_page: NewPage) -> None:
    script, wrong = axe_script(), []
    desk = Desk(new_page(), site)
    page = desk.page
    desk.sign_in("fatou")
    page.goto("/fr/bureau/formation")
    wrong += check(page, "formation", script, at_work=True)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/salle")
    wrong += check(page, "salle", script, at_work=True)
    assert wrong == []
    room = page.url
    with page.expect_download() as waiting:
        page.locator("a[href$='/carte/awa']").click()
    card = waiting.value.path()
    code = page.locator("li", has_text="Awa (formation)").inner_text().split("code ")[1][:6]
    page.locator("button", has_text="Camille").click()
    page.wait_for_url("**/bureau")
    assert RIBBON in page.locator(".ribbon").inner_text()
    page.locator("tbody a.button").first.click()
    share = page.url
    page.goto(room)
    page.locator("a[href*='/borne/']").click()
    page.goto(room.replace("/fr/salle", "/fr/carte/autrement"))
    page.locator("input[type=file]").set_input_files(card)
    page.locator("form[enctype='multipart/form-data'] button[type=submit]").click()
    page.wait_for_url("**/code")
    page.locator("input[name=code]").fill(code)
    page.locator("input[name=code]").press("Enter")
    page.wait_for_url("**/maison")
    assert RIBBON in page.locator(".ribbon").inner_text()
    page.goto(room.replace("/fr/salle", "/fr/fin"))
    page.goto("/fr/bureau")
    assert "Awa (démo)" in page.content(), "ending a person's session in the room does not end the real desk's"
    page.goto("/fr/bureau/formation")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/salle")
    page.goto(share)
    assert "Awa" not in page.content(), "a reset leaves nothing"
    page.goto("/fr/bureau")
    assert page.locator(".ribbon").inner_text().startswith("DÉMONSTRATION")
