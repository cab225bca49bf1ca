"""The office: people at work, machines, and the register. Four eyes where it matters; never a paper, a title or a person's name."""

import base64
import datetime as dt
import re
from typing import cast

from storage import tables
from tests.vault.builders import (
    CODE,
    make_office,
    make_person,
    make_worker,
    one_time_password,
    sign_in_administrator,
    unlock,
)
from tests.vault.clock import Clock
from tests.web.desk_scene import real_paper
from tests.web.site import Shown, Site
from tests.web.test_desk_pages import confirmed, plain, said, submit
from vault import erasing, health, kiosks, notices, rights, workers
from vault.rights import Extra


def clock_of(site: Site) -> Clock:
    return cast("Clock", site.house.clock)


def in_form(page: Shown, action: str) -> bool:
    return bool(page.tree.xpath(f"//form[@action='{action}']"))


def test_an_administrator_signs_in_and_reads_what_waits(site: Site) -> None:
    office = make_office(site.house)
    nadia = office.administrators[0]
    rights.receive(site.house, nadia.session, "erasure", "letter")
    door = site.get("/fr/association/entrer")
    wrong = site.press(door, code=nadia.code, words=" ".join(nadia.words), totp="000000")
    assert (wrong.status, wrong.errors) == (401, said("sign_in.failed"))
    page = site.press(
        door, code=nadia.code, words=" ".join(nadia.words), totp=one_time_password(site.house, nadia.totp)
    )  # fmt: skip
    assert (page.path, page.heading) == ("/fr/association", said("office.home.title"))
    assert said("office.home.requests", n=1) in plain(page)
    assert said("office.layers.malware") in plain(page)
    parts = page.tree.xpath("//table[@id='table']//tbody/tr")
    assert len(parts) == 6
    assert [said("office.health.good") in " ".join(row.itertext()) for row in parts] == [True] * 4 + [False] * 2
    assert all(said("office.health.on_time") in " ".join(row.itertext()) for row in parts[-2:])
    layers = page.tree.xpath("//table[@id='layers']//tbody/tr[contains(., $on)]", on=said("office.layers.on"))
    assert len(layers) == sum(one.on for one in site.house.confinement.layers()) > 0
    walls = " ".join(page.tree.xpath("string(//table[@id='layers'])").split())
    assert all(said(f"office.layers.{one.name}") in walls for one in site.house.confinement.layers())
    off = [one for one in site.house.confinement.layers() if not one.on]
    assert len(page.tree.xpath("//main//*[@lang='en']")) == len(off)  # technical English is for what must be put right
    assert (said("office.home.as_it_is") in plain(page)) == bool(off)


def test_a_worker_needs_two_different_administrators(site: Site) -> None:
    office = make_office(site.house)
    invitation = workers.invite(site.house, office.admin, office.structure, "Lina", "salaried", None)
    site.sign_in_administrator(office.administrators[0])
    assert "Lina" in site.get("/fr/association/personnel").text
    site.leave()
    words_page = site.press(site.get("/fr/bureau/invitation"), code=invitation)
    words = " ".join("".join(one.itertext()) for one in words_page.tree.xpath("(//ol[@class='drawn-words'])[1]/li"))
    seed = base64.b32decode(str(words_page.tree.xpath("//code")[0].text).replace(" ", ""))
    check = site.get("/fr/bureau/invitation/verifier")
    assert site.press(check, words=words, totp=one_time_password(site.house, seed), charter="yes", sheet="yes").status == 200

    site.sign_in_administrator(office.administrators[0])
    page = site.get("/fr/association/personnel")
    (address,) = [one for one in page.links if re.search(r"/personnel/[0-9a-f-]{36}$", one)]
    page = site.get(address)
    page = submit(site, page, f"{address}/certifier")
    assert page.heading == said("confirm.title")
    unproven = site.press(page)
    assert (unproven.status, unproven.errors) == (422, said("sign_in.words_count"))
    wrong = site.press(page, words=" ".join(office.administrators[1].words))
    assert (wrong.status, wrong.errors) == (401, said("confirm.wrong"))
    page = confirmed(site, page, office.administrators[0])
    assert said("office.another_person") in plain(page)
    assert not in_form(page, f"{address}/certifier"), "the same administrator is not asked twice"
    token = str(page.tree.xpath("//main//input[@name='token']/@value")[0])
    again = site.post(f"{address}/certifier", {"token": token})
    assert (again.status, again.errors) == (403, said("office.another_person"))

    site.sign_in_administrator(office.administrators[1])
    page = confirmed(site, submit(site, site.get(address), f"{address}/certifier"), office.administrators[1])
    assert said("state.certified") in plain(page)
    line = next(one for one in workers.of_office(site.house, sign_in_administrator(site.house, office.administrators[0])))
    assert line.signed_by == ("Hugo", "Nadia")


