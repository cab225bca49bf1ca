"""When nothing opens any more: where the people of trust are (K23), and what is said of who had received copies (ADR 0065)."""

import pytest

from tests.vault.builders import MadePerson, MadeWorker, Office, make_office, make_worker
from tests.vault.papers import SAID, keep
from tests.web.sharing_steps import share_paper
from tests.web.site import EVERYTHING, Site
from vault import cards, kiosks, showing, withdrawing
from vault.web.guards import KIOSK_COOKIE


@pytest.fixture
def helpers(site: Site, office: Office) -> tuple[MadeWorker, MadeWorker]:
    return make_worker(site.house, office, "Fatou"), make_worker(site.house, office, "Marc")


def test_k23_asks_where_they_are_and_elsewhere_says_what_to_do(site: Site) -> None:
    """The four answers of the design, in its order; the last one hides nobody who comes back with the new card."""
    first = site.get("/fr/perdu")
    asked = [" ".join(one.itertext()).strip() for one in first.tree.xpath("//main//*[@class='choice-face']")]
    assert asked == ["Elles sont ici", "Elles sont ailleurs", "Je ne sais plus", "On m'a pris la carte"]
    elsewhere = site.get(first.link("/perdu/ailleurs"))
    assert "L'accueil peut vous prêter un téléphone." in elsewhere.text
    assert "demain, pas aujourd'hui" in elsewhere.text
    assert site.get(elsewhere.link("/perdu/raison/lost")).status == 200
    assert site.get(elsewhere.link("/avec-la-carte/retour")).status == 200


def test_the_card_alone_says_whom_things_were_shown_to_and_nothing_else(
    site: Site, awa: MadePerson, helpers: tuple[MadeWorker, MadeWorker]
) -> None:
    fatou, marc = helpers
    paper = keep(site.house, awa.session, "Avis de Mme Vuillard", "money", sort="tax-notice")
    share_paper(site, awa, fatou, paper)
    share_paper(site, awa, marc, paper)
    (over,) = [one for one in showing.grants_of(site.house, awa.session) if one.worker == marc.id]
    withdrawing.withdraw(site.house, awa.session, over.grant, SAID)
    site.show_card(awa)
    shown = site.get(site.get("/fr/arreter").link("/arreter/qui-a-recu"))
    assert shown.heading == "À qui vous avez montré"
    assert "Fatou peut encore voir, jusqu'au" in shown.text
    assert "Marc : c'est fini. Une copie peut rester chez Marc." in shown.text.replace("\u00a0", " ")
    for sealed in ("Vuillard", "impôt", "logement", "Tilleuls", "Awa"):
        assert sealed not in shown.text


def test_a_card_that_nobody_knows_reads_what_one_without_shares_reads(
    site: Site, awa: MadePerson, helpers: tuple[MadeWorker, MadeWorker]
) -> None:
    site.show_card(awa)
    known = site.get("/fr/arreter/qui-a-recu")
    site.open(awa)
    share_paper(site, awa, helpers[0], keep(site.house, awa.session, "Bail", "housing"))
    site.show_text(cards.new_cards(1)[0].text)
    unknown = site.get("/fr/arreter/qui-a-recu")
    assert (
        (unknown.status, unknown.text, unknown.links) == (known.status, known.text, known.links) == (200, known.text, known.links)
    )
    site.leave()
    assert site.get("/fr/arreter/qui-a-recu").status == 401


def test_without_a_card_the_page_says_who_knows_and_what_an_erasure_does(site: Site) -> None:
    last = site.get("/fr/perdu/plus-rien")
    shown = site.get(last.link("/perdu/plus-rien/qui"))
    for said in (
        "Votre carte seule montre",
        "Sans carte, personne ne peut lire la liste.",
        "Vos reçus imprimés",
        "chaque personne est prévenue",
    ):
        assert said in shown.text
    assert shown.link("/carte")
    assert shown.link("/perdu/plus-rien/effacer")


def test_the_end_at_a_kiosk_shows_the_beginning(site: Site) -> None:
    """ADR 0081: the next person chooses a language on the page of the end, and the kiosk is known again by it."""
    office = make_office(site.house)
    key = kiosks.enrol(site.house, office.admin, office.structure, "poste 2", EVERYTHING)
    site.client.get(f"/borne/{key}")
    over = site.get("/fr/fin")
    assert over.link("langue=ar") == f"/borne/{key}?langue=ar"
    site.client.cookies.clear()  # the browser was told to forget everything
    arabic = site.get(over.link("langue=ar"))
    assert (arabic.path, site.client.cookies.get(KIOSK_COOKIE)) == ("/ar", key)
    for unknown in ("xx", "", "//elsewhere.test"):
        assert site.client.get(f"/borne/{key}?langue={unknown}", follow_redirects=False).headers["location"] == "/"
