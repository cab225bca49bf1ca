"""AUTH-01: a card is held before the kiosk's camera; what the browser films goes to the service, and the page of the code comes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Playwright

from tests.browser import CHROMIUM
from tests.journeys.conftest import LARGE, QUIET
from tests.journeys.navigators import Kiosk, refuse_once
from tests.journeys.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("tour")]


def film(card: Path, to: Path) -> Path:
    """A film of a hand that holds the card still: the same picture over and over, on a table, as a camera sees it."""
    table = Image.new("RGB", (1280, 960), (120, 110, 100))
    with Image.open(card) as picture:
        picture.thumbnail((900, 800))
        table.paste(picture, ((1280 - picture.width) // 2, (960 - picture.height) // 2))
    table.save(to.with_suffix(".jpg"), "JPEG", quality=90)
    to.write_bytes(to.with_suffix(".jpg").read_bytes() * 3)
    return to


@pytest.fixture
def filmed(driver: Playwright, site: Site, tmp_path: Path) -> Iterator[Browser]:
    """A browser whose camera shows Awa's card."""
    if not Path(CHROMIUM).exists():
        pytest.skip("install Debian's chromium-headless-shell: tools/engines does it")
    camera = film(site.card("awa"), tmp_path / "card.mjpeg")
    browser = driver.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *QUIET, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        ],
    )  # fmt: skip
    yield browser
    browser.close()


def test_a_card_before_the_camera_leads_to_the_code(site: Site, filmed: Browser) -> None:
    page = filmed.new_context(base_url=site.base, ignore_https_errors=True, viewport=LARGE).new_page()  # type: ignore[arg-type]  # a TypedDict there
    page.set_default_timeout(20_000)
    awa = Kiosk(page, site)
    awa.start()
    awa.go("carte")
    page.wait_for_url("**/code")
    assert page.locator("input[name=code]").count() == 1
    assert "Awa" not in page.locator("body").inner_text(), "the card alone says nothing"
    # AUTH-05: as dots, never kept, and whoever has the code elsewhere may paste it.
    field, code = page.locator("input[name=code]"), site.person("awa")["code"]
    assert (field.get_attribute("type"), field.get_attribute("autocomplete")) == ("password", "off")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("code => navigator.clipboard.writeText(code)", code)
    field.press("Control+V")
    assert field.input_value() == code
    field.press("Enter")
    page.wait_for_url("**/maison")
    awa.finish()


def test_a_photo_is_kept_until_it_was_taken_in(site: Site, filmed: Browser) -> None:
    """The store is down for a moment: the photo stays on the screen with its sentence, and is sent again."""
    page = filmed.new_context(base_url=site.base, ignore_https_errors=True, viewport=LARGE).new_page()  # type: ignore[arg-type]  # a TypedDict there
    page.set_default_timeout(20_000)
    awa = Kiosk(page, site)
    awa.open("awa")
    awa.go("ajouter/photo")
    refuse_once(page, "**/ajouter/photo", 503)
    page.locator("[data-shutter]:not([disabled])").click()
    page.locator("main > #errors").get_by_text("Abri ne répond pas.").wait_for()
    assert page.locator("[data-shot]").is_visible(), "the photo"
    assert page.locator("[data-camera] [data-state=offline]").is_hidden()
    page.locator("[data-retry]").click()
    page.wait_for_url("**/ajouter/lire*")
    awa.finish()
