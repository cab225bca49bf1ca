"""The desk: only what each person has chosen, each opening traced, and one page for everything that is not shown."""

import re

import pytest

from consent.scope import Act
from tests.vault.builders import (
    CODE,
    MadeAdministrator,
    make_office,
    make_worker,
    show_card,
    unlock,
)  # fmt: skip
from tests.vault.scenes import saved, sheet
from tests.web.desk_scene import give, real_paper, scene, stop
from tests.web.site import Shown, Site
from vault import account_numbers, audit, cards, circles, documents, notices, recovery, unlocking
from vault.errors import MustWait, WrongSecret
from vault.languages import read_catalogues

FRENCH = read_catalogues()["fr"]
PHOTO = saved(sheet(620, 877), "JPEG", quality=85)


def said(key: str, **values: object) -> str:
    """A sentence as `Shown` reads it."""
    return " ".join(
        re.sub("[\u2066-\u2069]", "", FRENCH.plain(key, **values)).replace("\u00a0", " ").replace("\u202f", " ").split()
    )


def plain(page: Shown) -> str:
    return page.text.replace("\u202f", " ")


def submit(site: Site, page: Shown, action: str, **fields: str) -> Shown:
    """Send the form of the page that goes to this address."""
    (form,) = page.tree.xpath(f"//form[@action='{action}']")
    hidden = {str(one.get("name")): str(one.get("value")) for one in form.xpath(".//input[@type='hidden']")}
    return site.post(action, {**hidden, **fields})


def confirmed(site: Site, page: Shown, administrator: MadeAdministrator) -> Shown:
    """The page that asks again who is there, answered with six words."""
    return site.press(page, words=" ".join(administrator.words))


# --- Papers ---------------------------------------------------------------------------------------------------------------


def test_a_worker_sees_what_was_chosen_and_nothing_else(site: Site) -> None:
    on = scene(site.house)
    hidden = real_paper(site.house, on.awa, "Lettre cachée")
    grant = give(site.house, on.awa, on.fatou, on.paper)
    site.sign_in(on.fatou)
    page = site.get("/fr/bureau")
    assert "Awa" in page.text
    assert said("reason.home") in plain(page)
    page = site.get(page.links[-1])
    assert page.path == f"/fr/bureau/personnes/{grant}"
    assert "Avis de 2025" in page.text
    assert "Lettre" not in page.text
    assert "Avis" not in page.title
    page = site.get(page.link(f"/{on.paper}"))
    (image,) = page.images
    shown = site.client.get(image)
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["cache-control"] == "no-store"
    assert shown.content != PHOTO
    for address in (
        f"/fr/bureau/papiers/{grant}/{hidden}",
        f"/fr/bureau/papiers/{hidden}/{on.paper}",
        "/fr/bureau/personnes/none",
    ):
        nothing = site.get(address)
        assert (nothing.status, nothing.heading) == (404, said("d02.title"))
    assert site.client.get(f"/fr/bureau/papiers/{grant}/{hidden}/page/1").status_code == 404
    tags = [one.event.tag for one in audit.history(site.house, unlock(site.house, on.awa))]
    assert tags.count("paper.seen") == 1
    assert tags.count("paper.refused-to-worker") == 2, "the page and the picture, both asked for"


def test_a_stopped_share_is_d02_at_the_next_click(site: Site) -> None:
    on = scene(site.house)
    grant = give(site.house, on.awa, on.fatou, on.paper)
    site.sign_in(on.fatou)
    page = site.get(f"/fr/bureau/papiers/{grant}/{on.paper}")
    assert page.status == 200
    stop(site.house, on.awa, grant)
    for address in (page.path, f"/fr/bureau/personnes/{grant}"):
        nothing = site.get(address)
        assert (nothing.status, nothing.heading) == (404, said("d02.title"))
        assert plain(nothing).count(said("d02.text")) == 1
        assert {"/fr/bureau", f"/fr/bureau/demandes/nouvelle/{grant}"} == set(nothing.links)
    picture = site.client.get(page.images[0])
    assert (picture.status_code, picture.headers["content-type"]) == (404, "image/svg+xml")
    assert said("d02.title") in picture.text.replace("\u00a0", " ")
    assert "Awa" not in site.get("/fr/bureau").text


def test_a_copy_is_taken_where_it_is_granted_under_a_neutral_name(site: Site) -> None:
    on = scene(site.house)
    other = real_paper(site.house, on.awa, "Bail", "housing")
    taken, seen = (
        give(site.house, on.awa, on.fatou, on.paper, acts=(Act.SEE, Act.TAKE)),
        give(site.house, on.awa, on.fatou, other),
    )
    site.sign_in(on.fatou)
    action = f"/fr/bureau/papiers/{taken}/{on.paper}/copie"
    copy = submit(site, site.get(f"/fr/bureau/personnes/{taken}"), action)
    assert copy.headers["content-disposition"] == 'attachment; filename="papier.jpg"'
    with documents.open_paper(site.house, unlock(site.house, on.awa), on.paper, "received") as content:
        assert copy.content == b"".join(content.chunks())
    page = site.get(f"/fr/bureau/personnes/{seen}")
    assert "/copie" not in page.content.decode()
    token = str(page.tree.xpath("//input[@name='token']/@value")[0])
    refused = site.post(f"/fr/bureau/papiers/{seen}/{other}/copie", {"token": token})
    assert (refused.status, refused.heading) == (404, said("d02.title"))


