"""Whatever a safe was opened with opens every act that asks again: six digits, five pictures, five words."""

import pytest

from storage.tables import persons
from tests.vault.builders import MadePerson, Office, make_office, make_person
from tests.vault.papers import keep
from tests.web.site import Shown, Site
from vault import directives, documents, register_reading, rights

WAYS = ("digits", "pictures", "words")
UNFINISHED = {"digits": "Il faut 6 chiffres.", "pictures": "Il faut 5 images.", "words": "Il faut 5 mots."}
PICTURES = (3, 1, 4, 15, 9)


def opened(site: Site, office: Office, way: str) -> MadePerson:
    """Awa, before a safe that was opened in this way."""
    awa = make_person(
        site.house, "Awa", kiosk=office.kiosk, words=way == "words", pictures=PICTURES if way == "pictures" else None
    )
    if way == "words":
        site.open_with_words(awa)
    else:
        site.open(awa)
    return awa


def secret(awa: MadePerson, way: str) -> dict[str, str]:
    """The fields that the page has for it."""
    if way == "pictures":
        return {f"picture_{number}": str(one) for number, one in enumerate(PICTURES, 1)}
    return {"five_words": " ".join(awa.words or ())} if way == "words" else {"code": awa.code}


def short(way: str) -> dict[str, str]:
    """One thing only."""
    return {"digits": {"code": "1"}, "pictures": {"picture_1": "3"}, "words": {"five_words": "arbre"}}[way]


def asks(shown: Shown, way: str) -> bool:
    """Whether the page has the fields of this way, and no other."""
    names = {str(one) for one in shown.form.xpath(".//*[self::input or self::select]/@name")}
    return {"digits": "code", "pictures": "picture_5", "words": "five_words"}[way] in names and len(
        names & {"code", "picture_5", "five_words"}
    ) == 1


@pytest.mark.parametrize("way", WAYS)
def test_each_act_asks_for_what_the_safe_was_opened_with(site: Site, way: str) -> None:
    office = make_office(site.house)
    awa = opened(site, office, way)
    number = rights.receive(site.house, office.admin, "access", "letter").number
    with site.house.database.transaction() as connection:
        connection.execute(persons.update().where(persons.c.account == awa.id).values(restricted=site.house.clock()))
    wrong_before = site.get("/fr/regards").text.count("essai")
    for address, typed, done in (
        ("droits/apres/donner", {"name": "Bintou (démo)", "note": "ma sœur"}, "/fr/droits/apres"),
        ("droits/numero", {"number": number}, "/fr/droits/numero"),
        ("droits/rien-ne-bouge", {}, "/fr/droits"),
        ("ajouter/temps", {}, "/fr/ajouter"),
    ):
        page = site.get(f"/fr/{address}")
        assert asks(page, way), (address, way)
        assert page.tree.xpath("//script[contains(@src, 'pad')]") or way != "pictures", "the pictures can be touched"
        unfinished = site.press(page, **typed, **short(way))
        assert (unfinished.status, unfinished.errors) == (422, UNFINISHED[way]), address
        shown = site.press(page, **typed, **secret(awa, way))
        assert (shown.status, shown.path) == (200, done), address
    assert directives.mine(site.house, awa.session)
    assert [one.state for one in register_reading.requests(site.house, office.admin)] == ["identified"]
    assert site.get("/fr/regards").text.count("essai") == wrong_before, "nothing counted as a wrong try"


def test_the_other_safe_of_somebody_opens_with_its_pictures(site: Site) -> None:
    office = make_office(site.house)
    other = make_person(site.house, "Awa", kiosk=office.kiosk, pictures=PICTURES)
    keep(site.house, other.session, "Lettre")
    awa = opened(site, office, "digits")
    site.post("/fr/autre-abri", {"card": other.card, "token": site.token()})
    page = site.get(site.get("/fr/autre-abri/code").link("/autre-abri/images"))
    assert site.press(page, picture_1="3").errors == "Il faut 5 images."
    done = site.press(page, **secret(other, "pictures"))
    assert (done.path, documents.count(site.house, awa.session)) == ("/fr/apporter/fait", 1)
    assert site.get("/fr/autre-abri/code").path == "/fr/autre-abri", "the other card is forgotten"
