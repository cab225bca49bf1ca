"""What the law gives, at the kiosk: everything in one request, what is held, what one can ask."""

import dataclasses
import datetime as dt
import io
import re
import zipfile
from typing import Any

import pytest

from consent.purposes import PurposeId
from storage.errors import StoreUnreachable, VaultUnreachable
from tests.vault.builders import MadePerson, Office, make_person, one_time_password, unlock
from tests.vault.comings import make_circle
from tests.vault.papers import SAID, keep
from tests.vault.test_sharing import second_day
from tests.web.desk_scene import clock_of
from tests.web.site import Site
from tests.web.test_desk_pages import said
from vault import (
    audit,
    certificates,
    conditions,
    documents,
    erasure,
    health,
    outside,
    parcels,
    register_reading,
    retaining,
    tasks,
)
from vault import rights as asking_right
from vault.languages import read_catalogues
from vault.outside import OutsideOffer
from vault.settings import Hosting


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
    other = site.client.get("/fr/emporter/fichier", headers={"range": "bytes=1000-", "if-range": '"another parcel"'})
    assert (other.status_code, other.content) == (200, whole.content), "half of one parcel is never put behind half of another"
    same = {"range": "bytes=1000-", "if-range": whole.headers["etag"]}
    assert site.client.get("/fr/emporter/fichier", headers=same).content == whole.content[1000:]
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
    assert site.get("/fr/autre-abri/code").path == "/fr/autre-abri", "the card first"
    code = site.post("/fr/autre-abri", {"card": awa.card, "token": site.token()})
    assert code.path == "/fr/autre-abri/code"
    assert code.heading == "Le code de l'autre carte"
    assert site.press(code, code="000001").status == 401
    assert documents.count(site.house, other.session) == 0
    done = site.press(code, code=awa.code)
    assert "2 papiers sont arrivés" in done.text
    assert site.press(code, code=awa.code).path == "/fr/papiers", "pressed twice: what came is there"
    assert documents.count(site.house, other.session) == 2


def test_what_is_held_is_one_page_and_on_paper(site: Site, awa: MadePerson) -> None:
    """Article 15: what, why, how long, who received it, where to complain; the same without anything to press."""
    for address in ("/fr/ce-qu-abri-sait", "/fr/ce-qu-abri-sait/imprimer"):
        text = site.get(address).text
        for word in ("Awa", "Pourquoi", "72 heures", "3 ans", "30 jours", "CNIL", "Personne."):
            assert word in text, word


def test_who_received_something_outside_is_named_wherever_it_matters(site: Site, office: Office, awa: MadePerson) -> None:
    """Article 15: not "Personne" to somebody who gave a paper outside. Article 19: their letters are offered before the yes."""
    (first, *_) = documents.list_papers(site.house, awa.session)
    assert "lettres" not in site.get("/fr/effacer-tout").text
    offer = OutsideOffer((first.paper,), "Madame Diallo", PurposeId("home"), SAID, "", "pour le dossier", True)
    second_day(site.house, clock_of(site.house))
    site.open(awa)
    given = outside.give(site.house, awa.session, offer)
    for over in (False, True):
        for page in ("ce-qu-abri-sait", "ce-qu-abri-sait/imprimer", "effacer-tout", "effacer-tout/details"):
            text = site.get(f"/fr/{page}").text
            assert "Madame Diallo" in text, page
            assert "Personne." not in text, page
        site.get("/fr/effacer-tout").link("effacer-tout/lettres")
        if not over:
            outside.withdraw(site.house, awa.session, given.share, SAID)


