"""The desk's door: who enters, who waits, who leaves the chair; an invitation becomes an account."""

import base64

import pytest

from tests.vault.builders import (
    make_office,
    make_person,
    make_worker,
    one_time_password,
)  # fmt: skip
from tests.vault.clock import Clock
from tests.web.site import HOST, Shown, Site
from tests.web.test_desk_pages import FRENCH, plain, said
from vault import sessions, workers
from vault.errors import NoSession
from vault.web.guards import COOKIE, KIOSK_COOKIE


def test_a_worker_signs_in_and_each_refusal_says_the_same(site: Site, clock: Clock) -> None:
    fatou = make_worker(site.house, make_office(site.house))
    door = site.get("/fr/bureau/entrer")
    right = {"code": fatou.code, "words": " ".join(fatou.words), "totp": one_time_password(site.house, fatou.totp)}
    wrong_words = " ".join(reversed(fatou.words))
    refusals = set()
    for changed in ({"code": "ZZZZZZ"}, {"words": wrong_words}, {"totp": "000000"}):
        refused = site.press(door, **{**right, **changed})
        assert refused.status == 401
        refusals.add(refused.errors)
    assert refusals == {said("sign_in.failed")}
    page = site.press(door, **{**right, "totp": one_time_password(site.house, fatou.totp)})
    assert (page.status, page.path) == (200, "/fr/bureau")
    assert page.heading == said("d01.title")


def test_who_must_wait_and_who_is_away_read_it(site: Site, clock: Clock) -> None:
    office = make_office(site.house)
    lina, paul = make_worker(site.house, office, "Lina"), make_worker(site.house, office, "Paul")
    until = site.house.clock().date().replace(day=30)
    workers.suspend(site.house, office.admin, paul.id, until)
    door = site.get("/fr/bureau/entrer")
    away = site.press(door, code=paul.code, words=" ".join(paul.words), totp=one_time_password(site.house, paul.totp))
    assert away.status == 403
    assert FRENCH.day(until) in away.errors
    for _ in range(6):
        locked = site.press(door, code=lina.code, words=" ".join(reversed(lina.words)), totp="000000")
    assert (locked.status, locked.errors) == (429, said("sign_in.wait"))


def test_the_desk_speaks_french_and_english_alone(site: Site) -> None:
    assert site.get("/en/bureau/entrer").heading == "Open the desk"
    for address in ("/ar/bureau/entrer", "/ar/bureau", "/xx/bureau", "/ar/association/entrer"):
        assert site.get(address).status == 404


def test_without_a_session_every_page_is_the_door(site: Site) -> None:
    page = site.get("/fr/bureau/demandes")
    assert page.status == 401
    assert page.heading == said("sign_in.title")


def test_no_worker_enters_beside_a_persons_open_papers(site: Site) -> None:
    fatou, awa = make_worker(site.house, make_office(site.house)), make_person(site.house)
    site.open(awa)
    page = site.get("/fr/bureau/entrer")
    assert said("desk.error.person_here") in plain(page)
    token = page.fields()["token"][0]
    totp = one_time_password(site.house, fatou.totp)
    refused = site.post("/fr/bureau/entrer", {"token": token, "code": fatou.code, "words": " ".join(fatou.words), "totp": totp})
    assert refused.status == 409
    assert site.get("/fr/maison").status == 200, "the person's session goes on"
    assert site.get("/fr/bureau").status == 403


def test_a_worker_s_session_ends_when_a_card_is_shown_in_the_same_browser(site: Site) -> None:
    """WRK-10: the one cookie is the person's from then on, and what the worker's opened is closed, not only forgotten."""
    fatou, awa = make_worker(site.house, make_office(site.house)), make_person(site.house)
    site.sign_in(fatou)
    desk = site.client.cookies.get(COOKIE)
    assert site.get("/fr/bureau").status == 200
    token = site.get("/fr/carte/autrement").tree.xpath("//main//input[@name='token']/@value")[0]
    shown = site.post("/fr/carte", {"token": str(token), "card": awa.card})
    assert shown.path == "/fr/code"
    assert [one.value for one in site.client.cookies.jar if one.name == COOKIE] != [desk]
    assert site.get("/fr/bureau").status == 403
    site.press(shown, code=awa.code)
    assert site.get("/fr/maison").status == 200
    site.leave()
    site.client.cookies.set(COOKIE, str(desk), domain=HOST, path="/")
    assert site.get("/fr/bureau").status == 401, "nor does the old cookie open it again"


def test_a_worker_may_enter_at_a_kiosk_where_nobody_sits_and_gives_it_back(site: Site) -> None:
    """WRK-10: a small place has one machine. The door says what it is, and nothing of the worker stays when a person sits down."""
    office = make_office(site.house)
    fatou, awa = make_worker(site.house, office), make_person(site.house)
    door = site.get("/fr/bureau/entrer")
    assert said("sign_in.at_kiosk") not in plain(door), "a computer of one's own"
    site.stand_at(office.administrators[0], office.structure)
    assert said("sign_in.at_kiosk") in plain(site.get("/fr/bureau"))
    assert said("sign_in.at_kiosk") in plain(site.get("/fr/association/entrer"))
    door = site.get("/fr/bureau/entrer")
    assert said("sign_in.at_kiosk") in plain(door)

    def enter(page: Shown) -> Shown:
        return site.press(page, code=fatou.code, words=" ".join(fatou.words), totp=one_time_password(site.house, fatou.totp))

    assert enter(door).path == "/fr/bureau"
    desk = str(site.client.cookies.get(COOKIE))
    left = site.post("/fr/bureau/passer", {"token": site.token()})
    assert "cookies" not in left.headers.get("clear-site-data", ""), "which kiosk this is, is not forgotten"
    assert (left.status, left.path) == (200, "/")
    assert site.client.cookies.get(KIOSK_COOKIE)
    with pytest.raises(NoSession):
        sessions.find(site.house, desk)
    site.open(awa)
    refused = site.get("/fr/bureau/entrer")
    assert said("desk.error.person_here") in plain(refused)
    assert site.get("/fr/maison").status == 200


