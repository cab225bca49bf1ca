"""The register's special paths, the notices and the recipients, by the office's and the desk's pages."""

import json
from typing import cast

import pytest
from sqlalchemy import select

from storage.tables import accounts
from tests.vault.builders import unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, Circle, confirm, make_circle, new_card, start
from tests.vault.papers import keep
from tests.vault.test_printed import words
from tests.vault.test_sharing import SEE, offer, second_day
from tests.web.site import Shown, Site
from tests.web.test_desk_pages import confirmed, plain, said, submit
from vault import coming_back, erasing, erasure, restricting, rights, sessions, sharing


@pytest.fixture
def made(site: Site) -> Circle:
    return make_circle(site.house)


def receive(site: Site, **fields: str) -> Shown:
    """Write a request down in the office."""
    typed = {"number": "", "order": "", "silent": ""} | fields
    return site.press(site.get("/fr/association/registre/recevoir"), **typed)


def step(site: Site, made: Circle, who: int, page: Shown, act: str, **fields: str) -> Shown:
    """One step by one of the two administrators."""
    site.sign_in_administrator(made.tilleuls.administrators[who])
    done = submit(site, site.get(page.path), f"{page.path}/{act}", **fields)
    return confirmed(site, done, made.tilleuls.administrators[who]) if act == "approuver" else done


def test_a_requisition_by_name_and_by_number(site: Site, made: Circle) -> None:
    """By name the page says what to answer; by number two people, one extract of the clear columns, and a duty to tell."""
    keep(site.house, unlock(site.house, made.awa), "Bail de Boubacar")
    site.sign_in_administrator(made.tilleuls.administrators[0])
    wrong = receive(site, kind="requisition", origin="letter")
    assert (wrong.status, wrong.errors) == (422, said("office.error.origin"))
    by_name = receive(site, kind="requisition", origin="authority")
    assert said("office.request.by_name")[:60] in plain(by_name)
    assert site.get(f"{by_name.path}/extrait").status == 409
    page = receive(site, kind="requisition", origin="authority", number=made.awa.number)
    assert said("office.request.not_told") in plain(page)
    for who in (0, 1):
        page = step(site, made, who, page, "approuver")
        assert site.get(f"{page.path}/extrait").status == 409
    page = step(site, made, 0, page, "executer")
    assert said("office.request.not_told") not in plain(page)
    answer = site.get(f"{page.path}/extrait")
    assert answer.headers["content-disposition"] == 'attachment; filename="extrait.json"'
    assert set(json.loads(answer.content)["tables"]) >= {"accounts", "papers", "versions"}
    for hidden in ("Boubacar", "Awa", made.awa.id):
        assert hidden not in page.text
    assert b"Boubacar" not in answer.content


def test_a_death_by_letter_that_blocks_at_once_is_confirmed_first(site: Site, made: Circle) -> None:
    """By number it blocks a safe on one signature: whoever stands there says so again. By name nothing happens, and nothing is asked."""
    nadia = made.tilleuls.administrators[0]
    site.sign_in_administrator(nadia)
    assert "/registre/" in receive(site, kind="death", origin="letter").path
    wrong = receive(site, kind="death", origin="letter", number="0000 0000 0000")
    assert (wrong.status, wrong.errors) == (422, said("office.error.number"))
    asked = receive(site, kind="death", origin="letter", number=made.awa.number)
    assert made.awa.number in asked.text
    assert site.press(asked, words=" ".join(made.tilleuls.administrators[1].words)).status == 401
    with site.house.database.transaction(read_only=True) as connection:
        assert connection.scalar(select(accounts.c.state).where(accounts.c.id == made.awa.id)) == "open"
    assert confirmed(site, asked, nadia).path.startswith("/fr/association/registre/")
    with site.house.database.transaction(read_only=True) as connection:
        assert connection.scalar(select(accounts.c.state).where(accounts.c.id == made.awa.id)) == "mourned"


def test_the_special_fields_say_what_is_wrong(site: Site, made: Circle) -> None:
    site.sign_in_administrator(made.tilleuls.administrators[0])
    for fields, sentence in (
        ({"kind": "court-order", "origin": "authority", "number": made.awa.number}, "office.error.order"),
        ({"kind": "court-order", "origin": "authority", "order": "keep"}, "office.error.number"),
        ({"kind": "access", "origin": "letter", "number": made.awa.number}, "office.error.number"),
        ({"kind": "requisition", "origin": "authority", "silent": "tomorrow"}, "error.date"),
        ({"kind": "war", "origin": "letter"}, "office.error.kind"),
    ):
        page = receive(site, **fields)
        assert (page.status, page.errors) == (422, said(sentence))


