"""A1 of the acceptance scenarios: a morning of ten, without reading. One kiosk with a camera and no printer, nobody at a desk."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Playwright
from sqlalchemy import func, select

from storage.tables import metadata, workers
from tests.browser import CHROMIUM
from tests.journeys.conftest import QUIET
from tests.journeys.house import Hands, hands
from tests.vault.builders import make_office, todays_conditions
from tests.vault.clock import Clock
from tests.vault.conftest import clock, confinement, house, reading_house
from tests.vault.scenes import on_a_table, qr, saved
from vault import cards, documents, kiosks, people, sessions, unlocking
from vault.cards import Card
from vault.context import Context
from vault.kiosks import Equipment

__all__ = ["clock", "confinement", "hands", "house", "reading_house"]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("a1")]
MOST_TAPS, MOST_SECONDS = 25, 4 * 60  # of an opening, listening apart
NO = 4  # the place in the queue of whoever says "pas aujourd'hui"
LANGUAGES = ("fr", "ar", "fr", "en", "fr", "ar", "fr", "fr", "ar", "fr")
WITH_PICTURES, WHO_PRINTS = 6, 2
CODE, PICTURES = "739164", (3, 5, 7, 0, 2)
# Voices run sixteen times as fast: nobody here needs to understand them, and each is heard to its end.
HURRY = """() => { const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () { if (this.localName === "audio") this.playbackRate = 16; return play.call(this); }; }"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera of the kiosk sees: a film of one picture, read anew each time that a page opens the camera."""
    return tmp_path_factory.mktemp("camera") / "seen.mjpeg"


