"""Take pictures of pages.

`python -m tools.screenshots` makes a demonstration in a temporary folder, opens Awa's safe, enters the desk and the office, and
takes every page of `TOUR` in French and Arabic, at the size of a kiosk and of a telephone, into `build/screenshots`; those of
`SHOWN` go to `docs/pictures`, for the README. `python -m tools.screenshots http://localhost:8000 /fr/abri ...` takes
public pages of a service that runs already: each in both languages and sizes, unless `--as-is` is given.
Uses Debian's chromium through playwright.
"""

import argparse
import io
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys import site as sites
from tests.journeys.navigators import Desk, Kiosk
from tests.journeys.site import Site

CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
SIZES = ((1280, 800), (360, 640))
LANGUAGES = ("fr", "ar")
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
HEAVIEST = 150_000  # bytes of one picture that is kept in the repository
COLOURS = 128

# Name of the picture, address after the language; the first ones need no session.
PUBLIC = (("languages", None), ("welcome", ""), ("before", "ouvrir/avant/1"), ("card", "carte"))
TOUR = (("home", "maison"), ("papers", "papiers?noms=1"), ("shares", "partages"), ("history", "regards"), ("trust", "confiance"))
DESK = (("desk", "bureau"), ("desk-wards", "bureau/confiance"))
OFFICE = (("office", "association"), ("register", "association/registre"))
SHOWN = (
    "languages-1280", "welcome-fr-1280", "welcome-ar-360", "before-fr-360", "home-fr-1280", "home-ar-1280", "papers-fr-1280",
    "agreement-fr-360", "agreement-ar-360", "history-fr-1280", "viewer-fr-1280", "register-fr-1280",
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """One picture to take: where, in which size, under which file name."""

    url: str
    width: int
    height: int
    name: str


def shots(
    base: str, paths: Sequence[str], languages: Sequence[str] | None, sizes: Sequence[tuple[int, int]] = SIZES
) -> Iterator[Shot]:
    """Every address in every language and size."""
    for path in paths:
        for language in languages or ("",):
            asked = re.sub(r"^/[a-z]{2,3}(?=/|$)", f"/{language}", path) if language else path
            for width, height in sizes:
                name = re.sub(r"[^\w]+", "-", asked).strip("-") or "home"
                yield Shot(base.rstrip("/") + asked, width, height, f"{name}-{width}.png")


def take(browser: Browser, wanted: Iterator[Shot], out: Path, *, full: bool = True, script: bool = True) -> list[Path]:
    """Take the pictures; the files that were written. A page that does not answer 200 is an error."""
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for shot in wanted:
        context = browser.new_context(
            viewport={"width": shot.width, "height": shot.height}, ignore_https_errors=True, java_script_enabled=script
        )
        page = context.new_page()
        answer = page.goto(shot.url, wait_until="networkidle")
        if answer is None or not answer.ok:
            raise SystemExit(f"{shot.url} answered {answer.status if answer else 'nothing'}")
        path = out / shot.name
        page.screenshot(path=path, full_page=full, animations="disabled")
        written.append(path)
        context.close()
    return written


class Album:
    """The pictures of one demonstration: what is seen without scrolling, in few colours so that files stay small."""

    def __init__(self, browser: Browser, site: Site, out: Path) -> None:
        self.browser, self.site, self.out = browser, site, out
        self.written: list[Path] = []

    def visitor(self) -> Page:
        """A browser of its own."""
        context = self.browser.new_context(base_url=self.site.base, ignore_https_errors=True)
        context.set_default_timeout(60_000)
        return context.new_page()

    def keep(self, page: Page, name: str, address: str | None, languages: Sequence[str] = LANGUAGES) -> None:
        """One page in these languages and both sizes; `address` None is the page before any language."""
        for language in languages if address is not None else ("",):
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                answer = page.goto(f"/{language}/{address}".rstrip("/") if language else "/", wait_until="networkidle")
                if answer is None or not answer.ok:
                    raise SystemExit(f"{page.url} answered {answer.status if answer else 'nothing'}")
                self.snap(page, "-".join(part for part in (name, language, str(width)) if part))

    def snap(self, page: Page, name: str) -> None:
        """The window as it is."""
        picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
        path = self.out / f"{name}.png"
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        self.written.append(path)

    def kiosk(self) -> None:
        """Somebody at a kiosk: before, with an open safe, and at the yes to a worker's request."""
        page = self.visitor()
        for name, address in PUBLIC:
            self.keep(page, name, address)
        awa = Kiosk(page, self.site)
        awa.open("awa")
        for name, address in TOUR:
            self.keep(page, name, address)
        awa.go("demandes")
        awa.press("Je donne")
        page.wait_for_url("**/demandes/papier")
        page.locator("button[name=paper]").first.click()
        page.wait_for_url("**/montrer/comment")
        page.locator("button[name=how][value=see]").click()
        page.wait_for_url("**/montrer/accord")
        self.keep(page, "agreement", "montrer/accord")

    def workers(self) -> None:
        """A desk with one shared page open, and the office."""
        fatou = Desk(self.visitor(), self.site)
        fatou.sign_in("fatou")
        for name, address in DESK:
            self.keep(fatou.page, name, address, ("fr",))
        fatou.page.set_viewport_size({"width": 1280, "height": 800})
        fatou.page.goto("/fr/bureau")
        fatou.page.locator("tbody tr", has_text="Awa (démo)").last.locator("a").first.click()
        fatou.page.wait_for_url("**/bureau/personnes/*")
        fatou.page.locator("tbody a").first.click()
        fatou.page.wait_for_url("**/bureau/papiers/**")
        fatou.page.wait_for_load_state("networkidle")
        self.snap(fatou.page, "viewer-fr-1280")
        nadia = Desk(self.visitor(), self.site)
        nadia.sign_in("nadia", "association")
        for name, address in OFFICE:
            self.keep(nadia.page, name, address, ("fr",))


def take_all(browser: Browser, out: Path) -> list[Path]:
    """The whole demonstration, made for this alone; those that the README shows are copied where it looks for them."""
    out.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="abri-pictures-") as folder:
        site, process = sites.start(Path(folder))
        try:
            album = Album(browser, site, out)
            album.kiosk()
            album.workers()
        finally:
            sites.stop(process)
    for name in SHOWN:
        size = (out / f"{name}.png").stat().st_size
        if size > HEAVIEST:
            raise SystemExit(f"{name}.png weighs {size} bytes: a picture of the repository weighs {HEAVIEST} at most")
        shutil.copyfile(out / f"{name}.png", PICTURES / f"{name}.png")
    return album.written


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", nargs="?", help="where a service answers, such as http://localhost:8000")
    parser.add_argument("paths", nargs="*", help="addresses on it")
    parser.add_argument("--out", type=Path, default=Path("build/screenshots"))
    parser.add_argument("--as-is", action="store_true", help="do not change the language of the addresses")
    parser.add_argument("--window", action="store_true", help="only what is seen without scrolling")
    chosen = parser.parse_args(arguments)
    if chosen.base and not chosen.paths:
        parser.error("say which addresses of that service")
    languages = None if chosen.as_is else LANGUAGES
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        if chosen.base:
            written = take(browser, shots(chosen.base, chosen.paths, languages), chosen.out, full=not chosen.window)
        else:
            written = take_all(browser, chosen.out)
        browser.close()
    for path in written:
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