def test_a_restriction_is_read_at_the_kiosk_and_lifted_there(site: Site, made: Circle) -> None:
    site.open(made.awa)
    asked = site.press(site.get("/fr/droits/demander"), kind="restriction", code=made.awa.code)
    assert asked.status == 200
    site.sign_in_administrator(made.tilleuls.administrators[0])
    (link,) = [one for one in site.get("/fr/association/registre").links if one.count("/") == 4 and not one.endswith("recevoir")]
    page = site.get(link)
    for who, act in ((0, "approuver"), (1, "approuver"), (0, "executer")):
        page = step(site, made, who, page, act)
    assert said("office.request.lifts") in plain(page)
    site.open(made.awa)
    assert said("restricted.banner") in plain(site.get("/fr/droits"))
    assert said("restricted.banner") in plain(site.get("/fr/ce-qu-abri-sait"))
    refused = site.press(site.get("/fr/effacer-tout/code"), code=made.awa.code)
    assert refused.path == "/fr/droits/rien-ne-bouge"
    assert said("restricted.then") in plain(refused)
    why = site.get("/fr/droits/rien-ne-bouge")
    assert site.press(why, code="591746").status == 401
    assert site.press(site.get("/fr/droits/rien-ne-bouge"), code=made.awa.code).path == "/fr/droits"
    assert said("restricted.banner") not in plain(site.get("/fr/droits"))
    site.sign_in_administrator(made.tilleuls.administrators[0])
    assert said("office.request.lifted") in plain(site.get(link))


