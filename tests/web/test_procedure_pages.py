"""Procedures on pages: the list that says how old it is, one person's checklist, one page that answers it, the office that edits it."""

import datetime as dt

from consent.ids import KindId
from consent.purposes import PurposeId
from consent.scope import Act
from tests.vault.builders import make_office, make_person, make_worker, sign_in
from tests.vault.papers import keep
from tests.web.desk_scene import give
from tests.web.site import Site
from tests.web.test_desk_pages import plain, said, submit
from tests.web.test_office_pages import clock_of
from vault import answers, asking, documents, procedure_asking, procedure_editing, shared_papers, showing

DALO = "/fr/bureau/demarches/dalo"


def test_a_checklist_says_its_source_its_age_and_what_not_to_hand_over(site: Site) -> None:
    fatou = make_worker(site.house, make_office(site.house))
    site.sign_in(fatou)
    every = site.get("/fr/bureau/demarches")
    assert plain(every).count(said("procedure.never_verified")) == 11
    housing = site.get("/fr/bureau/demarches/logement-social")
    assert "arrêté du 22/12/2020" in plain(housing)
    assert said("procedure.do_not_send") in plain(housing)
    assert "Copie de la carte Vitale" in plain(housing)
    assert said("procedure.never_verified") in plain(housing)
    assert said("desk.procedures.nobody") in plain(housing)
    assert site.get("/fr/bureau/demarches/no-such").status == 404
    assert site.get("/en/bureau/demarches/logement-social").status == 200


def test_a_whole_procedure_is_asked_for_and_answered_on_one_page(site: Site) -> None:
    """What is there is not asked again; three answers on each line; one share, one receipt, for all that is given."""
    fatou, awa = make_worker(site.house, make_office(site.house)), make_person(site.house, "Awa")
    card = keep(site.house, awa.session, "Carte", "identity", sort="identity-card")
    slip = keep(site.house, awa.session, "Fiche", "money", sort="payslip")
    paper = keep(site.house, awa.session, "Demande", "other", sort="letter", text="lettre")
    grant = give(site.house, awa, fatou, card)
    site.sign_in(fatou)
    page = site.get(site.get(DALO).link(f"/{grant}"))
    assert said("procedure.line.there") in plain(page)
    assert "Fiche" not in plain(page)
    assert submit(site, page, f"{DALO}/{grant}").status == 422
    sent = site.press(page, piece=["dls", "ressources", "motif", "famille"])
    assert said("desk.request.sent") in plain(sent)
    assert plain(sent).count(said("desk.checklist.waiting")) == 4
    assert said("desk.checklist.nothing") in plain(sent)

    site.open(awa)
    asked = site.get("/fr/demandes")
    assert asked.heading == "Fatou vous demande des papiers"
    assert "Pour : le DALO, pour un logement." in asked.text
    assert [str(one.get("value")) for one in asked.tree.xpath("//input[@type='radio']")] == ["give", "have-not", "refuse"] * 4
    assert site.press(asked).status == 422
    which = site.press(
        asked, **{"answer-payslip": "give", "answer-housing-request": "give", "answer-family-book": "refuse", "answer-letter": "have-not"}
    )  # fmt: skip
    assert (which.path, which.heading) == ("/fr/demandes/papier", "Quel papier donner ?")  # the payslip is sure, the other is not
    agree = site.press(which, paper=paper)
    assert agree.heading == "Fatou peut voir 2 papiers ?"
    done = site.press(agree, answer="yes")
    assert "C'est donné." in done.text
    (given,) = [one for one in showing.grants_of(site.house, awa.session) if one.grant != grant]
    assert {one.paper for one in given.papers} == {slip, paper}
    fatou.session = sign_in(site.house, fatou)
    (told,) = answers.given(site.house, fatou.session)
    assert told.answers == {
        KindId("payslip"): "give", KindId("housing-request"): "give", KindId("family-book"): "refuse", KindId("letter"): "have-not",
    }  # fmt: skip
    assert len(shared_papers.papers_shared(site.house, fatou.session, given.grant)) == 2


def test_lines_left_open_still_wait_and_no_at_the_end_gives_nothing(site: Site) -> None:
    fatou, awa = make_worker(site.house, make_office(site.house)), make_person(site.house, "Awa")
    grant = give(site.house, awa, fatou, keep(site.house, awa.session, "Fiche", "money", sort="payslip"))
    procedure_asking.ask(site.house, fatou.session, grant, "dalo", ["dls", "ressources", "famille"])
    site.open(awa)
    agree = site.press(site.get("/ar/demandes"), **{"answer-payslip": "give", "answer-family-book": "refuse"})
    assert agree.path == "/ar/montrer/accord"  # the first day: a copy cannot be given, so it is not asked
    site.press(agree, answer="no")
    (waiting,) = asking.waiting_for_me(site.house, awa.session)
    assert waiting.kinds == ("housing-request", "payslip")
    assert site.post("/fr/demandes/demarche", {"token": awa.session.form_token, "request": "no-such"}).path == "/fr/demandes"
    assert len(showing.grants_of(site.house, awa.session)) == 1


