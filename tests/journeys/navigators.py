"""What people do, in the words of the pages: the journeys read like the script of `docs/demonstration`."""

from pathlib import Path

from playwright.sync_api import Page

from tests.journeys.site import Site
from vault.assets.manifest import read_assets
from vault.languages import FIRST_STRONG_ISOLATE, POP_ISOLATE, catalogues, read_catalogues
from vault.web.pages import Frame, Pages
from vault.web.shell import error_values


def refuse_once(page: Page, address: str, status: int) -> None:
    """What the service answers when its store is down, to the next form that is posted there."""
    pages = Pages(assets=read_assets(), catalogues=read_catalogues())
    frame = Frame("fr", help="/fr/aide", languages="/", finish="/fr/fin", leave="/sortir")
    body = pages.render("error.html", frame, home="/fr/", **error_values(pages, status, "error.store-down"))

    page.route(address, lambda route: route.fulfill(status=status, content_type="text/html", body=body), times=1)


class Kiosk:
    """Somebody at the shared computer."""

    def __init__(self, page: Page, site: Site, language: str = "fr") -> None:
        self.page, self.site, self.language = page, site, language

    def start(self) -> None:
        """Sit down at an enrolled kiosk: its start page says what it has."""
        self.page.goto(self.site.access["kiosk"])

    def go(self, address: str) -> None:
        """Open an address in the person's language."""
        self.page.goto(f"/{self.language}/{address}")

    def words(self, key: str, **values: str) -> str:
        """A sentence as the person's language has it, without the marks that keep values apart."""
        said = catalogues()[self.language].plain(key, **values)
        return said.translate({ord(FIRST_STRONG_ISOLATE): None, ord(POP_ISOLATE): None})

    def heading(self) -> str:
        """The question of the page."""
        return self.page.locator("h1").inner_text()

    def show_card(self, card: Path) -> None:
        """Give a photo of the card, as one does without camera."""
        self.go("carte/autrement")
        self.page.locator("input[type=file]").set_input_files(card)
        self.page.locator("form[enctype='multipart/form-data'] button[type=submit]").click()
        self.page.wait_for_url("**/code")

    def type_code(self, code: str) -> None:
        """Six digits, in the field itself."""
        self.page.locator("input[name=code]").fill(code)
        self.page.locator("input[name=code]").press("Enter")

    def open(self, who: str) -> None:
        """Card, then code or pictures."""
        self.show_card(self.site.card(who))
        person = self.site.person(who)
        if person["pictures"]:
            self.go("images")
            self.touch(person["pictures"])
        else:
            self.type_code(person["code"])
        self.page.wait_for_url("**/maison")

    def touch(self, pictures: list[int]) -> None:
        """Five pictures in their order: by touching, or in the lists when scripts are off."""
        selects = self.page.locator("select[name^=picture_]")
        for number, picture in enumerate(pictures, start=1):
            self.page.locator(f"select[name=picture_{number}]").select_option(str(picture), force=True)
        assert selects.count() == 5
        self.page.locator("form.form button[type=submit].button-main").click()

    def press(self, text: str) -> None:
        """A button or a link, by its words."""
        self.page.get_by_text(text, exact=True).first.click()

    def finish(self) -> None:
        """J'ai fini."""
        self.page.locator(".control-done").click()
        self.page.wait_for_url("**/fin")


class Desk:
    """A worker at their own computer."""

    def __init__(self, page: Page, site: Site, language: str = "fr") -> None:
        self.page, self.site, self.language = page, site, language

    def sign_in(self, who: str, door: str = "bureau") -> None:
        """Name of entry, six words, six digits."""
        worker = self.site.worker(who)
        self.page.goto(f"/{self.language}/{door}/entrer")
        self.page.locator("[name=code]").fill(worker["code"])
        self.page.locator("[name=words]").fill(worker["words"])
        self.page.locator("[name=totp]").fill(self.site.six_digits(who))
        self.page.locator("main button[type=submit]").first.click()
        self.page.wait_for_url(f"**/{door}")

    def confirm(self, who: str) -> None:
        """It is really them: six words again, and back to where the act began."""
        self.page.locator("[name=words]").fill(self.site.worker(who)["words"])
        self.page.locator("main button[type=submit]").first.click()
        self.page.locator("[name=asked]").wait_for(state="detached")
