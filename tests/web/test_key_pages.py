"""The pages of authenticators, by an authenticator in software: the door, the ring, and what is shown once."""

from typing import Any

import pytest

from tests.vault.authenticator import Authenticator
from tests.vault.builders import make_office, make_worker
from tests.web.site import ORIGIN, Shown, Site
from tests.web.test_desk_pages import plain, said
from vault.ceremonies import Answer


def sent(answer: Answer, name: str = "answer") -> dict[str, str]:
    """What the script puts into a form."""
    return {name: answer.untrusted, f"{name}_secret": answer.untrusted_secret}


def options(page: Shown, which: str = "get") -> str:
    return str(page.form.get(f"data-{which}"))


def added(site: Site, one: Any, key: Authenticator, area: str = "bureau") -> Shown:
    """Added from the page, with the six words."""
    page = site.get(f"/fr/{area}/cles/ajouter")
    return site.press(page, name="clé bleue", words=" ".join(one.words), **sent(key.register(options(page, "create")), "made"))


@pytest.mark.parametrize("prf", [True, False])
def test_a_worker_adds_a_key_and_enters_with_it(site: Site, prf: bool) -> None:
    fatou = make_worker(site.house, make_office(site.house))
    site.sign_in(fatou)
    key = Authenticator(prf=prf, origin=ORIGIN)
    page = added(site, fatou, key)
    assert said("keys.added" if prf else "keys.added_second") in plain(page)
    assert "clé bleue" in page.text
    site.leave()
    door = site.get("/fr/bureau/entrer")
    assert door.form.xpath(".//button[@formaction='/fr/bureau/entrer/avec-une-cle' and @data-js]"), (
        "without script it is not shown"
    )
    page = site.post("/fr/bureau/entrer/avec-une-cle", {"code": ""})
    assert page.path == "/fr/bureau/entrer/cle"
    assert options(page, "start") == "yes"
    wrong = site.press(page, answer="{}", answer_secret="")
    assert (wrong.status, wrong.errors, options(wrong, "start")) == (401, said("keys.not_known"), "")
    page = site.press(wrong, **sent(key.touch(options(wrong))))
    if not prf:
        assert (page.path, page.heading) == ("/fr/bureau/entrer/mots", said("keys.words_title"))
        refused = site.press(page, code=fatou.code, words="un deux trois quatre cinq six")
        assert (refused.status, refused.errors) == (401, said("sign_in.failed"))
        page = site.press(refused, code=fatou.code, words=" ".join(fatou.words))
    assert (page.status, page.path) == (200, "/fr/bureau")


def test_the_ring_is_renamed_emptied_and_drawn_again(site: Site) -> None:
    nadia = make_office(site.house).administrators[0]
    site.sign_in_administrator(nadia)
    assert said("office.home.no_key") in plain(site.get("/fr/association"))
    key = Authenticator(origin=ORIGIN)
    page = added(site, nadia, key, "association")
    assert said("keys.digits_do_not") in plain(page)
    assert said("office.home.no_key") not in plain(site.get("/fr/association"))
    (rename,) = page.tree.xpath("//main//form/@action[contains(., '/nommer')]")
    token = str(page.tree.xpath("//main//input[@name='token']/@value")[0])
    assert "clé rouge" in site.post(str(rename), {"token": token, "name": "clé rouge"}).text
    assert site.post(str(rename), {"token": token, "name": " "}).errors == said("keys.bad_name")
    # what is drawn again is asked for with the key itself, and shown until it is noted
    page = site.post("/fr/association/cles/feuille", {"token": token})
    assert (page.heading, said("confirm.new_sheet") in page.text) == (said("confirm.title"), True)
    page = site.press(page, **sent(key.touch(options(page))))
    assert page.path == "/fr/association/cles/a-noter"
    words = page.tree.xpath("//ol[@class='drawn-words']/li")
    assert len(words) == 6
    assert site.get("/fr/association/cles/a-noter/imprimer").status == 200
    site.press(page)
    assert said("keys.nothing_to_note") in site.get("/fr/association/cles/a-noter").text
    assert site.get("/fr/association/cles/a-noter/imprimer").status == 404
    # taken away
    page = site.post(str(rename).replace("nommer", "retirer"), {"token": token})
    assert "clé rouge" in page.text
    replayed = key.touch(options(page))
    assert said("keys.removed") in plain(site.press(page, **sent(replayed)))
    assert site.post(str(rename).replace("nommer", "retirer"), {"token": token}).status == 404


def test_a_new_telephone(site: Site) -> None:
    fatou = make_worker(site.house, make_office(site.house))
    site.sign_in(fatou)
    token = str(site.get("/fr/bureau/cles").tree.xpath("//main//input[@name='token']/@value")[0])
    page = site.press(site.post("/fr/bureau/cles/chiffres", {"token": token}), words=" ".join(fatou.words))
    assert page.path == "/fr/bureau/cles/chiffres"
    assert site.client.get("/fr/bureau/cles/chiffres/carre").headers["content-type"] == "image/svg+xml"
    assert site.press(page, totp="000000").errors == said("error.totp-differs")
