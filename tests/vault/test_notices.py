"""Sentences that wait for the next unlock: read by their owner alone, once."""

import pytest
from sqlalchemy import select, update

from storage.tables import notices as rows
from tests.vault.builders import make_office, make_person, make_worker, show_card, unlock
from tests.vault.clock import Clock
from vault import notices, people
from vault.context import Context
from vault.errors import NotAllowed
from vault.notices import Notice


def tell(house: Context, account: str, key: str, **values: str) -> str:
    with house.database.transaction() as connection:
        return notices.tell(house, connection, account, Notice(key, values))


def test_a_sentence_waits_until_it_is_seen(any_house: Context) -> None:
    awa = make_person(any_house)
    first = tell(any_house, awa.id, "guardian-left", name="Fatou")
    session = unlock(any_house, awa)
    (waiting,) = people.me(any_house, session).notices
    assert (waiting.key, waiting.values, waiting.id) == ("guardian-left", {"name": "Fatou"}, first)
    notices.seen(any_house, session, [first])
    assert notices.waiting(any_house, session) == []


def test_workers_get_theirs_too(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    tell(house, fatou.id, "erased")
    assert [notice.key for notice in notices.waiting(house, fatou.session)] == ["erased"]


def test_nothing_of_it_is_readable_at_rest(house: Context) -> None:
    awa = make_person(house)
    tell(house, awa.id, "guardian-left", name="Fatou")
    with house.database.transaction(read_only=True) as connection:
        posted = connection.execute(select(rows.c.posted)).scalar_one()
    assert b"Fatou" not in posted
    assert b"guardian" not in posted


def test_a_sentence_moved_to_another_account_does_not_open_and_shuts_nobody_out(house: Context) -> None:
    awa, mariam = make_person(house), make_person(house, "Mariam")
    tell(house, awa.id, "guardian-left", name="Fatou")
    with house.database.transaction() as connection:
        connection.execute(update(rows).values(account=mariam.id))
    tell(house, mariam.id, "erased")
    assert [one.key for one in notices.waiting(house, unlock(house, mariam))] == ["erased"]


def test_a_card_alone_reads_none_and_nobody_marks_anothers_as_seen(house: Context) -> None:
    awa, mariam = make_person(house), make_person(house, "Mariam")
    notice, shown = tell(house, awa.id, "guardian-left", name="Fatou"), show_card(house, awa.card)
    with pytest.raises(NotAllowed):
        notices.waiting(house, shown)
    notices.seen(house, mariam.session, [notice])
    assert len(notices.waiting(house, awa.session)) == 1


def test_what_was_read_a_month_ago_is_deleted(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    read, unread = tell(house, awa.id, "one"), tell(house, awa.id, "two")
    notices.seen(house, awa.session, [read])
    clock.forward(days=30)
    assert notices.sweep(house) == 0
    clock.forward(days=1)
    assert notices.sweep(house) == 1
    assert [notice.id for notice in notices.waiting(house, unlock(house, awa))] == [unread]
