"""Somebody goes on from somebody else: proposed at the desk, asked on one page at the kiosk, given by a new consent."""

import pytest

from tests.vault.builders import make_office, make_worker, unlock
from tests.web.desk_scene import give, scene
from tests.web.site import Site
from tests.web.test_desk_pages import plain, said
from vault import receipt_files, showing, workers


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_worker_proposes_a_colleague_and_the_person_answers_on_one_page(site: Site, language: str) -> None:
    on = scene(site.house)
    lina, marc = (
        make_worker(site.house, on.office, "Lina"),
        make_worker(site.house, make_office(site.house, "ESI Le Canal"), "Marc"),
    )
    grant = give(site.house, on.awa, on.fatou, on.paper)
    site.sign_in(on.fatou)
    form = site.get(site.get(f"/fr/bureau/personnes/{grant}").link("/relais"))
    assert form.tree.xpath("//option/@value") == [lina.id, marc.id], "those of one's own structure first"
    assert site.press(form, worker=on.fatou.id).errors == said("error.nothing-chosen")
    done = site.press(form, worker=lina.id)
    assert said("desk.relay.done") in plain(done)
    assert said("desk.relay.proposed") in plain(done)
    assert site.press(form, worker=marc.id).status == 409
    assert site.get("/fr/bureau/personnes/none/relais").status == 404
    site.open(on.awa)
    page = site.get(f"/{language}/maison")
    page = site.get(page.link("/suite"))
    assert page.buttons["worker"] == [lina.id, "nobody"]
    others = site.get(next(one for one in page.links if "/suite/autre" in one))
    assert len([one for one in others.links if "avec=" in one]) == 2
    page = site.get(next(one for one in others.links if marc.id in one))
    assert page.buttons["worker"] == [marc.id, "nobody"]
    given = site.press(page, worker=marc.id)
    assert f"/{language}/partages/{grant}/arreter" in given.links, "then, if wanted, an end with the first"
    cards = {one.worker: one for one in showing.grants_of(site.house, on.awa.session)}
    assert set(cards) == {on.fatou.id, marc.id}
    (receipt,) = receipt_files.records_of(site.house, on.awa.session, cards[marc.id].grant)
    assert receipt.receipt.notice.language == language
    assert site.press(page, worker="nobody").status == 200, "answered meanwhile: nothing is left to ask"
    assert site.get(f"/{language}/suite").links[-2:] == [f"/{language}/maison", f"/{language}/partages"]


def test_a_departure_asks_once_and_no_is_enough(site: Site) -> None:
    on = scene(site.house)
    make_worker(site.house, on.office, "Lina")
    give(site.house, on.awa, on.fatou, on.paper)
    workers.end(site.house, on.office.admin, on.fatou.id, on.office.proof)
    unlock(site.house, on.awa)
    site.open(on.awa)
    page = site.get("/fr/suite")
    assert said("next.left_text").split(" /")[0].split("\n")[0] in plain(page)
    assert site.press(page, worker="nobody").heading == said("next.none")
    assert "/fr/suite" not in site.get("/fr/maison").links
    assert showing.grants_of(site.house, on.awa.session) == []
