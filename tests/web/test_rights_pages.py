"""What the law gives, at the kiosk: everything in one request, what is held, what one can ask."""

import io
import zipfile

import pytest

from tests.vault.builders import MadePerson, Office, make_office, make_person
from tests.vault.papers import keep
from tests.web.site import Site
from vault import documents, parcels, rights


@pytest.fixture
def office(site: Site) -> Office:
    return make_office(site.house)


@pytest.fixture
def awa(site: Site, office: Office) -> MadePerson:
    """Awa, with two papers, before her open safe."""
    made = make_person(site.house, "Awa", kiosk=office.kiosk)
    for number in range(2):
        keep(site.house, made.session, f"Lettre {number}", text=f"texte {number}")
    site.open(made)
    return made


def test_everything_leaves_by_one_button_and_goes_on_after_a_cut(site: Site, awa: MadePerson) -> None:
    """Its length is told; a range gives the rest of the same bytes; one that begins behind the end is refused."""
    assert "2 papiers" in site.get("/fr/emporter").text
    ready = site.press(site.get("/fr/emporter"), way="usb")
    whole = site.get(ready.link("emporter/fichier"))
    assert int(whole.headers["content-length"]) == len(whole.content)
    assert whole.headers["content-disposition"] == 'attachment; filename="mes-papiers.zip"'
    assert zipfile.ZipFile(io.BytesIO(whole.content)).testzip() is None
    rest = site.client.get("/fr/emporter/fichier", headers={"range": "bytes=1000-"})
    assert (rest.status_code, rest.content) == (206, whole.content[1000:])
    assert rest.headers["etag"] == whole.headers["etag"]
    assert site.client.get("/fr/emporter/fichier", headers={"range": "bytes=999999999-"}).status_code == 416


def test_the_same_file_comes_back_in_by_a_page(site: Site, awa: MadePerson) -> None:
    """Into another safe, streamed; a file that is none says so and brings nothing."""
    site.press(site.get("/fr/emporter"), way="usb")
    archive = site.get("/fr/emporter/fichier").content
    mariam = make_person(site.house, "Mariam")
    site.open(mariam)
    wrong = site.send(site.get("/fr/apporter"), ("x.zip", b"PK not a copy"))
    assert wrong.status == 422
    done = site.send(site.get("/fr/apporter"), ("mes-papiers.zip", archive))
    assert "2 papiers sont arrivés" in done.text
    assert documents.count(site.house, mariam.session) == 2
    assert awa.name == "Awa"


def test_a_telephone_takes_everything_once(site: Site, awa: MadePerson) -> None:
    """The square leads to one button; the link is used up, and the cookie of that telephone goes on."""
    link = parcels.pack(site.house, awa.session, "phone", "fr")
    site.leave()
    assert site.get(f"/fr/tel-tout/{link.secret}").status == 200
    begun = site.press(site.get(f"/fr/tel-tout/{link.secret}"))
    assert zipfile.ZipFile(io.BytesIO(begun.content)).testzip() is None
    assert site.get(f"/fr/tel-tout/{link.secret}").status == 410
    assert site.client.get("/fr/tel-tout", headers={"range": "bytes=10-19"}).content == begun.content[10:20]


def test_two_safes_become_one_with_both_cards(site: Site, awa: MadePerson) -> None:
    """A wrong code brings nothing and tells nothing; the other safe stays."""
    other = make_person(site.house, "Awa")
    site.open(other)
    page = site.get("/fr/autre-abri")
    assert site.send(page, card=awa.card, code="000001").status == 401
    assert documents.count(site.house, other.session) == 0
    done = site.send(page, card=awa.card, code=awa.code)
    assert "2 papiers sont arrivés" in done.text
    assert documents.count(site.house, other.session) == 2


def test_what_is_held_is_one_page_and_on_paper(site: Site, awa: MadePerson) -> None:
    """Article 15: what, why, how long, who received it, where to complain; the same without anything to press."""
    for address in ("/fr/ce-qu-abri-sait", "/fr/ce-qu-abri-sait/imprimer"):
        text = site.get(address).text
        for word in ("Awa", "Pourquoi", "72 heures", "3 ans", "30 jours", "CNIL", "Personne."):
            assert word in text, word


def test_a_person_asks_the_association_and_gets_a_number(site: Site, office: Office, awa: MadePerson) -> None:
    """The code is asked again; the request is in the register, identified, without any paper."""
    page = site.get("/fr/droits/demander")
    assert site.press(page, kind="complaint", code="000001").status == 401
    assert site.press(page, kind="requisition", code=awa.code).status == 422
    asked = site.press(page, kind="complaint", code=awa.code)
    assert asked.heading == "C'est demandé"
    (one,) = rights.requests(site.house, office.admin)
    assert (one.kind, one.identity, one.state) == ("complaint", "card-and-code", "identified")
    assert one.number in asked.text
