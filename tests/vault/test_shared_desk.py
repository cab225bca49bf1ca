"""The desk: marked pages, a limit on how fast they are turned, deposits without sight, newer versions put in place."""

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageChops
from sqlalchemy import select

from consent.ids import GrantId, PaperId
from consent.purposes import PurposeId, ShelfKind
from consent.scope import Act
from storage.tables import papers, versions
from storage.tables import workers as worker_rows
from tests.vault.builders import MadePerson, MadeWorker, make_office, make_person, make_worker, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep, picture, prepared, read
from tests.vault.test_drafts import photo
from tests.vault.test_sharing import BOTH, SEE, UNTIL, offer, second_day, taken
from vault import (
    arriving,
    audit,
    copying,
    depositing_for,
    documents,
    drafts,
    leaving,
    looking,
    opening_shared,
    outside,
    page_rate,
    parcels,
    removing,
    restricting,
    shared_papers,
    shares,
    sharing,
    withdrawing,
    workers,
)  # fmt: skip
from vault.context import Context
from vault.deposits import Words
from vault.errors import BadInput, NotAllowed, NotThere
from vault.events import Event
from vault.outside import OutsideOffer
from vault.page_rate import TooFast
from vault.sessions import Session
from vault.sharing import Offer

DEPOSIT = frozenset({Act.DEPOSIT})


def lay(house: Context, worker: MadeWorker, grant: GrantId, text: str, title: str = "Lettre") -> PaperId:
    """Deposit a prepared letter for somebody."""
    with house.database.transaction(read_only=True) as connection:
        share = shares.one_of_worker(house, connection, worker.session, grant)
    return depositing_for.deposit_prepared(house, worker.session, share, prepared(text), Words(title))


def test_pages_are_marked_and_each_one_is_traced(reading_house: Context, clock: Clock) -> None:
    house = reading_house
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    for text in ("un", "deux", "trois"):
        drafts.add(house, awa.session, photo(text))
    paper = drafts.keep(house, awa.session, ShelfKind("money"), title="Avis")
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE))
    for page in (1, 2, 3):
        shown = shared_papers.page_image_shared(house, fatou.session, grant, paper, page)
        own = documents.page_image(house, awa.session, paper, page)
        assert (shown.page, shown.pages) == (page, 3)
        difference = ImageChops.difference(
            Image.open(io.BytesIO(shown.jpeg)).convert("L").resize((300, 400)),
            Image.open(io.BytesIO(own.jpeg)).convert("L").resize((300, 400)),
        )
        marked = sum(1 for value in difference.tobytes() if value > 24)
        assert marked > 300  # something is burnt into the pixels, all over
    seen = [one.event for one in audit.history(house, awa.session) if one.event.tag == "paper.seen"]
    assert sorted(event.detail for event in seen) == ["1", "2", "3"]
    assert {(event.by, event.by_name, event.purpose, event.title, event.place) for event in seen} == {
        (fatou.id, "Fatou, de l'équipe, ESI Les Tilleuls", "home", "Avis", "")
    }
    theirs = [one.event for one in audit.history(house, fatou.session) if one.event.tag == "paper.seen"]
    assert {(event.title, event.grant) for event in theirs} == {("", grant)}  # names nobody, and no paper's title


