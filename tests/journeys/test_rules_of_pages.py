"""The rules of the kiosk's table on real pages: room for longer words; keys alone; no network. The others: `test_every_page`."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.journeys import every_page
from tests.journeys.conftest import NewPage
from tests.journeys.navigators import Kiosk, refuse_once
from tests.journeys.site import Site
from tests.web import checks

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]
SMALLEST = {"width": 320, "height": 640}
SPACING = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
                       p { margin-block-end: 2em !important }`);
    document.adoptedStyleSheets = [sheet];
}"""
PLAIN_ASCII = """() => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement, text = node.textContent.trim();
        if (!text || element.closest("bdi, script, noscript, [lang]:not(html), .mark") || !element.checkVisibility()) continue;
        if (/^(\\d{1,2} )?[a-z]+ \\d{4}(, \\d\\d:\\d\\d)?$/.test(text)) continue; // a date: the months are those of the language itself
        if (/^[\\x20-\\x7e]*$/.test(text) && /[A-Za-z]{3}/.test(text)) found.add(text.slice(0, 80));
    }
    return [...found];
}"""


def test_longer_words_smaller_screens_and_wider_spacing_fit(site: Site, new_page: NewPage) -> None:
    """L10N-04, L10N-05, A11Y-04, A11Y-05: in the language of longer words, on the smallest screen; and no sentence stayed as it was."""
    page = new_page(size=SMALLEST)
    page.context.set_default_timeout(40_000)
    kiosk = Kiosk(page, site, "qps")

    def look(address: str) -> list[str]:
        wrong = [f"not translated: {one}" for one in page.evaluate(PLAIN_ASCII)]
        wrong += checks.overflowing(page)
        page.evaluate(SPACING)
        return wrong + [f"with wider spacing: {one}" for one in checks.overflowing(page)]

    assert [f"{address}: {one}" for address in every_page.every(kiosk) for one in look(address)] == []


def press(page: Page, selector: str, typed: str = "", most: int = 60) -> None:
    """Go to something with the Tab key alone, see that the eye can follow, type, and press Enter there."""
    for _ in range(most):
        page.keyboard.press("Tab")
        here, seen, ring = page.evaluate(
            """(selector) => {
                const element = document.activeElement;
                const box = element.getBoundingClientRect();
                const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
                const style = getComputedStyle(element);
                const ring = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
                const face = element.matches("input[type=file], .choice-face, .picture-face, input[type=radio], input[type=checkbox]");
                return [element.matches(selector), Boolean(at) && (element.contains(at) || at.contains(element) || face), ring || face];
            }""",
            selector,
        )
        if here:
            assert seen, selector
            assert ring, selector
            page.keyboard.type(typed)
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the Tab key never comes to {selector}")


def stops(page: Page) -> set[str]:
    """The ways to stop, one for each share that lives."""
    return {str(one.get_attribute("href")) for one in page.locator("a[href$='/arreter']").all()}


def test_a_paper_is_shown_and_taken_back_by_keys_alone(site: Site, new_page: NewPage) -> None:
    """A11Y-06: card, code, a paper, to whom, why, yes; then stop; then the end. No mouse; the focus is always seen."""
    kiosk = Kiosk(new_page(), site, "fr")
    page = kiosk.page
    kiosk.show_card(site.card("mariam"))
    press(page, "input[name=code]", site.person("mariam")["code"])
    page.wait_for_url("**/maison")
    kiosk.go("partages")
    before = stops(page)
    kiosk.go("papiers")
    paper = page.locator("a.paper").first.get_attribute("href")
    kiosk.go("maison")
    for selector, there in (
        ("main a[href$='/papiers']", "**/papiers"),
        (f"a[href='{paper}']", re.compile(r"/papiers/[0-9a-f-]{36}$")),
        ("a[href$='/que-faire']", "**/que-faire"),
        ("a[href*='/montrer']", "**/montrer/qui*"),
    ):
        press(page, selector)
        page.wait_for_url(there)
    # Mariam shows nothing yet: stopping stops all that somebody sees, and other journeys look at what Awa gave before.
    press(page, "button[name=worker]")
    page.wait_for_url("**/montrer/pour*")
    press(page, "button[name=reason]")
    page.wait_for_url(re.compile("/montrer/(comment|accord)"))
    if page.url.endswith("/comment"):
        press(page, "button[name=how]")
        page.wait_for_url("**/accord")
    press(page, "button[name=answer][value=yes]")
    page.wait_for_url(re.compile("/(montrer|partages)(?!.*accord$)"))
    kiosk.go("partages")
    (given,) = stops(page) - before
    press(page, f"a[href='{given}']")
    page.wait_for_url("**/arreter")
    press(page, "main form button[type=submit]")
    page.wait_for_url(re.compile("/partages(?!.*arreter)"))
    kiosk.go("partages")
    assert stops(page) == before
    press(page, ".control-done")
    page.wait_for_url("**/fin")


def test_a_lost_network_loses_no_photo(site: Site, new_page: NewPage, tmp_path: Path) -> None:
    """CAP-06: the page says it, keeps what was chosen, and sends it when the network is back."""
    kiosk = Kiosk(new_page(), site, "fr")
    page = kiosk.page
    kiosk.open("yonas")
    kiosk.go("ajouter/fichier")
    page.locator("input[type=file]").set_input_files(site.card("yonas"))
    page.context.set_offline(True)
    page.locator("form[data-upload] button[type=submit]").click()
    page.get_by_text("Pas de réseau.").wait_for()
    assert "/ajouter/fichier" in page.url
    page.context.set_offline(False)
    page.locator("form[data-upload] button[type=submit]").click()
    page.wait_for_url("**/ajouter/lire*")
    kiosk.finish()


@pytest.mark.parametrize("status", [503, 409])
def test_a_service_that_says_not_now_loses_no_file(site: Site, new_page: NewPage, status: int) -> None:
    """The store is down, the house is full: the page says it where one is, keeps what was chosen, and sends it when asked again."""
    kiosk = Kiosk(new_page(), site, "fr")
    page = kiosk.page
    kiosk.open("yonas")
    kiosk.go("ajouter/fichier")
    page.locator("input[type=file]").set_input_files(site.card("yonas"))
    refuse_once(page, "**/ajouter/fichier", status)
    page.locator("form[data-upload] button[type=submit]").click()
    told = page.locator("main > #errors")
    told.wait_for()
    assert "Abri ne répond pas." in told.inner_text()
    assert told.evaluate("element => element === document.activeElement")
    assert page.locator("[data-state=offline]").is_hidden()
    assert page.locator("input[type=file]").evaluate("field => field.files.length") == 1
    page.locator("form[data-upload] button[type=submit]").click()
    page.wait_for_url("**/ajouter/lire*")
    kiosk.finish()
