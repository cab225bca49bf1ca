"""The office in a browser, Nadia then Hugo: a requisition by number, a closing proposed and taken back, posters; every new page checked."""

import json
from pathlib import Path

import pytest

from tests.journeys.conftest import SMALL, NewPage
from tests.journeys.navigators import Desk, Kiosk
from tests.journeys.site import Site
from tests.journeys.test_every_page import axe_script, check

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]
NEW_AT_A_DESK = ("bureau/copies-a-effacer",)
NEW_IN_THE_OFFICE = ("registre/recevoir", "affiches", "article-19", "fermeture", "personnel/inviter")
NEW_AT_A_KIOSK = ("droits/autres", "droits/apres", "droits/apres/donner", "droits/apres/effacer", "ce-qu-abri-sait")


def test_the_office_answers_a_requisition_with_four_eyes(site: Site, new_page: NewPage, tmp_path: Path) -> None:
    script, wrong = axe_script(), []
    nadia = Desk(new_page(), site)
    nadia.sign_in("nadia", "association")
    for address in NEW_IN_THE_OFFICE:
        nadia.page.goto(f"/fr/association/{address}")
        wrong += check(nadia.page, address, script, at_work=True)
    nadia.page.goto("/fr/association/registre/recevoir")
    nadia.page.locator("[name=kind]").select_option("requisition")
    nadia.page.locator("[name=origin]").select_option("authority")
    nadia.page.locator("main form button[type=submit]").click()
    nadia.page.wait_for_url("**/registre/*-*")
    assert "un nom ne se cherche pas" in nadia.page.locator("main").inner_text()
    request = nadia.page.url
    wrong += check(nadia.page, "request", script, at_work=True)
    nadia.page.locator("form[action$='/approuver'] button").click()
    nadia.confirm("nadia")
    assert nadia.page.locator("form[action$='/approuver']").count() == 0
    nadia.page.goto("/fr/association/fermeture")
    nadia.page.locator("form[action$='/proposer'] button").click()
    assert nadia.page.locator("form[action$='/confirmer']").count() == 0
    nadia.page.locator("form[action$='/annuler'] button").click()
    assert nadia.page.locator("form[action$='/proposer']").count() == 1
    hugo = Desk(new_page(), site)
    hugo.sign_in("hugo", "association")
    hugo.page.goto(request)
    hugo.page.locator("form[action$='/approuver'] button").click()
    hugo.confirm("hugo")
    hugo.page.locator("form[action$='/clore'] [name=reason]").fill("Un nom ne se cherche pas.")
    hugo.page.locator("form[action$='/clore'] button").click()
    hugo.page.wait_for_load_state()
    assert hugo.page.locator("form").filter(has_text="Clore").count() == 0
    hugo.page.goto("/fr/association/affiches")
    poster = tmp_path / "poster.pdf"
    poster.write_bytes(
        hugo.page.request.get(hugo.page.locator("a[href$='/affiches/incident']").get_attribute("href") or "").body()
    )
    assert poster.read_bytes().startswith(b"%PDF-")
    assert wrong == [], json.dumps(wrong, ensure_ascii=False, indent=1)


def test_what_is_wanted_after_death_is_said_and_taken_back(site: Site, new_page: NewPage) -> None:
    """In Arabic on a small screen, then in French on a large one; nothing of it is left for the next journey."""
    script, wrong = axe_script(), []
    kiosk = Kiosk(new_page(size=SMALL), site, "ar")
    kiosk.open("mariam")
    for address in NEW_AT_A_KIOSK:
        kiosk.go(address)
        wrong += check(kiosk.page, f"ar {address}", script)
    kiosk.go("droits/apres/donner")
    kiosk.page.locator("[name=name]").fill("أمينة (démo)")
    kiosk.page.locator("[name=code]").fill(site.person("mariam")["code"])
    kiosk.page.locator("main form button[type=submit]").last.click()
    kiosk.page.wait_for_url("**/droits/apres?dit=note")
    assert "أمينة" in kiosk.page.locator("main").inner_text()
    wrong += check(kiosk.page, "ar said", script)
    kiosk.page.locator("button[name=answer]").click()
    kiosk.page.wait_for_url("**/droits/apres?dit=rien")
    kiosk.finish()
    outside = new_page()
    outside.goto("/fr/apres-un-deces")
    wrong += check(outside, "after a death", script)
    assert wrong == [], json.dumps(wrong, ensure_ascii=False, indent=1)
