"""Every kiosk page, in French and Arabic, large and small: read by axe, measured, mirrored; and the whole way without any script."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.journeys import every_page
from tests.journeys.conftest import LARGE, SMALL, NewPage
from tests.journeys.navigators import Desk, Kiosk
from tests.journeys.page_rules import Rules
from tests.journeys.site import Site
from vault.assets.manifest import BUILT

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]

# A contrast of seven is one of four and a half as well. Nothing is fetched twice: no style of ours looks at how a screen is held
# (tests/web/test_styles.py), and what would play by itself is looked for here.
AXE = """async contrast => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const rules = {'target-size': {enabled: true}, 'color-contrast': {enabled: contrast === 'AA'},
    'color-contrast-enhanced': {enabled: contrast === 'AAA'}};
  const options = {runOnly: {type: 'tag', values: tags}, rules, resultTypes: ['violations'], preload: false};
  const found = await axe.run(document, options);
  return found.violations.map(one => [one.id, one.nodes.map(node => node.target.join(' ') + ' ' + node.failureSummary)]);
}"""


def axe_script() -> str:
    """axe-core, as the build took it from its package."""
    found = sorted((BUILT / "test").glob("axe*.js"))
    assert found, "make assets"
    return found[0].read_text()


SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select')]
    .filter(one => one.checkVisibility() && !one.closest('label') && !one.matches('.skip, .inline'))
    .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && (box.width < 47.5 || box.height < 47.5)).map(([text]) => text)"""


def check(
    page: Page, address: str, script: str, sizes: Sequence[dict[str, int]] = (LARGE,), read: dict[str, int] | None = None,
    *, at_work: bool = False,
) -> list[str]:  # fmt: skip
    """What is wrong with the page that is open, in a window of each size; axe reads in all of them, or in `read` alone.

    `at_work`: a page of the desk or the office, which is denser: a mouse is there, and a contrast of four and a half.
    """
    page.evaluate(script)
    wrong = [f"{address}: plays by itself"] if page.locator("[autoplay]").count() else []
    wrong += [] if page.locator("h1").count() == 1 else [f"{address}: {page.locator('h1').count()} headings"]
    for size in sizes:
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.evaluate(SETTLED)
        place = f"{address} ({size['width']})"
        if page.evaluate(SIDEWAYS):
            wrong.append(f"{place}: scrolls sideways")
        wrong += [] if at_work else [f"{place}: small target {one}" for one in page.evaluate(SMALL_TARGETS)]
        if read not in (None, size):
            continue
        # What is under the bar of the foot can be scrolled to: axe looks at a window as tall as the page.
        page.set_viewport_size({"width": size["width"], "height": page.evaluate("document.documentElement.scrollHeight + 200")})
        wrong += [f"{place}: {json.dumps(one)}"[:600] for one in page.evaluate(AXE, "AA" if at_work else "AAA")]
    page.set_viewport_size({"width": sizes[0]["width"], "height": sizes[0]["height"]})
    return wrong


def walk(page: Page, site: Site, language: str, read: dict[str, int], rules: Rules | None = None) -> list[str]:
    """Every page, asked for once and measured in both windows: a page knows its width from the browser alone."""
    script, wrong = axe_script(), []
    page.context.set_default_timeout(40_000)
    for address in every_page.every(Kiosk(page, site, language)):
        wrong += [f"{address}: {one}" for one in rules.broken()] if rules else []
        wrong += check(page, address, script, (LARGE, SMALL), read)
    return wrong


def test_axe_measures_and_rules_in_french(site: Site, new_page: NewPage) -> None:
    """axe takes its time: it reads each page small in French and large in Arabic."""
    page = new_page(size=LARGE)
    rules = Rules(page, site)
    assert walk(page, site, "fr", SMALL, rules) == []
    assert rules.saved == []  # SAFE-11: looking saves no file
    assert len(rules.voices) > 100
    assert rules.silent() == []


def test_axe_and_measures_in_arabic(site: Site, new_page: NewPage) -> None:
    """The other way round: large."""
    assert walk(new_page(size=LARGE), site, "ar", LARGE) == []