def test_a_desk_that_nobody_touches_closes_after_ten_minutes_and_any_after_eight_hours(site: Site, clock: Clock) -> None:
    """WRK-10."""
    fatou = make_worker(site.house, make_office(site.house))
    site.sign_in(fatou)
    clock.forward(minutes=9, seconds=50)
    assert site.get("/fr/bureau").status == 200
    clock.forward(minutes=10, seconds=1)
    ended = site.get("/fr/bureau/demandes")
    assert (ended.status, ended.heading) == (401, said("sign_in.title"))
    assert "cookies" in ended.headers["clear-site-data"]
    site.sign_in(fatou)
    for _ in range(53):
        clock.forward(minutes=9)
        assert site.get("/fr/bureau/aide").status == 200
    clock.forward(minutes=9)
    assert site.get("/fr/bureau/aide").status == 401


def test_passing_the_chair_ends_the_session_and_keeps_which_kiosk_it_is(site: Site, clock: Clock) -> None:
    office = make_office(site.house)
    fatou = make_worker(site.house, office)
    site.stand_at(office.administrators[0], office.structure)
    kiosk = site.client.cookies.get(KIOSK_COOKIE)
    site.sign_in(fatou)
    page = site.get("/fr/bureau")
    token = str(page.tree.xpath("//form[@action='/fr/bureau/passer']//input/@value")[0])
    answer = site.client.post(
        "/fr/bureau/passer", data={"token": token}, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/borne/{kiosk}")
    assert "storage" in answer.headers["clear-site-data"]
    assert "cookies" not in answer.headers["clear-site-data"], "the machine stays the kiosk that it is"
    assert COOKIE not in site.client.cookies
    assert site.get("/fr/bureau").status == 401


def test_an_invitation_is_accepted_with_words_typed_back_and_the_charter(site: Site, clock: Clock) -> None:
    office = make_office(site.house)
    code = workers.invite(site.house, office.admin, office.structure, "Lina", "salaried", None)
    page = site.get("/fr/bureau/invitation")
    assert site.press(page, code="AAAA BBBB CCCC").errors == said("invitation.unknown")
    page = site.press(page, code=code.lower())
    assert page.path == "/fr/bureau/invitation/mots"
    words = [" ".join(one.itertext()) for one in page.tree.xpath("(//ol[@class='drawn-words'])[1]/li")]
    sheet = [" ".join(one.itertext()) for one in page.tree.xpath("(//ol[@class='drawn-words'])[2]/li")]
    assert all(word in site.get("/fr/bureau/invitation/feuille").content.decode() for word in sheet)
    key = str(page.tree.xpath("//code")[0].text).replace(" ", "")
    assert len(words) == 6
    assert site.client.get("/fr/bureau/invitation/carre").headers["content-type"] == "image/svg+xml"
    seed = base64.b32decode(key)
    page = site.get("/fr/bureau/invitation/verifier")
    assert not any(word in page.text.split() for word in words), "typed from the paper, not from the screen"
    unprinted = site.press(page, words=" ".join(words), totp=one_time_password(site.house, seed), charter="yes")
    assert (unprinted.status, unprinted.errors) == (422, said("invitation.sheet_missing"))
    missing = site.press(page, words=" ".join(words), totp=one_time_password(site.house, seed), sheet="yes")
    assert (missing.status, missing.errors) == (422, said("invitation.charter_missing"))
    wrong = site.press(
        page, words=" ".join(reversed(words)), totp=one_time_password(site.house, seed), charter="yes", sheet="yes"
    )
    assert (wrong.status, wrong.errors) == (422, said("error.words-differ"))
    done = site.press(page, words=" ".join(words), totp=one_time_password(site.house, seed), charter="yes", sheet="yes")
    assert (done.status, done.heading) == (200, said("invitation.done"))
    line = next(one for one in workers.of_office(site.house, office.admin) if one.first_name == "Lina")
    door = site.get("/fr/bureau/entrer")
    waits = site.press(door, code=line.code, words=" ".join(words), totp=one_time_password(site.house, seed))
    assert (waits.status, waits.errors) == (403, said("sign_in.not_certified"))
    for administrator in office.administrators:
        workers.certify(site.house, administrator.session, line.id, administrator.proof)
    page = site.press(door, code=line.code, words=" ".join(words), totp=" ".join(sheet))
    assert page.path == "/fr/bureau", "without the telephone, by the sheet"


def test_the_end_at_a_kiosk_tells_the_browser_to_forget_what_it_kept(site: Site) -> None:
    """SAFE-05: the answer of the end, pressed or asked for, and of the way out."""
    awa = make_person(site.house, "Awa", kiosk=make_office(site.house).kiosk)
    for method, address in (("POST", "/fr/fin"), ("GET", "/fr/fin"), ("GET", "/sortir")):
        site.open(awa)
        site.get("/fr/maison")
        data = {"token": site.token()} if method == "POST" else None
        left = site.client.request(method, address, data=data, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False)
        assert {'"cache"', '"storage"'} <= set(left.headers["clear-site-data"].split(", ")), address
