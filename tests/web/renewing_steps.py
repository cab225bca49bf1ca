"""The steps of "tout changer", which several tests take."""

from tests.vault.builders import MadePerson
from tests.web.site import Shown, Site


def all_new(site: Site, person: MadePerson, card: str, code: str) -> Shown:
    """New code twice, new card, the present secret: through the pages, as far as they lead."""
    begun = site.get("/fr/proteger/tout-changer")
    again = site.press(site.get(begun.link("/nouveau/code")), code=code)
    page = site.press(again, code=code)
    assert page.path == "/fr/proteger/nouveau/carte"
    last = site.post(page.path, {"token": again.fields()["token"][0], "card": card})
    assert last.path == "/fr/proteger/nouveau/oui"
    return site.press(last, **present(person))


def present(person: MadePerson) -> dict[str, str]:
    """What a person gives again on a page: their code, or their pictures."""
    if person.pictures:
        return {f"picture_{number}": str(one) for number, one in enumerate(person.pictures, start=1)}
    return {"code": person.code}