# Reached after a deed that those who walk every page do not do; each has tests of its own.
AFTER_A_DEED = frozenset({
    "je-suis-la", "ouvrir/feuillet", "autre-abri/code", "autre-abri/images",
    "perdu/code", "perdu/images", "perdu/carte", "ajouter/telephone/arrive", "ajouter/temps",
    "ajouter/sorte", "montrer/mots", "montrer/comment", "montrer/fait", "demandes/papier", "partages/menage",
    "partages/toujours-oui", "debloquer", "debloquer/images", "reouverture", "suite/autre", "accompagne", "accompagne/attente",
    "accompagne/images", "avec-aide", "avec-aide/montrer/qui", "avec-aide/montrer/pourquoi", "avec-aide/montrer/temoin",
    "avec-aide/montrer/accord", "avec-aide/montrer/attente", "avec-aide/montrer/encore", "copie", "lien/papiers",
    "envoyer/mots", "envoyer/fait", "emporter/pret", "emporter/telephone", "tel-tout", "apporter/fait",
    "apres-un-deces/attente", "apres-un-deces/feuille", "apres-un-deces/papiers", "droits/rien-ne-bouge", "moi/nouveau/oui",
    "moi/carte/oui",
    "proteger/nouveau/carte", "proteger/nouveau/code", "proteger/nouveau/images", "proteger/nouveau/oui", "proteger/revue",
})  # fmt: skip
NO_PAGE_OF_A_SCREEN = re.compile(r".*/(imprimer|carre|fichier|recus|lettres)$")


def test_no_page_is_forgotten() -> None:
    """A new address is walked to, or stands on the list of those that need a deed; and that list names nothing that is not there."""
    there = {one for one in every_page.addresses_of_pages() if not NO_PAGE_OF_A_SCREEN.fullmatch(one)}
    walked = {one.partition("?")[0] for one in every_page.PUBLIC + every_page.OPEN} | every_page.WALKED
    walked = {re.sub(r"/\d$", "", one) for one in walked}
    assert there - walked - AFTER_A_DEED == set()
    assert AFTER_A_DEED - there == set()


def test_arabic_is_the_mirror_of_french(site: Site, new_page: NewPage) -> None:
    """L10N-02: what stands at the start in French stands at the start in Arabic, to two pixels."""
    french, arabic = Kiosk(new_page(), site, "fr"), Kiosk(new_page(), site, "ar")
    for address in ("carte/autrement", "perdu", "ouvrir/avant/2"):
        places = []
        for kiosk in (french, arabic):
            kiosk.go(address)
            assert kiosk.page.locator("html").get_attribute("dir") == ("rtl" if kiosk is arabic else "ltr")
            box = kiosk.page.locator("a.control").first.bounding_box()
            assert box is not None
            places.append(box)
        left, right = places
        assert abs(left["x"] - (LARGE["width"] - right["x"] - right["width"])) <= 2, address


def test_real_fonts_of_ours_are_used(site: Site, new_page: NewPage) -> None:
    """L10N-03: no square for a letter: the font that the browser really used is one that we serve."""
    for language, family in (("fr", "Atkinson"), ("ar", "Noto Sans Arabic")):
        kiosk = Kiosk(new_page(), site, language)
        kiosk.go("perdu")
        session = kiosk.page.context.new_cdp_session(kiosk.page)
        session.send("DOM.enable")
        session.send("CSS.enable")
        root = session.send("DOM.getDocument")["root"]["nodeId"]
        node = session.send("DOM.querySelector", {"nodeId": root, "selector": "h1"})["nodeId"]
        fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        assert fonts
        assert all(font["isCustomFont"] for font in fonts)
        assert any(family in font["familyName"] for font in fonts), fonts