def test_an_invitation_is_made_shown_once_and_cancelled(site: Site) -> None:
    office = make_office(site.house)
    site.sign_in_administrator(office.administrators[0])
    page = site.get("/fr/association/personnel/inviter")
    endless = site.press(page, structure=office.structure, first_name="Inès", role="intern", ends="")
    assert (endless.status, endless.errors) == (422, said("office.invite.bad_ends"))
    assert site.press(page, structure=office.structure, first_name="Inès", role="king", ends="").status == 422
    ends = site.house.clock().date() + dt.timedelta(days=20)
    shown = site.press(page, structure=office.structure, first_name="Inès", role="intern", ends=ends.isoformat())
    assert shown.path == "/fr/association/a-remettre"
    code = shown.tree.xpath("//p[@class='number']")[0].text_content()
    assert re.fullmatch(r"(?:[A-Z2-9]{4} ){2}[A-Z2-9]{4}", code.strip())
    assert site.press(shown).path == "/fr/association"
    assert said("office.handover.nothing") in plain(site.get("/fr/association/a-remettre"))
    page = site.get("/fr/association/personnel")
    assert "Inès" in page.text
    (cancel,) = [one for one in page.tree.xpath("//main//form/@action") if "/invitations/" in one]
    assert "Inès" not in submit(site, page, str(cancel)).text
    site.leave()
    assert site.press(site.get("/fr/bureau/invitation"), code=code).status == 422


def test_a_worker_is_suspended_comes_back_and_ends(site: Site) -> None:
    office = make_office(site.house)
    fatou = make_worker(site.house, office)
    site.sign_in_administrator(office.administrators[0])
    address = f"/fr/association/personnel/{fatou.id}"
    until = site.house.clock().date() + dt.timedelta(days=12)
    page = submit(site, site.get(address), f"{address}/suspendre", until=until.isoformat())
    assert said("office.workers.away", day="x").split("x")[0].strip() in plain(page)
    page = submit(site, page, f"{address}/revenir")
    assert said("state.certified") in plain(page)
    wrong_day = submit(site, page, f"{address}/suspendre", until="tomorrow")
    assert wrong_day.status == 422
    page = submit(site, page, f"{address}/attente")
    assert said("office.workers.wait_lifted") in plain(page)
    asked = submit(site, site.get(f"{address}/mettre-fin"), f"{address}/mettre-fin")
    assert said("state.certified") in plain(site.get(address)), "nothing is done before it is confirmed"
    confirmed(site, asked, office.administrators[0])
    page = site.get(address)
    assert said("state.ended") in plain(page)
    token = str(site.get("/fr/association/structures").tree.xpath("//main//input[@name='token']/@value")[0])
    again = site.post(f"{address}/revenir", {"token": token})
    assert (again.status, again.errors) == (409, said("office.conflict"))


def test_another_operators_people_machines_and_requests_do_not_exist(site: Site) -> None:
    ours, theirs = make_office(site.house), make_office(site.house, "ESI Le Canal")
    marc = make_worker(site.house, theirs, "Marc")
    request = rights.receive(site.house, sign_in_administrator(site.house, theirs.administrators[0]), "access", "letter")
    site.sign_in_administrator(ours.administrators[0])
    token = str(site.get("/fr/association/structures").tree.xpath("//main//input[@name='token']/@value")[0])
    places = (f"personnel/{marc.id}", f"personnel/{marc.id}/mettre-fin", f"bornes/{theirs.kiosk}", f"registre/{request.id}")
    for place in places:
        assert site.get(f"/fr/association/{place}").status == 404
    acts = (
        f"personnel/{marc.id}/certifier", f"personnel/{marc.id}/suspendre", f"personnel/{marc.id}/mettre-fin",
        f"personnel/{marc.id}/attente", f"bornes/{theirs.kiosk}/retirer", f"registre/{request.id}/approuver",
    )  # fmt: skip
    for act in acts:
        assert site.post(f"/fr/association/{act}", {"token": token}).status == 404
    for page in ("personnel", "bornes", "structures", "registre"):
        assert "Canal" not in site.get(f"/fr/association/{page}").text