@pytest.fixture(scope="module")
def chromium(driver: Playwright, seen: Path) -> Iterator[Browser]:
    """A browser whose camera sees that film; its back/forward cache is on."""
    show(seen, Image.new("RGB", (640, 480), "white"))
    film = [f"--use-file-for-fake-video-capture={seen}", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    browser = driver.chromium.launch(
        executable_path=CHROMIUM, args=[*QUIET, *film], ignore_default_args=["--disable-back-forward-cache"]
    )
    yield browser
    browser.close()


def show(film: Path, picture: Image.Image) -> None:
    """Hold something in front of the camera."""
    frame = Image.new("RGB", (1280, 720), (90, 80, 70))
    picture = picture.convert("RGB")
    picture.thumbnail((1200, 680))
    frame.paste(picture, ((1280 - picture.width) // 2, (720 - picture.height) // 2))
    film.write_bytes(saved(frame, "JPEG", quality=92) * 4)


class Visitor:
    """One of ten: touches what they see, and is counted."""

    def __init__(self, hands: Hands, language: str, card: Card, pictures: bool) -> None:
        self.hands, self.page, self.language, self.card, self.pictures = hands, hands.page, language, card, pictures
        self.taps = self.heard = 0
        self.began, self.listened = time.monotonic(), 0.0

    @property
    def spent(self) -> float:
        """Seconds since they came, listening apart."""
        return time.monotonic() - self.began - self.listened

    def tap(self, selector: str, there: str | re.Pattern[str] | None = None) -> None:
        self.page.locator(selector).first.click()
        self.taps += 1
        if there is not None:
            self.page.wait_for_url(there)

    def listen(self) -> None:
        """Écouter, to the end; listening is counted apart."""
        began = time.monotonic()
        self.page.locator("header [data-listen]").click()
        self.page.locator("header [data-listen][aria-pressed='true']").wait_for()
        self.page.locator("header [data-listen][aria-pressed='false']").wait_for(timeout=20_000)
        assert "/fin" not in self.page.url, "a session ended while a voice spoke"
        self.heard += 1
        self.listened += time.monotonic() - began

    def five_cards(self, yes: bool) -> None:
        """From the choice of a language to yes or no."""
        self.tap(f"a.language[lang={self.language}]", re.compile(f"/{self.language}/?$"))
        self.tap("a[href$='/ouvrir/avant/1']", "**/ouvrir/avant/1")
        for number in range(1, 5):
            self.listen()
            self.tap(f"a.choice-face[href*='/ouvrir/avant/{number + 1}']", f"**/ouvrir/avant/{number + 1}*")
        self.listen()
        if yes:
            self.tap("button[name=accept]", "**/ouvrir/nom")
        else:
            self.tap("a[href$='/pas-aujourdhui']", "**/pas-aujourdhui")

    def choose_secret(self) -> None:
        """Six digits, or five pictures, twice."""
        if self.pictures:
            self.tap("a[href$='/ouvrir/images']", "**/ouvrir/images")
        for _ in range(2):
            if self.pictures:
                self._pictures()
            else:
                for digit in CODE:
                    self.tap(f"[data-digit='{digit}']")
                self.tap(".pad-go")
            self.page.wait_for_load_state()
        self.page.wait_for_url("**/ouvrir/confiance")

    def _pictures(self) -> None:
        for picture in PICTURES:
            self.tap(f"[data-picture='{picture}']")
        self.tap("main form.form button[type=submit].button-main")

    def open_a_safe(self, film: Path) -> None:
        """No name, a drawing, a secret, nobody of trust yet, and the card in front of the camera."""
        self.tap("button[name=skip]", "**/ouvrir/dessin")
        self.tap("button[name=drawing]", "**/ouvrir/code")
        self.choose_secret()
        show(film, qr(self.card.text, scale=8))
        self.tap("button[name=guardian][value=later]", re.compile("/ouvrir/(carte|feuillet)"))
        self.page.wait_for_url("**/ouvrir/feuillet")  # the camera has read the card: nobody touched anything
        self.tap("button[name=done]", "**/maison")

    def add_a_paper(self, film: Path) -> None:
        """A sheet that lies askew on a table: taken, read again, put into a drawer. Six taps at most (CAP-01)."""
        before = self.taps
        show(film, on_a_table([(310, 160), (1130, 240), (1060, 1790), (230, 1700)], size=(1400, 1900)).rotate(90, expand=True))
        self.hands.page.goto(f"/{self.language}/ajouter")
        self.tap("a[href$='/ajouter/photo']", "**/ajouter/photo")
        self.page.locator("[data-shutter]:not([disabled])").wait_for()
        self.tap("[data-shutter]", "**/ajouter/lire*")
        self.tap("a[href*='/ajouter/tiroir']", "**/ajouter/tiroir*")
        self.tap("button[name=shelf]", re.compile("/(ajouter/sorte|papiers)"))
        if "/ajouter/sorte" in self.page.url:
            self.tap("button[name=kind]", "**/papiers*")
        assert self.taps - before <= 6

    def leave(self) -> None:
        """J'ai fini."""
        self.page.locator(".control-done").click()
        self.page.wait_for_url("**/fin")
        assert self.page.locator("main a.language").count() == 3, "the next one waits for nothing"


def counts(house: Context) -> dict[str, int]:
    """How many rows each table has."""
    with house.database.transaction(read_only=True) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def files(house: Context) -> list[str]:
    """Every blob."""
    return sorted(held.name for held in house.blobs.inventory())


def shows_nothing(visitor: Visitor) -> None:
    """Between two people: Back three times, Forward, a second tab."""
    page = visitor.page
    for _ in range(3):
        page.go_back(wait_until="commit")
        page.wait_for_load_state()
        assert page.locator("a.paper, button[name=shelf], a[href$='/ajouter/photo']").count() == 0, page.url
    page.go_forward(wait_until="commit")
    page.wait_for_load_state()
    assert page.locator("a.paper, button[name=shelf]").count() == 0
    second = page.context.new_page()
    answer = second.goto(f"/{visitor.language}/papiers")
    assert answer is not None
    assert answer.status == 401
    second.close()


def test_a1_a_morning_of_ten_without_reading(
    reading_house: Context, clock: Clock, hands: Callable[[], Hands], seen: Path, capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Given a kiosk with a camera, When ten come one after the other, Then nine have a safe with a paper, and one was never here."""
    house, office = reading_house, make_office(reading_house)
    start = f"/borne/{kiosks.enrol(house, office.admin, office.structure, 'poste', Equipment(True, False, False, True))}"
    printing = f"/borne/{kiosks.enrol(house, office.admin, office.structure, 'bureau', Equipment(True, True, True, True))}"
    blank = cards.new_cards(10)
    one = hands()
    one.page.add_init_script(f"({HURRY})()")
    opened: list[Visitor] = []
    for place, (language, card) in enumerate(zip(LANGUAGES, blank, strict=True)):
        visitor = Visitor(one, language, card, pictures=place == WITH_PICTURES)
        one.page.goto(start)
        before = (counts(house), files(house))
        caplog.clear()
        capfd.readouterr()
        visitor.five_cards(yes=place != NO)
        if place == NO:
            assert (counts(house), files(house)) == before, "whoever says no leaves nothing"
            assert (caplog.records, *capfd.readouterr()) == ([], "", ""), "nor does the service say anything of them"
            continue
        visitor.open_a_safe(seen)
        assert visitor.taps <= MOST_TAPS, visitor.taps
        assert visitor.spent <= MOST_SECONDS, visitor.spent
        assert visitor.heard == 5
        visitor.add_a_paper(seen)
        visitor.leave()
        shows_nothing(visitor)
        opened.append(visitor)
    prints(opened[WHO_PRINTS], printing)
    told = todays_conditions(house)
    for visitor in opened:
        shown = sessions.find(house, unlocking.present_card(house, None, visitor.card.text))
        cookie = (
            unlocking.unlock_with_pictures(house, shown, PICTURES) if visitor.pictures else unlocking.unlock(house, shown, CODE)
        )
        session = sessions.find(house, cookie)
        said = people.conditions(house, session)
        assert (said.language, said.heard, said.version) == (visitor.language, True, told)
        assert len(documents.list_papers(house, session)) == 1
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(func.count()).select_from(workers)).scalar_one() == 0, "and nobody worked there"


def test_who_skips_a_card_is_not_written_down_as_having_heard_them(
    reading_house: Context, clock: Clock, hands: Callable[[], Hands]
) -> None:  # fmt: skip
    """A yes says "read aloud" of whoever heard all five to their end, and of nobody else; also after a step back."""
    one = hands()
    one.page.add_init_script(f"({HURRY})()")
    visitor = Visitor(one, "fr", cards.new_cards(1)[0], pictures=False)
    told = visitor.page.locator("input[name=heard]")
    one.page.goto("/fr/ouvrir/avant/1")
    for number in range(1, 5):
        if number != 3:  # the card that is passed in silence
            visitor.listen()
        visitor.tap(f"a.choice-face[href*='/ouvrir/avant/{number + 1}']", f"**/ouvrir/avant/{number + 1}*")
    visitor.listen()
    assert told.count() == 0
    one.page.goto("/fr/ouvrir/avant/3?entendu=2")
    visitor.listen()
    visitor.tap("a.choice-face[href*='/ouvrir/avant/4']", "**/ouvrir/avant/4*")
    visitor.tap("a.control[href*='/ouvrir/avant/3']", "**/ouvrir/avant/3*")
    for number in (3, 4):
        visitor.listen()
        visitor.tap(f"a.choice-face[href*='/ouvrir/avant/{number + 1}']", f"**/ouvrir/avant/{number + 1}*")
    visitor.listen()
    assert told.count() == 1


def prints(visitor: Visitor, kiosk: str) -> None:
    """The office's printer: the same card, the same code, one paper on a sheet."""
    page = visitor.page
    page.goto(kiosk)
    visitor.hands.language = visitor.language
    visitor.hands.show_card(visitor.card.text)
    visitor.hands.type_code(CODE)
    page.wait_for_url("**/maison")
    visitor.hands.go("papiers")
    page.locator("a.paper").first.click()
    page.wait_for_url(re.compile(r"/papiers/[0-9a-f-]{36}$"))
    answer = page.request.get(f"{page.url}/imprimer/papier.pdf")
    assert answer.status == 200
    assert answer.body().startswith(b"%PDF-")
    visitor.leave()
