"""Listing, counting and reading the history are in the trace once a session, whoever looks, and at once asked for twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.vault.builders import make_person, unlock
from tests.vault.papers import keep
from vault import audit, documents, looking, people
from vault.context import Context

LOOKS = ("safe.listed", "safe.counted", "safe.history-read")


def looks(house: Context, session: object) -> list[str]:
    """The looks in the history, the oldest first."""
    return [one.event.tag for one in reversed(audit.history(house, session)) if one.event.tag in LOOKS]  # type: ignore[arg-type]


def test_each_session_says_each_kind_once(any_house: Context) -> None:
    house, awa = any_house, make_person(any_house, "Awa")
    keep(house, awa.session, "Avis")
    for _ in range(3):
        documents.list_papers(house, awa.session)
        documents.bin_of(house, awa.session)
        documents.count(house, awa.session)
        people.me(house, awa.session)
    assert sorted(looks(house, awa.session)) == ["safe.counted", "safe.listed"]
    again = unlock(house, awa)
    documents.list_papers(house, again)
    assert sorted(looks(house, again)) == ["safe.counted", "safe.listed", "safe.listed"]


def test_two_pages_at_once_say_it_once(any_house: Context) -> None:
    """They both find that it was not said; the second waits, looks again, and writes nothing."""
    house, awa = any_house, make_person(any_house, "Awa")
    with house.database.transaction(read_only=True) as connection:
        seen = looking.new(connection, awa.session, "safe.listed")
    assert len(seen) == 1
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: looking.say_own(house, awa.session, seen), range(4)))
    assert looks(house, awa.session) == ["safe.listed"]


def test_what_cannot_be_said_is_not_shown(house: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry commits before the list leaves: without it there is no list, and the next one says it."""
    awa = make_person(house, "Awa")

    def full(*_: object, **__: object) -> str:
        raise OSError("no room left")

    with monkeypatch.context() as broken:
        broken.setattr(audit, "record", full)
        with pytest.raises(OSError, match="no room"):
            documents.list_papers(house, awa.session)
    assert looks(house, awa.session) == []
    documents.list_papers(house, awa.session)
    assert looks(house, awa.session) == ["safe.listed"]
