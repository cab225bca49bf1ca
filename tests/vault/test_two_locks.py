"""Two locks on each shared paper, attacked one at a time: the rules with every key given, the keys with rules that say yes to all."""

import datetime as dt
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from consent.grant import GrantState
from consent.ids import GrantId, PaperId
from consent.policy import Allowed, Decision
from consent.recipients import Recipient
from consent.scope import Act, Paper
from consent.verified import VerifiedGrant
from crypto import contexts, envelope
from crypto.errors import CryptoError
from crypto.kem import KemPrivate, kem_public
from crypto.stream import decrypt
from storage.errors import RowGone
from storage.tables import accounts, grants, objects, vault_rows, versions
from storage.tables import wraps as wrap_rows
from tests.vault.builders import MadePerson, make_office, make_person, make_worker, show_card, unlock
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep, picture, read
from tests.vault.test_sharing import BOTH, SEE, offer, second_day, taken
from vault import (
    depositing_for,
    documents,
    opening_shared,
    reencryption,
    shared_papers,
    sharing,
    shelves,
    withdrawing,
    workers,
    wraps,
)  # fmt: skip
from vault import (
    versions as paper_versions,
)
from vault.context import Context
from vault.errors import NotThere


@pytest.fixture
def say_yes_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that allow everything, by whatever share there is."""

    def yes(act: Act, paper: Paper, recipient: Recipient, given: Sequence[VerifiedGrant], at: dt.datetime) -> Decision:
        return Allowed(given[0])

    def all_of_them(papers: Sequence[Paper], *_: object) -> tuple[Paper, ...]:
        return tuple(papers)

    for module in (opening_shared, shared_papers, depositing_for):
        monkeypatch.setattr(module, "decide", yes)
    monkeypatch.setattr(shared_papers, "visible", all_of_them)


class Scene:
    """Awa shows one of two papers to Fatou."""

    def __init__(self, house: Context, clock: Clock, acts: frozenset[Act] = BOTH) -> None:
        self.house = house
        self.office = make_office(house)
        self.fatou, self.awa = make_worker(house, self.office), make_person(house)
        self.shown = keep(house, self.awa.session, "montré", text="montré")
        self.hidden = keep(house, self.awa.session, "caché", "health", text="caché")
        second_day(house, clock, self.awa, self.fatou)
        self.grant = sharing.grant(house, self.awa.session, self.fatou.id, offer(self.shown, acts=acts))

    def secret(self, paper: PaperId) -> bytes:
        """F of the current version, with Awa's keys."""
        with self.house.database.transaction(read_only=True) as connection:
            opened = shelves.open_all(connection, self.awa.id, self.awa.session.opened().values)
            row = paper_versions.current_of(connection, self.awa.id, paper)
            return paper_versions.secret_of(self.house, opened, row)

    def hand_all(self) -> None:
        """Wraps for every paper, as if the cryptography had been told to give everything to everybody."""
        with self.house.database.transaction() as connection:
            opened = shelves.open_all(connection, self.awa.id, self.awa.session.opened().values)
            public = kem_public(connection.scalar(select(accounts.c.kem_public).where(accounts.c.id == self.fatou.id)))
            for row in connection.execute(paper_versions.joined()).all():
                have = select(wrap_rows.c.grant).where(wrap_rows.c.grant == self.grant, wrap_rows.c.version == row.id)
                if connection.execute(have).first() is None:
                    wraps.hand(
                        self.house, connection, person=self.awa.id, grant=self.grant, worker=self.fatou.id, public=public,
                        paper=row.paper, version=row.id, secret=paper_versions.secret_of(self.house, opened, row),
                    )  # fmt: skip


def test_rules_that_say_yes_open_nothing_without_a_wrap(any_house: Context, clock: Clock, say_yes_to_all: None) -> None:
    scene = Scene(any_house, clock)
    with pytest.raises(NotThere):
        shared_papers.take(any_house, scene.fatou.session, scene.grant, scene.hidden)
    assert [one.title for one in shared_papers.papers_shared(any_house, scene.fatou.session, scene.grant)] == ["montré"]
    assert taken(any_house, scene.fatou, scene.grant, scene.shown) == picture("received montré")
    with any_house.database.transaction() as connection:
        connection.execute(wrap_rows.delete())
    with pytest.raises(NotThere):
        shared_papers.take(any_house, scene.fatou.session, scene.grant, scene.shown)


