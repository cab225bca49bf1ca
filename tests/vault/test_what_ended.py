"""After each way in which a share ends: yesterday's rows beside today's blobs and key vault, an old session, the worker's secret. Nothing.

A suspension ends nothing: keys are kept, rules and sessions refuse, and everything opens again on return.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Table, insert, select, update

from consent.ids import GrantId, PaperId
from consent.scope import Act
from crypto import contexts, envelope
from crypto.errors import CryptoError
from crypto.kem import KemPrivate
from storage.errors import RowGone
from storage.tables import accounts, grants, objects, papers, shelf_wraps, shelves, versions, workers, wraps
from tests.vault.builders import (
    MadePerson,
    MadeWorker,
    make_office,
    make_person,
    make_worker,
    one_time_password,
    show_card,
    unlock,
)
from tests.vault.clock import Clock
from tests.vault.papers import SAID, keep, picture, read
from tests.vault.test_sharing import BOTH, offer, second_day, taken
from tests.vault.test_two_locks import every_answer, say_yes_to_all
from vault import arriving, reencryption, sessions, shared_papers, sharing, withdrawing
from vault import workers as staff
from vault.context import Context
from vault.errors import AbriError, NoSession, NotThere

__all__ = ["say_yes_to_all"]
ENDINGS = ("with the code", "with the card", "its day", "its worker left")
KEPT = (accounts, workers, shelves, papers, versions, objects, grants, wraps, shelf_wraps)
SOON = dt.date(2026, 11, 25)


@dataclass
class Ended:
    """A worker who was shown one paper and one drawer, until..."""

    worker: MadeWorker
    paper: GrantId
    drawer: GrantId


def given(house: Context, clock: Clock) -> tuple[MadePerson, PaperId, dict[str, Ended]]:
    office, awa = make_office(house), make_person(house)
    made = {name: make_worker(house, office, f"Fatou {number}") for number, name in enumerate(ENDINGS)}
    paper = keep(house, awa.session, "Avis", text="montré")
    second_day(house, clock, awa)
    until = dict.fromkeys(ENDINGS, dt.date(2027, 1, 31)) | {"its day": SOON}
    return awa, paper, {
        name: Ended(
            worker,
            sharing.grant(house, awa.session, worker.id, offer(paper, acts=BOTH, until=until[name])),
            sharing.grant(house, awa.session, worker.id, offer(acts=BOTH, shelf="money", until=until[name])),
        )
        for name, worker in made.items()
    }  # fmt: skip


def rows_of(house: Context) -> dict[Table, list[dict[str, Any]]]:
    with house.database.transaction(read_only=True) as connection:
        return {table: [dict(row) for row in connection.execute(select(table)).mappings()] for table in KEPT}


def put_back(house: Context, yesterday: dict[Table, list[dict[str, Any]]]) -> None:
    """Yesterday's rows, as a thief of a backup would lay them beside what is there today."""
    with house.database.transaction() as connection:
        for table in KEPT:
            for row in yesterday[table]:
                which = [column == row[column.name] for column in table.primary_key]
                if connection.execute(update(table).where(*which).values(row)).rowcount == 0:
                    connection.execute(insert(table).values(row))


def end_all(house: Context, clock: Clock, awa: MadePerson, made: dict[str, Ended]) -> None:
    for grant in (made["with the code"].paper, made["with the code"].drawer):
        withdrawing.withdraw(house, awa.session, grant, SAID)
    for grant in (made["with the card"].paper, made["with the card"].drawer):
        withdrawing.withdraw(house, show_card(house, awa.card), grant, SAID)
    gone = made["its worker left"].worker
    staff.end(house, gone.office.admin, gone.id, gone.office.proof)
    clock.forward(days=2)
    assert withdrawing.expire(house) == 2
    unlock(house, awa)
    arriving.at_unlock(house, awa.session)
    assert [progress.left for progress in reencryption.all_steps(house, awa.session)] == [0]


