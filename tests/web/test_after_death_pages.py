"""After a death, by its pages: what was wanted, who has seen the certificate, four eyes, and a copy for the person named."""

import io
import zipfile
from typing import cast

import pytest

from tests.vault import deaths_scene
from tests.vault.builders import sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import Circle, make_circle
from tests.vault.papers import keep
from tests.web.site import Shown, Site
from tests.web.test_desk_pages import confirmed, plain, said, submit
from vault import workers


@pytest.fixture
def made(site: Site) -> Circle:
    """Awa, one paper, and two guardians of two operators."""
    made = make_circle(site.house)
    keep(site.house, unlock(site.house, made.awa), "Bail")
    return made


def ward(site: Site, worker: object) -> str:
    """The address of Awa in a guardian's own list."""
    site.sign_in(worker)  # type: ignore[arg-type]
    (address,) = {one for one in site.get("/fr/bureau/confiance").links if "/bureau/confiance/" in one}
    return address


def wanted(site: Site, made: Circle) -> Shown:
    """Awa says at the kiosk that Bintou receives her papers."""
    site.open(made.awa)
    page = site.get("/fr/droits/apres/donner")
    return site.press(page, name="Bintou (démo)", note="ma sœur", code=made.awa.code)


def test_a_directive_is_said_corrected_and_taken_back_at_a_kiosk(site: Site, made: Circle) -> None:
    site.open(made.awa)
    assert site.get("/fr/droits/autres").link("droits/apres")
    page = site.get("/fr/droits/apres/donner")
    empty = site.press(page, name=" ", note="", code=made.awa.code)
    assert (empty.status, empty.errors) == (422, said("error.directive-name"))
    wrong = site.press(page, name="Bintou (démo)", note="ma sœur", code="591746")
    assert wrong.status == 401
    assert wrong.tree.xpath("//input[@id='name']/@value") == ["Bintou (démo)"]
    done = wanted(site, made)
    assert done.path == "/fr/droits/apres"
    assert "Bintou (démo)" in plain(done)
    assert "Fatou, Marc" in plain(done)
    assert "Bintou (démo)" in plain(site.get("/fr/ce-qu-abri-sait"))
    assert "Bintou (démo)" in plain(site.get("/fr/ce-qu-abri-sait/imprimer"))
    erase = site.press(site.get("/fr/droits/apres/effacer"), code=made.awa.code)
    assert said("directive.now-erase") in plain(erase)
    nothing = site.press(erase, answer="yes")
    assert said("directive.unsaid") in plain(nothing)


def test_from_the_report_to_the_copy(site: Site, made: Circle) -> None:
    wanted(site, made)
    address = ward(site, made.fatou)
    page = site.get(f"{address}/deces")
    unseen = site.press(page)
    assert (unseen.status, unseen.errors) == (422, said("desk.death.not_seen"))
    reported = site.press(page, seen="yes")
    assert "Bintou (démo)" in plain(reported)
    number = reported.tree.xpath("//dl[@class='facts']//dd")[0].text_content().strip()
    assert not reported.tree.xpath("//input[@name='code']")
    site.press(site.get(f"{ward(site, made.marc)}/deces"), seen="yes")
    _approve(site, made)
    site.leave()
    early = site.press(site.get("/fr/apres-un-deces"), number=number)
    assert (early.status, early.errors) == (422, said("after.not_now"))
    cast("Clock", site.house.clock).forward(days=31)
    _hand(site, made, number)


def test_the_office_reads_that_whoever_said_it_has_left(site: Site, made: Circle) -> None:
    """Both had seen the certificate and their accounts were ended since: the line waits for guardians again, and its page says why."""
    found = deaths_scene.approved(site.house, made)
    for worker, office in ((made.fatou, made.tilleuls), (made.marc, made.canal)):
        workers.end(site.house, sign_in_administrator(site.house, office.administrators[0]), worker.id)
    site.sign_in_administrator(made.tilleuls.administrators[0])
    page = site.get(f"/fr/association/registre/{found.id}")
    assert said("office.request.unsaid") in plain(page)
    assert said("office.request.unverified") in plain(page)
    assert not page.tree.xpath("//form[contains(@action, '/approuver')]")


def _approve(site: Site, made: Circle) -> None:
    for administrator in made.tilleuls.administrators:
        site.sign_in_administrator(administrator)
        register = site.get("/fr/association/registre")
        (one,) = [link for link in register.links if "/registre/" in link and not link.endswith(("recevoir", "finies=1"))]
        page = site.get(one)
        assert "Bintou" not in page.text
        assert "Awa" not in page.text
        page = confirmed(site, submit(site, page, f"{one}/approuver"), administrator)
    assert said("office.request.death_waits") in plain(page)
    assert said("decided.hand") in plain(page)
    assert not page.tree.xpath("//form[contains(@action, '/executer') or contains(@action, '/clore')]")


def _hand(site: Site, made: Circle, number: str) -> None:
    site.leave()
    site.stand_at(made.canal.administrators[0], made.canal.structure)
    waiting = site.press(site.get("/fr/apres-un-deces"), number=number)
    assert waiting.path == "/fr/apres-un-deces/attente"
    code = waiting.tree.xpath("//p[@class='number']")[0].text_content().strip()
    with site.phone() as desk:
        for worker in (made.fatou, made.marc):
            address = ward(desk, worker)
            wrong = submit(
                desk, desk.get(f"{address}/deces"), f"{address}/deces/remettre", code="000000" if code != "000000" else "1" * 6
            )
            assert wrong.status == 422
            sent = submit(desk, wrong, f"{address}/deces/remettre", code=code)
            assert said("desk.death.sent") in plain(sent)
    opened = site.press(site.get("/fr/apres-un-deces/attente"), act="open")
    assert opened.path == "/fr/apres-un-deces/papiers"
    assert said("after.take_title") == opened.heading
    for closed in ("maison", "papiers", "droits", "moi", "partages"):
        assert site.get(f"/fr/{closed}").status == 403
    site.press(opened, way="usb")
    archive = zipfile.ZipFile(io.BytesIO(site.get("/fr/apres-un-deces/fichier").content))
    assert "Bail" in archive.read("data/papers.json").decode()
    assert "Bail" in archive.read("index.html").decode()
    assert site.press(opened, way="phone").images