def test_a_safe_is_opened_without_any_script(site: Site, new_page: NewPage) -> None:
    """A11Y-07: five cards, a name, a drawing, a code twice, later, a card; then a paper; in Arabic, with scripts off."""
    samples = Path(__file__).parents[3] / "shared" / "samples"
    kiosk = Kiosk(new_page(js=False, size=SMALL), site, "ar")
    page = kiosk.page
    kiosk.go("ouvrir/avant/1")
    for number in range(2, 6):
        page.locator(f"a[href$='/ouvrir/avant/{number}']").click()
    page.locator("button[name=accept]").click()
    page.locator("input[name=name]").fill("محمد (2)")
    page.locator("main form button[type=submit]").first.click()
    page.locator("button[name=drawing]").first.click()
    for _ in range(2):
        page.locator("input[name=code]").fill("739164")
        page.locator("button[type=submit][data-plain]").click()
    page.wait_for_url("**/ouvrir/confiance")
    page.locator("button[name=guardian][value=later]").click()
    page.wait_for_url("**/ouvrir/carte")
    page.locator("input[type=file]").set_input_files(site.blank_card(2))
    page.locator("form[enctype='multipart/form-data'] button[type=submit]").click()
    page.wait_for_url("**/ouvrir/feuillet")
    page.locator("button[name=done]").click()
    page.wait_for_url("**/maison")
    assert page.locator("bdi", has_text="محمد (2)").count() == 1
    if not samples.exists():
        pytest.skip("needs the shared samples beside the repository")
    for name in (
        "Portrait_3.jpg",
        "example.heic",
        "hopper.png",
        "hopper.webp",
        "multipage.tiff",
        "annotation-fileattachment.pdf",
    ):
        kiosk.go("ajouter/fichier")
        page.locator("input[type=file]").set_input_files(samples / name)
        page.locator("form[enctype='multipart/form-data'] button[type=submit]").click()
        page.wait_for_url("**/ajouter/lire*", timeout=40_000)
        page.locator("a[href*='/ajouter/tiroir']").first.click()
        page.locator("button[name=shelf]").first.click()
        page.wait_for_url("**/ajouter/sorte*")
        page.locator("button[name=kind]").first.click()
        page.wait_for_url("**/papiers*")
    assert page.locator("a.paper").count() == 6
    for name, words in (
        ("truncated_image.png", "لا نستطيع قراءة هذه الورقة"), ("decompression_bomb.gif", "لا نستطيع قراءة هذه الورقة"),
        ("encrypted-attachment.pdf", "هذه الورقة محمية بكلمة سر"),
    ):  # fmt: skip
        kiosk.go("ajouter/fichier")
        page.locator("input[type=file]").set_input_files(samples / name)
        page.locator("form[enctype='multipart/form-data'] button[type=submit]").click()
        assert words in page.locator("#errors").inner_text(), name
    kiosk.go("papiers")
    assert page.locator("a.paper").count() == 6
    kiosk.finish()


def tab_to(page: Page, where: str, *, most: int = 4) -> None:
    """Go on by the tabulator until the focus stands on a link whose address has this in it, and is seen to stand there."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if where in page.evaluate("document.activeElement.getAttribute('href') || ''"):
            break
    assert where in page.evaluate("document.activeElement.getAttribute('href') || ''"), where
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2")


def by_keys_alone(page: Page) -> None:
    """From the list to the second page of a paper, and on to the requests, without the mouse: a filter, arrows, and keys of the menu."""
    page.goto("/fr/bureau")
    page.keyboard.press("/")
    page.keyboard.type("awa")
    tab_to(page, "/personnes/")
    page.keyboard.press("Enter")
    page.wait_for_url("**/personnes/*")
    page.keyboard.press("/")
    page.keyboard.type("impôt")
    assert page.locator("tbody tr:visible").count() == 1
    tab_to(page, "/papiers/")
    page.keyboard.press("Enter")
    page.wait_for_url("**/papiers/**")
    first = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url != first)
    assert "page 2" in page.locator("h1").inner_text()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(lambda url: "2" not in url.rpartition("?")[2])
    page.locator("a[accesskey='2']").press("Enter")
    page.wait_for_url("**/bureau/demandes")


def test_the_desk_and_the_office_are_read_by_axe(site: Site, new_page: NewPage) -> None:
    script, wrong = axe_script(), []
    desk = Desk(new_page(), site)
    desk.sign_in("fatou")
    for address in (
        "bureau", "bureau/demandes", "bureau/demandes/carte", "bureau/deposer", "bureau/confiance", "bureau/accompagner",
        "bureau/accompagner/temoin",
        "bureau/bloquer", "bureau/actes", "bureau/carte/numero",
        "bureau/nouveau", "bureau/bientot", "bureau/carte", "bureau/carte/envois", "bureau/aide", "bureau/aide/premiers-pas",
        "bureau/aide/quoi-dire", "bureau/aide/clavier", "bureau/aide/charte", "bureau/demarches", "bureau/demarches/logement-social",
    ):  # fmt: skip
        desk.page.goto(f"/fr/{address}")
        wrong += check(desk.page, address, script, at_work=True)
    by_keys_alone(desk.page)
    office = Desk(new_page(), site)
    office.sign_in("nadia", "association")
    for address in (
        "association",
        "association/personnel",
        "association/structures",
        "association/bornes",
        "association/registre",
        "association/trace",
        "association/demarches",
        "association/demarches/dalo",
        "association/demarches/dalo/ligne/identite",
        "association/demarches/dalo/ligne/nouvelle",
        "association/demarches/dalo/avant/0",
    ):
        office.page.goto(f"/fr/{address}")
        wrong += check(office.page, address, script, at_work=True)
    assert wrong == []