def test_two_taps_on_the_answers_say_them_once(site: Site) -> None:
    fatou, awa = make_worker(site.house, make_office(site.house)), make_person(site.house, "Awa")
    grant = give(site.house, awa, fatou, keep(site.house, awa.session))
    procedure_asking.ask(site.house, fatou.session, grant, "dalo", ["dls", "famille"])
    site.open(awa)
    page = site.get("/fr/demandes")
    for _ in range(2):  # the second one was told to choose first
        again = site.press(page, **{"answer-family-book": "refuse"})
        assert (again.status, again.path) == (200, "/fr/demandes")
        assert "Votre réponse est partie." in again.text
    assert [one.kinds for one in asking.waiting_for_me(site.house, awa.session)] == [("housing-request",)]
    assert site.press(again).errors.startswith("Choisissez d'abord.")


def test_a_copy_can_be_given_with_a_procedure_on_another_day(site: Site) -> None:
    fatou, awa = make_worker(site.house, make_office(site.house)), make_person(site.house, "Awa")
    grant = give(site.house, awa, fatou, keep(site.house, awa.session, "Fiche", "money", sort="payslip"))
    procedure_asking.ask(site.house, fatou.session, grant, "dalo", ["ressources"])
    clock_of(site).forward(days=1)
    site.open(awa)
    how = site.press(site.get("/fr/demandes"), **{"answer-payslip": "give"})
    assert how.path == "/fr/montrer/comment"
    site.press(site.press(how, how="copy"), answer="yes")
    (_, given) = showing.grants_of(site.house, awa.session)
    assert given.acts == frozenset({Act.SEE, Act.TAKE})


def test_two_taps_on_one_paper_answer_one_line(site: Site) -> None:
    """The second one answered the next line with the same paper, and the worker was told that it had been given."""
    fatou, awa = make_worker(site.house, make_office(site.house)), make_person(site.house, "Awa")
    cards = [keep(site.house, awa.session, f"Carte {one}", "identity", sort="identity-card") for one in (1, 2)]
    slips = [keep(site.house, awa.session, f"Fiche {one}", "work", sort="payslip") for one in (1, 2)]
    grant = give(site.house, awa, fatou, keep(site.house, awa.session))
    kinds = (KindId("identity-card"), KindId("payslip"))
    asking.ask(site.house, fatou.session, grant, kinds, PurposeId("home"), procedure="logement-social")
    site.open(awa)
    page = site.get("/fr/demandes")
    card = site.press(page, **{"answer-identity-card": "give", "answer-payslip": "give"})
    assert card.fields()["kind"] == ["identity-card"]
    slip, again = site.press(card, paper=cards[0]), site.press(card, paper=cards[0])
    assert (slip.path, slip.fields()["kind"]) == ("/fr/demandes/papier", ["payslip"])
    assert again.text == slip.text
    agree = site.press(slip, paper=slips[0])
    assert agree.heading == "Fatou peut voir 2 papiers ?"
    for old, paper in ((card, cards[0]), (slip, slips[0])):  # what was answered stays, and the question that follows is asked
        assert site.press(old, paper=paper).text == agree.text
    assert site.press(slip, paper=slips[1]).path == "/fr/demandes", "another paper than the one chosen: the answer begins anew"
    site.press(agree, answer="yes")
    assert site.press(slip, paper=slips[0]).path == "/fr/demandes"
    (given,) = [one for one in showing.grants_of(site.house, awa.session) if one.grant != grant]
    assert {one.paper for one in given.papers} == {cards[0], slips[0]}
    (told,) = answers.given(site.house, sign_in(site.house, fatou))
    assert told.answers == dict.fromkeys(kinds, "give")