def opens_nothing(house: Context, paper: PaperId, made: dict[str, Ended]) -> None:
    for name, one in made.items():
        for grant in (one.paper, one.drawer):
            with pytest.raises(AbriError):
                shared_papers.take(house, one.worker.session, grant, paper)
            with pytest.raises(NotThere):
                shared_papers.papers_shared(house, one.worker.session, grant)
        assert shared_papers.people_sharing(house, one.worker.session) == [], name


@pytest.mark.parametrize("forced", [False, True], ids=["rules on", "rules that say yes to all"])
def test_yesterday_s_rows_with_today_s_blobs_and_vault_open_nothing_of_what_ended(
    any_house: Context, clock: Clock, forced: bool, request: pytest.FixtureRequest
) -> None:  # fmt: skip
    house = any_house
    awa, paper, made = given(house, clock)
    for one in made.values():
        assert (
            taken(house, one.worker, one.paper, paper)
            == taken(house, one.worker, one.drawer, paper)
            == picture("received montré")
        )
    yesterday = rows_of(house)
    end_all(house, clock, awa, made)
    if forced:
        request.getfixturevalue("say_yes_to_all")
    opens_nothing(house, paper, made)
    assert read(house, awa.session, paper) == picture("received montré")
    put_back(house, yesterday)
    opens_nothing(house, paper, made)


def test_earlier_wraps_and_the_worker_s_secret_open_nothing_with_any_row_of_the_vault(any_house: Context, clock: Clock) -> None:
    house = any_house
    awa, _, made = given(house, clock)
    yesterday = rows_of(house)
    end_all(house, clock, awa, made)
    private = {one.worker.id: KemPrivate(one.worker.session.opened().kem) for one in made.values()}
    by_grant = {row["id"]: row["worker"] for row in yesterday[grants]}
    tried = 0
    for row in yesterday[wraps]:
        worker = by_grant[row["grant"]]
        place = contexts.wrap_paper(
            person=awa.id, grant=row["grant"], worker=worker, paper=row["paper"], version=row["version"]
        )  # fmt: skip
        with pytest.raises(RowGone):
            house.keyvault.derive("grant", row["grant"], place)
        for vaulted in every_answer(house, place):
            tried += 1
            with pytest.raises(CryptoError):
                envelope.open_granted_paper(private[worker], vaulted, place, row["wrap"])
    for row in yesterday[shelf_wraps]:
        worker = by_grant[row["grant"]]
        place = contexts.wrap_shelf(
            person=awa.id, grant=row["grant"], worker=worker, shelf=row["shelf"], epoch=row["epoch"]
        )  # fmt: skip
        with pytest.raises(RowGone):
            house.keyvault.derive("grant", row["grant"], place)
        for vaulted in every_answer(house, place):
            tried += 1
            with pytest.raises(CryptoError):
                envelope.open_granted_shelf(private[worker], vaulted, place, row["wrap"])
    assert tried >= 8 * 10


def test_a_suspended_worker_s_old_session_is_over_and_opens_nothing_until_the_return(any_house: Context, clock: Clock) -> None:
    house = any_house
    office, awa = make_office(house), make_person(house)
    paul = make_worker(house, office, "Paul")
    paper = keep(house, awa.session, text="montré")
    second_day(house, clock, awa, paul)
    one = sharing.grant(house, awa.session, paul.id, offer(paper, acts=frozenset({Act.SEE, Act.TAKE})))
    drawer = sharing.grant(house, awa.session, paul.id, offer(acts=BOTH, shelf="money"))
    cookie, old = staff.sign_in(house, paul.code, paul.words, one_time_password(house, paul.totp)), paul.session
    staff.suspend(house, office.admin, paul.id, dt.date(2026, 12, 31))
    with pytest.raises(NoSession):
        sessions.find(house, cookie)
    for grant in (one, drawer):
        with pytest.raises(NotThere):
            shared_papers.take(house, old, grant, paper)
    assert shared_papers.people_sharing(house, old) == []
    assert house.keyvault.exists("grant", one)  # nothing has ended
    staff.return_(house, office.admin, paul.id)
    for grant in (one, drawer):
        assert taken(house, paul, grant, paper) == picture("received montré")
    assert reencryption.waiting(house, awa.session) == 0