def test_rules_that_say_yes_open_nothing_once_the_share_is_over(
    any_house: Context, clock: Clock, say_yes_to_all: None
) -> None:  # fmt: skip
    scene = Scene(any_house, clock)
    with any_house.database.transaction(read_only=True) as connection:
        body = connection.scalar(select(grants.c.body_for_worker))
        wrap = connection.execute(select(wrap_rows)).one()
    withdrawing.withdraw(any_house, show_card(any_house, scene.awa.card), scene.grant, SAID)
    with pytest.raises(NotThere):
        shared_papers.take(any_house, scene.fatou.session, scene.grant, scene.shown)
    with any_house.database.transaction() as connection:  # everything that the rows had is put back, except the vault's row
        connection.execute(grants.update().values(body_for_worker=body, state=GrantState.GIVEN.value))
        connection.execute(wrap_rows.insert().values(**wrap._asdict()))
    with pytest.raises(NotThere):
        shared_papers.take(any_house, scene.fatou.session, scene.grant, scene.shown)
    assert shared_papers.people_sharing(any_house, scene.fatou.session) == []


def test_a_wrap_for_everything_is_still_refused_by_the_rules(any_house: Context, clock: Clock) -> None:
    scene = Scene(any_house, clock, acts=SEE)
    scene.hand_all()
    with pytest.raises(NotThere):
        shared_papers.take(any_house, scene.fatou.session, scene.grant, scene.hidden)
    with pytest.raises(NotThere):  # seen, not taken
        shared_papers.take(any_house, scene.fatou.session, scene.grant, scene.shown)
    assert [one.title for one in shared_papers.papers_shared(any_house, scene.fatou.session, scene.grant)] == ["montré"]


def test_a_share_of_somebody_else_opens_nothing(house: Context, clock: Clock) -> None:
    scene = Scene(house, clock)
    marc = make_worker(house, scene.office, "Marc")
    for grant in (scene.grant, GrantId(house.new_id())):
        with pytest.raises(NotThere):
            shared_papers.papers_shared(house, marc.session, grant)
        with pytest.raises(NotThere):
            shared_papers.take(house, marc.session, grant, scene.shown)


@pytest.mark.parametrize("means", ["session", "card"])
def test_after_a_withdrawal_yesterday_s_rows_and_blobs_open_nothing_with_the_worker_s_secret(
    any_house: Context, clock: Clock, means: str
) -> None:  # fmt: skip
    scene = Scene(any_house, clock)
    fatou = KemPrivate(scene.fatou.session.opened().kem)
    with any_house.database.transaction(read_only=True) as connection:
        wrap = connection.execute(select(wrap_rows)).one()
        yesterday = connection.execute(select(versions).where(versions.c.id == wrap.version)).one()
        blob = connection.scalar(select(objects.c.blob).where(objects.c.version == wrap.version, objects.c.role == "received"))
    with any_house.blobs.open(blob) as reader:
        payload = reader.read_at(0, reader.size)
    session = scene.awa.session if means == "session" else show_card(any_house, scene.awa.card)
    withdrawing.withdraw(any_house, session, scene.grant, SAID)

    place = contexts.wrap_paper(
        person=scene.awa.id, grant=scene.grant, worker=scene.fatou.id, paper=wrap.paper, version=wrap.version
    )  # fmt: skip
    with pytest.raises(RowGone):
        any_house.keyvault.derive("grant", scene.grant, place)
    for vaulted in every_answer(any_house, place):
        with pytest.raises(CryptoError):
            envelope.open_granted_paper(fatou, vaulted, place, wrap.wrap)

    unlock(any_house, scene.awa)
    kept = scene.secret(scene.shown)  # a worker's process may have kept F: it opens yesterday's blob, and nothing of today's
    assert [progress.left for progress in reencryption.all_steps(any_house, scene.awa.session)] == [0]
    assert scene.secret(scene.shown) != kept
    with any_house.database.transaction(read_only=True) as connection:
        today = connection.execute(select(objects.c.blob).where(objects.c.role == "received")).scalars().all()
    assert blob not in today
    assert blob not in {held.name for held in any_house.blobs.inventory()}
    file = contexts.file(person=scene.awa.id, paper=wrap.paper, version=yesterday.id)
    old = paper_versions.file_keys(kept, any_house.keyvault.derive("person", scene.awa.id, file), file)  # type: ignore[arg-type]
    assert decrypt(old.age_file_key, payload) == picture("received montré")
    for name in today:
        with any_house.blobs.open(name) as reader, pytest.raises(CryptoError):
            decrypt(old.age_file_key, reader.read_at(0, reader.size))
    assert read(any_house, scene.awa.session, scene.shown) == picture("received montré")