def test_pages_are_not_turned_by_machine(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, marc = make_worker(house, office), make_worker(house, office, "Marc")
    for _ in range(page_rate.PAGES):
        with house.database.transaction() as connection:
            page_rate.count(house, connection, fatou.id)
    clock.forward(seconds=20)
    with pytest.raises(TooFast) as fast, house.database.transaction() as connection:
        page_rate.count(house, connection, fatou.id)
    assert fast.value.seconds == 40
    with house.database.transaction() as connection:
        page_rate.count(house, connection, marc.id)
    clock.forward(seconds=41)
    with house.database.transaction() as connection:
        page_rate.count(house, connection, fatou.id)


def test_an_intern_puts_a_letter_in_and_sees_nothing(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    ines, awa = make_worker(any_house, office, "Inès", "intern", ends=UNTIL), make_person(any_house)
    keep(any_house, awa.session, "caché")
    grant = sharing.grant(any_house, awa.session, ines.id, offer(acts=DEPOSIT, shelf="other"))
    (line,) = shared_papers.people_sharing(any_house, ines.session)
    assert (line.acts, line.papers, line.shelf) == (DEPOSIT, 0, "other")
    letter = lay(any_house, ines, grant, "lettre")
    assert shared_papers.papers_shared(any_house, ines.session, grant) == []
    with pytest.raises(NotThere):
        shared_papers.take(any_house, ines.session, grant, letter)
    (card,) = [one for one in documents.list_papers(any_house, awa.session) if one.paper == letter]
    assert (card.state, card.by, card.depositor, card.shelf, card.title) == ("to-read", "worker", ines.id, "other", "Lettre")
    assert read(any_house, awa.session, letter) == picture("received lettre")
    unlock(any_house, awa)
    assert arriving.at_unlock(any_house, awa.session).new_papers == (letter,)
    assert documents.paper(any_house, awa.session, letter).state == "kept"
    assert arriving.at_unlock(any_house, awa.session).new_papers == ()
    told = documents.technical_metadata(any_house, awa.session, letter)
    assert (told.depositor, told.by) == (ines.id, "worker")


def test_what_a_worker_put_in_stays_readable_after_they_left(house: Context, clock: Clock) -> None:
    office = make_office(house)
    ines, awa = make_worker(house, office, "Inès", "intern", ends=UNTIL), make_person(house)
    letter = lay(house, ines, sharing.grant(house, awa.session, ines.id, offer(acts=DEPOSIT, shelf="other")), "lettre")
    unlock(house, awa)
    arriving.at_unlock(house, awa.session)
    workers.end(house, office.admin, ines.id, office.proof)
    with house.database.transaction() as connection:  # twelve months later their certificate is erased
        connection.execute(worker_rows.update().values(certificate=None))
    assert read(house, awa.session, letter) == picture("received lettre")


def test_what_was_put_away_before_it_was_met_is_met_all_the_same(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    letter = lay(house, fatou, sharing.grant(house, awa.session, fatou.id, offer(acts=DEPOSIT, shelf="other")), "lettre")
    documents.move(house, awa.session, letter, ShelfKind("justice"))
    unlock(house, awa)
    assert arriving.at_unlock(house, awa.session).new_papers == (letter,)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(versions.c.confirmation)).scalar_one() is not None
    assert documents.paper(house, awa.session, letter).shelf == "justice"


def test_a_deposit_is_undone_within_a_day_and_not_after(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, awa = make_worker(any_house, office), make_person(any_house)
    grant = sharing.grant(any_house, awa.session, fatou.id, offer(acts=DEPOSIT, shelf="other"))
    wrong, right = lay(any_house, fatou, grant, "erreur"), lay(any_house, fatou, grant, "bonne")
    assert {one.paper for one in shared_papers.deposited(any_house, fatou.session)} == {wrong, right}
    shared_papers.undo_deposit(any_house, fatou.session, wrong)
    with pytest.raises(NotThere):
        shared_papers.undo_deposit(any_house, fatou.session, wrong)
    clock.forward(days=1)
    sign_in(any_house, fatou)
    with pytest.raises(NotThere):
        shared_papers.undo_deposit(any_house, fatou.session, right)
    unlock(any_house, awa)
    assert [card.paper for card in documents.list_papers(any_house, awa.session)] == [right]
    assert len(list(any_house.blobs.inventory())) == 3
    assert arriving.at_unlock(any_house, awa.session).refused == ()
    tags = [one.event.tag for one in audit.history(any_house, awa.session)]
    assert (tags.count("paper.deposited-by-worker"), tags.count("paper.deposit-undone")) == (2, 1)


def test_a_letter_that_its_person_took_away_with_everything_is_taken_back_by_nobody(reading_house: Context) -> None:
    """By a key or by a telephone: by its link, which may never be used, and not by the square that shows it."""
    house = reading_house
    fatou, awa = make_worker(house, make_office(house)), make_person(house)
    grant = sharing.grant(house, awa.session, fatou.id, offer(acts=DEPOSIT, shelf="other"))

    def may_be_undone() -> list[PaperId]:
        return [one.paper for one in shared_papers.deposited(house, fatou.session)]

    taken_away = lay(house, fatou, grant, "un")
    assert may_be_undone() == [taken_away]
    parcels.pack(house, awa.session, "usb", "fr")
    assert may_be_undone() == []
    by_phone = lay(house, fatou, grant, "deux")
    link = parcels.pack(house, awa.session, "phone", "fr")
    later = lay(house, fatou, grant, "trois")
    assert set(may_be_undone()) == {by_phone, later}
    parcels.begin(house, link.secret)
    assert may_be_undone() == [later]
    with pytest.raises(NotThere):
        shared_papers.undo_deposit(house, fatou.session, by_phone)
    shared_papers.undo_deposit(house, fatou.session, later)
    assert {card.paper for card in documents.list_papers(house, awa.session)} == {taken_away, by_phone}


@pytest.mark.parametrize("how", ["met", "moved", "taken-back", "restricted", "suspended"])
def test_what_became_the_person_s_is_undone_by_nobody(house: Context, how: str) -> None:
    """A worker once destroyed a letter that its person had put away, after they had stopped; and one that a judge had kept."""
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    grant = sharing.grant(house, awa.session, fatou.id, offer(acts=DEPOSIT, shelf="other"))
    letter = lay(house, fatou, grant, "lettre")
    assert [(one.name, one.shelf) for one in shared_papers.deposited(house, fatou.session)] == [("Awa", "other")]
    if how == "met":
        arriving.at_unlock(house, unlock(house, awa))
    elif how == "moved":
        documents.move(house, awa.session, letter, ShelfKind("private"))
    elif how == "taken-back":
        withdrawing.withdraw(house, awa.session, grant, SAID)
    elif how == "restricted":
        with house.database.transaction() as connection:
            restricting.begin(house, connection, awa.id)
    else:
        with house.database.transaction() as connection:
            connection.execute(worker_rows.update().where(worker_rows.c.account == fatou.id).values(state="suspended"))
    assert shared_papers.deposited(house, fatou.session) == []
    with pytest.raises(NotThere):
        shared_papers.undo_deposit(house, fatou.session, letter)
    assert [card.paper for card in documents.list_papers(house, unlock(house, awa))] == [letter]


def moved_and_back(house: Context, session: Session, letter: PaperId) -> None:
    documents.move(house, session, letter, ShelfKind("justice"))
    documents.move(house, session, letter, ShelfKind("other"))


def looked_at(house: Context, session: Session, letter: PaperId) -> None:
    looking.say_page(house, session, Event("paper.opened", by=session.account, paper=letter), letter, 1)


def test_a_letter_that_its_person_did_something_with_is_taken_back_by_nobody(house: Context, clock: Clock) -> None:
    """A worker once destroyed what the person had read, renamed and shown to another in the same opening: it was not met at an unlock."""
    office = make_office(house)
    fatou, marc, awa = make_worker(house, office), make_worker(house, office, "Marc"), make_person(house)
    second_day(house, clock, awa, fatou, marc)
    grant = sharing.grant(house, awa.session, fatou.id, offer(acts=DEPOSIT, shelf="other"))
    acts: dict[str, Callable[[Context, Session, PaperId], object]] = {
        "opened": read,
        "page": looked_at,
        "renamed": lambda house, session, letter: documents.rename(house, session, letter, "Ma lettre"),
        "sorted": lambda house, session, letter: documents.sort_as(house, session, letter, "tax-notice"),
        "noted": lambda house, session, letter: documents.note(house, session, letter, "mardi"),
        "moved": moved_and_back,
        "shown": lambda house, session, letter: sharing.grant(house, session, marc.id, offer(letter, acts=SEE)),
        "sent": lambda house, session, letter: outside.give(
            house, session, OutsideOffer((letter,), "Banque", PurposeId("bank"), SAID, words="un compte")
        ),
        "to a phone": leaving.to_phone,
        "to another safe": copying.offer,
        "described": documents.technical_metadata,
    }
    letters = {how: lay(house, fatou, grant, how) for how in acts}
    untouched = lay(house, fatou, grant, "untouched")
    for how, act in acts.items():
        act(house, awa.session, letters[how])
    assert [one.paper for one in shared_papers.deposited(house, fatou.session)] == [untouched]
    for letter in letters.values():
        with pytest.raises(NotThere):
            shared_papers.undo_deposit(house, fatou.session, letter)
    shared_papers.undo_deposit(house, fatou.session, untouched)
    assert {card.paper for card in documents.list_papers(house, awa.session)} == set(letters.values())
    unlock(house, awa)
    assert set(arriving.at_unlock(house, awa.session).new_papers) == set(
        letters.values()
    )  # the person is told of them all the same


def test_nobody_undoes_what_another_put_in(house: Context) -> None:
    office = make_office(house)
    fatou, marc, awa = make_worker(house, office), make_worker(house, office, "Marc"), make_person(house)
    own = keep(house, awa.session)
    letter = lay(house, fatou, sharing.grant(house, awa.session, fatou.id, offer(acts=DEPOSIT, shelf="other")), "un")
    for paper in (own, letter):
        with pytest.raises(NotThere):
            shared_papers.undo_deposit(house, marc.session, paper)
    assert documents.count(house, awa.session) == 2


@pytest.mark.parametrize("how", ["hidden", "thrown-away", "narrowed", "suspended"])
def test_what_changes_while_a_page_is_drawn_is_not_shown(any_house: Context, clock: Clock, how: str) -> None:
    """A dossier is drawn for many seconds: the last look asks the rules and the key again, not only whether the share lives."""
    house, office = any_house, make_office(any_house)
    fatou, awa = make_worker(house, office), make_person(house)
    paper, other = keep(house, awa.session, "Avis", text="un"), keep(house, awa.session, "Bail", text="deux")
    second_day(house, clock, awa, fatou)
    grant = sharing.grant(house, awa.session, fatou.id, offer(paper, other, acts=BOTH))
    drawn = [opening_shared.open_shared(house, fatou.session, grant, one, Act.TAKE) for one in (paper, other)]
    if how == "hidden":
        documents.move(house, awa.session, paper, ShelfKind("private"))
    elif how == "thrown-away":
        removing.remove(house, awa.session, paper)
    elif how == "narrowed":
        sharing.narrow(house, awa.session, grant, SAID, papers=[other])
    else:
        workers.suspend(house, office.admin, fatou.id, None)
    with pytest.raises(NotThere), house.database.transaction() as connection:
        opening_shared.trace_in(house, connection, fatou.session, drawn[0], "dossier")
    if how != "suspended":
        with house.database.transaction() as connection:
            opening_shared.trace_in(house, connection, fatou.session, drawn[1], "dossier")
    taken = [one.event.paper for one in audit.history(house, awa.session) if one.event.tag == "paper.taken"]
    assert taken == ([] if how == "suspended" else [other])


def test_a_deposit_needs_its_statement_and_its_grant(reading_house: Context) -> None:
    house = reading_house
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    paper = keep(house, awa.session)
    see = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE))
    put = sharing.grant(house, awa.session, fatou.id, offer(acts=DEPOSIT, shelf="other"))
    with pytest.raises(BadInput):
        shared_papers.deposit_for(house, fatou.session, put, [photo("un")], opened_by_person=False)
    with pytest.raises(NotThere):
        shared_papers.deposit_for(house, fatou.session, see, [photo("un")], opened_by_person=True)
    with pytest.raises(NotAllowed):
        shared_papers.deposit_for(house, awa.session, put, [photo("un")], opened_by_person=True)
    with pytest.raises(NotThere):
        shared_papers.replace_for(house, fatou.session, see, paper, [photo("un")], opened_by_person=True)
    assert documents.count(house, awa.session) == 1
    assert shared_papers.deposit_for(house, fatou.session, put, [photo("un")], opened_by_person=True)


def replacing(house: Context, clock: Clock) -> tuple[MadePerson, MadeWorker, MadeWorker, PaperId, GrantId, GrantId]:
    office = make_office(house)
    fatou, marc, awa = make_worker(house, office), make_worker(house, office, "Marc"), make_person(house)
    paper = keep(house, awa.session, "Attestation", text="2025", sort="domiciliation")
    second_day(house, clock, awa, fatou, marc)
    acts = frozenset({Act.SEE, Act.REPLACE})
    putting = sharing.grant(house, awa.session, fatou.id, Offer(PurposeId("home"), acts, UNTIL, SAID, (paper,)))
    reading = sharing.grant(house, awa.session, marc.id, offer(paper, acts=BOTH))
    return awa, fatou, marc, paper, putting, reading


def test_a_newer_version_by_a_worker_reaches_whoever_could_read(any_house: Context, clock: Clock) -> None:
    house = any_house
    awa, fatou, marc, paper, putting, reading = replacing(house, clock)
    with house.database.transaction(read_only=True) as connection:
        share = shares.one_of_worker(house, connection, fatou.session, putting)
    clock.forward(seconds=5)
    depositing_for.replace_prepared(house, fatou.session, share, paper, prepared("2026"), Words())
    assert taken(house, marc, reading, paper) == picture("received 2026")
    with pytest.raises(NotThere):
        shared_papers.take(house, fatou.session, putting, paper)
    unlock(house, awa)
    arrival = arriving.at_unlock(house, awa.session)
    assert (arrival.new_papers, arrival.refused) == ((paper,), ())
    card = documents.paper(house, awa.session, paper)
    assert (card.title, card.sort, card.by, card.state) == ("Attestation", "domiciliation", "worker", "kept")
    assert [one.by for one in documents.versions_of(house, awa.session, paper)] == ["worker", "me"]
    with pytest.raises(NotThere):  # a newer version is not undone: the older one would come back unknown to its owner
        shared_papers.undo_deposit(house, fatou.session, paper)


def test_a_newer_version_by_the_person_reaches_whoever_could_read(house: Context, clock: Clock) -> None:
    awa, _, marc, paper, _, reading = replacing(house, clock)
    keep(house, awa.session, text="2026", replaces=paper)
    assert taken(house, marc, reading, paper) == picture("received 2026")
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(papers.c.state)).scalar_one() == "kept"
        assert len(connection.execute(select(versions.c.id)).all()) == 2


def test_two_shares_of_one_paper_ask_what_for(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    paper = keep(house, awa.session)
    home = sharing.grant(house, awa.session, fatou.id, offer(paper, acts=SEE))
    bank = sharing.grant(house, awa.session, fatou.id, Offer(PurposeId("bank"), SEE, UNTIL, SAID, (paper,)))
    found = shared_papers.covering(house, fatou.session, paper)
    assert {(one.grant, one.purpose) for one in found} == {(home, "home"), (bank, "bank")}
    assert shared_papers.covering(house, fatou.session, paper, Act.TAKE) == []