def test_too_many_pages_in_a_minute_are_said_in_the_pictures_place(site: Site) -> None:
    on = scene(site.house)
    grant = give(site.house, on.awa, on.fatou, on.paper)
    site.sign_in(on.fatou)
    for _ in range(60):  # refused or not, each one counts
        site.client.get(f"/fr/bureau/papiers/{grant}/{grant}/page/1")
    answer = site.client.get(f"/fr/bureau/papiers/{grant}/{on.paper}/page/1")
    assert (answer.status_code, answer.headers["content-type"]) == (429, "image/svg+xml")
    assert int(answer.headers["retry-after"]) > 0
    assert said("desk.viewer.too_fast") in answer.text.replace("\u00a0", " ")


# --- Asking, depositing, helping ------------------------------------------------------------------------------------------


def test_a_request_is_sent_and_a_second_one_is_explained(site: Site) -> None:
    on = scene(site.house)
    grant = give(site.house, on.awa, on.fatou, on.paper)
    site.sign_in(on.fatou)
    page = site.get("/fr/bureau/demandes/nouvelle")
    page = site.get(page.link(str(grant)))
    assert "Awa" in page.heading
    assert site.press(page, purpose="home").errors == said("desk.request.choose_kind")
    assert site.press(page, kind="payslip", purpose="other").status == 422
    sent = site.press(page, kind=["payslip", "tax-notice"], purpose="rsa")
    assert (sent.path, sent.heading) == ("/fr/bureau/demandes", said("desk.requests.title"))
    assert plain(sent).count(said("desk.requests.waiting")) == 2
    again = site.press(page, kind="payslip", purpose="rsa")
    assert (again.status, again.errors) == (409, said("desk.request.still-open"))
    strange = site.get(f"/fr/bureau/demandes/nouvelle/{on.paper}")
    assert site.press(strange, kind="payslip", purpose="rsa").heading == said("d02.title")


def test_a_letter_is_deposited_unseen_and_taken_back(site: Site) -> None:
    on = scene(site.house)
    grant = give(site.house, on.awa, on.fatou, acts=(Act.DEPOSIT,), shelf="other")
    site.sign_in(on.fatou)
    page = site.get("/fr/bureau/deposer")
    closed = site.send(page, ("lettre.jpg", PHOTO), grant=str(grant), kind="letter", title="Convocation")
    assert (closed.status, closed.errors) == (422, said("desk.deposit.must_be_opened"))
    ruined = site.send(page, ("lettre.jpg", b"nothing"), grant=str(grant), kind="letter", opened_by_person="yes")
    assert (ruined.status, ruined.errors) == (422, said("error.unreadable"))
    kept = site.send(page, ("lettre.jpg", PHOTO), grant=str(grant), kind="letter", title="Convocation", opened_by_person="yes")
    assert said("desk.deposit.done") in plain(kept)
    papers = site.get(f"/fr/bureau/personnes/{grant}")
    assert "Convocation" not in papers.text
    (paper,) = re.findall(r"/deposer/([0-9a-f-]{36})/reprendre", kept.content.decode())
    (row,) = kept.tree.xpath("//tbody/tr")
    assert " ".join("".join(row.itertext()).split()).startswith("Awa · Autre"), "two letters of one minute are told apart"
    assert site.get(f"/fr/bureau/papiers/{grant}/{paper}").status == 404, "what is deposited is not read back"
    undone = submit(site, kept, f"/fr/bureau/deposer/{paper}/reprendre")
    assert said("desk.deposit.undone") in plain(undone)
    assert submit(site, kept, f"/fr/bureau/deposer/{paper}/reprendre").heading == said("d02.title")
    assert len(documents.list_papers(site.house, unlock(site.house, on.awa))) == 1


def test_a_guardian_confirms_with_the_digits_of_the_kiosk(site: Site) -> None:
    on = scene(site.house)
    other = make_worker(site.house, make_office(site.house, "ESI Le Canal"), "Marc")
    unlock(site.house, on.awa)
    chosen = [circles.GuardianWorker(one.id, "Awa", "turtle") for one in (on.fatou, other)]
    circles.set_circle(site.house, on.awa.session, CODE, chosen, needed=2)
    started = recovery.start(site.house, on.office.kiosk, "lost")
    site.sign_in(on.fatou)
    page = site.get("/fr/bureau/confiance")
    assert "Awa" in page.text
    (address,) = (one for one in page.links if "/confiance/" in one)
    page = site.get(address)
    wrong = site.press(page, code="000000" if started.code != "000000" else "111111", where="beside")
    assert (wrong.status, wrong.errors) == (422, said("desk.guardian.wrong_code"))
    done = site.press(page, code=started.code, where="beside")
    assert said("desk.guardian.confirmed") in plain(done)
    assert site.get(f"/fr/bureau/confiance/{on.paper}").status == 404