def every_answer(house: Context, place: bytes) -> list[bytes]:
    """What every living row of the key vault answers to a context."""
    with house.keyvault.database.transaction(read_only=True) as connection:
        rows = connection.execute(select(vault_rows.c.kind, vault_rows.c.id)).all()
    assert rows
    return [house.keyvault.derive(row.kind, row.id, place) for row in rows]


def test_a_drawer_taken_back_has_a_new_key_and_those_who_stay_have_it(any_house: Context, clock: Clock) -> None:
    office = make_office(any_house)
    fatou, marc, awa = make_worker(any_house, office), make_worker(any_house, office, "Marc"), make_person(any_house)
    first = keep(any_house, awa.session, "avant", text="avant")
    second_day(any_house, clock, awa, fatou, marc)
    going = sharing.grant(any_house, awa.session, fatou.id, offer(acts=BOTH, shelf="money"))
    staying = sharing.grant(any_house, awa.session, marc.id, offer(acts=BOTH, shelf="money"))
    later = keep(any_house, awa.session, "après", text="après")  # what comes later is covered
    assert taken(any_house, fatou, going, later) == picture("received après")
    withdrawing.withdraw(any_house, show_card(any_house, awa.card), going, SAID)
    unlock(any_house, awa)
    old = drawer(any_house, awa)
    with any_house.database.transaction() as connection:
        assert reencryption.renew_drawers(any_house, connection, awa.session) == 1
    new = drawer(any_house, awa)
    assert (new.epoch, new.id) == (old.epoch + 1, old.id)
    assert new.seed != old.seed
    assert [progress.left for progress in reencryption.all_steps(any_house, awa.session)] == [1, 0]
    for paper, text in ((first, "avant"), (later, "après")):
        assert taken(any_house, marc, staying, paper) == picture(f"received {text}")
        with pytest.raises(NotThere):
            shared_papers.take(any_house, fatou.session, going, paper)
        with any_house.database.transaction(read_only=True) as connection:
            row = paper_versions.current_of(connection, awa.id, paper)
        with pytest.raises(CryptoError):
            envelope.unwrap(old.key, paper_versions.wrap_place(row), row.wrap)
    assert read(any_house, awa.session, later) == picture("received après")


def drawer(house: Context, awa: MadePerson) -> shelves.OpenShelf:
    with house.database.transaction(read_only=True) as connection:
        return shelves.open_all(connection, awa.id, awa.session.opened().values).current(shelves.checked_kind("money"))


def test_what_lies_in_the_bin_or_in_the_private_drawer_is_shown_to_nobody(house: Context, clock: Clock) -> None:
    office = make_office(house)
    fatou, awa = make_worker(house, office), make_person(house)
    paper, other = keep(house, awa.session, "un", text="un"), keep(house, awa.session, "deux", text="deux")
    second_day(house, clock, awa, fatou)
    one = sharing.grant(house, awa.session, fatou.id, offer(paper, other))
    whole = sharing.grant(house, awa.session, fatou.id, offer(shelf="money"))
    documents.remove(house, awa.session, paper)
    documents.move(house, awa.session, other, shelves.checked_kind("private"))
    for grant in (one, whole):
        for hidden in (paper, other):
            with pytest.raises(NotThere):
                shared_papers.take(house, fatou.session, grant, hidden)
        assert shared_papers.papers_shared(house, fatou.session, grant) == []
    documents.restore(house, awa.session, paper, agreed=[whole])
    assert [card.title for card in shared_papers.papers_shared(house, fatou.session, whole)] == ["un"]
    assert shared_papers.papers_shared(house, fatou.session, one) == []


def test_a_suspended_worker_opens_nothing_and_finds_everything_on_return(house: Context, clock: Clock) -> None:
    scene = Scene(house, clock)
    admin = scene.office.admin
    workers.suspend(house, admin, scene.fatou.id, dt.date(2026, 12, 31))
    session = scene.fatou.session  # as if the session had been kept open by a defect
    with pytest.raises(NotThere):
        shared_papers.take(house, session, scene.grant, scene.shown)
    assert shared_papers.people_sharing(house, session) == []
    workers.return_(house, admin, scene.fatou.id)
    assert len(shared_papers.people_sharing(house, session)) == 1
