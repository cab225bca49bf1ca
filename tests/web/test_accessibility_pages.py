"""The public statement of accessibility (law 2005-102, article 47), and where it is linked; another language keeps the page."""

import dataclasses
import json

import pytest

from tests.vault.builders import make_office, make_person, make_worker
from tests.web.site import Shown, Site
from vault import accessibility, leaving
from vault.accessibility import State
from vault.languages import read_catalogues


def words(text: str) -> str:
    """Text as a page is read: no marks of direction, every space alike."""
    return " ".join(text.replace("\u2068", "").replace("\u2069", "").split())


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_it_says_what_is_met_what_is_missing_and_who_listens(site: Site, language: str) -> None:
    site.house = dataclasses.replace(site.house, settings=dataclasses.replace(site.house.settings, contact="acces@abri.test"))
    site.client.app.state.context = site.house
    sentences, told = read_catalogues()[language], accessibility.statement()
    shown = site.get(f"/{language}/accessibilite")
    text = words(shown.text)
    assert shown.status == 200
    assert shown.heading == sentences.plain("access.title")
    assert "2005-102" in text
    assert "RGAA" in text
    assert "EN 301 549" in text
    assert words(sentences.plain("access.law.none")) in text
    for row in told.requirements:
        assert (words(sentences.plain(f"access.{row.id}")) in text) if row.told else f"access.{row.id}" not in sentences.entries
    for limit in told.limits:
        assert words(sentences.plain(f"access.limit.{limit}")) in text
    assert (
        words(sentences.plain("access.law.how", None, day=sentences.day(told.tested), tools=sentences.listed(told.checked_with)))
        in text
    )
    assert "acces@abri.test" in text
    for way in accessibility.DEFENDER.values():
        assert way in text
    assert not [link for link in shown.links if "://" in link], "a kiosk leads to nobody else's site"


def test_a_row_that_is_not_met_and_an_audit_change_what_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    file = json.loads(accessibility.FILE.read_text(encoding="utf-8"))
    file["audit"] = {"day": "2027-02-01", "by": "Quelqu'un (démo)", "met": 71}
    for row in file["requirements"]:
        row["state"] = "not-yet" if row["id"] == "A11Y-06" else row["state"]
    told = accessibility.read(json.dumps(file))
    monkeypatch.setattr(accessibility, "statement", lambda: told)
    shown = site.get("/fr/accessibilite")
    missing, works = (words(" ".join(one.itertext())) for one in shown.tree.xpath("//section[@class='condition']")[1:3])
    keyboard = "Tout marche avec le clavier, sans souris."
    assert keyboard in missing
    assert keyboard not in works
    assert "71 critères sur 100" in words(shown.text)
    assert "partiellement conforme" in shown.text


def test_it_is_linked_from_help_the_conditions_the_desk_and_the_office(site: Site) -> None:
    for address in ("aide", "conditions"):
        shown = site.get(f"/fr/{address}")
        assert "/fr/accessibilite" in shown.links
        assert "Accessibilité : non conforme" in words(shown.text)
    for area in ("bureau", "association"):
        (link,) = site.get(f"/en/{area}/entrer").tree.xpath("//footer//a")
        assert link.get("href") == "/en/accessibilite"
        assert words(link.text_content()) == "Accessibility: not conformant"


def test_a_worker_comes_back_to_the_desk_and_is_still_signed_in(site: Site) -> None:
    worker = make_worker(site.house, make_office(site.house))
    site.sign_in(worker)
    shown = site.get("/fr/accessibilite")
    assert shown.tree.xpath("//nav//a/@href")[0] == "/fr/bureau"
    assert site.get("/fr/bureau").status == 200


def in_other_words(site: Site, before: Shown) -> dict[str, str]:
    """Where the button of the languages leads from a page, and on from there: each language by its own name, without flags."""
    (way,) = before.tree.xpath("//nav//a[@href='/' or starts-with(@href, '/langues/')][last()]/@href")
    choice = site.get(way)
    assert not choice.tree.xpath("//a[contains(@class, 'language')]//img")
    return {
        words(one.text_content()): one.get("href").rstrip("/") for one in choice.tree.xpath("//a[contains(@class, 'language')]")
    }


