"""A yes does what the page said that it stood on, however late it comes: a second tap, a second tab, an old page."""

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from consent.ids import PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker, Office, make_office, make_person, make_worker, sign_in
from tests.vault.papers import keep
from tests.vault.scenes import saved, sheet
from tests.vault.test_drafts import photo
from tests.web.desk_scene import real_paper
from tests.web.sharing_steps import awa_on_another_day, share_paper, tax_notice
from tests.web.site import Shown, Site
from tests.web.test_adding_pages import SHEET, taken
from tests.web.test_sending_pages import choose
from vault import asking, assisting, documents, drafts, leaving, offers, outside, shared_papers, showing, workers
from vault.errors import NotThere

__all__ = ["awa_on_another_day"]  # the Awa of these tests

ANOTHER = "La question n'est plus la même."


# --- The bin --------------------------------------------------------------------------------------------------------------


def _in_bin(site: Site, awa: MadePerson) -> list[PaperId]:
    return [card.paper for card in documents.bin_of(site.house, awa.session)]


def test_two_taps_on_seven_days_leave_the_paper_in_the_bin(site: Site, awa: MadePerson) -> None:
    paper = tax_notice(site, awa)
    question = site.get(f"/fr/papiers/{paper}/effacer")
    assert "7 jours" in question.text
    for _ in range(2):
        assert site.press(question, answer="yes").url.endswith("/papiers?dit=jete")
    assert _in_bin(site, awa) == [paper]


def test_two_taps_at_the_same_moment_say_the_same(site: Site, awa: MadePerson) -> None:
    question = site.get(f"/fr/papiers/{tax_notice(site, awa)}/effacer")
    with ThreadPoolExecutor(2) as taps:
        answers = list(taps.map(lambda _: site.press(question, answer="yes"), range(2)))
    assert [one.url.partition("/fr/")[2] for one in answers] == ["papiers?dit=jete"] * 2
    assert len(_in_bin(site, awa)) == 1


def test_what_was_taken_back_since_is_not_erased_by_the_old_page(site: Site, awa: MadePerson) -> None:
    paper = tax_notice(site, awa)
    site.press(site.get(f"/fr/papiers/{paper}/effacer"), answer="yes")
    for_good = site.get(f"/fr/papiers/{paper}/effacer")
    assert "pour toujours" in for_good.text
    site.press(site.get(f"/fr/papiers/{paper}"), answer="yes")  # "reprendre"
    asked = site.press(for_good, answer="yes")
    assert "7 jours" in asked.text
    assert documents.paper(site.house, awa.session, paper).state == "kept"
    site.press(asked, answer="yes")
    assert _in_bin(site, awa) == [paper]
    assert site.press(for_good, answer="yes").url.endswith("/papiers?dit=efface")
    assert _in_bin(site, awa) == []


# --- Showing, sending -----------------------------------------------------------------------------------------------------


def _k15(site: Site, paper: PaperId, worker: MadeWorker, reason: str, how: str) -> Shown:
    page = site.press(site.press(site.get(f"/fr/papiers/{paper}/montrer"), worker=worker.id), reason=reason)
    return site.press(page, how=how)


def _prescription(site: Site, awa: MadePerson) -> PaperId:
    return keep(site.house, awa.session, "Ordonnance", "health", sort="prescription")


def test_yes_in_one_tab_does_not_give_what_another_one_chose(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker
) -> None:  # fmt: skip
    marc, paper = make_worker(site.house, office, "Marc"), tax_notice(site, awa)
    first = _k15(site, paper, fatou, "home", "see")
    assert "Fatou peut voir 1 papier" in first.text
    second = _k15(site, _prescription(site, awa), marc, "work", "copy")
    asked = site.press(first, answer="yes")
    assert (asked.status, asked.path) == (200, "/fr/montrer/accord")
    assert ANOTHER in asked.errors
    assert "Marc peut voir 1 papier" in asked.text
    assert showing.grants_of(site.house, awa.session) == []
    site.press(asked, answer="yes")
    (given,) = showing.grants_of(site.house, awa.session)
    assert (given.worker, given.acts) == (marc.id, frozenset({Act.SEE, Act.TAKE}))
    assert site.press(first, answer="yes").path == "/fr/partages"  # another was given since: what there is
    site.press(second, answer="yes")  # the same yes again
    assert len(showing.grants_of(site.house, awa.session)) == 1