def test_what_may_not_begin_yet_is_said_in_the_office_s_words(site: Site, made: Circle) -> None:
    """An erasure of somebody who has just come back, or whose safe is restricted: the page says why, and nothing has begun."""
    house, nadia = site.house, made.tilleuls.administrators[0]
    session, code = start(house, made.tilleuls.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    back = sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    rights.ask_right(house, back, NEW_CODE, "erasure")
    site.sign_in_administrator(nadia)
    (link,) = [one for one in site.get("/fr/association/registre").links if one.count("/") == 4 and not one.endswith("recevoir")]
    page = step(site, made, 1, step(site, made, 0, site.get(link), "approuver"), "approuver")
    refused = submit(site, page, f"{link}/executer")
    assert (refused.status, refused.errors) == (409, said("office.request.after_recovery"))
    cast("Clock", house.clock).forward(days=2)
    with house.database.transaction() as connection:
        restricting.begin(house, connection, made.awa.id)
    refused = step(site, made, 0, site.get(link), "executer")
    assert (refused.status, refused.errors) == (409, said("office.request.restricted"))
    assert said("register.state.approved") in plain(refused)


def test_why_it_was_prolonged_stays_beside_why_it_was_refused(site: Site, made: Circle) -> None:
    site.sign_in_administrator(made.tilleuls.administrators[0])
    page = receive(site, kind="access", origin="letter")
    assert site.get(f"{page.path}/reponse").status == 404, "nothing is answered yet"
    later = submit(site, page, f"{page.path}/prolonger", reason="Beaucoup de demandes.")
    text = " ".join(words(site.get(later.link("/reponse")).content).split())
    for part in (
        "Notre réponse prend plus de temps",
        "Our answer takes more time",
        "Beaucoup de demandes.",
        "23 février 2027",
        "CNIL",
    ):
        assert part in text
    over = submit(site, site.get(page.path), f"{page.path}/refuser", reason="Nous ne savons pas de qui il s'agit.")
    for part in (said("o01.extension"), "Beaucoup de demandes.", "Nous ne savons pas de qui il s'agit."):
        assert part in plain(over)
    text = " ".join(words(site.get(over.link("/reponse")).content).split())
    for part in (
        "Nous ne pouvons pas faire ce que vous demandez",
        "Nous ne savons pas de qui il s'agit.",
        over.heading.split()[-1],
    ):
        assert part in text
    assert "Beaucoup de demandes." not in text


def test_recipients_answer_at_their_desk_and_the_office_sees_who_has_not(site: Site, made: Circle) -> None:
    house, clock = site.house, cast("Clock", site.house.clock)
    second_day(house, clock)
    paper = keep(house, unlock(house, made.awa), "Bail")
    for worker in (made.fatou, made.marc):
        sharing.grant(house, made.awa.session, worker.id, offer(paper, acts=SEE))
    going = erasure.ask(house, made.awa.session, made.awa.code)
    clock.forward(hours=73)
    for one in erasing.due(house):
        erasing.carry_out(house, one)
    site.sign_in(made.fatou)
    assert said("desk.erase.banner", n=1) in plain(site.get("/fr/bureau"))
    page = site.get("/fr/bureau/copies-a-effacer")
    silent = site.press(page, reason="parce que")
    assert silent.status == 422
    kept = site.press(page, answer="keeps", reason="")
    assert (kept.status, kept.errors) == (422, said("desk.erase.no_reason"))
    done = site.press(page, answer="keeps", reason="le juge a la copie")
    assert said("desk.erase.thanks") in plain(done)
    assert said("desk.erase.empty") in plain(done)
    assert site.press(page, answer="keeps", reason="le juge a la copie").path == page.path, "a second tap"
    site.sign_in_administrator(made.tilleuls.administrators[0])
    page = site.get("/fr/association/article-19")
    assert "le juge a la copie" in plain(page)
    assert not [one for one in page.links if one.endswith("/lettre")]
    site.sign_in_administrator(made.canal.administrators[0])
    page = site.get("/fr/association/article-19")
    assert said("office.art19.waiting", n=0)[:12] in plain(page)
    (letter,) = [one for one in page.links if one.endswith("/lettre")]
    text = words(site.get(letter).content)
    assert "Marc" in text
    assert going.number in text
    site.leave()
    certificate = site.press(site.get("/fr/certificat"), number=going.number)
    text = " ".join(words(certificate.content).split())
    for part in ("Personnes prévenues", "Copies gardées, avec une raison", "Sans réponse"):
        assert part in text
    assert "Awa" not in text
    assert "Bail" not in text


def test_closing_is_proposed_confirmed_and_called_off_by_two(site: Site, made: Circle) -> None:
    site.sign_in_administrator(made.tilleuls.administrators[0])
    place = "/fr/association/fermeture"
    soon = submit(site, site.get(place), f"{place}/proposer", day="2027-02-22")
    assert (soon.status, soon.errors) == (422, said("office.closing.too_soon"))
    assert submit(site, site.get(place), f"{place}/proposer", day="demain").status == 422
    assert site.get(f"{place}/affiche").status == 409
    page = submit(site, site.get(place), f"{place}/proposer", day="2027-03-01")
    assert said("office.another_person") in plain(page)
    assert not page.tree.xpath("//form[contains(@action, '/confirmer')]")
    token = str(page.tree.xpath("//main//input[@name='token']/@value")[0])
    assert site.post(f"{place}/confirmer", {"token": token}).status == 403
    site.sign_in_administrator(made.tilleuls.administrators[1])
    asked = submit(site, site.get(place), f"{place}/confirmer")
    assert said("office.closing.few") not in plain(asked)
    assert site.get(f"{place}/affiche").status == 409  # a click alone announces nothing
    page = confirmed(site, asked, made.tilleuls.administrators[1])
    assert said("office.closing.few") in plain(page)
    poster = site.get(f"{place}/affiche").content
    assert poster.startswith(b"%PDF-")
    page = submit(site, page, f"{place}/annuler")
    assert said("office.another_person") in plain(page)
    site.sign_in_administrator(made.tilleuls.administrators[0])
    page = confirmed(site, submit(site, site.get(place), f"{place}/confirmer"), made.tilleuls.administrators[0])
    assert said("office.closing.state-open") in plain(page)


def test_the_poster_and_the_page_for_desks_print(site: Site, made: Circle) -> None:
    """L15: the words of docs/breach.md, a page in each language, no name and no number."""
    site.sign_in_administrator(made.tilleuls.administrators[0])
    page = site.get("/fr/association/affiches")
    poster, desks = (site.get(page.link(end)).content for end in ("affiches/incident", "affiches/incident-bureaux"))
    text = " ".join(words(poster).split())
    assert "Il y a eu un problème de sécurité" in text
    assert "There was a security problem" in text
    assert not set("0123456789") & set(said("printed.breach.title") + said("printed.breach.text"))
    assert "Ne dites à personne qui a un Abri" in " ".join(words(desks).split())


def test_the_page_that_invites_says_what_a_representative_is(site: Site, made: Circle) -> None:
    site.sign_in_administrator(made.tilleuls.administrators[0])
    assert said("office.workers.mandataire") in plain(site.get("/fr/association/personnel/inviter"))