def in_each_language(rest: str) -> dict[str, str]:
    names = {"fr": "Français", "en": "English", "ar": "العربية"}
    return {name: f"/{code}/{rest}".rstrip("/") for code, name in names.items()}


@pytest.mark.parametrize(
    "rest",
    ["", "aide", "conditions", "ouvrir/avant/3", "perdu/raison/lost", "accessibilite", "perdu?oubli=code", "avec-la-carte/retour?encore=1"],
)  # fmt: skip
def test_another_language_keeps_the_page(site: Site, rest: str) -> None:
    """L10N-06: from each page one touch leads to the languages, and each leads back to that page, with what it was asked."""
    before = site.get(f"/fr/{rest}".rstrip("/"))
    offered = in_other_words(site, before)
    assert offered == in_each_language(rest)
    after = site.get(offered["العربية"])
    assert after.status == 200
    assert after.tree.get("lang") == "ar"
    assert after.tree.get("dir") == "rtl"


def test_another_language_keeps_the_page_after_a_refused_form(site: Site) -> None:
    """The page that the form stands on; where a form alone is taken, the nearest page above; never the first page."""
    awa = make_person(site.house, "Awa")
    assert in_other_words(site, site.press(site.get("/fr/certificat"), number="1")) == in_each_language("certificat")
    site.open(awa)
    for refused, rest in (
        (site.press(site.get("/fr/droits/demander"), kind="complaint", code="1"), "droits/demander"),
        (site.press(site.get("/fr/effacer-tout/code"), code="000001"), "effacer-tout"),
        (site.send(site.get("/fr/ajouter/fichier"), ("photo.jpg", b"no photo")), "ajouter/fichier"),
        (site.post("/fr/partages/continuer", {"token": site.token()}), "partages"),
    ):
        assert refused.status >= 400, rest
        assert in_other_words(site, refused) == in_each_language(rest)
        assert site.get(in_each_language(rest)["English"]).status == 200, rest
    phone = leaving.from_phone(site.house, awa.session)
    page = site.get(f"/fr/envoi/{phone.secret}")
    for shown in (page, site.send(page)):
        assert in_other_words(site, shown) == in_each_language(f"envoi/{phone.secret}")


def test_the_end_of_a_session_leads_to_the_beginning_in_another_language(site: Site) -> None:
    awa = make_person(site.house, "Awa")
    site.open(awa)
    erased = site.press(site.get("/fr/effacer-tout/code"), code=awa.code)
    assert erased.status == 200
    assert in_other_words(site, erased) == in_each_language("")


def test_the_desk_and_the_office_stay_themselves_in_the_other_language(site: Site) -> None:
    office = make_office(site.house)
    fatou = make_worker(site.house, office, "Fatou")
    wrong = site.press(site.get("/fr/bureau/entrer"), code=fatou.code, words="un deux", totp="1")
    assert other_work_language(wrong) == "/en/bureau/entrer"
    site.sign_in(fatou)
    asked = site.get("/fr/bureau/demandes?etat=x")
    assert other_work_language(asked) == "/en/bureau/demandes?etat=x"
    refused = site.post("/fr/bureau/deposer/00000000/reprendre", {"token": site.token()})
    assert (refused.status, other_work_language(refused)) == (404, "/en/bureau/deposer")
    site.sign_in_administrator(office.administrators[0])
    refused = site.post("/fr/association/registre/00000000/rien", {"token": site.token()})
    assert (refused.status, other_work_language(refused)) == (404, "/en/association/registre/00000000")


def other_work_language(page: Shown) -> str:
    """Where "English" leads."""
    return str(page.tree.xpath("//a[@hreflang='en' or @lang='en']/@href")[0])


def test_what_is_partly_met_is_among_what_is_missing(site: Site) -> None:
    shown = site.get("/fr/accessibilite")
    missing = words(" ".join(shown.tree.xpath("//section[@class='condition']")[1].itertext()))
    partly = accessibility.statement().told(State.PARTLY)
    assert partly
    for row in partly:
        assert words(read_catalogues()["fr"].plain(f"access.{row.id}")) in missing
