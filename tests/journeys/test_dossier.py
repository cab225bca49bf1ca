"""Two ways out of the service, in a browser: a dossier for DALO that a worker makes, a link that the person gives to a bank."""

import io
import re

import pikepdf
import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import SMALL, NewPage
from tests.journeys.navigators import Desk, Kiosk
from tests.journeys.site import Site
from tests.journeys.test_every_page import axe_script, check

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("tour")]


@pytest.fixture(scope="module")
def site(own_site: Site) -> Site:
    """Nobody else's journeys have changed these shares."""
    return own_site


def test_a_dossier_for_dalo(site: Site, new_page: NewPage) -> None:
    """Given Awa shows papers to Fatou, When Fatou asks for all of DALO and Awa answers on one page, Then one PDF leaves, marked."""
    # Given
    fatou, awa = Desk(new_page(), site), Kiosk(new_page(), site)
    fatou.sign_in("fatou")
    script, wrong = axe_script(), list[str]()

    # When
    fatou.page.goto("/fr/bureau/demarches/dalo")
    expect(fatou.page.locator("main")).to_contain_text("Jamais vérifié")
    fatou.page.locator(".row-list a", has_text="Awa (démo)").first.click()
    checklist = fatou.page.url
    wrong += check(fatou.page, "checklist", script, at_work=True)
    fatou.page.get_by_role("button", name="Demander ce qui est coché").click()
    expect(fatou.page.locator("main")).to_contain_text("La demande est envoyée")
    awa.open("awa")
    awa.go("demandes")
    while awa.page.locator("fieldset.line").count() == 0:  # what others asked before comes first
        awa.press("Je ne veux pas")
        awa.go("demandes")
    expect(awa.page.locator("h1")).to_contain_text("vous demande des papiers")
    wrong += check(awa.page, "demandes", script)
    awa.page.locator("input[name=answer-identity-card][value=give]").check()
    awa.page.locator("input[name=answer-housing-request][value=have-not]").check()
    awa.press("Envoyer mes réponses")
    awa.page.wait_for_url("**/montrer/comment")
    awa.page.locator("button[name=how][value=copy]").click()
    awa.page.wait_for_url("**/montrer/accord")
    awa.press("Oui, je suis d'accord")
    awa.page.wait_for_url("**/demandes?dit=donne")

    # Then
    fatou.page.goto(checklist)
    fatou.page.get_by_role("link", name="Faire un dossier").click()
    wrong += check(fatou.page, "dossier", script, at_work=True)
    fatou.page.locator("input[name=recipient]").fill("Commission de médiation (démo)")
    with fatou.page.expect_download() as download:
        fatou.page.get_by_role("button", name="Faire le PDF").click()
    assert download.value.suggested_filename == "dossier.pdf"
    with pikepdf.open(io.BytesIO(download.value.path().read_bytes())) as document:
        assert len(document.pages) >= 2
        assert all(len(page.get_images()) == 1 and "/Annots" not in page for page in document.pages)
    awa.go("regards")
    expect(awa.page.locator("main")).to_contain_text("a fait un dossier pour")
    awa.go("partages")
    awa.page.get_by_text("Liens finis, et dossiers partis").click()
    expect(awa.page.locator("main")).to_contain_text("Commission de médiation (démo)")
    awa.finish()
    assert wrong == []


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_link_for_somebody_outside(site: Site, new_page: NewPage, language: str) -> None:
    """Given a link and a code said aloud, When the bank opens without any script, Then it sees marked pages until the person stops it."""
    # Given
    script, wrong = axe_script(), list[str]()
    awa = Kiosk(new_page(), site, language)
    awa.open("awa")
    awa.go("papiers")
    for address in [str(one.get_attribute("href")) for one in awa.page.locator("a.paper").all()]:
        awa.page.goto(f"{address}/que-faire?plus=1")
        if awa.page.locator("main a[href$='/lien']").count():
            break  # one that does not lie in the private drawer
    wrong += check(awa.page, "que-faire", script)
    awa.page.locator("main a[href$='/lien']").click()
    wrong += check(awa.page, "qui", script)
    awa.page.locator("input[name=name]").fill("Banque du Canal (démo)")
    awa.page.locator("main form button[type=submit]").first.click()
    awa.page.wait_for_url("**/envoyer/pourquoi")
    wrong += check(awa.page, "pourquoi", script)
    awa.page.locator("button[name=reason]").first.click()
    awa.page.wait_for_url("**/envoyer/accord")
    wrong += check(awa.page, "accord", script)
    awa.page.locator("button[name=answer][value=yes]").click()
    awa.page.wait_for_url("**/envoyer/fait")
    wrong += check(awa.page, "fait", script)
    shown = awa.page.locator("main").inner_text()
    link, code = re.search(r"(?:[0-9A-Z]{4}-){4}[0-9A-Z]{4}", shown), re.search(r"\b[0-9]{6}\b", shown)
    assert link
    assert code
    awa.page.locator("button[name=done]").click()
    awa.page.wait_for_url("**/partages")

    # When
    scripted = new_page(size=SMALL)
    scripted.goto(f"/{language}/lien#{link[0]}")
    assert scripted.locator("#link").input_value() == link[0]
    assert link[0] not in scripted.url
    wrong += check(scripted, "lien", script)
    bank = new_page(js=False, size=SMALL)
    bank.goto(f"/{language}/lien")
    bank.locator("#link").fill(link[0])
    bank.locator("#code").fill(code[0])
    bank.locator("main form button").click()
    bank.wait_for_url("**/lien/papiers")
    expect(bank.locator("main")).to_contain_text("Banque du Canal (démo)")
    assert bank.locator("main img").first.get_attribute("src")
    with bank.expect_download() as download:
        bank.locator("form[action$='/lien/dossier'] button").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")

    # Then
    awa.go("partages")
    wrong += check(awa.page, "partages", script)
    awa.page.locator("a[href*='/partages/liens/']").last.click()
    wrong += check(awa.page, "arreter", script)
    awa.page.locator("button[name=answer][value=yes]").click()
    awa.page.wait_for_url(re.compile("/partages"))
    bank.reload()
    assert bank.locator("main img").count() == 0
    assert wrong == []
