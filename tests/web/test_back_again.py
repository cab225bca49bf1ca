"""Back, a second tab, a page that was sent long ago: each leads to how things stand, and to no page of a browser or of an error."""

import datetime as dt
import hashlib

import pytest

from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker
from tests.vault.papers import SAID, keep
from tests.web.sharing_steps import share_paper
from tests.web.site import Site
from vault import documents, receipt_files, restricting, sharing, showing, withdrawing
from vault.sharing import Offer


@pytest.mark.parametrize("page", ["code", "images"])
def test_who_is_inside_and_goes_back_to_the_code_is_led_in_again(site: Site, awa: MadePerson, page: str) -> None:
    assert site.get(f"/fr/{page}").path == "/fr/maison"


def test_the_question_of_what_was_given_or_stopped_leads_to_what_is_shown(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    assert site.get("/fr/montrer/accord").path == "/fr/partages"
    grant = share_paper(site, awa, fatou, keep(site.house, awa.session, "Avis", "money"))
    question = f"/fr/partages/{grant}/arreter"
    site.press(site.get(question))
    back = site.get(question)
    assert back.path == "/fr/partages"
    assert "C'est arrêté avec Fatou." in back.text
    assert site.get("/fr/partages/00000000-0000-4000-8000-000000000000/arreter").status == 404


def test_the_answer_to_a_form_says_where_its_page_can_be_read(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    """The script puts that address into the browser's history, which would ask to send the form again."""
    asked = site.get("/fr/moi/nom")
    assert asked.tree.xpath("//body/@data-sent-to") == []
    refused = site.press(asked, name="x" * 200)
    assert refused.status == 422
    assert refused.tree.xpath("//body/@data-sent-to") == ["/fr/moi/nom"]
    site.leave()
    photo = site.send(site.get("/fr/carte/autrement"), ("carte.jpg", b"no picture"))
    assert (photo.path, photo.tree.xpath("//body/@data-sent-to")) == ("/fr/carte/photo", ["/fr/carte"])
    site.sign_in(fatou)
    blocked = site.press(site.get("/fr/bureau/bloquer"), number="1")
    assert (blocked.status, blocked.tree.xpath("//body/@data-sent-to")) == (422, ["/fr/bureau/bloquer"])


@pytest.fixture
def restricted(site: Site, awa: MadePerson) -> MadePerson:
    """She asked that nothing moves."""
    with site.house.database.transaction() as connection:
        restricting.begin(site.house, connection, awa.id)
    return awa


def test_what_may_not_be_done_while_nothing_moves_leads_to_why(site: Site, restricted: MadePerson, fatou: MadeWorker) -> None:
    paper = keep(site.house, restricted.session, "Avis", "money")
    thrown = site.press(site.get(f"/fr/papiers/{paper}/effacer"))
    assert thrown.path == "/fr/droits/rien-ne-bouge"
    assert [one.paper for one in documents.list_papers(site.house, restricted.session)] == [paper]
    assert site.get(f"/fr/papiers/{paper}/montrer").path == "/fr/droits/rien-ne-bouge"
    assert site.get("/fr/effacer-tout").path == "/fr/droits/rien-ne-bouge"
    for page in ("partages", "maison"):
        assert site.get(f"/fr/{page}").text.count("Rien n'est effacé") == 1


def test_that_papers_are_seen_again_is_said_before_and_after(site: Site, restricted: MadePerson) -> None:
    page = site.get("/fr/droits/rien-ne-bouge")
    assert "Ensuite, les personnes choisies voient à nouveau vos papiers." in page.text
    lifted = site.press(page, code=restricted.code)
    assert lifted.path == "/fr/droits"
    assert "Les personnes choisies voient à nouveau vos papiers." in lifted.text


def test_what_stops_for_whoever_only_puts_in_is_no_sight(site: Site, awa: MadePerson, fatou: MadeWorker) -> None:
    until = site.house.clock().date() + dt.timedelta(days=30)
    offer = Offer(PurposeId("home"), frozenset({Act.DEPOSIT}), until, SAID, shelf=ShelfKind("money"))
    grant = sharing.grant(site.house, awa.session, fatou.id, offer)
    page = site.get(f"/fr/partages/{grant}/arreter")
    assert "Fatou ne pourra plus mettre de papiers chez vous." in page.text
    assert "voir vos papiers" not in page.text
    other = Offer(PurposeId("home"), frozenset({Act.DEPOSIT}), until, SAID, shelf=ShelfKind("housing"))
    sharing.grant(site.house, awa.session, fatou.id, other)
    twice = site.get(f"/fr/partages/{grant}/arreter").text
    assert "Fatou ne pourra plus mettre de papiers chez vous." in twice
    assert "voir vos papiers" not in twice
    share_paper(site, awa, fatou, keep(site.house, awa.session, "Avis", "money"))
    assert "Fatou ne pourra plus voir vos papiers." in site.get(f"/fr/partages/{grant}/arreter").text
    site.show_card(awa)  # what they may do is sealed: what is said is true of both
    with_card = site.get(f"/fr/arreter/{grant}").text
    assert "Tout ce que vous avez permis à Fatou s'arrête." in with_card
    assert "voir vos papiers" not in with_card
    site.press(site.get(f"/fr/arreter/{grant}"), answer="yes")
    site.open(awa)
    assert showing.grants_of(site.house, awa.session) == []


@pytest.mark.parametrize("with_card", [False, True])
def test_the_receipt_of_a_stop_says_words_also_when_the_named_share_ended(
    site: Site, awa: MadePerson, fatou: MadeWorker, with_card: bool
) -> None:  # fmt: skip
    """One of two shares with Fatou ends while its page stands on the screen: yes ends the other one, with the words of a page."""
    first, second = (share_paper(site, awa, fatou, keep(site.house, awa.session, name, "money")) for name in ("un", "deux"))
    if with_card:
        site.show_card(awa)
    page = site.get(f"/fr/arreter/{first}" if with_card else f"/fr/partages/{first}/arreter")
    withdrawing.withdraw(site.house, site.session(), first, SAID)
    site.press(page, answer="yes")
    site.open(awa)
    assert showing.grants_of(site.house, awa.session) == []
    sentences = site.client.app.state.pages.catalogues["fr"]
    words = (sentences.plain(key, first="Fatou") for key in ("k17.title", "k17.text_any" if with_card else "k17.text"))
    notice = receipt_files.records_of(site.house, awa.session, second)[-1].receipt.notice
    assert notice.sha256 == hashlib.sha256("\n".join(words).encode()).digest()
