"""What follows a commit fails: the store or the key vault does not answer for a moment. What was written is not taken back for it."""

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import pytest
from sqlalchemy import Connection, select

from consent.purposes import ShelfKind
from storage.blobs import BlobName, BlobStore
from storage.database import after_commit
from storage.errors import NotSecured, StoreUnreachable, VaultUnreachable
from storage.keyvault import KeyVault
from storage.tables import doomed_blobs
from tests.vault.builders import ACCEPTED, CODE, make_office, make_person, one_time_password, show_card, todays_conditions, unlock
from tests.vault.clock import Clock
from tests.vault.comings import make_circle, new_card
from tests.vault.papers import keep, prepared, read
from tests.vault.test_drafts import photo, stored
from tests.vault.test_reencryption import shared_then_taken_back
from vault import (
    certificates,
    documents,
    drafts,
    endings,
    erasing,
    erasure,
    opening,
    reencryption,
    sessions,
    sharing,
    tasks,
    unlocking,
    workers,
)
from vault.context import Context
from vault.erasure import Witness
from vault.errors import NotThere, WrongSecret


class Keeps:
    """A store that deletes nothing for now."""

    def __init__(self, real: BlobStore) -> None:
        self._real = real

    def delete(self, _name: BlobName) -> None:
        raise StoreUnreachable("for a moment")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Holds:
    """A store that will not delete one blob: somebody has put a hold on it."""

    def __init__(self, real: BlobStore, held: str) -> None:
        self._real, self._held = real, held

    def delete(self, name: BlobName) -> None:
        if name == self._held:
            raise StoreUnreachable("the S3 store refuses: AccessDenied")
        self._real.delete(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class DestroysNothing:
    """A key vault that goes away before anything is destroyed."""

    def __init__(self, real: KeyVault) -> None:
        self._real = real

    def destroy(self, *_wanted: Any) -> None:
        raise VaultUnreachable("for a moment")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class KeepsOnce:
    """A key vault that cannot destroy the first time that it is asked."""

    def __init__(self, real: KeyVault) -> None:
        self._real, self._asked = real, False

    def destroy(self, *wanted: Any) -> None:
        if not self._asked:
            self._asked = True
            raise NotSecured("an old reader is there")
        self._real.destroy(*wanted)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def forgetful(house: Context) -> Context:
    """The same house, whose store hiccups."""
    return dataclasses.replace(house, blobs=cast("BlobStore", Keeps(house.blobs)))


def hesitant(house: Context) -> Context:
    """The same house, whose key vault hiccups."""
    return dataclasses.replace(house, keyvault=cast("KeyVault", KeepsOnce(house.keyvault)))


def fails(_connection: Connection) -> None:
    after_commit(_connection, cast("Callable[[], None]", _unreachable))


def _unreachable() -> None:
    raise VaultUnreachable("after the commit")


def test_a_paper_that_was_written_stays_whatever_follows(any_house: Context) -> None:
    """The error is told, and the paper is there, whole."""
    awa = make_person(any_house)
    with pytest.raises(VaultUnreachable):
        documents.deposit(any_house, awa.session, prepared(), ShelfKind("money"), title="Avis", along=fails)
    (paper,) = documents.list_papers(any_house, awa.session)
    assert read(any_house, awa.session, paper.paper).startswith(b"\xff\xd8\xffreceived")


def test_a_draft_becomes_a_paper_while_its_photos_cannot_be_deleted(reading_house: Context) -> None:
    """She sees "gardé", and it is. The photos of the draft, which nobody can open, go when the store answers again."""
    house, taken = reading_house, photo("carte")
    awa = make_person(house)
    drafts.add(house, awa.session, taken)
    draft = stored(house)
    paper = drafts.keep(forgetful(house), awa.session, ShelfKind("identity"))
    assert read(house, awa.session, paper, "view")
    assert drafts.current(house, awa.session) is None
    assert draft < stored(house)
    assert endings.finish(house) == len(draft)
    assert draft.isdisjoint(stored(house))
    assert read(house, awa.session, paper, "view")


def test_a_photo_that_was_turned_is_still_seen(reading_house: Context) -> None:
    """ "On lit bien ?" shows the page as it was turned, although what it was before could not be deleted."""
    awa = make_person(reading_house)
    drafts.add(reading_house, awa.session, photo("carte"))
    before = drafts.image(reading_house, awa.session, 1)
    drafts.adjust(forgetful(reading_house), awa.session, 1, "turn")
    after = drafts.image(reading_house, awa.session, 1)
    assert (after.width, after.height) == (before.height, before.width)


def test_a_paper_is_sealed_anew_while_its_old_bytes_cannot_be_deleted(any_house: Context, clock: Clock) -> None:
    """What was written a year ago is not lost because the first page was opened on a bad day."""
    house = any_house
    awa, paper = shared_then_taken_back(house, clock)
    assert reencryption.step(forgetful(house), awa.session).done == 1
    assert read(house, awa.session, paper).startswith(b"\xff\xd8\xffreceived")
    assert len(stored(house)) == 6
    assert endings.finish(house) == 3
    assert read(house, awa.session, paper).startswith(b"\xff\xd8\xffreceived")


def test_a_store_that_is_away_does_not_stop_what_somebody_came_for(house: Context, clock: Clock) -> None:
    """Sealing anew is for the next time."""
    awa, _ = shared_then_taken_back(house, clock)
    away = dataclasses.replace(house, blobs=cast("BlobStore", Away()))
    assert reencryption.go_on(away, awa.session) == reencryption.Progress(0, 0)
    assert reencryption.waiting(house, awa.session) == 1
    assert reencryption.go_on(house, awa.session).done == 1


class Away:
    """A store that does not answer at all."""

    def __getattr__(self, _name: str) -> Any:
        raise StoreUnreachable("gone")


def test_a_safe_that_was_opened_stays_open(house: Context, clock: Clock) -> None:
    """The card is not burnt, the safe is not dead; what is left of the opening in the key vault is swept after an hour."""
    card, started = new_card(), sessions.find(house, opening.start(house, None, "fr"))
    chosen = dataclasses.replace(
        opening.choices(house, started), name="Mariam", drawing="turtle", code=CODE, card=card,
        accepted=dataclasses.replace(ACCEPTED, version=todays_conditions(house)),
    )  # fmt: skip
    opening.keep(house, started, chosen)
    opened = opening.finish(hesitant(house), started)
    assert sessions.find(house, opened.cookie).account == opened.person
    assert unlocking.unlock(house, show_card(house, card), CODE)
    assert house.keyvault.exists("session", started.id)
    sessions.sweep(house)
    assert house.keyvault.exists("session", started.id)  # it might be one that is only just opening
    clock.forward(hours=1, seconds=1)
    sessions.sweep(house)
    assert not house.keyvault.exists("session", started.id)


def test_a_worker_who_accepted_stays_one(house: Context) -> None:
    """Both administrators certify somebody whose keys are there."""
    office = make_office(house)
    invitation = workers.invite(house, office.admin, office.structure, "Karim", "salaried", None)
    accepting = sessions.find(house, workers.start_accepting(house, invitation))
    shown = workers.acceptance(house, accepting)
    code = one_time_password(house, shown.totp)
    karim = workers.accept(hesitant(house), accepting, shown.words, code, charter="2026-11")
    for administrator in office.administrators:
        workers.certify(house, administrator.session, karim, administrator.proof)
    assert workers.sign_in(house, shown.code, shown.words, one_time_password(house, shown.totp))


def test_what_was_not_written_leaves_nothing_in_the_key_vault(house: Context) -> None:
    """The other way round: a share that was refused."""
    awa = make_person(house)
    before = house.keyvault.owned(awa.id)
    made = []

    def refused() -> None:
        with sharing.new_row(house, awa.id):
            made.extend(house.keyvault.owned(awa.id))
            raise RuntimeError("refused")

    with pytest.raises(RuntimeError, match="refused"):
        refused()
    assert len(made) == len(before) + 1
    assert house.keyvault.owned(awa.id) == before


@pytest.mark.parametrize("away", ["blobs", "keyvault"])
def test_an_erasure_before_a_witness_goes_on_by_itself(house: Context, clock: Clock, away: str) -> None:
    """ "Rien n'a changé" would be false: it is decided. The number is there, and a minute later the certificate."""
    made = make_circle(house)
    keep(house, unlock(house, made.awa), "Bail")
    proof = Witness(made.fatou.code, " ".join(made.fatou.words), one_time_password(house, made.fatou.totp))
    gone = cast("KeyVault", DestroysNothing(house.keyvault))
    failing = forgetful(house) if away == "blobs" else dataclasses.replace(house, keyvault=gone)
    asked = erasure.with_witness(failing, made.awa.session, made.awa.code, proof)
    assert not asked.finished
    with pytest.raises(WrongSecret):
        erasure.cancel(house, None, made.awa.card, made.awa.code)
    with pytest.raises(NotThere):
        certificates.find(house, asked.number)
    clock.forward(seconds=61)
    assert tasks.erase_due(failing) == 0
    assert tasks.erase_due(house) == 1
    assert certificates.find(house, asked.number).said.papers == 1
    assert stored(house) == set()


def test_a_blob_of_somebody_else_that_does_not_go_holds_back_no_erasure(any_house: Context, clock: Clock) -> None:
    """Hers are gone, and the certificate says so; the other one is asked for again each minute, and what comes after it goes."""
    house = any_house
    awa, bea = make_person(house), make_person(house, "Bea")
    keep(house, bea.session, "Avis")
    others = sorted(stored(house))
    keep(house, awa.session, "Bail")
    with house.database.transaction() as connection:
        connection.execute(doomed_blobs.insert(), [{"blob": one, "since": clock.now} for one in others])
    holding = dataclasses.replace(house, blobs=cast("BlobStore", Holds(house.blobs, others[0])))
    asked = erasure.ask(house, awa.session, awa.code)
    clock.forward(hours=73)
    erasing.carry_out(holding, asked.id)
    assert certificates.find(house, asked.number).said.papers == 1
    assert stored(house) == set(others[:1])
    with pytest.raises(StoreUnreachable):
        endings.finish(holding)
    # One of her own that stays does hold it back.
    cleo = make_person(house, "Cleo")
    keep(house, cleo.session, "Bail")
    own = max(stored(house) - set(others))
    holding = dataclasses.replace(house, blobs=cast("BlobStore", Holds(house.blobs, own)))
    asked = erasure.ask(house, cleo.session, cleo.code)
    clock.forward(hours=73)
    with pytest.raises(StoreUnreachable):
        erasing.carry_out(holding, asked.id)
    with pytest.raises(NotThere):
        certificates.find(house, asked.number)
    assert stored(house) == {own, others[0]}
    erasing.carry_out(house, asked.id)
    assert certificates.find(house, asked.number).said.papers == 1


class HoldsSome:
    """A store that deletes all but these."""

    def __init__(self, held: list[str]) -> None:
        self.held = held

    def delete(self, name: str) -> None:
        if name in self.held:
            raise StoreUnreachable("held")


def test_three_neighbours_that_do_not_go_keep_no_other_from_going(house: Context, clock: Clock) -> None:
    """Each run ends after three in a row, and begins somewhere else: what comes after them in the order of names goes too."""
    names = [one + 31 * "8" for one in "02468ace"]
    held = names[2:5]
    with house.database.transaction() as connection:
        connection.execute(doomed_blobs.insert(), [{"blob": one, "since": clock.now} for one in names])
    holding = dataclasses.replace(house, blobs=cast("BlobStore", HoldsSome(held)))
    left: list[str] = names
    for _ in range(300):
        with pytest.raises(StoreUnreachable):
            endings.finish(holding)
        with house.database.transaction(read_only=True) as connection:
            left = sorted(connection.scalars(select(doomed_blobs.c.blob)))
        if left == held:
            break
    assert left == held
