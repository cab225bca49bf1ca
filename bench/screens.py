"""`python -m bench.screens`: how soon a tired person sees a page, on a slow computer behind a slow line (PERF-02).

The demonstration over HTTPS, in Chromium slowed down four times, behind 1.6 Mb/s and 150 ms: the largest thing on each page must be
there within 2.5 seconds. What a page weighs is counted beside it. About a minute.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.browser import CHROMIUM
from tests.journeys import site as sites
from tests.journeys.conftest import LARGE, QUIET
from tests.journeys.navigators import Kiosk

TARGET_MS = 2500.0
SLOWER, BYTES_A_SECOND, DELAY_MS = 4, 1_600_000 / 8, 150
PAGES = ("maison", "papiers", "papiers?noms=1", "ajouter", "partages", "regards")
LARGEST = """() => new Promise((done) => {
    const told = { type: "largest-contentful-paint", buffered: true };
    new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime)).observe(told);
})"""


@dataclass(frozen=True)
class Seen:
    """A page: when its largest part was there, milliseconds; what came over the line for it, bytes."""

    address: str
    milliseconds: float
    size: int


def slow(context: BrowserContext, page: Page) -> None:
    """A slow computer behind a slow line, with nothing kept from the page before."""
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    client.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    client.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": DELAY_MS, "downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND},
    )


def look(page: Page, address: str) -> Seen:
    """One page, with nothing in the cache."""
    sizes: list[int] = []
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    page.goto(address, wait_until="load")
    milliseconds = float(page.evaluate(LARGEST))
    client.detach()
    return Seen(address, milliseconds, sum(sizes))


def main() -> int:
    """Measure and print; 1 when a page is too slow."""
    with tempfile.TemporaryDirectory(prefix="abri-screens-") as made, sync_playwright() as started:
        site, process = sites.start(Path(made))
        try:
            browser = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            context = browser.new_context(base_url=site.base, ignore_https_errors=True, viewport=LARGE)  # type: ignore[arg-type]  # a TypedDict there
            page = context.new_page()
            kiosk = Kiosk(page, site, "fr")
            kiosk.open("awa")
            slow(context, page)
            found = [look(page, f"/fr/{address}") for address in PAGES]
            browser.close()
        finally:
            sites.stop(process)
    shown = Table(title=f"The largest thing on a page, processor {SLOWER} times slower, 1.6 Mb/s, {DELAY_MS} ms, nothing cached")
    for column in ("page", "ms", "target", "KiB over the line"):
        shown.add_column(column, justify="left" if column == "page" else "right")
    for one in found:
        colour = "green" if one.milliseconds < TARGET_MS else "red"
        shown.add_row(
            one.address, Text(f"{one.milliseconds:.0f}", style=colour), f"< {TARGET_MS:.0f}", f"{one.size / 1024:.0f}"
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 132).print(shown)
    return int(any(one.milliseconds >= TARGET_MS for one in found))


if __name__ == "__main__":
    raise SystemExit(main())
