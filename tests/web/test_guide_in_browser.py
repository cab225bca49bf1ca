"""Every shape of the style guide in a real browser: accessible, large, mirrored for Arabic, in our own letters, without script too."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.browser import CHROMIUM
from tests.web import checks, guide
from vault.assets.manifest import BUILT, MANIFEST, Assets, read_assets
from vault.web.style_guide import KIOSK_PARTS, PARTS, WORK_PARTS

pytestmark = [pytest.mark.browser, pytest.mark.slow]
KIOSK_SIZE, PHONE_SIZE, SMALLEST = (1280, 800), (360, 640), (320, 640)


@pytest.fixture(scope="module")
def assets() -> Assets:
    if not (BUILT / MANIFEST).exists():
        pytest.skip("nothing is built yet: run `make assets`")
    return read_assets()


@pytest.fixture(scope="module")
def site(assets: Assets) -> Iterator[guide.Guide]:
    with guide.serve() as served:
        yield served


@pytest.fixture(scope="module")
def browser(driver: Playwright) -> Iterator[Browser]:
    launched = driver.chromium.launch(executable_path=CHROMIUM, args=checks.ARGUMENTS)
    yield launched
    kept.clear()
    launched.close()


kept: dict[tuple[tuple[int, int], bool], BrowserContext] = {}
"""A browser of each size, with scripts and without. The pages here keep nothing in it, and a fresh one takes longer than a test."""


def opened(browser: Browser, url: str, size: tuple[int, int], *, script: bool = True) -> Page:
    if (size, script) not in kept:
        kept[size, script] = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, java_script_enabled=script, reduced_motion="reduce"
        )
    page = kept[size, script].new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(url, wait_until="load")
    if script:
        page.evaluate("document.fonts.ready.then(() => null)")
    assert problems == []
    return page


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("language", "size"), [("fr", KIOSK_SIZE), ("ar", PHONE_SIZE)])
def test_each_shape_is_accessible_large_and_in_our_letters(
    browser: Browser, site: guide.Guide, assets: Assets, part: str, language: str, size: tuple[int, int]
) -> None:
    if part in WORK_PARTS and language == "ar":
        language = "en"
    page = opened(browser, f"{site.url}/{language}/style/{part}", size)
    kiosk = part in KIOSK_PARTS
    assert checks.axe_violations(page, assets, contrast_enhanced=kiosk) == []
    assert page.locator("h1").count() == 1
    if kiosk:
        assert checks.small_targets(page) == []
        assert checks.small_text(page) == []
        assert checks.outside(page, ".control-done, .control-leave") == []
    assert checks.foreign_fonts(page) == set()
    page.close()


@pytest.mark.parametrize("part", PARTS)
def test_nothing_scrolls_sideways_or_is_cut_on_the_smallest_screen(browser: Browser, site: guide.Guide, part: str) -> None:
    """In the longest words that we have, and mirrored."""
    page = opened(browser, f"{site.url}/qps/style/{part}", SMALLEST)
    assert checks.overflowing(page) == []
    page.goto(f"{site.url}/ar/style/{part}", wait_until="load")
    assert checks.overflowing(page) == []
    page.close()


@pytest.mark.parametrize("part", ["home", "code", "share"])
def test_two_hundred_per_cent_is_the_same_as_half_the_window(browser: Browser, site: guide.Guide, part: str) -> None:
    page = opened(browser, f"{site.url}/fr/style/{part}", (640, 400))
    assert checks.overflowing(page) == []
    page.close()


@pytest.mark.parametrize("part", ["home", "safe", "code", "drawers", "desk"])
def test_wider_spacing_of_text_cuts_nothing(browser: Browser, site: guide.Guide, part: str) -> None:
    """WCAG 1.4.12."""
    page = opened(browser, f"{site.url}/fr/style/{part}", PHONE_SIZE)
    page.evaluate(
        """() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(`
                * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
                p { margin-block-end: 2em !important }
            `);
            document.adoptedStyleSheets = [sheet];
        }"""
    )
    assert checks.overflowing(page) == []
    page.close()


@pytest.mark.parametrize("part", ["home", "code", "drawers", "desk"])
@pytest.mark.parametrize("size", [KIOSK_SIZE, PHONE_SIZE])
def test_the_focus_is_always_seen_and_never_hidden(browser: Browser, site: guide.Guide, part: str, size: tuple[int, int]) -> None:
    page = opened(browser, f"{site.url}/fr/style/{part}", size)
    stops = checks.tab_stops(page)
    assert len(stops) > 6
    assert [stop for stop in stops if stop.outline < 2] == []
    assert [stop for stop in stops if not stop.seen] == []
    page.close()


def test_arabic_is_the_mirror_of_the_mirrored_pseudo_language_and_the_other_side_of_french(
    browser: Browser, site: guide.Guide
) -> None:
    where = {}
    for language in ("fr", "ar", "qpr"):
        page = opened(browser, f"{site.url}/{language}/style/home", KIOSK_SIZE)
        boxes = [page.locator(name).first.bounding_box() for name in (".frame", ".controls .control", ".page", ".control-done")]
        where[language] = [box for box in boxes if box is not None]
        assert page.evaluate("document.documentElement.dir") == ("ltr" if language == "fr" else "rtl")
        page.close()
    for language in ("ar", "qpr"):
        for straight, turned in zip(where["fr"], where[language], strict=True):
            assert abs(straight["x"] - (KIOSK_SIZE[0] - turned["x"] - turned["width"])) <= 2


def test_the_code_pad_stays_from_left_to_right_and_lights_no_key(browser: Browser, site: guide.Guide) -> None:
    page = opened(browser, f"{site.url}/ar/style/code", KIOSK_SIZE)
    one, three = page.locator('[data-digit="1"]').bounding_box(), page.locator('[data-digit="3"]').bounding_box()
    assert one is not None
    assert three is not None
    assert one["x"] < three["x"]
    field = page.locator("#code")
    assert field.get_attribute("type") == "password"
    assert field.get_attribute("inputmode") == "numeric"
    assert field.get_attribute("autocomplete") == "off"
    key = page.locator('[data-digit="7"]')
    before = key.screenshot()
    key.dispatch_event("pointerdown")
    key.click()
    page.mouse.move(5, 5)
    assert key.screenshot() == before
    for digit in "482915":
        page.locator(f'[data-digit="{digit}"]').click()
    assert field.input_value() == "748291", "seven keys were pressed and the field holds six"
    page.locator("[data-erase]").click()
    assert field.input_value() == "74829"
    page.close()


def test_pictures_fill_the_fields_that_a_page_without_script_shows(browser: Browser, site: guide.Guide) -> None:
    page = opened(browser, f"{site.url}/fr/style/pictures", KIOSK_SIZE)
    for number in (3, 7):
        page.locator(f'[data-picture="{number}"]').click()
    page.locator("[data-other-half]").click()
    for number in (15, 8, 8, 9):
        page.locator(f'[data-picture="{number}"]').click()
    chosen = [page.locator(f'[name="picture_{place}"]').input_value() for place in range(1, 6)]
    assert chosen == ["3", "7", "15", "8", "8"]
    assert page.locator(".pad-dot-full").count() == 5
    page.locator("[data-erase]").click()
    assert page.locator(".pad-dot-full").count() == 4
    page.close()


def test_without_script_everything_is_still_there(browser: Browser, site: guide.Guide) -> None:
    page = opened(browser, f"{site.url}/fr/style/pictures", KIOSK_SIZE, script=False)
    assert page.locator("select").count() == 5
    assert page.locator("select").first.is_visible()
    assert not page.locator("[data-picture]").first.is_visible()
    page.goto(f"{site.url}/fr/style/code")
    assert page.locator("#code").is_visible()
    assert page.locator("button[type=submit]:visible").count() == 1
    page.goto(f"{site.url}/fr/style/home")
    assert page.locator("#listening audio").count() >= 5
    assert page.locator('a.control[href="#listening"]').is_visible()
    assert page.locator('meta[http-equiv="refresh"]').count() == 1
    page.close()


def test_every_voice_on_a_page_answers_and_none_speaks_by_itself(browser: Browser, site: guide.Guide) -> None:
    page = opened(browser, f"{site.url}/fr/style/home", KIOSK_SIZE)
    assert [path for path in site.asked if path.endswith(".mp3")] == []
    urls = page.evaluate("[...document.querySelectorAll('[data-hear]')].flatMap((one) => one.dataset.hear.split(' '))")
    assert len(urls) == page.locator(".choice").count() + 1
    for url in urls:
        seconds = page.evaluate(
            """(url) => new Promise((done) => {
                const sound = new Audio(url);
                sound.onloadedmetadata = () => done(sound.duration);
                sound.onerror = () => done(0);
            })""",
            url,
        )
        assert seconds > 0.3
    page.locator("[data-listen]").first.click()
    page.wait_for_selector(".speaking")
    page.locator("[data-listen]").first.click()
    assert page.locator(".speaking").count() == 0
    page.close()


def test_no_secret_is_ever_said(browser: Browser, site: guide.Guide, assets: Assets) -> None:
    for part in ("code", "pictures", "card", "papers"):
        page = opened(browser, f"{site.url}/fr/style/{part}", KIOSK_SIZE)
        urls = set(page.evaluate("[...document.querySelectorAll('[data-audio]')].flatMap((one) => one.dataset.audio.split(' '))"))
        known = {f"/static/{said.file}" for said in assets.recordings["fr"].values()}
        assert urls <= known
        pictures = {
            f"/static/{assets.recordings['fr'][key].file}" for key in assets.recordings["fr"] if key.startswith("picture.")
        }
        if part == "pictures":
            assert urls.isdisjoint(pictures)
        page.close()


def test_nobody_there_is_warned_and_then_sent_to_the_end(browser: Browser, site: guide.Guide) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.clock.install()
    page.goto(f"{site.url}/fr/style/safe", wait_until="load")
    dialog = page.locator("#still-here")
    page.clock.fast_forward(100_000)
    assert not dialog.is_visible()
    page.clock.fast_forward(25_000)
    assert dialog.is_visible()
    assert dialog.get_attribute("role") == "alertdialog"
    page.locator("[data-stay]").click()
    assert not dialog.is_visible()
    page.clock.fast_forward(100_000)
    page.mouse.wheel(0, 50)
    page.wait_for_timeout(50)
    page.clock.fast_forward(100_000)
    assert not dialog.is_visible(), "a touch counts"
    page.clock.fast_forward(70_000)
    page.clock.fast_forward(70_000)
    page.wait_for_url("**/style/languages")
    context.close()


def test_a_voice_and_an_upload_count_as_being_there(browser: Browser, site: guide.Guide) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.clock.install()
    page.goto(f"{site.url}/fr/style/safe", wait_until="load")
    for _ in range(3):
        page.clock.fast_forward(100_000)
        page.evaluate("dispatchEvent(new Event('abri:activity'))")
        page.clock.fast_forward(1_000)
    assert not page.locator("#still-here").is_visible()
    for _ in range(100):  # the browser sends it when it can
        if "/fr/alive" in site.asked:
            break
        page.wait_for_timeout(50)
    assert "/fr/alive" in site.asked, "the server is told too"
    context.close()


def test_escape_three_times_leaves_in_place_of_the_page(browser: Browser, site: guide.Guide) -> None:
    page = opened(browser, f"{site.url}/fr/style/safe", KIOSK_SIZE)
    before = page.evaluate("history.length")
    for _ in range(3):
        page.keyboard.press("Escape")
    page.wait_for_url("**/style/languages")
    assert page.evaluate("history.length") == before
    page.close()


def test_who_asks_for_no_movement_sees_none(browser: Browser, site: guide.Guide) -> None:
    """A11Y-12: the one thing that moves is the time that runs out; it stands still where the browser says so."""
    moves = """() => { document.querySelector("#still-here").showModal();
        const name = getComputedStyle(document.querySelector(".countdown"), "::before").animationName;
        document.querySelector("#still-here").close(); return name; }"""
    page = opened(browser, f"{site.url}/fr/style/safe", KIOSK_SIZE)
    assert page.evaluate(moves) == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moves) == "ebb"
    page.close()


def test_what_must_be_put_right_has_the_focus_and_leads_to_its_field(browser: Browser, site: guide.Guide) -> None:
    page = opened(browser, f"{site.url}/fr/style/errors", KIOSK_SIZE)
    assert page.evaluate("document.activeElement.id") == "errors"
    target = page.locator("#errors a").get_attribute("href")
    assert target is not None
    assert page.locator(target).count() == 1
    assert page.locator("#errors .hear").count() == 1
    page.close()


def test_every_choice_has_a_picture_words_and_a_voice(browser: Browser, site: guide.Guide) -> None:
    for part in ("home", "safe", "share", "erase"):
        page = opened(browser, f"{site.url}/fr/style/{part}", KIOSK_SIZE)
        for choice in page.locator(".choice").all():
            assert choice.locator("svg[aria-hidden=true]").count() >= 1
            assert choice.locator(".choice-face").inner_text().strip()
            assert choice.locator(".hear").get_attribute("aria-label")
        page.close()


def test_pages_are_light(browser: Browser, site: guide.Guide) -> None:
    """PERF-01: at most 150 KB without fonts, 20 KB of script."""
    for part in ("home", "papers", "camera"):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        sizes: dict[str, int] = {}
        page.on("response", lambda answer, sizes=sizes: sizes.__setitem__(answer.url, len(answer.body())))
        page.goto(f"{site.url}/fr/style/{part}", wait_until="load")
        assert sum(size for url, size in sizes.items() if ".woff2" not in url) <= 150 * 1024
        assert sum(size for url, size in sizes.items() if url.endswith(".js")) <= 20 * 1024
        assert all(url.startswith(site.url) for url in sizes)
        context.close()