def test_a_paper_for_one_request_answers_no_other(site: Site) -> None:
    """Fatou and Marc both ask for a payslip; the page of before was Fatou's."""
    office = make_office(site.house)
    fatou, marc, awa = make_worker(site.house, office), make_worker(site.house, office, "Marc"), make_person(site.house, "Awa")
    slips = [keep(site.house, awa.session, f"Fiche {one}", "work", sort="payslip") for one in (1, 2)]
    for worker in (fatou, marc):
        grant = give(site.house, awa, worker, keep(site.house, awa.session))
        asking.ask(site.house, sign_in(site.house, worker), grant, (KindId("payslip"),), PurposeId("home"))
        clock_of(site).forward(minutes=1)
    site.open(awa)
    page = site.get("/fr/demandes")
    assert page.heading == "Fatou vous demande un papier"
    of_fatou = site.press(page, answer="give")
    site.press(page, answer="refuse")
    of_marc = site.press(site.get("/fr/demandes"), answer="give")
    assert of_marc.path == "/fr/demandes/papier"
    led = site.press(of_fatou, paper=slips[0])
    assert (led.path, led.heading) == ("/fr/demandes", "Marc vous demande un papier")
    assert site.press(of_marc, paper=slips[1]).heading == "Marc peut voir 1 papier ?"


def test_a_paper_that_left_meanwhile_answers_nothing(site: Site) -> None:
    fatou, awa = make_worker(site.house, make_office(site.house)), make_person(site.house, "Awa")
    gone, other = (keep(site.house, awa.session, f"Fiche {one}", "work", sort="payslip") for one in (1, 2))
    grant = give(site.house, awa, fatou, keep(site.house, awa.session))
    asking.ask(site.house, fatou.session, grant, (KindId("payslip"),), PurposeId("home"))
    site.open(awa)
    which = site.press(site.get("/fr/demandes"), answer="give")
    documents.remove(site.house, awa.session, gone)
    again = site.press(which, paper=gone)
    assert (again.path, again.buttons["paper"][0]) == ("/fr/demandes/papier", other)
    assert "Un papier choisi ne peut plus être montré." in again.errors
    assert site.press(again, paper=other).path == "/fr/montrer/accord"


# --- The office -----------------------------------------------------------------------------------------------------------


def test_an_administrator_verifies_changes_adds_and_removes_and_the_past_stays_readable(site: Site) -> None:
    office = make_office(site.house)
    fatou = make_worker(site.house, office)
    site.sign_in_administrator(office.administrators[0])
    here = "/fr/association/demarches/dalo"
    page = site.get(here)
    assert said("office.procedure.delivered") in plain(page)
    future = {"source": "notice 51754", "confidence": "A", "verified_on": "2026-11-24", "validity": "", "reminders": ""}
    assert said("office.procedure.future") in submit(site, page, here, **future).errors
    assert submit(site, page, here, **{**future, "source": "", "verified_on": ""}).status == 422
    assert (
        said("office.procedure.bad_months")
        in submit(site, page, here, **{**future, "verified_on": "", "validity": "un an"}).errors
    )
    right = {**future, "verified_on": "2026-11-23", "validity": "6", "reminders": "garder l'accusé\n\nrelancer"}
    page = submit(site, page, here, **right)
    assert said("procedure.verified", day="23 novembre 2026") in plain(page)
    assert said("office.procedure.edition", number=1) in plain(page)

    new = site.get(page.link("/ligne/nouvelle"))
    assert site.press(new, name="Attestation", need="if", about="", note="", months="", first="").status == 422
    assert (
        said("office.procedure.bad_piece")
        in submit(
            site,
            new,
            f"{here}/ligne/nouvelle",
            name="Autre",
            need="required",
            about="",
            note="",
            months="",
            first="",
            kind="payslip",
        ).errors
    )
    added = submit(
        site, new, f"{here}/ligne/nouvelle", name="Attestation du 115", need="if", about="hébergement", note="datée", months="3",
        first="", kind="sworn-statement",
    )  # fmt: skip
    assert "Attestation du 115" in plain(added)
    line = site.get(added.link("/ligne/ligne-1"))
    gone = submit(site, line, f"{here}/ligne/ligne-1/retirer")
    assert "Attestation du 115" not in plain(gone)
    assert submit(site, line, f"{here}/ligne/ligne-1").status == 404
    earlier = site.get(gone.link("/avant/2"))
    assert "Attestation du 115" in plain(earlier)
    assert not earlier.tree.xpath("//main//form")
    assert site.get(f"{here}/avant/9").status == 404
    assert submit(site, page, here, **right).status == 409  # somebody changed it since that page was shown
    assert procedure_editing.for_worker(site.house, fatou.session)["dalo"].verified_on == dt.date(2026, 11, 23)
    site.leave()
    site.sign_in(fatou)
    assert said("procedure.verified", day="23 novembre 2026") in plain(site.get(DALO))
    clock_of(site).forward(days=190)
    site.leave()
    site.sign_in(fatou)
    assert said("procedure.stale", day="23 novembre 2026") in plain(site.get(DALO))
