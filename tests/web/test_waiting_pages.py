"""Somebody comes back in one's place: the first page says it first, and one button ends it."""

import dataclasses
from typing import cast

from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, make_circle, new_card, start
from tests.vault.papers import keep
from tests.web.site import Site
from vault import aftermath, coming_back, workers


def begun(site: Site, made: Circle) -> str:
    session, code = start(site.house, made.canal.kiosk)
    for worker in (made.marc, made.fatou):
        confirm(site.house, worker, code)
    card = new_card()
    coming_back.wait(site.house, session, card, NEW_CODE)
    return card


def test_the_first_page_says_it_first_and_a_button_ends_it(site: Site) -> None:
    made = make_circle(site.house)
    site.open(made.awa)
    assert site.get("/fr/reouverture").path == "/fr/maison"
    begun(site, made)
    site.open(made.awa)
    home = site.get("/fr/maison")
    (first, *_) = home.tree.xpath("//main//*[contains(@class, 'waits')]/*")
    assert "Quelqu'un demande une autre carte" in " ".join(first.itertext())
    asked = site.get(home.link("/reouverture"))
    assert asked.heading == "C'est vous qui demandez ?"
    assert asked.link("/maison")
    told = site.press(asked, answer="yes")
    assert (told.path, "autre carte" in told.text) == ("/fr/maison", False)
    assert "La réouverture a été arrêtée" in site.get("/fr/regards").text
    assert site.press(asked, answer="yes").path == "/fr/maison"  # pressed twice


def test_card_and_code_end_it_from_the_page_of_what_can_be_cancelled(site: Site) -> None:
    made = make_circle(site.house)
    card = begun(site, made)
    shown = site.post(site.get("/fr/annuler").link("/avec-la-carte/reouverture"), {"card": made.awa.card})
    told = site.press(shown, code=made.awa.code)
    assert "L'autre carte n'ouvrira pas." in told.text
    site.leave()
    back = site.post("/fr/avec-la-carte/retour", {"card": card})
    assert site.press(back, code=NEW_CODE).status == 401


def test_for_a_day_after_coming_back_no_drawer_is_offered_and_no_link_is_begun(site: Site) -> None:
    """The refusal comes before the first question, in the words of the day that protects."""
    made = make_circle(site.house)
    paper = keep(site.house, made.awa.session, "Avis", sort="tax-notice")
    cast("Clock", site.house.clock).forward(days=2)
    session, code = start(site.house, made.canal.kiosk)
    confirm(site.house, made.marc, code, beside=True)
    confirm(site.house, made.fatou, code)
    card = new_card()
    coming_back.finish(site.house, session, card, NEW_CODE)
    awa = dataclasses.replace(made.awa, card=card, code=NEW_CODE)
    site.open(awa)
    assert not [one for one in site.get("/fr/montrer").links if one.endswith("/montrer/tiroir")]
    for address in ("/fr/envoyer", f"/fr/papiers/{paper}/lien"):
        refused = site.get(address)
        assert (refused.status, refused.heading) == (429, "Il faut attendre")
        assert "C'est possible le 26 novembre 2026, à 11:06." in refused.text, "not in 86400 seconds"
        assert "Attendez" not in refused.text
    cast("Clock", site.house.clock).forward(days=1, minutes=1)
    site.open(awa)
    assert site.get("/fr/montrer").link("/montrer/tiroir")
    assert site.get(f"/fr/papiers/{paper}/lien").path == "/fr/envoyer/qui"


def test_a_day_later_a_guardian_who_is_away_is_said_as_such(site: Site) -> None:
    """Card and code are right, and nothing is lost: it opens when they are back."""
    made = make_circle(site.house)
    card = begun(site, made)
    workers.suspend(site.house, made.tilleuls.admin, made.fatou.id, None)
    cast("Clock", site.house.clock).forward(hours=25)
    told = site.press(site.post("/fr/avec-la-carte/retour", {"card": card}), code=NEW_CODE)
    assert told.status == 409
    assert "Une personne qui vous aide est absente." in told.text


def test_whose_word_barred_the_card_is_read_on_the_first_page(site: Site) -> None:
    made = make_circle(site.house)
    _, code = start(site.house, made.canal.kiosk, "stolen")
    confirm(site.house, made.marc, code, theft=True)
    cast("Clock", site.house.clock).forward(hours=73)
    aftermath.expire(site.house)
    site.open(made.awa)
    assert "Marc a demandé de bloquer votre carte." in site.get("/fr/maison").text
