"""A kiosk with a camera and no reader: whatever a card is for, it is held before the camera."""

import io

import pytest
from PIL import Image

from tests.vault.builders import MadePerson, Office, make_office, make_person
from tests.vault.papers import keep
from tests.vault.scenes import qr, saved
from tests.web.site import Shown, Site
from vault import documents, erasure
from vault.kiosks import Equipment

CAMERA_ONLY = Equipment(camera=True, scanner=False, printer=True, sound=True)
AFTER = {
    "effacement": "avec-la-carte/effacement/code", "reouverture": "avec-la-carte/reouverture/code",
    "retour": "avec-la-carte/retour/code", "deblocage": "debloquer", "oublie": "perdu/raison/forgotten",
}  # fmt: skip


@pytest.fixture
def office(site: Site) -> Office:
    """The kiosk in front of which one stands has no reader."""
    made = make_office(site.house)
    site.stand_at(made.administrators[0], made.structure, CAMERA_ONLY)
    return made


@pytest.fixture
def awa(site: Site, office: Office) -> MadePerson:
    made = make_person(site.house, "Awa", kiosk=office.kiosk)
    keep(site.house, made.session, "Lettre")
    return made


def frame(text: str) -> bytes:
    """What the camera sees of a card."""
    return saved(qr(text), "JPEG", quality=90)


def nothing() -> bytes:
    """A table."""
    out = io.BytesIO()
    Image.new("RGB", (320, 240), (120, 110, 100)).save(out, "JPEG")
    return out.getvalue()


def camera(page: Shown) -> str:
    """Where the page's script sends what the camera sees."""
    (address,) = page.tree.xpath("//*[@data-card-camera]/@data-card-camera")
    assert page.tree.xpath("//script[contains(@src, 'card')]")
    assert not page.tree.xpath("//form[@data-scanner]"), "a field for a reader that is not there"
    return str(address)


@pytest.mark.parametrize("what", AFTER)
def test_a_card_before_the_camera_leads_on(site: Site, awa: MadePerson, what: str) -> None:
    address = camera(site.get(f"/fr/avec-la-carte/{what}"))
    assert site.film(address, nothing()).status_code == 204
    answer = site.film(address, frame(awa.card))
    assert (answer.status_code, answer.json()) == (200, {"next": f"/fr/{AFTER[what]}"})
    assert site.get(f"/fr/{AFTER[what]}").status == 200
    again = site.get(f"/fr/avec-la-carte/{what}")
    assert again.path == f"/fr/{AFTER[what]}", "the card that was just shown is not asked again"
    assert camera(site.get(f"/fr/avec-la-carte/{what}?encore=1")), "another card can be shown"


def test_the_card_alone_cancels_an_erasure(site: Site, awa: MadePerson) -> None:
    """K20: "Avant, votre carte peut tout annuler"."""
    erasure.ask(site.house, awa.session, awa.code)
    address = camera(site.get(site.get("/fr/annuler").link("/effacement")))
    code = site.get(site.film(address, frame(awa.card)).json()["next"])
    assert code.tree.xpath("//nav//a/@href")[0].endswith("/avec-la-carte/effacement?encore=1")
    assert "annul" in site.press(code, code=awa.code).text.lower()
    site.open(awa)
    assert documents.count(site.house, awa.session) == 1


def test_the_other_card_of_somebody_is_held_before_the_camera_too(site: Site, office: Office, awa: MadePerson) -> None:
    other = make_person(site.house, "Awa", kiosk=office.kiosk)
    site.open(other)
    address = camera(site.get("/fr/autre-abri"))
    assert site.film(address, nothing()).status_code == 204
    answer = site.film(address, frame(awa.card))
    assert answer.json() == {"next": "/fr/autre-abri/code"}
    assert site.press(site.get(answer.json()["next"]), code=awa.code).path == "/fr/apporter/fait"
    assert documents.count(site.house, other.session) == 1
    photo = site.client.post(
        "/fr/autre-abri/photo", data={"token": site.token()}, files=[("file", ("carte.png", saved(qr(awa.card), "PNG"), "image/png"))],
        headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False,
    )  # fmt: skip
    assert photo.headers["location"] == "/fr/autre-abri/code", "and a photo of it is enough"
