"""The nine minutes that a new user is shown, done in a browser by the three of them: somebody at the kiosk, workers, administrators."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import NewPage
from tests.journeys.navigators import Desk, Kiosk
from tests.journeys.site import Site

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("tour")]


def add_a_paper(kiosk: Kiosk, file: Path) -> None:
    """From a USB key: give it, look at it, put it away."""
    kiosk.go("ajouter/fichier")
    kiosk.page.locator("input[type=file]").set_input_files(file)
    kiosk.page.locator("form[enctype='multipart/form-data'] button[type=submit]").click()
    kiosk.page.wait_for_url("**/ajouter/lire*")
    assert kiosk.heading().startswith("On lit bien")
    kiosk.press("Oui, garder")
    kiosk.page.wait_for_url("**/ajouter/tiroir*")
    kiosk.page.locator("button[name=shelf]").first.click()
    kiosk.page.wait_for_url("**/ajouter/sorte*")
    kiosk.page.locator("button[name=kind]").first.click()
    kiosk.page.wait_for_url("**/papiers*")


@pytest.fixture
def site(own_site: Site) -> Site:
    """Shares are stopped here that other journeys look at."""
    return own_site


def test_a_paper_is_added_shown_seen_and_taken_back(site: Site, new_page: NewPage) -> None:
    """Given Awa and Fatou, When Awa adds a paper and gives the one that Fatou asks for, Then Fatou sees it, until Awa says stop."""
    # Given
    awa, fatou = Kiosk(new_page(), site), Desk(new_page(), site)
    awa.open("awa")
    assert awa.heading() == "Mes papiers"
    awa.go("regards/imprimer")
    expect(awa.page.locator("body")).to_contain_text("Un essai d'ouverture n'a pas marché.")
    if not SAMPLES.exists():
        pytest.skip("needs the shared samples beside the repository")
    add_a_paper(awa, SAMPLES / "Landscape_6.jpg")
    expect(awa.page.locator("main")).to_contain_text("Le papier est gardé.")

    # When
    awa.go("demandes")
    assert awa.heading() == "Fatou Diallo (démo) vous demande un papier"
    awa.press("Je donne")
    awa.page.wait_for_url("**/demandes/papier")
    awa.page.locator("button[name=paper]").first.click()
    awa.page.wait_for_url("**/montrer/comment")
    awa.page.locator("button[name=how][value=see]").click()
    awa.page.wait_for_url("**/montrer/accord")
    expect(awa.page.locator("main")).to_contain_text("Qui voit peut aussi photographier.")
    awa.press("Oui, je suis d'accord")
    awa.page.wait_for_url("**/demandes?dit=donne")

    # Then
    fatou.sign_in("fatou")
    expect(fatou.page.locator("h1")).to_have_text("Les personnes qui me montrent des papiers")
    rows = fatou.page.locator("tbody tr", has_text="Awa (démo)")
    assert rows.count() == 2
    rows.last.locator("a").first.click()
    fatou.page.wait_for_url("**/bureau/personnes/*")
    fatou.page.locator("tbody a").first.click()
    fatou.page.wait_for_url("**/bureau/papiers/**")
    shown = fatou.page.locator("img.viewer-page")
    assert shown.evaluate("image => image.complete && image.naturalWidth > 600")
    viewer = fatou.page.url

    awa.go("regards")
    expect(awa.page.locator("main")).to_contain_text("Fatou Diallo (démo)")
    awa.go("partages")
    stops = awa.page.locator("a", has_text=re.compile("Arrêter avec.*Fatou"))
    assert stops.count() == 2
    stops.first.click()
    awa.page.wait_for_url("**/arreter")
    awa.press("Oui, arrêter")
    awa.page.wait_for_url(re.compile("/partages"))
    assert stops.count() == 0, "stopping with somebody stops all that they see"

    answer = fatou.page.goto(viewer)
    assert answer is not None
    assert answer.status == 404
    expect(fatou.page.locator("h1")).to_have_text("Ce papier n'est pas ou plus montré")
    awa.finish()


def test_a_paper_is_printed(site: Site, new_page: NewPage) -> None:
    """ "Vous pouvez m'imprimer mon récépissé ?": a PDF of page images, each under the ribbon of the demonstration."""
    mariam = Kiosk(new_page(), site, "ar")
    mariam.open("mariam")
    mariam.go("papiers")
    mariam.page.locator("a.paper").first.click()
    mariam.page.wait_for_url("**/papiers/*")
    answer = mariam.page.request.get(mariam.page.url + "/imprimer/papier.pdf")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")
    assert len(answer.body()) > 20_000
    with pikepdf.open(io.BytesIO(answer.body())) as printed:
        for sheet in printed.pages:
            image = pikepdf.PdfImage(next(iter(sheet.get_images().values()))).as_pil_image().convert("RGB")
            red, green, blue = image.getpixel((image.width - 3, 3))
            assert (red > 150, green < 80, blue < 90) == (True, True, True), "no ribbon"


def test_viktor_comes_back_with_two_desks(site: Site, new_page: NewPage) -> None:
    """Given a blocked card and two guardians, When both type the kiosk's code, Then Viktor has his papers on a new card."""
    viktor = Kiosk(new_page(), site, "en")
    viktor.start()
    viktor.go("perdu/raison/stolen")
    viktor.page.locator("form button[type=submit]").click()
    viktor.page.wait_for_url("**/perdu/attente")
    expect(viktor.page.locator("main")).to_contain_text(re.compile(r"\d{6}"))
    code = viktor.page.locator(".number").inner_text().strip()
    assert re.fullmatch(r"\d{6}", code.replace(" ", ""))

    for who in ("fatou", "marc"):
        desk = Desk(new_page(), site)
        desk.sign_in(who)
        desk.page.goto("/fr/bureau/confiance")
        desk.page.locator("li, tr", has_text="Viktor (démo)").locator("a").first.click()
        desk.page.wait_for_url("**/bureau/confiance/*")
        desk.page.locator("[name=code]").fill(code.replace(" ", ""))
        desk.page.locator("[name=where][value=beside]").check()
        desk.page.locator("main form button[type=submit]").first.click()
        desk.page.wait_for_load_state()

    viktor.go("perdu/attente")
    viktor.page.wait_for_url("**/perdu/code")
    for _ in range(2):
        viktor.type_code("739164")
    viktor.page.wait_for_url("**/perdu/carte")
    viktor.page.locator("input[type=file]").set_input_files(site.blank_card(1))
    viktor.page.locator("form[enctype='multipart/form-data'] button[type=submit]").click()
    viktor.page.wait_for_url("**/maison")
    expect(viktor.page.locator("main")).to_contain_text("3")
    viktor.finish()

    thief = Kiosk(new_page(), site, "en")
    thief.show_card(site.card("viktor"))
    thief.type_code(site.person("viktor")["code"])
    assert thief.heading() == "It did not work"
    assert "/maison" not in thief.page.url