def test_two_people_of_one_first_name_are_not_one(site: Site, office: Office, awa: MadePerson, fatou: MadeWorker) -> None:
    """The lines are the same: what they name is not."""
    other, paper = make_worker(site.house, office, "Fatou"), tax_notice(site, awa)
    first, second = _k15(site, paper, fatou, "home", "see"), _k15(site, paper, other, "home", "see")
    assert first.text == second.text
    assert ANOTHER in site.press(first, answer="yes").errors
    assert showing.grants_of(site.house, awa.session) == []


def test_a_day_changed_in_another_tab_is_asked_again(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    question = _k15(site, tax_notice(site, awa), fatou, "home", "see")
    site.press(site.get("/fr/montrer/date"), months="12")
    assert ANOTHER in site.press(question, answer="yes").errors
    assert showing.grants_of(site.house, awa.session) == []


def test_yes_in_one_tab_does_not_send_what_another_one_chose(site: Site, awa: MadePerson) -> None:
    bank = choose(site, f"/fr/papiers/{tax_notice(site, awa)}/lien")
    boss = choose(site, f"/fr/papiers/{_prescription(site, awa)}/lien", name="Le patron", reason="work")
    asked = site.press(bank, answer="yes")
    assert (asked.status, asked.path) == (200, "/fr/envoyer/accord")
    assert ANOTHER in asked.errors
    assert "Le patron" in asked.text
    assert outside.mine(site.house, awa.session) == []
    sent = site.press(boss, answer="yes")
    assert sent.path == "/fr/envoyer/fait"
    assert site.press(boss, answer="yes").text == sent.text  # a second tap
    assert site.press(bank, answer="yes").path == "/fr/partages"  # not the link of the other, under this name
    (link,) = outside.mine(site.house, awa.session)
    assert link.recipient == "Le patron"


# --- A request being answered, and a share of one's own -------------------------------------------------------------------


def _answered(site: Site, awa: MadePerson, fatou: MadeWorker) -> tuple[PaperId, Shown]:
    """Fatou asks for a payslip, and Awa stands before the yes to a copy of it."""
    paper = keep(site.house, awa.session, "Paie", "work", sort="payslip")
    grant = share_paper(site, awa, fatou, tax_notice(site, awa, "Autre avis"))
    asking.ask(site.house, sign_in(site.house, fatou), grant, ("payslip",), PurposeId("home"))
    how = site.press(site.press(site.get("/fr/demandes"), answer="give"), paper=paper)
    return paper, site.press(how, how="copy")


def _payslips(site: Site, awa: MadePerson) -> list[str]:
    """To whom a payslip was given."""
    found = showing.grants_of(site.house, awa.session)
    return [one.worker for one in found if "payslip" in {paper.sort for paper in one.papers}]


@pytest.mark.parametrize("chosen_before", [True, False])
def test_an_old_page_of_whom_turns_no_answer_to_another(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker, *, chosen_before: bool
) -> None:
    """K15 said Marc, and what Fatou had asked for went to Fatou."""
    marc = make_worker(site.house, office, "Marc")
    whom = site.get(f"/fr/papiers/{tax_notice(site, awa)}/montrer")
    reason = site.press(whom, worker=marc.id) if chosen_before else whom
    _, question = _answered(site, awa, fatou)
    assert question.heading == "Fatou peut voir 1 papier ?"
    for old, pressed in ((whom, {"worker": marc.id}), (reason, {"reason": "bank"})):
        if old.buttons.keys() == pressed.keys():
            assert site.press(old, **pressed).path == "/fr/demandes"
    for place in ("montrer/qui", "montrer/pourquoi", "montrer/mots"):
        assert site.get(f"/fr/{place}").path == "/fr/demandes"
    done = site.press(question, answer="yes")
    assert "C'est donné." in done.text, "what stood there is what is chosen still"
    assert _payslips(site, awa) == [fatou.id]
    assert site.press(whom, worker=marc.id).path == "/fr/demandes"
    assert site.get("/fr/montrer/fait").path == "/fr/partages", "there is no same thing for a second person"


def test_who_answers_somebody_away_is_led_to_nobody_else(site: Site, office: Office, awa: MadePerson, fatou: MadeWorker) -> None:
    make_worker(site.house, office, "Marc")
    _, question = _answered(site, awa, fatou)
    workers.suspend(site.house, office.admin, fatou.id, None)
    led = site.press(question, answer="yes")
    assert led.path == "/fr/demandes"
    assert "La personne qui demandait n'est plus là." in led.text
    assert _payslips(site, awa) == []
    workers.return_(site.house, office.admin, fatou.id)
    assert site.get("/fr/demandes").heading == "Fatou vous demande un papier"


def test_a_paper_that_left_leads_an_answer_to_its_request(site: Site, office: Office, awa: MadePerson, fatou: MadeWorker) -> None:
    make_worker(site.house, office, "Marc")
    paper, question = _answered(site, awa, fatou)
    documents.remove(site.house, awa.session, paper)
    led = site.press(question, answer="yes")
    assert (led.path, led.heading) == ("/fr/demandes", "Fatou vous demande un papier")
    assert "Un papier choisi ne peut plus être montré." in led.text
    assert _payslips(site, awa) == []


def test_what_an_answer_was_made_of_is_not_ticked_for_somebody_else(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    paper, _ = _answered(site, awa, fatou)
    boxes = site.get("/fr/montrer")
    assert str(paper) not in boxes.fields().get("paper", [])
    other = keep(site.house, awa.session, "Ordonnance", "health", sort="prescription")
    site.post(
        "/fr/montrer", {"token": site.token(), "paper": str(other), "go": "on"}
    )  # the payslip stood on another of its pages
    assert offers.current(site.house, awa.session).papers == (other,)


# --- Somebody goes on -----------------------------------------------------------------------------------------------------


def test_nobody_who_goes_on_is_given_longer_than_the_page_says(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker
) -> None:  # fmt: skip
    """Marc leaves in ten days; the one day of the page is his, and who is chosen is Paul."""
    leaves = site.house.clock().date() + dt.timedelta(days=10)
    marc, paul = make_worker(site.house, office, "Marc", ends=leaves), make_worker(site.house, office, "Paul")
    share_paper(site, awa, fatou, tax_notice(site, awa))
    workers.end(site.house, office.admin, fatou.id, office.proof)
    site.open(awa)
    asked = site.get("/fr/suite")
    assert {*asked.buttons["worker"]} >= {marc.id, paul.id}
    day = site.client.app.state.pages.catalogues["fr"].day(leaves)
    assert f"Jusqu'au {day}" in asked.text.replace("\u2068", "").replace("\u2069", "")
    site.press(asked, worker=paul.id)
    (given,) = showing.grants_of(site.house, awa.session)
    assert (given.worker, given.until) == (paul.id, leaves)


def test_a_page_of_before_somebody_left_is_asked_again(site: Site, office: Office, awa: MadePerson, fatou: MadeWorker) -> None:
    marc, paul = make_worker(site.house, office, "Marc"), make_worker(site.house, office, "Paul")
    share_paper(site, awa, fatou, tax_notice(site, awa))
    workers.end(site.house, office.admin, fatou.id, office.proof)
    site.open(awa)
    asked = site.get("/fr/suite")
    workers.end(site.house, office.admin, marc.id, office.proof)
    again = site.press(asked, worker=paul.id)
    assert ANOTHER in again.errors
    assert showing.grants_of(site.house, awa.session) == []
    assert marc.id not in again.buttons["worker"]
    site.press(again, worker=paul.id)
    assert [one.worker for one in showing.grants_of(site.house, awa.session)] == [paul.id]


# --- With a witness -------------------------------------------------------------------------------------------------------


def test_who_is_chosen_after_the_witness_signed_is_shown_nothing(site: Site) -> None:
    house = site.house
    office = make_office(house)
    fatou, marc, paul, zoe = (make_worker(house, office, name) for name in ("Fatou", "Marc", "Paul", "Zoé"))
    yonas = make_person(house, "Yonas", drawing="sun", kiosk=office.kiosk)
    paper = real_paper(house, yonas, "Avis de 2025")
    assisting.choose(house, yonas.session, yonas.code, fatou.id, [ShelfKind("money")], name="Yonas", drawing="sun")
    site.open_with_help(yonas, fatou)

    def question(whom: Shown, worker: MadeWorker) -> Shown:
        return site.press(site.press(site.press(whom, worker=worker.id), reason="home"), worker=marc.id)

    def signed(asked: Shown) -> Shown:
        (code,) = re.findall(r"\b\d{6}\b", site.press(asked, answer="yes").text)
        with site.phone() as desk:
            desk.sign_in(marc)
            desk.press(desk.press(desk.get("/fr/bureau/accompagner/temoin"), code=code), answer="sign", beside="yes")
        return site.get("/fr/avec-aide/montrer/encore")

    def see() -> list[str]:
        found = ((one, sign_in(house, one)) for one in (paul, zoe))
        return [one.first_name for one, inside in found if shared_papers.people_sharing(house, inside)]

    whom = site.press(site.get(f"/fr/avec-aide/papiers/{paper}"), show="yes")
    of_paul = question(whom, paul)
    again = signed(of_paul)
    assert "Paul peut voir 1 papier" in again.text
    of_zoe = question(whom, zoe)  # Back, and somebody else
    assert site.get("/fr/avec-aide/montrer/encore").path == "/fr/avec-aide/montrer/attente"  # what was signed is taken back
    site.press(again, answer="yes")
    assert see() == []
    assert ANOTHER in site.press(of_paul, answer="yes").errors  # the first question too
    assert "Zoé peut voir 1 papier" in signed(of_zoe).text
    asked = site.press(again, answer="yes")  # an old page of Paul's
    assert ANOTHER in asked.errors
    assert see() == []
    site.press(asked, answer="yes")
    assert see() == ["Zoé"]


# --- Putting away ---------------------------------------------------------------------------------------------------------


def _from_phone(site: Site, awa: MadePerson) -> None:
    """A paper comes from her phone, and in a second tab she says that it is hers."""
    leaving.receive(site.house, leaving.from_phone(site.house, awa.session).secret, [photo("téléphone")])
    assert site.press(site.get("/fr/ajouter/telephone/arrive"), answer="yes").path == "/fr/ajouter/tiroir"


def test_the_drawer_of_the_photo_is_not_given_to_the_paper_of_the_phone(site: Site, awa: MadePerson) -> None:
    read = taken(site, SHEET)
    drawer = site.get(read.link("/ajouter/tiroir"))
    _from_phone(site, awa)
    assert site.get(read.link("/ajouter/tiroir")).path == "/fr/ajouter/telephone/arrive"  # what waits is looked at first
    assert site.get(drawer.link("suite=2")).path == "/fr/ajouter/telephone/arrive"
    shown = site.press(drawer, shelf="work")
    assert shown.path == "/fr/ajouter/telephone/arrive"
    (card,) = documents.list_papers(site.house, awa.session)
    assert card.state == "to-confirm"
    kind = site.press(site.press(shown, answer="yes"), shelf="health")
    site.press(kind, kind="prescription")
    (card,) = documents.list_papers(site.house, awa.session)
    assert (card.state, card.shelf, card.by) == ("kept", "health", "phone")
    kind = site.press(drawer, shelf="work")  # the photo waits still, and this page was about it
    assert kind.path == "/fr/ajouter/sorte"
    site.press(kind, kind="payslip")
    assert {(one.shelf, one.sort) for one in documents.list_papers(site.house, awa.session)} == {
        ("health", "prescription"), ("work", "payslip"),
    }  # fmt: skip


def test_the_kind_is_for_the_photos_and_the_drawer_of_its_page(site: Site, awa: MadePerson) -> None:
    drawer = site.get(taken(site, SHEET).link("/ajouter/tiroir"))
    of_work = site.press(drawer, shelf="work")
    site.press(drawer, shelf="health")
    assert site.press(of_work, kind="payslip").path == "/fr/ajouter/lire"
    of_health = site.press(drawer, shelf="health")
    site.send(site.get("/fr/ajouter/photo"), ("b.jpg", saved(sheet(620, 877), "JPEG", quality=85)))
    assert site.press(of_health, kind="prescription").path == "/fr/ajouter/lire"
    assert documents.list_papers(site.house, awa.session) == []


def test_again_takes_out_one_photo_however_often_it_is_pressed(site: Site, awa: MadePerson) -> None:
    taken(site, SHEET)
    for width in (620, 640):
        site.send(site.get("/fr/ajouter/photo"), (f"{width}.jpg", saved(sheet(width, 877), "JPEG", quality=85)))
    first, before = site.get("/fr/ajouter/lire?page=1"), drafts.current(site.house, awa.session)
    assert before is not None
    for _ in range(2):
        assert site.press(first, again="yes").path == "/fr/ajouter/photo"
    assert site.press(first, nudge="turn").path == "/fr/ajouter/lire"  # nor is what is page 1 now turned
    left = drafts.current(site.house, awa.session)
    assert left is not None
    assert [one.photo for one in left.pages] == [one.photo for one in before.pages[1:]]
    turned = site.press(site.get("/fr/ajouter/lire?page=2"), nudge="turn")
    assert turned.path == "/fr/ajouter/lire"
    assert drafts.current(site.house, awa.session) == left  # turned, it is the same photo
    with pytest.raises(NotThere):
        drafts.remove(site.house, awa.session, 1, photo=before.pages[0].photo)