@pytest.mark.parametrize("away", ["blobs", "keyvault"])
def test_what_a_witness_made_is_never_said_to_have_changed_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    """The store answers nothing after the commit: the page says that it goes on, and shows the number."""
    house = site.house
    made = make_circle(house)
    keep(house, unlock(house, made.awa), "Bail")
    site.open(made.awa)
    page = site.get("/fr/effacer-tout/temoin")

    def gone(*_: object, **__: object) -> None:
        raise StoreUnreachable("for a moment") if away == "blobs" else VaultUnreachable("for a moment")

    with monkeypatch.context() as patched:
        patched.setattr(house.blobs if away == "blobs" else house.keyvault, "delete" if away == "blobs" else "destroy", gone)
        digits = one_time_password(house, made.fatou.totp)
        typed = {"worker": made.fatou.code, "words": " ".join(made.fatou.words), "totp": digits}
        shown = site.press(page, **typed, code=made.awa.code)
    assert (shown.status, shown.heading) == (200, said("k20.goes_on"))
    (number,) = shown.tree.xpath("//*[contains(@class, 'number')]//text()[normalize-space()]")[:1]
    clock_of(house).forward(seconds=61)
    assert tasks.erase_due(house) == 1
    assert certificates.find(house, number.strip()).said.papers == 1


def test_what_stays_says_why_and_until_when(site: Site, awa: MadePerson) -> None:
    """What is kept for good has no day; each has its ground."""
    shown = site.get("/fr/effacer-tout/details")
    kept = erasure.plan(site.house, awa.session).kept
    for ground, words in (("claims", "RGPD, article 17"), ("law", "CPCE, article R55-4")):
        (stays,) = shown.tree.xpath(f"//main//p[contains(., '{words}')]/following-sibling::ul[1]")
        lines = [" ".join(one.itertext()) for one in stays.xpath("li")]
        assert len(lines) == sum(one.ground == ground for one in kept)
        for line in lines:
            assert ("pour toujours" in line) != ("jusqu'au" in line and bool(re.search(r"\b20[0-9]{2}\b", line))), line
    assert shown.text.count("pour toujours") == 2
    asking_right.ask_right(site.house, awa.session, awa.code, "complaint")
    assert "sans votre nom : 5 ans après la réponse" in site.get("/fr/effacer-tout/details").text


def test_whoever_opened_with_five_words_cancels_an_erasure_with_them(site: Site, office: Office) -> None:
    """The card is lost: K20 says what will cancel it, and so does the page of the end; a wrong word brings nothing back."""
    awa = make_person(site.house, "Awa", kiosk=office.kiosk, words=True)
    assert awa.words
    words = " ".join(awa.words)
    keep(site.house, awa.session, "Bail")
    site.open_with_words(awa)
    assert "vos 5 mots peuvent tout annuler" in site.get("/fr/effacer-tout").text
    erased = site.press(site.get("/fr/effacer-tout/code"), code=words)
    assert "Revenez avec votre numéro et vos 5 mots" in erased.text
    asked = site.get(site.get("/fr/annuler").link("/annuler/mots"))
    wrong = site.press(asked, number=awa.number, words=" ".join([*awa.words[1:], awa.words[0]]))
    assert wrong.status == 401
    assert wrong.tree.xpath("//input[@name='number']/@value") == [awa.number], "the number, which is long, stays"
    assert site.press(asked, number="12", words=words).status == 422
    assert site.press(asked, number=awa.number, words="un deux").status == 422
    assert "C'est annulé" in site.press(asked, number=awa.number, words=words).text
    site.open_with_words(awa)
    assert documents.count(site.house, awa.session) == 1
    assert site.press(site.get("/fr/annuler/mots"), number=awa.number, words=words).status == 401, (
        "there is nothing to cancel any more"
    )


def test_a_person_asks_the_association_and_gets_a_number(site: Site, office: Office, awa: MadePerson) -> None:
    """The code is asked again; the request is in the register, identified, without any paper."""
    page = site.get("/fr/droits/demander")
    assert site.press(page, kind="complaint", code="000001").status == 401
    assert site.press(page, kind="requisition", code=awa.code).status == 422
    asked = site.press(page, kind="complaint", code=awa.code)
    assert asked.heading == "C'est demandé"
    (one,) = register_reading.requests(site.house, office.admin)
    assert (one.kind, one.identity, one.state) == ("complaint", "card-and-code", "identified")
    assert one.number in asked.text


