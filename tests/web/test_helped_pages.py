"""Opening with somebody's help, through the pages of the kiosk and of the desk at once."""

import re

import pytest

from tests.vault.builders import make_office, make_person, make_worker, unlock
from tests.web.desk_scene import real_paper
from tests.web.site import Site
from vault import asking, assisting


@pytest.mark.slow
def test_a_person_without_a_code_opens_with_a_worker(site: Site) -> None:
    """A11Y-11 and AUTH-11: chosen, shown at each unlock, opened with card and worker, narrowed, stopped."""
    house = site.house
    office = make_office(house)
    fatou, yonas = make_worker(house, office), make_person(house, "Yonas", drawing="sun", kiosk=office.kiosk)
    real_paper(house, yonas, "Avis de 2025")
    hidden = real_paper(house, yonas, "Ordonnance", "health")
    site.open(yonas)
    assert "seulement avec votre code" in site.get("/fr/moi/accompagne").text
    page = site.get("/fr/moi/accompagne/choisir")
    assert "peut ouvrir sans vous" in page.text
    assert site.press(page, worker=fatou.id, code=yonas.code).status == 422  # no drawer
    page = site.get("/fr/moi/accompagne/choisir")
    told = site.press(page, worker=fatou.id, drawer=["money"], code=yonas.code)
    assert "Fatou peut ouvrir avec votre carte" in told.text
    assert "Argent" in told.text
    assert "Fatou peut ouvrir avec votre carte" in site.get("/fr/maison").text
    site.leave()
    shown = site.post("/fr/carte", {"card": yonas.card})
    assert shown.link("/fr/accompagne")
    waiting = site.press(site.get("/fr/accompagne"), begin="yes")
    (code,) = re.findall(r"\b\d{6}\b", waiting.text)
    with site.phone() as desk:
        desk.sign_in(fatou)
        people = desk.get("/fr/bureau/accompagner")
        one = desk.get(people.link(assisting.people_i_help(house, fatou.session)[0].slot))
        assert desk.press(one, code="000000").status == 422
        assert desk.press(one, code=code).path == "/fr/bureau/accompagner"
    pictures = site.get("/fr/accompagne/attente")
    assert pictures.path == "/fr/accompagne/images"
    home = site.press(pictures, none="yes")
    assert home.path == "/fr/avec-aide"
    assert "C'est ouvert avec Fatou" in home.text
    (paper,) = {link for link in home.links if "/papiers/" in link}
    assert "Avis de 2025" in site.get(paper).text
    assert site.get(f"{paper}/page/1").headers["content-type"] == "image/jpeg"
    assert site.get(f"/fr/avec-aide/papiers/{hidden}").status == 404
    assert site.get(f"/fr/avec-aide/papiers/{hidden}/page/1").status == 404
    for refused in (
        "/fr/maison",
        "/fr/moi/code",
        "/fr/montrer",
        "/fr/effacer-tout",
        "/fr/confiance",
        "/fr/proteger/tout-changer",
    ):
        assert site.get(refused).status == 403, refused
    assert site.press(home, refuse="yes").path == "/fr/avec-aide"
    assert asking.waiting_for_me(house, unlock(house, yonas)) == []
    site.open(yonas)
    assert "Vous avez ouvert avec Fatou" in site.get("/fr/regards").text
    site.press(site.get("/fr/moi/accompagne"), stop="yes")
    assert "Fatou peut ouvrir" not in site.get("/fr/maison").text
