"""Papers that leave and arrive: print, on this computer, to and from a phone by links that work once."""

import threading

import pytest
from sqlalchemy import select

from consent.ids import PaperId
from consent.purposes import ShelfKind
from storage.tables import papers, tickets, versions
from tests.vault.builders import make_office, make_person, make_worker, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep, picture
from tests.vault.test_drafts import photo
from tests.vault.test_sharing import SEE, offer
from vault import arriving, audit, documents, drafts, leaving, shared_papers, sharing
from vault import tickets as links
from vault.context import Context
from vault.errors import BadInput, NotThere, TicketGone
from vault.refusals import PaperRefused
from vault.sessions import Session


def tags(house: Context, session: Session) -> list[str]:
    return [entry.event.tag for entry in audit.history(house, session)]


def test_printed(reading_house: Context) -> None:
    house = reading_house
    awa = make_person(house)
    paper = documents_of_a_photo(house, awa.session)
    pdf = leaving.print_paper(house, awa.session, paper, title="Papier", language="fr")
    assert pdf.startswith(b"%PDF-")
    assert b"/Lang" in pdf
    assert "paper.printed" in tags(house, awa.session)


def documents_of_a_photo(house: Context, session: Session) -> PaperId:
    drafts.add(house, session, photo("un"))
    return drafts.keep(house, session, ShelfKind("other"), title="secret")


def test_on_this_computer_under_a_neutral_name(house: Context) -> None:
    awa = make_person(house)
    paper = keep(house, awa.session, "Avis d'impôt", text="un")
    with leaving.on_this_computer(house, awa.session, paper) as content:
        assert content.download_name == "papier.jpg"
        assert b"".join(content.chunks()) == picture("received un")
    assert "paper.to-computer" in tags(house, awa.session)


def test_a_link_to_a_phone_works_once_and_looking_does_not_use_it_up(any_house: Context) -> None:
    awa = make_person(any_house)
    paper = keep(any_house, awa.session, "Avis", text="un")
    ticket = leaving.to_phone(any_house, awa.session, paper)
    assert len(ticket.secret) == 43
    for _ in range(3):  # a preview of the link
        assert leaving.look(any_house, ticket.secret).kind == "to-phone"
    with leaving.redeem(any_house, ticket.secret) as content:
        assert b"".join(content.chunks()) == picture("received un")
    for act in (leaving.look, leaving.redeem):
        with pytest.raises(TicketGone):
            act(any_house, ticket.secret)
    assert tags(any_house, awa.session).count("paper.to-phone") == 1


def test_a_link_ends_after_five_minutes_or_with_its_paper(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    paper = keep(house, awa.session)
    late, orphan = leaving.to_phone(house, awa.session, paper), leaving.to_phone(house, awa.session, paper)
    documents.erase_now(house, awa.session, paper)
    with pytest.raises(TicketGone):
        leaving.redeem(house, orphan.secret)
    clock.forward(minutes=5)
    with pytest.raises(TicketGone):
        leaving.look(house, late.secret)
    assert links.sweep(house) == 2


@pytest.mark.parametrize("secret", ["", "x", "A" * 43, "A" * 42, "../../etc/passwd", "é" * 43])
def test_any_other_secret_is_a_link_that_does_not_work_any_more(house: Context, secret: str) -> None:
    for act in (leaving.look, leaving.redeem):
        with pytest.raises(TicketGone):
            act(house, secret)
    with pytest.raises(TicketGone):
        leaving.receive(house, secret, [picture("x")])


def test_whoever_holds_the_rows_holds_no_link(house: Context) -> None:
    awa = make_person(house)
    ticket = leaving.to_phone(house, awa.session, keep(house, awa.session))
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(tickets)).one()
    assert ticket.secret.encode() not in repr(row._asdict()).encode()
    with pytest.raises(TicketGone):
        leaving.look(house, row.digest[:43])


def test_two_phones_at_once_one_paper(house: Context) -> None:
    awa = make_person(house)
    ticket = leaving.to_phone(house, awa.session, keep(house, awa.session))
    given: list[str] = []

    def phone() -> None:
        try:
            leaving.redeem(house, ticket.secret).close()
            given.append("paper")
        except TicketGone:
            given.append("nothing")

    phones = [threading.Thread(target=phone) for _ in range(6)]
    for one in phones:
        one.start()
    for one in phones:
        one.join()
    assert sorted(given) == ["nothing"] * 5 + ["paper"]


def test_from_a_phone_to_a_drawer_that_it_cannot_open(any_reading_house: Context, clock: Clock) -> None:
    house = any_reading_house
    awa = make_person(house)
    ticket = leaving.from_phone(house, awa.session)
    with pytest.raises(TicketGone):
        leaving.redeem(house, ticket.secret)  # upload only
    with pytest.raises(PaperRefused):
        leaving.receive(house, ticket.secret, [b"not a photo"])
    leaving.receive(house, ticket.secret, [photo("téléphone")], untrusted_name="IMG_1.jpg")  # a refused photo used nothing up
    with pytest.raises(TicketGone):
        leaving.receive(house, ticket.secret, [photo("encore")])
    (card,) = leaving.arrived(house, awa.session)
    assert (card.state, card.by, card.shelf, card.title, card.file_name) == ("to-confirm", "phone", "other", "", "IMG_1.jpg")
    assert documents.page_image(house, awa.session, card.paper, 1).page == 1
    leaving.confirm(house, awa.session, card.paper, shelf=ShelfKind("health"), title="Ordonnance", sort="prescription")
    card = documents.paper(house, awa.session, card.paper)
    assert (card.state, card.by, card.shelf, card.title, card.sort) == ("kept", "phone", "health", "Ordonnance", "prescription")
    with house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(versions)).one()
    assert row.confirmation is not None
    assert row.wrap_kind == "shelf"
    with pytest.raises(NotThere):
        leaving.confirm(house, awa.session, card.paper)
    unlock(house, awa)
    assert arriving.at_unlock(house, awa.session).refused == ()
    assert {"paper.from-phone", "paper.confirmed", "paper.moved"} <= set(tags(house, awa.session))


def test_what_came_by_phone_waits_for_a_yes_and_is_shown_to_nobody_before(reading_house: Context, clock: Clock) -> None:
    house = reading_house
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    leaving.receive(house, leaving.from_phone(house, awa.session).secret, [photo("un")])
    (card,) = leaving.arrived(house, awa.session)
    with pytest.raises(NotThere):
        sharing.grant(house, awa.session, fatou.id, offer(card.paper, acts=SEE))
    unlock(house, awa)
    arrival = arriving.at_unlock(house, awa.session)
    assert (arrival.to_confirm, arrival.new_papers) == ((card.paper,), ())
    assert shared_papers.people_sharing(house, fatou.session) == []
    documents.remove(house, awa.session, card.paper)
    documents.restore(house, awa.session, card.paper)
    assert len(leaving.arrived(house, awa.session)) == 1  # the bin says no yes in the person's place
    documents.erase_now(house, awa.session, card.paper)  # "ce n'est pas moi"
    assert leaving.arrived(house, awa.session) == []


def test_a_link_of_an_unknown_drawer_is_not_made(house: Context) -> None:
    awa = make_person(house)
    with pytest.raises(BadInput):
        leaving.from_phone(house, awa.session, ShelfKind("attic"))
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(tickets)).all() == []
        assert connection.execute(select(papers)).all() == []
