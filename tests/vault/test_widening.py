"""Whichever way a paper comes into a drawer that somebody sees, the person is told who, and asked; until then nothing is there."""

from collections.abc import Callable

import pytest

from consent.ids import PaperId
from consent.purposes import ShelfKind
from consent.scope import Act
from tests.vault.builders import MadePerson, MadeWorker, Office, make_office, make_person, make_worker, sign_in, unlock
from tests.vault.clock import Clock
from tests.vault.papers import keep, prepared
from tests.vault.test_assisted import helped, open_with
from tests.vault.test_drafts import photo
from tests.vault.test_sharing import SEE, offer, second_day
from vault import assisted, bringing, copying, documents, leaving, parcels, removing, shared_papers, sharing
from vault.context import Context
from vault.documents import WouldShow

HEALTH = ShelfKind("health")


@pytest.fixture
def office(house: Context) -> Office:
    return make_office(house)


@pytest.fixture
def fatou(house: Context, office: Office) -> MadeWorker:
    return make_worker(house, office)


@pytest.fixture
def awa(house: Context, clock: Clock) -> MadePerson:
    """On the second day of her safe."""
    made = make_person(house)
    second_day(house, clock, made)
    return made


def on_the_desk(house: Context, worker: MadeWorker) -> set[PaperId]:
    return {one.paper for _, papers in shared_papers.everything_shared(house, sign_in(house, worker)) for one in papers}


def asked(way: Callable[[list[str]], object]) -> list[str]:
    """What the way asks to be agreed to, with nothing agreed."""
    with pytest.raises(WouldShow) as question:
        way([])
    return [one.agreed for one in question.value.seen]


def test_a_new_paper_is_seen_by_nobody_who_was_not_named(
    house: Context, awa: MadePerson, fatou: MadeWorker, office: Office
) -> None:
    ines = make_worker(house, office, "Inès")
    grant = sharing.grant(house, awa.session, fatou.id, offer(acts=SEE, shelf="health"))
    sharing.grant(house, awa.session, ines.id, offer(acts=frozenset({Act.DEPOSIT}), shelf="health"))

    def put(agreed: list[str]) -> PaperId:
        return documents.deposit(house, awa.session, prepared(), HEALTH, title="Ordonnance", agreed=agreed)

    with pytest.raises(WouldShow) as question:
        put([])
    (one,) = question.value.seen  # who may only put papers in sees nothing, and is not named
    assert (one.agreed, one.worker_name.split(",")[0], one.shelf, one.helps) == (grant, "Fatou", "health", False)
    assert documents.list_papers(house, awa.session) == []
    assert on_the_desk(house, fatou) == set()
    assert on_the_desk(house, fatou) == set()
    paper = put([grant])
    assert on_the_desk(house, fatou) == {paper}
    documents.deposit(house, awa.session, prepared("deux"), HEALTH, replaces=paper)  # a newer version widens nothing
    documents.deposit(house, awa.session, prepared("trois"), ShelfKind("money"))


def test_out_of_the_bin_into_a_drawer_that_was_shown_meanwhile(house: Context, awa: MadePerson, fatou: MadeWorker) -> None:
    paper, other = (keep(house, awa.session, title, "health", text=title) for title in ("Ordonnance", "Carte"))
    for one in (paper, other):
        removing.remove(house, awa.session, one)
    grant = sharing.grant(house, awa.session, fatou.id, offer(acts=SEE, shelf="health"))
    assert asked(lambda agreed: removing.restore(house, awa.session, paper, agreed=agreed)) == [grant]
    assert on_the_desk(house, fatou) == set()
    removing.restore(house, awa.session, paper, agreed=[grant])
    removing.restore(house, awa.session, other, shelf=ShelfKind("private"))
    assert on_the_desk(house, fatou) == {paper}
    assert documents.paper(house, awa.session, other).shelf == "private"


def test_a_copy_lands_in_no_drawer_that_the_second_person_shows(house: Context, awa: MadePerson, fatou: MadeWorker) -> None:
    yonas = make_person(house, "Yonas", drawing="sun")
    paper = keep(house, yonas.session, "Livret", "family", sort="family-book")
    secret = copying.offer(house, yonas.session, paper)
    unlock(house, awa)
    grant = sharing.grant(house, awa.session, fatou.id, offer(acts=SEE, shelf="family"))
    assert asked(lambda agreed: copying.keep(house, awa.session, secret, agreed=agreed)) == [grant]
    assert on_the_desk(house, fatou) == set()
    mine = copying.keep(house, awa.session, secret, private=True)  # the question used nothing up
    assert documents.paper(house, awa.session, mine).shelf == "private"
    assert on_the_desk(house, fatou) == set()


def test_what_came_by_phone_waits_until_those_who_see_its_drawer_are_agreed_to(
    reading_house: Context, clock: Clock
) -> None:  # fmt: skip
    house, office = reading_house, make_office(reading_house)
    fatou, awa = make_worker(house, office), make_person(house)
    second_day(house, clock, awa)
    grant = sharing.grant(house, awa.session, fatou.id, offer(acts=SEE, shelf="other"))
    leaving.receive(house, leaving.from_phone(house, awa.session).secret, [photo("téléphone")])
    (card,) = leaving.arrived(house, awa.session)
    assert asked(lambda agreed: leaving.confirm(house, awa.session, card.paper, agreed=agreed)) == [grant]
    assert leaving.arrived(house, awa.session) == [card]
    leaving.confirm(house, awa.session, card.paper, shelf=HEALTH)  # straight into a drawer that nobody sees
    assert on_the_desk(house, fatou) == set()


def test_a_drawer_that_was_lent_is_seen_by_who_helps(house: Context, awa: MadePerson, fatou: MadeWorker) -> None:
    """With a copy of the card, that worker opens it alone."""
    secret = keep(house, awa.session, "Secret", "private")
    helped(house, awa, fatou, "money", "health")
    with pytest.raises(WouldShow) as question:
        documents.move(house, awa.session, secret, ShelfKind("money"))
    (one,) = question.value.seen
    assert (one.worker_name, one.helps) == ("Fatou", True)
    assert assisted.list_papers(house, open_with(house, awa.card, fatou)) == []
    unlock(house, awa)
    documents.move(house, awa.session, secret, ShelfKind("money"), agreed=[one.agreed])
    documents.move(house, awa.session, secret, HEALTH)  # from one lent drawer to another: nobody new
    assert [card.title for card in assisted.list_papers(house, open_with(house, awa.card, fatou))] == ["Secret"]
    unlock(house, awa)
    assert asked(lambda agreed: documents.deposit(house, awa.session, prepared(), HEALTH, agreed=agreed)) == [one.agreed]


def test_what_another_safe_holds_is_not_brought_before_somebodys_eyes(reading_house: Context, clock: Clock) -> None:
    house, office = reading_house, make_office(reading_house)
    fatou, awa, yonas = make_worker(house, office), make_person(house), make_person(house, "Yonas", drawing="sun")
    second_day(house, clock, awa)
    unlock(house, yonas)
    keep(house, yonas.session, "Ordonnance", "health")
    parcels.pack(house, yonas.session, "usb", "fr")
    parcel = parcels.waiting(house, yonas.session)
    grant = sharing.grant(house, awa.session, fatou.id, offer(acts=SEE, shelf="health"))
    assert asked(lambda agreed: bringing.join(house, awa.session, parcel, agreed)) == [grant]
    assert documents.list_papers(house, awa.session) == []
    assert bringing.join(house, awa.session, parcel, [grant]).new == 1
    assert len(on_the_desk(house, fatou)) == 1
