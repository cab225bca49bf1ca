"""The nine minutes that a new user is shown, done in a browser by the three of them: somebody at the kiosk, workers, administrators."""

import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
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
    expect(kiosk.page.locator("h1")).to_have_text(kiosk.words("k12.title"))
    kiosk.page.locator("a[href*='/ajouter/tiroir']").first.click()
    kiosk.page.wait_for_url("**/ajouter/tiroir*")
    kiosk.page.locator("button[name=shelf]").first.click()
    kiosk.page.wait_for_url("**/ajouter/sorte*")
    kiosk.page.locator("button[name=kind]").first.click()
    kiosk.page.wait_for_url("**/papiers*")


def abri(site: Site, *command: str) -> str:
    """What a command says in the terminal, once it has ended well."""
    environment = {**os.environ, "ABRI_MODE": "demo", "ABRI_FOLDER": str(site.folder / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "vault", *command], env=environment, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return " ".join(done.stdout.split())


def accounts_of(site: Site) -> set[str]:
    """The id of every account that is there."""
    with closing(sqlite3.connect(site.folder / "data" / "abri.sqlite3", timeout=20)) as rows:
        return {str(one) for (one,) in rows.execute("SELECT id FROM accounts")}


@pytest.fixture
def site(own_site: Site) -> Site:
    """Shares are stopped here that other journeys look at."""
    return own_site


def test_a_paper_is_added_shown_seen_and_taken_back(site: Site, new_page: NewPage, tmp_path: Path) -> None:
    """Given Awa and a worker, When Awa adds a paper and gives the one that is asked for, Then the worker sees it and no other, until
    Awa says stop; her receipts are true on any machine. In French, with the request that waits; then in Arabic, with another."""
    for language, who, name in (("fr", "fatou", "Fatou Diallo (démo)"), ("ar", "marc", "Marc Leroy (démo)")):
        shown_until_she_says_stop(site, new_page, tmp_path, language, who, name)


def shown_until_she_says_stop(site: Site, new_page: NewPage, folder: Path, language: str, who: str, name: str) -> None:
    """Awa's half in her language, the worker's in French."""
    # Given
    awa, worker = Kiosk(new_page(), site, language), Desk(new_page(), site)
    worker.sign_in(who)
    if who != "fatou":  # whose request waits from the first day
        worker.page.goto("/fr/bureau/demandes/nouvelle")
        worker.page.locator("main a[href*='/demandes/nouvelle/']").first.click()
        worker.page.locator("[name=kind][value=tax-notice]").check()
        worker.page.locator("main form button[type=submit]").first.click()
        worker.page.wait_for_url("**/bureau/demandes?dit=envoye")
    awa.open("awa")
    assert awa.heading() == awa.words("k10.title")
    assert awa.page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    awa.go("regards/imprimer")
    expect(awa.page.locator("body")).to_contain_text(awa.words("event.safe.attempt-failed"))
    if not SAMPLES.exists():
        pytest.skip("needs the shared samples beside the repository")
    add_a_paper(awa, SAMPLES / "Landscape_6.jpg")
    expect(awa.page.locator("main")).to_contain_text(awa.words("k13.saved"))

    # When
    awa.go("demandes")
    assert name in awa.heading()
    awa.page.locator("button[name=answer][value=give]").click()
    awa.page.wait_for_url("**/demandes/papier")
    awa.page.locator("button[name=paper]").first.click()
    awa.page.wait_for_url("**/montrer/comment")
    awa.page.locator("button[name=how][value=see]").click()
    awa.page.wait_for_url("**/montrer/accord")
    for line in awa.words("k15.text").splitlines():
        expect(awa.page.locator("main")).to_contain_text(line)
    awa.page.locator("button[name=answer][value=yes]").click()
    awa.page.wait_for_url("**/demandes?dit=donne")

    # Then
    worker.page.goto("/fr/bureau")
    expect(worker.page.locator("h1")).to_have_text("Les personnes qui me montrent des papiers")
    rows = worker.page.locator("tbody tr", has_text="Awa (démo)")
    assert rows.count() == 2
    lists = [str(one.get_attribute("href")) for one in rows.locator("a[href*='/bureau/personnes/']").all()]
    given = {}
    for address in lists:
        worker.page.goto(address)
        links = [str(one.get_attribute("href")) for one in worker.page.locator("tbody a[href*='/bureau/papiers/']").all()]
        given |= {address.rpartition("/")[2]: {link.rpartition("/")[2] for link in links}}
    worker.page.locator("tbody a").first.click()
    worker.page.wait_for_url("**/bureau/papiers/**")
    shown = worker.page.locator("img.viewer-page")
    assert shown.evaluate("image => image.complete && image.naturalWidth > 600")
    viewer = worker.page.url.partition("?")[0]
    share, paper = viewer.split("/")[-2:]
    assert paper in given[share]

    # ... another paper: nothing, by its page or by its image, and Awa reads that it was tried
    awa.go("papiers")
    hers = {str(one.get_attribute("href")).rpartition("/")[2] for one in awa.page.locator("a.paper").all()}
    others = sorted(hers - given[share])
    assert len(others) >= 5
    for other in others:
        tried = viewer.replace(paper, other)
        assert [worker.page.request.get(one).status for one in (tried, f"{tried}/page/1")] == [404, 404]
    worker.page.goto(viewer.replace(paper, others[0]))
    expect(worker.page.locator("h1")).to_have_text("Ce papier n'est pas ou plus montré")
    awa.go("regards/imprimer")
    expect(awa.page.locator("body")).to_contain_text(awa.words("event.paper.refused-to-worker", by_name=name))

    awa.go("regards")
    expect(awa.page.locator("main")).to_contain_text(name)
    receipts, keys = folder / "recus.json", folder / "cles.json"
    receipts.write_bytes(awa.page.request.get(f"/{language}/partages/recus").body())
    keys.write_bytes(awa.page.request.get("/cles.json").body())
    awa.go("partages")
    stops = awa.page.locator("main a[href$='/arreter']", has_text=name)
    assert stops.count() == 2
    stops.first.click()
    awa.page.wait_for_url("**/arreter")
    awa.page.locator("button[name=answer][value=yes]").click()
    awa.page.wait_for_url(re.compile("/partages"))
    assert stops.count() == 0, "stopping with somebody stops all that they see"

    answer = worker.page.goto(viewer)
    assert answer is not None
    assert answer.status == 404
    expect(worker.page.locator("h1")).to_have_text("Ce papier n'est pas ou plus montré")
    awa.finish()
    said = abri(site, "receipt", "verify", str(receipts), "--keys", str(keys))
    verified = re.search(r" OK \S+: (\d+) receipts are as signed", said)
    assert verified, said
    assert int(verified[1]) >= 5


@pytest.mark.parametrize(("language", "who", "name"), [("en", "viktor", "Viktor (démo)"), ("ar", "awa", "Awa (démo)")])
def test_somebody_comes_back_with_two_desks(
    site: Site, new_page: NewPage, tmp_path: Path, language: str, who: str, name: str
) -> None:
    """Given a stolen card and two guardians, When both type the kiosk's code, Then the papers are there on a new card, and the old
    one is a card of nobody's."""
    back = Kiosk(new_page(), site, language)
    back.start()
    back.go("perdu/raison/stolen")
    back.page.locator("form button[type=submit]").click()
    back.page.wait_for_url("**/perdu/attente")
    assert back.heading() == back.words("k23.code_title")
    expect(back.page.locator("main")).to_contain_text(re.compile(r"\d{6}"))
    code = back.page.locator(".number").inner_text().strip()
    assert re.fullmatch(r"\d{6}", code.replace(" ", ""))

    for guardian in ("fatou", "marc"):
        desk = Desk(new_page(), site)
        desk.sign_in(guardian)
        desk.page.goto("/fr/bureau/confiance")
        desk.page.locator("li, tr", has_text=name).locator("a").first.click()
        desk.page.wait_for_url("**/bureau/confiance/*")
        desk.page.locator("[name=code]").fill(code.replace(" ", ""))
        desk.page.locator("[name=where][value=beside]").check()
        desk.page.locator("main form button[type=submit]").first.click()
        desk.page.wait_for_load_state()

    back.go("perdu/attente")
    back.page.wait_for_url("**/perdu/code")
    for _ in range(2):
        back.type_code("739164")
    back.page.wait_for_url("**/perdu/carte")
    new_card = site.blank_card(1 if who == "viktor" else 2)
    back.page.locator("input[type=file]").set_input_files(new_card)
    back.page.locator("form[enctype='multipart/form-data'] button[type=submit]").click()
    back.page.wait_for_url("**/maison")
    back.go("papiers")
    assert back.page.locator("a.paper").count() >= 3
    back.finish()

    thief, stolen, known = Kiosk(new_page(), site, language), tmp_path / "volée.jpg", site.person(who)["code"]
    shutil.copy(site.card(who), stolen)
    shutil.copy(new_card, site.card(who))  # the other walks of this house open with what opens from now on
    site.person(who)["code"] = "739164"
    thief.show_card(stolen)
    thief.type_code(known)
    assert thief.heading() == thief.words("k09b.title")
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


def test_mariam_prints_a_paper_then_erases_everything(site: Site, new_page: NewPage, tmp_path: Path) -> None:
    """Given a paper that she prints (a PDF of page images, each under the ribbon of the demonstration) and a witness, When she says yes
    with her code, Then her card is nobody's, nothing of her account is in any store, and a certificate that anybody verifies says so."""
    # Given
    before = accounts_of(site)
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

    # When
    mariam.go("effacer-tout")
    assert mariam.heading() == mariam.words("k20.title")
    mariam.page.locator("a[href$='/effacer-tout/temoin']").click()
    witness = site.worker("fatou")
    for field, typed in (("worker", witness["code"]), ("words", witness["words"]), ("totp", site.six_digits("fatou"))):
        mariam.page.locator(f"[name={field}]").fill(typed)
    mariam.type_code(site.person("mariam")["code"])
    expect(mariam.page.locator("h1")).to_have_text(mariam.words("k20.done"))
    number = mariam.page.locator(".number").inner_text().strip()

    # Then
    mariam.show_card(site.card("mariam"))
    mariam.type_code(site.person("mariam")["code"])
    assert mariam.heading() == mariam.words("k09b.title")
    (gone,) = before - accounts_of(site)
    assert "0 places" in abri(site, "search", gone)

    mariam.go("certificat")
    mariam.page.locator("[name=number]").fill(number)
    with mariam.page.expect_download() as download:
        mariam.page.locator("button[name=file]").click()
    file, keys = tmp_path / "certificat.json", tmp_path / "cles.json"
    file.write_bytes(download.value.path().read_bytes())
    keys.write_bytes(mariam.page.request.get("/cles.json").body())
    assert abri(site, "certificate", "verify", str(file), "--keys", str(keys)).startswith(f"OK {number}:")


def test_anybody_counts_the_trace_again(site: Site) -> None:
    """The last step, in a terminal: the history of everything is counted from its rows, and no name stands in any store."""
    for command, said in ((("trace", "verify"), " 0 faults."), (("search", "Mariam"), "0 places")):
        told = abri(site, *command)
        assert said in told, told
        assert not told.startswith("0 entries")