def test_a_kiosk_is_enrolled_changed_renewed_and_retired(site: Site) -> None:
    office = make_office(site.house)
    site.sign_in_administrator(office.administrators[0])
    page = site.get("/fr/association/bornes")
    fields = {"structure": str(office.structure), "name": "tablette"}
    token = page.fields()["token"][0]
    shown = site.post("/fr/association/bornes", {"token": token, **fields, "camera": "yes"})
    assert shown.path == "/fr/association/a-remettre"
    start = shown.tree.xpath("//p[@class='number']")[0].text_content().strip()
    key = start.rpartition("/")[2]
    made = kiosks.by_token(site.house, key)
    assert (made.name, made.equipment) == ("tablette", kiosks.Equipment(camera=True))
    address = f"/fr/association/bornes/{made.id}"
    page = submit(site, site.get(address), address, name="tablette 2", printer="yes")
    assert "tablette 2" in page.text
    assert kiosks.by_token(site.house, key).equipment == kiosks.Equipment(printer=True)
    submit(site, site.get(address), f"{address}/adresse")
    assert site.client.get(f"/borne/{key}").status_code == 404
    submit(site, site.get(address), f"{address}/retirer")
    assert site.get(address).status == 404


def test_the_register_wants_identity_then_four_eyes_then_72_hours(site: Site) -> None:
    office = make_office(site.house)
    awa = make_person(site.house, "Awa", kiosk=office.kiosk)
    real_paper(site.house, awa, "Avis de 2025")
    site.sign_in_administrator(office.administrators[0])
    page = site.get("/fr/association/registre/recevoir")
    assert site.press(page, kind="magic", origin="letter").status == 422
    page = site.press(page, kind="erasure", origin="letter")
    address, number = page.path, page.heading.rpartition(" ")[2]
    token = str(page.tree.xpath("//main//input[@name='token']/@value")[0])
    assert site.post(f"{address}/approuver", {"token": token}).status == 409, "nobody is approved whom nobody has identified"
    assert site.post(f"{address}/executer", {"token": token}).status == 409
    rights.identify(site.house, unlock(site.house, awa), CODE, number)

    page = confirmed(site, submit(site, site.get(address), f"{address}/approuver"), office.administrators[0])
    assert said("office.another_person") in plain(page)
    same = site.post(f"{address}/approuver", {"token": token})
    assert (same.status, same.errors) == (403, said("office.another_person"))
    assert site.post(f"{address}/executer", {"token": token}).status == 409

    site.sign_in_administrator(office.administrators[1])
    page = confirmed(site, submit(site, site.get(address), f"{address}/approuver"), office.administrators[1])
    page = submit(site, page, f"{address}/executer")
    assert said("office.request.waits_72") in plain(page)
    assert site.client.get(f"{address}/certificat").status_code == 404
    clock_of(site).forward(hours=73)
    for one in erasing.due(site.house):
        erasing.carry_out(site.house, one)
    site.sign_in_administrator(office.administrators[0])
    page = site.get(address)
    assert said("register.state.closed") in plain(page)
    certificate = site.client.get(page.link("/certificat"))
    assert certificate.headers["content-type"] == "application/pdf"
    assert certificate.content.startswith(b"%PDF")
    for place in ("", "/registre", "/registre?finies=1", "/personnel", f"/registre/{address.rpartition('/')[2]}"):
        text = site.get(f"/fr/association{place}").content.decode()
        assert "Awa" not in text
        assert "Avis de 2025" not in text


def test_a_request_is_prolonged_once_and_refused_with_a_reason_that_the_person_reads(site: Site) -> None:
    office = make_office(site.house)
    awa = make_person(site.house, "Awa", kiosk=office.kiosk)
    rights.ask_right(site.house, awa.session, CODE, "access")
    site.sign_in_administrator(office.administrators[0])
    page = site.get("/fr/association/registre")
    (address,) = [one for one in page.links if re.search(r"/registre/[0-9a-f-]{36}$", one)]
    page = site.get(address)
    empty = submit(site, page, f"{address}/prolonger", reason=" ")
    assert (empty.status, empty.errors) == (422, said("office.request.reason_missing"))
    page = submit(site, page, f"{address}/prolonger", reason="Beaucoup de demandes")
    assert not in_form(page, f"{address}/prolonger")
    token = str(page.tree.xpath("//main//input[@name='token']/@value")[0])
    assert site.post(f"{address}/prolonger", {"token": token, "reason": "encore"}).status == 409
    page = submit(site, page, f"{address}/refuser", reason="Déjà donné le 3 mars")
    assert said("register.state.refused") in plain(page)
    told = [one.values for one in notices.waiting(site.house, unlock(site.house, awa)) if one.key == "right-refused"]
    assert told == [{"reason": "Déjà donné le 3 mars"}]