def test_the_wait_of_a_shown_card_ends_the_same_for_a_card_that_nobody_knows(site: Site) -> None:
    on = scene(site.house)
    card = show_card(site.house, on.awa.card)
    for _ in range(6):
        with pytest.raises((WrongSecret, MustWait)):
            unlocking.unlock(site.house, card, "739164")
    site.sign_in(on.fatou)
    page = site.get("/fr/bureau/carte")
    assert site.send(page, card="nothing of ours").errors == said("desk.card.unreadable")
    answers = {site.send(page, card=text).text for text in (on.awa.card, _stranger())}
    assert len(answers) == 1
    assert said("desk.card.done") in answers.pop().replace("\u202f", " ")
    assert unlock(site.house, on.awa).kind == "person"


def test_the_wait_of_a_number_ends_the_same_for_a_number_that_nobody_has(site: Site) -> None:
    """Five words are opened with by whoever has no card: the slip's number stands for it."""
    on = scene(site.house)
    site.sign_in(on.fatou)
    page = site.get("/fr/bureau/carte/numero")
    wrong = site.press(page, number="12")
    assert (wrong.status, wrong.errors) == (422, said("error.number"))
    answers = {site.press(page, number=one).text for one in (on.awa.number, account_numbers.draw())}
    assert len(answers) == 1
    assert said("desk.card.done") in answers.pop().replace("\u202f", " ")


def _stranger() -> str:
    return cards.new_cards(1)[0].text


def test_what_an_erased_person_asks_stays_until_it_is_read(site: Site) -> None:
    fatou = make_worker(site.house, make_office(site.house))
    with site.house.database.transaction() as connection:
        notices.tell(site.house, connection, fatou.id, notices.Notice("person-erased", {"grants": "0f3c"}))
    site.sign_in(fatou)
    page = site.get("/fr/bureau")
    assert "0f3c" in page.text
    assert "0f3c" in site.get("/fr/bureau").text
    assert "0f3c" not in site.press(page).text


def test_my_acts_name_nobody(site: Site) -> None:
    on = scene(site.house)
    grant = give(site.house, on.awa, on.fatou, on.paper)
    site.sign_in(on.fatou)
    site.client.get(f"/fr/bureau/papiers/{grant}/{on.paper}/page/1")
    page = site.get("/fr/bureau/actes")
    assert said("desk.done.paper.seen") in plain(page)
    assert "Awa" not in page.text
    assert "Avis de 2025" not in page.text


def test_a_desk_without_anything_says_what_will_be_there_and_how_it_comes(site: Site) -> None:
    """Each empty page has its sentence; where the person has to do something, it says where."""
    fatou = make_worker(site.house, make_office(site.house))
    site.sign_in(fatou)
    for address, key in (
        ("", "d01.empty"), ("/demandes", "desk.requests.empty"), ("/demandes/nouvelle", "d01.empty"), ("/deposer", "desk.deposit.none"),
        ("/bientot", "desk.soon.empty"), ("/confiance", "desk.guardian.empty"), ("/accompagner", "desk.assist.empty"),
        ("/nouveau", "desk.news.empty"),
    ):  # fmt: skip
        page = site.get(f"/fr/bureau{address}")
        assert [said(key)] == [" ".join(one.text_content().split()) for one in page.tree.xpath("//*[@class='empty']")], address
    for key, words in (
        ("desk.deposit.none", "k15.let_deposit"), ("desk.assist.empty", "assist.title"), ("desk.guardian.empty", "me.people"),
    ):  # fmt: skip
        for language in ("fr", "en"):
            known = read_catalogues()[language]
            assert known.plain(words) in known.plain(key), (key, language)
    for address, leads in (
        ("", "/bureau/demandes/carte"),
        ("/deposer", "/bureau/aide/quoi-dire"),
        ("/demandes", "/demandes/nouvelle"),
    ):
        assert site.get(f"/fr/bureau{address}").link(leads)


def test_a_form_without_its_token_changes_nothing(site: Site) -> None:
    on = scene(site.house)
    grant = give(site.house, on.awa, on.fatou, on.paper)
    site.sign_in(on.fatou)
    fields = {"token": "0" * 32, "kind": "payslip", "purpose": "home"}
    assert site.post(f"/fr/bureau/demandes/nouvelle/{grant}", fields).status == 403
    page = site.get(f"/fr/bureau/demandes/nouvelle/{grant}")
    right = {**{name: values[0] for name, values in page.fields().items()}, "kind": "payslip", "purpose": "home"}
    assert site.post(f"/fr/bureau/demandes/nouvelle/{grant}", right, site="cross-site").status == 403
    assert said("desk.requests.empty") in plain(site.get("/fr/bureau/demandes"))


def test_an_administrator_is_no_worker_and_a_worker_no_administrator(site: Site) -> None:
    office = make_office(site.house)
    fatou = make_worker(site.house, office)
    site.sign_in(fatou)
    assert site.get("/fr/association").status == 403
    site.leave()
    site.sign_in_administrator(office.administrators[0])
    assert site.get("/fr/bureau").status == 403
