"""The public statement of accessibility (law 2005-102, article 47), and where it is linked; another language keeps the page."""

import dataclasses
import json

import pytest

from tests.vault.builders import make_office, make_worker
from tests.web.site import Site
from vault import accessibility
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
        words(sentences.plain("access.law.how", None, day=sentences.day(told.tested), tools=", ".join(told.checked_with))) in text
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


def test_another_language_keeps_the_page(site: Site) -> None:
    """L10N-06: from each page one touch leads to the languages, by their own names, without flags, and each leads back to that page."""
    for rest in ("", "aide", "conditions", "ouvrir/avant/3", "perdu/raison/lost", "accessibilite"):
        before = site.get(f"/fr/{rest}".rstrip("/"))
        (way,) = before.tree.xpath("//nav//a[@href='/' or starts-with(@href, '/langues/')][last()]/@href")
        choice = site.get(way)
        offered = {one.get("href"): words(one.text_content()) for one in choice.tree.xpath("//a[contains(@class, 'language')]")}
        assert {link.rstrip("/"): name for link, name in offered.items()} == {
            f"/{code}/{rest}".rstrip("/"): name for code, name in (("fr", "Français"), ("en", "English"), ("ar", "العربية"))
        }
        assert not choice.tree.xpath("//a[contains(@class, 'language')]//img")
        after = site.get(next(link for link in offered if link.startswith("/ar/")).rstrip("/"))
        assert after.status == 200
        assert after.tree.get("lang") == "ar"
        assert after.tree.get("dir") == "rtl"


def test_what_is_partly_met_is_among_what_is_missing(site: Site) -> None:
    shown = site.get("/fr/accessibilite")
    missing = words(" ".join(shown.tree.xpath("//section[@class='condition']")[1].itertext()))
    partly = accessibility.statement().told(State.PARTLY)
    assert partly
    for row in partly:
        assert words(read_catalogues()["fr"].plain(f"access.{row.id}")) in missing