def test_a_new_version_of_the_conditions_is_asked_again_and_the_old_one_stays_public(site: Site, awa: MadePerson) -> None:
    """R8, R9: a changed figure is another version; it is asked at the next unlock; what was agreed to can still be read."""
    site.get("/fr/conditions")
    (first,) = conditions.versions(site.house)
    assert "Papiers jetés\u00a0: 7 jours" in first.text
    assert site.get("/fr/maison").path == "/fr/maison"
    retention = dataclasses.replace(site.house.settings.retention, bin=9)
    later = dataclasses.replace(site.house, settings=dataclasses.replace(site.house.settings, retention=retention))
    site.client.app.state.context = later
    asked = site.get("/fr/maison")
    assert asked.path == "/fr/conditions-nouvelles"
    (version,) = asked.buttons["version"]
    assert version != first.version
    assert site.press(asked, version=first.version).status == 409
    assert site.press(asked, version=version).path == "/fr/maison"
    assert "9 jours" in site.get("/fr/conditions").text
    assert "Papiers jetés : 7 jours" in site.get(f"/fr/conditions/{first.version}").text
    assert site.get("/fr/conditions/00000000").status == 404
    assert "safe.conditions-accepted" in {one.event.tag for one in audit.history(later, awa.session)}


def test_the_figures_that_are_shown_are_those_that_are_enforced(site: Site) -> None:
    """Point 6: one source. Each row of the conditions moves with the figure that the purge reads, and no figure is shown nowhere."""
    kept, limits = site.house.settings.retention, site.house.settings.limits
    shown = {one.what: one.count for one in retaining.terms(kept, limits)}
    moved = {
        "bin": 1, "trace": 365, "attempts": 30, "backups": 1, "cooling_off_hours": 1, "receipts_years": 1, "registers_years": 1,
        "silent_months": 1, "retrieval_months": 1, "worker_months": 1,
    }  # fmt: skip
    steps: dict[str, Any] = {name: getattr(kept, name) + step for name, step in moved.items()}
    for name, step in {**steps, "silent_told_months": (11, 24)}.items():
        changed = dataclasses.replace(kept, **{name: step})
        assert {one.what: one.count for one in retaining.terms(changed, limits)} != shown, name
    assert {one.name for one in dataclasses.fields(kept)} == moved.keys() | {"notice_months", "silent_told_months"}
    assert "3 mois" in site.get("/fr/conditions").text


def test_who_hosts_and_who_watches_over_the_data_stand_in_the_conditions(site: Site) -> None:
    """L3: number, host and last day of the certificate; another host is another version of the conditions."""
    before = site.get("/fr/conditions")
    assert "HDS-77" not in before.text
    hosting = Hosting("HDS-77", "Hébergeur (démo)", dt.date(2028, 5, 31))
    settings = dataclasses.replace(site.house.settings, hosting=hosting, data_protection="dpo@abri.test")
    house = dataclasses.replace(site.house, settings=settings)
    french = read_catalogues()["fr"]
    text = conditions.text_of(settings, french)
    assert all(one in text for one in ("HDS-77", "Hébergeur (démo)", "31 mai 2028", "dpo@abri.test"))
    assert conditions.current(settings, french).version != conditions.current(site.house.settings, french).version
    object.__setattr__(site.house.settings, "hosting", hosting)  # as the next start would read it
    assert "HDS-77" in site.get("/fr/conditions").text
    assert "HDS-77" in site.get("/ar/conditions").text
    (line,) = health.of_hosting(house)
    assert line.good
    late = dataclasses.replace(house, clock=lambda: dt.datetime(2028, 4, 1, tzinfo=dt.UTC))
    (line,) = health.of_hosting(late)
    assert not line.good
