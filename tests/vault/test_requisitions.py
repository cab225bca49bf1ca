"""What an authority asks: never by a name, only what is in clear, with four eyes, and the person is told."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from storage import columns
from storage.tables import metadata as schema
from tests.vault.builders import sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import Circle, make_circle, with_its_office
from tests.vault.papers import keep
from tests.vault.test_sharing import SEE, offer, second_day
from tests.vault.test_special_paths import approve_twice, came, row
from tools.inventory import inventory
from vault import (
    account_numbers,
    audit,
    notices,
    register_reading,
    requisitions,
    rights,
    sharing,
)
from vault.context import Context
from vault.errors import Conflict
from vault.rights import Extra


@pytest.fixture
def made(house: Context) -> Circle:
    """Awa with two guardians; both administrators signed in."""
    return with_its_office(house)


@contextmanager
def statements(house: Context) -> Iterator[list[str]]:
    """Everything that the database is asked meanwhile."""
    asked: list[str] = []

    def note(_: Connection, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement.lower())

    engine = house.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_name_cannot_be_searched_and_no_query_touches_content(house: Context, made: Circle) -> None:
    nadia, hugo = (one.session for one in made.tilleuls.administrators)
    with statements(house) as asked:
        one = rights.receive(house, nadia, "requisition", "authority")
        rights.approve(house, nadia, one.id)
        rights.approve(house, hugo, one.id)
        rights.carry_out(house, hugo, one.id)
        with pytest.raises(Conflict):
            requisitions.extract(house, hugo, one.id)
        rights.close(house, hugo, one.id, "Un nom ne se cherche pas.")
    content = {
        table.name for table in schema.sorted_tables if any(column.info["data"] == "sealed" for column in table.columns)
    } - {"accounts", "workers", "administrators", "sessions", "trace_keys", "entry_copies"}  # fmt: skip
    assert {"papers", "versions", "persons", "grants"} <= content
    touched = {name for name in content for statement in asked if f" {name} " in f" {statement} ".replace("\n", " ")}
    assert asked
    assert touched == set()


def test_a_number_gives_exactly_the_clear_columns_of_the_inventory(any_house: Context, clock: Clock) -> None:
    """Four eyes, an entry for each extract, the person told; nothing sealed, nothing of anybody else."""
    house = any_house
    made = make_circle(house)
    second_day(house, clock)
    paper = keep(house, unlock(house, made.awa), "Bail de Boubacar")
    sharing.grant(house, made.awa.session, made.fatou.id, offer(paper, acts=SEE))
    nadia, hugo = (sign_in_administrator(house, one) for one in made.tilleuls.administrators)
    one = rights.receive(house, nadia, "requisition", "authority", Extra(number=made.awa.number))
    for too_early in range(2):
        with pytest.raises(Conflict):
            requisitions.extract(house, nadia, one.id)
        rights.approve(house, (nadia, hugo)[too_early], one.id)
    with pytest.raises(Conflict):
        requisitions.extract(house, nadia, one.id)
    rights.carry_out(house, hugo, one.id)
    content = requisitions.extract(house, hugo, one.id)
    tables = json.loads(content)["tables"]
    assert {"accounts", "persons", "papers", "versions", "objects", "grants", "wraps", "circles", "circle_members"} <= set(tables)
    for name, rows in tables.items():
        clear = {column.name for column in schema.tables[name].columns if column.info["data"] in columns.CLEAR}
        assert rows
        assert all(set(found) == clear for found in rows), name
    assert len(tables["accounts"]) == 1
    for secret in (b"Boubacar", b"Awa", made.awa.number.encode()):
        assert secret not in content
    assert {one.key for one in notices.waiting(house, unlock(house, made.awa))} >= {"requisition"}
    told = {entry.event.tag for entry in audit.history(house, made.awa.session)}
    assert "requisition.answered" in told
    assert "requisition.extracted" in {entry.event.tag for entry in audit.history(house, hugo)}
    (shown,) = [found for found in register_reading.requests(house, hugo) if found.id == one.id]
    assert (shown.told, shown.may_extract) == (shown.received, True)


def test_the_inventory_and_the_extract_have_one_source(house: Context) -> None:
    """The page says which kinds an authority may be given, by the same words."""
    line = next(one for one in inventory().split("\n") if one.startswith("A requisition"))
    assert all(f"*{kind}*" in line for kind in columns.CLEAR)
    assert {column.info["data"] for table in schema.sorted_tables for column in requisitions.clear_columns(table)} == set(
        columns.CLEAR
    )


def test_who_may_not_be_told_is_told_on_the_day(house: Context, made: Circle, clock: Clock) -> None:
    """Not a word before; on the day a sentence, and the register says when."""
    silent = dt.date(2026, 12, 15)
    one = came(house, made, "requisition", silent_until=silent)
    approve_twice(house, made, one)
    rights.carry_out(house, made.tilleuls.administrators[0].session, one.id)
    assert requisitions.tell_due(house) == 0
    assert notices.waiting(house, unlock(house, made.awa)) == []
    assert not [
        entry for entry in audit.history(house, made.awa.session) if entry.event.tag.startswith(("requisition", "rights"))
    ]
    rights.close(house, made.tilleuls.administrators[0].session, one.id, "répondu")
    clock.forward(days=22)
    assert requisitions.tell_due(house) == 1
    assert requisitions.tell_due(house) == 0
    assert [found.key for found in notices.waiting(house, unlock(house, made.awa))] == ["requisition"]
    assert row(house, one.id)["told"] == silent


def test_a_number_that_nobody_has_gives_no_rows(house: Context, made: Circle) -> None:
    number = account_numbers.draw()
    one = came(house, made, "requisition", number=number)
    approve_twice(house, made, one)
    rights.carry_out(house, made.tilleuls.administrators[0].session, one.id)
    assert json.loads(requisitions.extract(house, made.tilleuls.administrators[0].session, one.id))["tables"] == {}