def test_an_erasure_is_approved_by_two(site: Site, new_page: NewPage) -> None:
    """Given a request that Nadia approved, Then she cannot approve it twice, Hugo can, and no name is on any page."""
    nadia, hugo = Desk(new_page(), site), Desk(new_page(), site)
    nadia.sign_in("nadia", "association")
    nadia.page.goto("/fr/association/registre")
    expect(nadia.page.locator("h1")).to_have_text("Demandes à traiter")
    assert "Salif" not in nadia.page.content()
    hugo.sign_in("hugo", "association")
    hugo.page.goto("/fr/association/registre")
    links = hugo.page.locator("tbody a")
    approved = False
    for number in range(links.count()):
        hugo.page.goto("/fr/association/registre")
        hugo.page.locator("tbody a").nth(number).click()
        hugo.page.wait_for_url("**/registre/*")
        button = hugo.page.locator("form[action$='/approuver'] button[type=submit]")
        if button.count() and "Nadia" in hugo.page.locator("main").inner_text():
            address = hugo.page.url
            button.first.click()
            hugo.confirm("hugo")
            approved = True
            nadia.page.goto(address)
            assert nadia.page.locator("form[action$='/approuver']").count() == 0
            break
    assert approved


def test_anybody_counts_the_trace_again(site: Site) -> None:
    """The last step, in a terminal: the history of everything is counted from its rows, and no name stands in any store."""
    for command, said in ((("trace", "verify"), " 0 faults."), (("search", "Mariam"), "0 places")):
        environment = {**os.environ, "ABRI_MODE": "demo", "ABRI_FOLDER": str(site.folder / "data")}
        done = subprocess.run(
            [sys.executable, "-m", "vault", *command], env=environment, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert said in " ".join(done.stdout.split()), done.stdout
        assert not done.stdout.startswith("0 entries")
