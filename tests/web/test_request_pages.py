"""Requests of workers, as the person reads them: K16 and its three answers."""

import pytest

from consent.purposes import PurposeId
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker, Office, sign_in
from tests.vault.papers import keep
from tests.web.sharing_steps import another_day, share_paper, tax_notice
from tests.web.site import Site
from vault import answers, asking, cards, showing, workers


def asked(site: Site, awa: MadePerson, fatou: MadeWorker, *kinds: str) -> None:
    """Fatou, who was shown something before, asks for papers."""
    grant = share_paper(site, awa, fatou, tax_notice(site, awa))
    asking.ask(site.house, sign_in(site.house, fatou), grant, kinds, PurposeId("home"))


def test_a_request_is_answered_by_giving_one_paper(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    asked(site, awa, fatou, "payslip")
    other = keep(site.house, awa.session, "Paie", "work", sort="payslip")
    shown = site.get("/fr/demandes")
    assert shown.heading == "Fatou vous demande un papier"
    assert "Le papier : fiche de paie." in shown.text
    assert "Vous pouvez dire non." in shown.text
    which = site.press(shown, answer="give")
    assert which.buttons["paper"][0] == other
    k15 = site.press(which, paper=other)
    assert k15.heading == "Fatou peut voir 1 papier ?"
    done = site.press(k15, answer="yes")
    again = site.press(k15, answer="yes")  # pressed twice, or after Back
    assert again.text == done.text
    assert "C'est donné." in done.text
    assert done.heading == "Il n'y a pas de demande"
    assert other in {paper.paper for share in showing.grants_of(site.house, awa.session) for paper in share.papers}
    assert len(showing.grants_of(site.house, awa.session)) == 2
    (answer,) = answers.given(site.house, sign_in(site.house, fatou))
    assert [one.value for one in answer.answers.values()] == ["give"]


def test_what_is_asked_for_can_be_given_as_a_copy(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    """ADR 125: a worker who needed a copy could ask, and be given, and still had none."""
    another_day(site, awa)
    site.open(awa)
    asked(site, awa, fatou, "payslip")
    other = keep(site.house, awa.session, "Paie", "work", sort="payslip")
    how = site.press(site.press(site.get("/fr/demandes"), answer="give"), paper=other)
    assert (how.path, how.buttons["how"]) == ("/fr/montrer/comment", ["see", "replace", "copy"])
    site.press(site.press(how, how="copy"), answer="yes")
    (given,) = [one for one in showing.grants_of(site.house, awa.session) if other in {paper.paper for paper in one.papers}]
    assert (given.acts, given.purpose) == ({Act.SEE, Act.TAKE}, "home")


@pytest.mark.parametrize(("pressed", "kept"), [("have-not", "have-not"), ("refuse", "refuse")])
def test_the_two_other_answers_need_no_reason(
    site: Site, awa: MadePerson, fatou: MadeWorker, pressed: str, kept: str
) -> None:  # fmt: skip
    asked(site, awa, fatou, "payslip", "rent")
    second = site.press(site.get("/fr/demandes"), answer=pressed)
    assert "Votre réponse est partie." in second.text
    assert "papier de logement" in second.text
    assert site.press(second, answer=pressed).heading == "Il n'y a pas de demande"
    (answer,) = answers.given(site.house, sign_in(site.house, fatou))
    assert [one.value for one in answer.answers.values()] == [kept, kept]
    assert len(showing.grants_of(site.house, awa.session)) == 1


def test_a_yes_to_what_was_refused_on_another_screen_gives_nothing_and_says_so(
    site: Site, awa: MadePerson, fatou: MadeWorker
) -> None:  # fmt: skip
    asked(site, awa, fatou, "payslip")
    other = keep(site.house, awa.session, "Paie", "work", sort="payslip")
    shown = site.get("/fr/demandes")
    k15 = site.press(site.press(shown, answer="give"), paper=other)
    site.press(shown, answer="refuse")
    done = site.press(k15, answer="yes")
    assert (done.status, done.heading) == (200, "Il n'y a pas de demande")
    assert "Cette demande n'attend plus de réponse. Rien n'a été donné." in done.text
    assert len(showing.grants_of(site.house, awa.session)) == 1


def test_whoever_is_away_is_not_answered_until_they_are_back(
    site: Site, office: Office, awa: MadePerson, fatou: MadeWorker
) -> None:  # fmt: skip
    asked(site, awa, fatou, "payslip")
    workers.suspend(site.house, office.admin, fatou.id, None)
    site.open(awa)
    assert site.get("/fr/demandes").heading == "Il n'y a pas de demande"
    assert [one.worker for one in asking.waiting_for_me(site.house, awa.session, away=True)] == [fatou.id]
    workers.return_(site.house, office.admin, fatou.id)
    assert site.get("/fr/demandes").heading == "Fatou vous demande un papier"


def test_the_card_alone_says_no_to_all_that_is_asked(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    """Narrowing needs no code (ADR 0020). A card that nobody knows is answered alike."""
    asked(site, awa, fatou, "payslip", "rent")
    site.show_card(awa)
    page = site.get("/fr/arreter")
    done = site.press(page, refuse="yes")
    assert "C'est refusé." in done.text
    assert done.path == "/fr/arreter"
    (answer,) = answers.given(site.house, sign_in(site.house, fatou))
    assert [one.value for one in answer.answers.values()] == ["refuse", "refuse"]
    site.open(awa)
    assert asking.waiting_for_me(site.house, awa.session) == []
    assert len(showing.grants_of(site.house, awa.session)) == 1, "nothing else changes"
    site.show_text(cards.new_cards(1)[0].text)
    unknown = site.press(site.get("/fr/arreter"), refuse="yes")
    assert (unknown.status, unknown.path) == (200, "/fr/arreter")
    assert "C'est refusé." in unknown.text


def test_three_answers_of_the_same_size(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    asked(site, awa, fatou, "payslip")
    classes = [str(one) for one in site.get("/fr/demandes").tree.xpath("//main//li/@class")]
    assert len(classes) == 3
    assert len(set(classes)) == 1


def test_an_old_request_page_changes_nothing(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    asked(site, awa, fatou, "payslip")
    shown = site.get("/fr/demandes")
    site.press(shown, answer="refuse")
    assert site.press(shown, answer="give").heading == "Il n'y a pas de demande"
    assert len(showing.grants_of(site.house, awa.session)) == 1
