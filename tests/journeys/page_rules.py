"""What the kiosk's table asks of each page that is open in French, in a large window: size of text, choices, voices, weight."""

import re

from playwright.sync_api import Page, Response

from tests.journeys.site import Site
from tests.web import checks

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

# What is of one person alone: whom they are, whom they show something to, what their papers are called.
OF_SOMEBODY = re.compile(r"\b(awa|mariam|fatou|marc|diallo|impôt|imp%C3%B4t|attestation|zoé|zo%C3%A9)\b", re.IGNORECASE)


class Rules:
    """Held beside one browser from its first page on: what was loaded for each page is weighed, its voices are kept to be tried."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page, self.base = page, site.base
        self.voices: set[str] = set()
        self.help: object = None
        self.weights: dict[str, int] = {}
        self.saved: list[str] = []
        page.on("response", self._weigh)
        page.on("download", lambda file: self.saved.append(file.suggested_filename))

    def _weigh(self, answer: Response) -> None:
        assert answer.url.startswith(self.base), answer.url
        if answer.status == 200 and answer.request.method == "GET":
            self.weights[answer.url] = int(answer.headers.get("content-length", "0"))

    def broken(self) -> list[str]:
        """TXT-01, TXT-04, TXT-05, AUD-01, A11Y-10, A11Y-12, SAFE-07, SAFE-09, PERF-01, PERF-03: what is wrong with the open page."""
        page = self.page
        wrong = checks.small_text(page)
        outside = f"{page.title()} {page.url}"
        wrong += [f"somebody is named outside of the page: {outside}"] if OF_SOMEBODY.search(outside) else []
        wrong += [f"not in the window: {one}" for one in checks.outside(page, ".control-done, .control-leave")]
        wrong += [f"a choice without picture or words: {one}" for one in page.evaluate(WORDLESS)]
        count = page.evaluate(CHOICES, GRIDS)
        wrong += [f"{count} choices"] if count > 4 else []
        wrong += (
            ["sounds by itself"] if page.evaluate("[...document.querySelectorAll('audio')].some((one) => !one.paused)") else []
        )
        self.voices.update(page.evaluate(VOICES))
        place = page.evaluate(HELP)
        self.help = self.help or place
        wrong += [f"help is elsewhere: {place}"] if place != self.help else []
        return wrong + self._heavy()

    def _heavy(self) -> list[str]:
        heavy = sum(size for url, size in self.weights.items() if not re.search(r"\.woff2|\.mp3|/page/|/apercu", url))
        scripts = sum(size for url, size in self.weights.items() if url.endswith(".js"))
        self.weights.clear()
        return [f"weighs {heavy} bytes"] * (heavy > 150 * 1024) + [f"{scripts} bytes of script"] * (scripts > 20 * 1024)

    def silent(self) -> list[str]:
        """The recordings that do not answer as sound with something in it."""
        return [url for url in sorted(self.voices) if not self._heard(url)]

    def _heard(self, url: str) -> bool:
        answer = self.page.request.get(url)
        return answer.status == 200 and answer.headers["content-type"].startswith("audio/") and len(answer.body()) > 500
