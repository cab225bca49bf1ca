"""Yearly figures: counted without following anybody, and said so that nothing small can be read or reckoned from them (ADM-08)."""

import csv
import datetime as dt
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from storage.tables import figures as rows
from storage.tables import metadata
from tests.vault.builders import make_office, make_person, make_worker, sign_in, sign_in_administrator, unlock
from tests.vault.clock import Clock
from tests.vault.comings import NEW_CODE, confirm, make_circle, new_card, start
from tests.vault.papers import keep
from tests.vault.test_erasure import share
from vault import coming_back, figures, opening, sessions
from vault.context import Context
from vault.counting import What
from vault.errors import NotAllowed
from vault.figures import ALL, LEAST

COUNTS = st.fixed_dictionaries({what: st.integers(0, 40) for what in ALL})
OPERATORS = st.dictionaries(st.sampled_from("abcdef"), COUNTS, min_size=1)


def counted(house: Context) -> dict[str, int]:
    """All counters of the year, whoever's."""
    with house.database.transaction(read_only=True) as connection:
        found: dict[str, int] = {}
        for row in connection.execute(select(rows)).mappings():
            found[row["what"]] = found.get(row["what"], 0) + row["count"]
    return found


def test_each_of_the_six_is_counted_where_it_happens(any_house: Context, clock: Clock) -> None:
    house = any_house
    made = make_circle(house)
    paper = keep(house, made.awa.session, "Bail", text="le bail")
    share(house, made.awa, made.fatou, [paper])
    assert counted(house) == {"offered": 1, "opened": 1}
    clock.forward(days=30)
    unlock(house, made.awa, kiosk=made.tilleuls.kiosk)
    assert "returned" not in counted(house)
    clock.forward(days=1)
    for _ in range(2):
        unlock(house, made.awa, kiosk=made.tilleuls.kiosk)
    session, code = start(house, made.canal.kiosk)
    confirm(house, made.marc, code, beside=True)
    confirm(house, made.fatou, code)
    sessions.find(house, coming_back.finish(house, session, new_card(), NEW_CODE))
    for _ in range(2):
        assert figures.tonight(house) == 2
    assert counted(house) == {"offered": 1, "opened": 1, "returned": 1, "recoveries": 1, "papers": 1, "shares": 1}


def test_a_refusal_moves_nothing(house: Context) -> None:
    """Whoever says "pas aujourd'hui" leaves every table as it was; the counter of beginnings moved before, as for everybody."""
    office = make_office(house)
    before = everything(house)
    session = sessions.find(house, opening.start(house, office.kiosk, "fr"))
    begun = everything(house)
    opening.not_today(house, session)
    after = everything(house)
    assert {table for table in before if before[table] != after[table]} == {"figures"}
    assert after["figures"] == begun["figures"]
    (row,) = after["figures"]
    assert row[1:] == (2026, "offered", 1)  # no day, no kiosk, no language


def everything(house: Context) -> dict[str, list[tuple[object, ...]]]:
    """Each table, whole."""
    with house.database.transaction(read_only=True) as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def published(every: dict[str, dict[What, int]]) -> object:
    """All that anybody can ever read of a year: each operator's page, and the total."""
    return {name: figures.said(counts) for name, counts in every.items()}, figures.total(every)


@given(OPERATORS, st.data())
def test_what_is_published_is_the_same_whatever_is_hidden(every: dict[str, dict[What, int]], data: st.DataObject) -> None:
    """Change any count that is not said into any other that would not be said: no page and no total changes."""
    before = published(every)
    other = {name: dict(counts) for name, counts in every.items()}
    for counts in other.values():
        shown = figures.said(counts)
        for what in ALL:
            if shown[what] is None and counts[what] < LEAST:
                counts[what] = data.draw(st.integers(0, LEAST - 1))
        if shown["offered"] is None and counts["offered"] >= LEAST and shown["opened"] is not None:
            counts["offered"] = counts["opened"] + data.draw(st.integers(0, LEAST - 1))
    assert published(other) == before


@given(OPERATORS)
def test_nothing_small_is_said_nor_left_over(every: dict[str, dict[What, int]]) -> None:
    for counts in every.values():
        shown = figures.said(counts)
        assert all(number is None or number == counts[what] >= LEAST for what, number in shown.items())
        if shown["offered"] is not None and shown["opened"] is not None:
            assert shown["offered"] - shown["opened"] >= LEAST
    total = figures.total(every)
    for what in ALL:
        told = [number for counts in every.values() if (number := figures.said(counts)[what]) is not None]
        assert (total[what] or 0) == sum(told)
        assert total[what] is None or total[what] >= LEAST


def test_a_year_is_said_when_it_is_over_to_its_own_operator(house: Context, clock: Clock) -> None:
    first, second = make_office(house), make_office(house, "ESI Le Canal")
    with house.database.transaction() as connection:
        for office, number in ((first, 25), (second, 10)):
            for what in ALL:
                values = {"operator": office.operator, "year": 2026, "what": what, "count": number + 20 * (what == "offered")}
                connection.execute(rows.insert().values(**values))
    nadia = sign_in_administrator(house, first.administrators[0])
    assert figures.years(house, nadia) == []  # today's year would say who came today
    clock.now = dt.datetime(2027, 1, 1, 10, tzinfo=dt.UTC)
    (year,) = figures.years(house, sign_in_administrator(house, first.administrators[0]))
    assert year.ours == {**dict.fromkeys(ALL, 25), "offered": 45}
    assert year.total == {**dict.fromkeys(ALL, 25), "offered": 75}
    (theirs,) = figures.years(house, sign_in_administrator(house, second.administrators[0]))
    assert theirs.ours == {**dict.fromkeys(ALL, None), "offered": 30}
    lines = list(csv.reader(io.StringIO(figures.to_csv([theirs]))))
    assert lines[0] == ["year", "figure", "operator", "all"]
    assert lines[2] == ["2026", "opened", "", "25"]
    person = make_person(house, kiosk=first.kiosk)
    worker = make_worker(house, first)
    for session in (person.session, sign_in(house, worker)):
        with pytest.raises(NotAllowed):
            figures.years(house, session)
