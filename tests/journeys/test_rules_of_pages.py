"""The rules of the kiosk's table on real pages: size of text, choices, voices, weight, room for longer words; keys alone; no network."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response

from tests.journeys import every_page
from tests.journeys.conftest import LARGE, NewPage
from tests.journeys.navigators import Kiosk
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
# A grid of pictograms may show nine; a page that lists what exists shows what exists, a page of lines asks nothing.
GRIDS = ".drawers, .pictures, .papers, .languages, .kinds, .grid, .shares, .history, .picture-grid"
CHOICES = """(grids) => [...document.querySelectorAll(".choices")].filter((one) => !one.closest(grids) && !one.matches(grids))
    .reduce((sum, one) => sum + one.querySelectorAll(":scope > .choice").length, 0)"""
WORDLESS = """() => [...document.querySelectorAll(".choice")].filter((one) => {
    const face = one.querySelector(".choice-face");
    return !one.querySelector("svg[aria-hidden=true]") || !face || !face.innerText.trim();
}).map((one) => one.outerHTML.slice(0, 200))"""
VOICES = """() => [...document.querySelectorAll("[data-hear], [data-audio]")]
    .flatMap((one) => `${one.dataset.hear ?? ""} ${one.dataset.audio ?? ""}`.split(" ")).filter(Boolean)"""
HELP = """() => { const all = [...document.querySelectorAll("body > header nav a, body > header nav button")];
    const help = all.findLast((one) => /^\\/[a-z]{2,3}\\/aide$/.test(one.getAttribute("href") ?? ""));  // the way back may lead there too
    return [help?.innerText.trim(), all.length - all.indexOf(help)]; }"""
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


def walk(kiosk: Kiosk, look: Callable[[str], list[str]]) -> list[str]:
    """Every page, and what is wrong with each."""
    return [f"{address}: {one}" for address in every_page.every(kiosk) for one in look(address)]


def test_text_choices_voices_and_weight(site: Site, new_page: NewPage) -> None:
    """TXT-01, TXT-04, TXT-05, AUD-01, A11Y-10, A11Y-12, SAFE-07, PERF-01, PERF-03: on every page, in French."""
    page = new_page(size=LARGE)
    page.context.set_default_timeout(40_000)
    kiosk = Kiosk(page, site, "fr")
    voices: set[str] = set()
    places: list[object] = []
    weights: dict[str, int] = {}

    def weigh(answer: Response) -> None:
        assert answer.url.startswith(site.base), answer.url
        if answer.status == 200 and answer.request.method == "GET":
            weights[answer.url] = int(answer.headers.get("content-length", "0"))

    page.on("response", weigh)

    def look(address: str) -> list[str]:
        wrong = checks.small_text(page)
        wrong += [f"not in the window: {one}" for one in checks.outside(page, ".control-done, .control-leave")]
        wrong += [f"a choice without picture or words: {one}" for one in page.evaluate(WORDLESS)]
        count = page.evaluate(CHOICES, GRIDS)
        wrong += [f"{count} choices"] if count > 4 else []
        wrong += (
            ["sounds by itself"] if page.evaluate("[...document.querySelectorAll('audio')].some((one) => !one.paused)") else []
        )
        voices.update(page.evaluate(VOICES))
        places.append(page.evaluate(HELP))
        wrong += [f"help is elsewhere: {places[-1]}"] if places[-1] != places[0] else []
        heavy = sum(size for url, size in weights.items() if not re.search(r"\.woff2|\.mp3|/page/|/apercu", url))
        scripts = sum(size for url, size in weights.items() if url.endswith(".js"))
        wrong += [f"weighs {heavy} bytes"] if heavy > 150 * 1024 else []
        wrong += [f"{scripts} bytes of script"] if scripts > 20 * 1024 else []
        weights.clear()
        return wrong

    wrong = walk(kiosk, look)
    assert wrong == []
    dead = [url for url in sorted(voices) if not heard(page, url)]
    assert len(voices) > 100
    assert dead == []


def heard(page: Page, url: str) -> bool:
    """Whether a recording answers, as sound with something in it."""
    answer = page.request.get(url)
    return answer.status == 200 and answer.headers["content-type"].startswith("audio/") and len(answer.body()) > 500


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

    assert walk(kiosk, look) == []


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
    kiosk.show_card(site.card("awa"))
    press(page, "input[name=code]", site.person("awa")["code"])
    page.wait_for_url("**/maison")
    kiosk.go("partages")
    before = stops(page)
    kiosk.go("maison")
    for selector, there in (
        ("main a[href$='/papiers']", "**/papiers"),
        ("a.paper", re.compile(r"/papiers/[0-9a-f-]{36}$")),
        ("a[href$='/que-faire']", "**/que-faire"),
        ("a[href*='/montrer']", "**/montrer/qui*"),
        ("button[name=worker]", "**/montrer/pour*"),
        ("button[name=reason]", re.compile("/montrer/(comment|accord)")),
    ):
        press(page, selector)
        page.wait_for_url(there)
    if page.url.endswith("/comment"):
        press(page, "button[name=how]")
        page.wait_for_url("**/accord")
    press(page, "button[name=answer][value=yes]")
    page.wait_for_url(re.compile("/(montrer|partages)(?!.*accord$)"))
    kiosk.go("partages")
    (given,) = stops(page) - before  # what others gave stays: other journeys look at it
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