def test_days_left_are_said_and_coloured_oldest_first(site: Site) -> None:
    office = make_office(site.house)
    rights.receive(site.house, office.admin, "access", "letter")
    clock_of(site).forward(days=24)
    rights.receive(site.house, sign_in_administrator(site.house, office.administrators[0]), "portability", "desk")
    site.sign_in_administrator(office.administrators[0])
    page = site.get("/fr/association/registre")
    rows = page.tree.xpath("//main//tbody/tr")
    kinds = [row.xpath("./td")[0].text_content() for row in rows]
    assert kinds == [said("register.access"), said("register.portability")]
    classes = [row.xpath("./td[3]//span[contains(@class, 'status')]/@class")[0] for row in rows]
    assert classes == ["status status-soon", "status"]
    clock_of(site).forward(days=10)
    site.sign_in_administrator(office.administrators[0])
    assert "status-late" in site.get("/fr/association/registre").content.decode()


def test_a_request_past_its_day_is_told_apart_and_to_whoever_watches_the_service(site: Site) -> None:
    """`abri check` was green on a request 700 days late; the office counted it with those of next week."""
    office = make_office(site.house)
    nadia = office.administrators[0]
    line = rights.receive(site.house, nadia.session, "access", "letter")
    clock_of(site).now = dt.datetime.combine(line.due, dt.time(11), dt.UTC)
    assert health.of_requests(site.house).good
    site.sign_in_administrator(nadia)
    assert said("office.home.soon", n=1) in plain(site.get("/fr/association"))
    clock_of(site).forward(days=1)
    seen = health.of_requests(site.house)
    assert (seen.good, seen.words[:2]) == (False, "1 ")
    site.sign_in_administrator(nadia)
    page = plain(site.get("/fr/association"))
    assert said("office.home.overdue", n=1) in page
    assert said("office.home.soon", n=1) not in page
    rights.refuse(site.house, sign_in_administrator(site.house, nadia), line.id, "sans objet")
    assert health.of_requests(site.house).good


def test_what_is_in_force_is_said_to_be_so_and_not_to_be_late(site: Site) -> None:
    """A judge's order, forty days after it was carried out: nobody lifts it to quiet a banner."""
    office = make_office(site.house)
    awa = make_person(site.house, kiosk=office.kiosk)
    nadia, hugo = (sign_in_administrator(site.house, one) for one in office.administrators)
    line = rights.receive(site.house, nadia, "court-order", "authority", Extra(number=awa.number, order="keep"))
    for admin in (nadia, hugo):
        rights.approve(site.house, admin, line.id)
    rights.carry_out(site.house, nadia, line.id)
    clock_of(site).forward(days=40)
    site.sign_in_administrator(office.administrators[0])
    assert said("office.home.overdue", n=1) not in plain(site.get("/fr/association"))
    for address in ("registre", f"registre/{line.id}"):
        page = site.get(f"/fr/association/{address}")
        assert said("o01.in_force") in plain(page)
        assert "status-late" not in page.content.decode()


def test_a_new_structure_is_ours_alone(site: Site) -> None:
    office = make_office(site.house)
    site.sign_in_administrator(office.administrators[0])
    page = site.get("/en/association/structures")
    assert site.press(page, name=" ", contact="").status == 422
    assert "Accueil du Port" in site.press(page, name="Accueil du Port", contact="3 quai du Port").text


def test_figures_are_a_page_a_sheet_and_a_file_and_silence_is_counted(site: Site) -> None:
    """A year that is over: what is small is hidden in each of the three; safes that nobody opens are months and numbers."""
    office = make_office(site.house)
    person = make_person(site.house, kiosk=office.kiosk)
    with site.house.database.transaction() as connection:
        for what, number in (("opened", 2345), ("recoveries", 3)):
            values = {"operator": office.operator, "year": 2025, "what": what, "count": number}
            connection.execute(tables.figures.insert().values(**values))
        silent = {"last_month": dt.date(2025, 3, 1), "silence_told": 1}
        connection.execute(tables.persons.update().where(tables.persons.c.account == person.id).values(**silent))
    site.sign_in_administrator(office.administrators[0])
    page = site.get("/fr/association/chiffres")
    assert page.heading == said("office.figures.title")
    rows = [" ".join("".join(row.itertext()).split()) for row in page.tree.xpath("//table[@id='figures-2025']/tbody/tr")]
    assert len(rows) == 6
    assert sum("2345" in row for row in rows) == 1
    assert all("2345" in row or said("office.figures.hidden") in row for row in rows)
    assert "mars 2025" in " ".join(page.tree.xpath("//table[@id='silent']//tr[th]//text()"))
    assert person.id not in page.text
    sheet = site.get("/fr/association/chiffres/imprimer")
    assert "2345" in sheet.text
    assert said("office.figures.hidden") in plain(sheet)
    table = site.get("/fr/association/chiffres/csv")
    assert "2025,opened,2345,2345\r\n2025,returned,,\r\n" in table.content.decode()
