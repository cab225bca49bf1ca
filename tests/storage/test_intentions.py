"""A destruction that was begun is finished, however often the machine stops in between. On both pairs of engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from storage import intentions
from storage.errors import RowGone
from storage.tables import doomed_blobs
from tests.engines import Engines
from tests.storage.contracts import NOW


def test_what_is_begun_is_told_oldest_first_until_it_is_finished(engines: Engines) -> None:
    with engines.database.transaction() as connection:
        late = intentions.declare(connection, intention="2", kind="person", subject="b", at=NOW)
        early = intentions.declare(connection, intention="1", kind="person", subject="a", at=NOW - timedelta(days=1))
        other = intentions.declare(connection, intention="3", kind="grant", subject="a", at=NOW)
        assert intentions.pending(connection) == [early, late, other]
        assert intentions.pending(connection, "grant") == [other]
        intentions.advance(connection, "1", "vault")
        assert [one.step for one in intentions.pending(connection)] == ["vault", "", ""]
        for _ in range(2):
            intentions.finish(connection, "1")
        assert intentions.pending(connection, "person") == [late]


def test_declaring_twice_finds_the_first(engines: Engines) -> None:
    with engines.database.transaction() as connection:
        first = intentions.declare(connection, intention="1", kind="person", subject="a", at=NOW)
        intentions.advance(connection, "1", "vault")
    with engines.database.transaction() as connection:
        again = intentions.declare(connection, intention="2", kind="person", subject="a", at=NOW + timedelta(hours=1))
        assert (again.id, again.step, again.created) == (first.id, "vault", first.created)
        assert len(intentions.pending(connection)) == 1


def test_two_who_declare_at_once_mean_the_same(engines: Engines) -> None:
    def declare(number: int) -> str:
        with engines.database.transaction() as connection:
            return intentions.declare(connection, intention=str(number), kind="person", subject="a", at=NOW).id

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(declare, range(12)))) == 1


@pytest.mark.parametrize("stops_after", range(6))
def test_a_destruction_stopped_anywhere_is_finished_by_the_next_run(engines: Engines, stops_after: int) -> None:
    """The order of a destruction, run as a use case would, cut after each of its acts in turn, then run again."""
    engines.keyvault.create("person", "anna", "anna")
    engines.keyvault.create("slot", "card", "anna")
    with engines.blobs.writer() as writer:
        writer.write(b"a sealed paper")
        blob = writer.commit().name
    with engines.database.transaction() as connection:
        connection.execute(insert(doomed_blobs).values(blob=blob, since=NOW))

    class PowerCut(BaseException):
        pass

    def run(acts: int) -> None:
        def act() -> None:
            nonlocal acts
            acts -= 1
            if acts < 0:
                raise PowerCut

        act()
        with engines.database.transaction() as connection:
            ours = intentions.declare(connection, intention="i", kind="person", subject="anna", at=NOW)
        act()
        engines.keyvault.destroy_owned("anna", NOW)
        act()
        with engines.database.transaction() as connection:
            intentions.advance(connection, ours.id, "vault")
        act()
        engines.blobs.delete(blob)
        act()
        with engines.database.transaction() as connection:
            connection.execute(doomed_blobs.delete())
            intentions.finish(connection, ours.id)
        act()

    with pytest.raises(PowerCut):
        run(stops_after)
    with engines.database.transaction(read_only=True) as connection:
        begun = [one.subject for one in intentions.pending(connection)]
    assert begun == (["anna"] if 1 <= stops_after < 5 else [])
    if begun or stops_after == 0:
        run(100)
    assert engines.keyvault.owned("anna") == []
    with pytest.raises(RowGone):
        engines.keyvault.derive("person", "anna", b"x")
    assert list(engines.blobs.inventory()) == []
    with engines.database.transaction(read_only=True) as connection:
        assert intentions.pending(connection) == []
        assert connection.scalars(select(doomed_blobs.c.blob)).all() == []
