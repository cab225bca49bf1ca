"""Opening a safe in two steps: what is left by who says yes, and that nothing is left by who says not today."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData, Table, func, select

from crypto.statements import PersonKeys
from storage.tables import accounts, metadata, persons, shelves, slots, tombstone_metadata, vault_metadata
from tests.vault.builders import ACCEPTED, CODE, PICTURES, make_office, make_person
from tests.vault.clock import Clock
from tests.vault.dying import each_death
from vault import account_numbers, audit, cards, endings, people, sessions, wordlist
from vault.context import Context
from vault.errors import AlreadyKnown, BadInput, NoSession, NotAllowed, WeakSecret, WrongSecret
from vault.sessions import Session
from vault.settings import SealKey


def started(house: Context) -> Session:
    return sessions.find(house, people.start_opening(house, None, "fr"))


def complete(house: Context, session: Session, **changed: Any) -> people.Choices:
    (card,) = cards.new_cards(1)
    chosen = dataclasses.replace(
        people.opening_choices(house, session), name="Zenobia", drawing="sun", code=CODE, card=card.text, accepted=ACCEPTED
    )
    return dataclasses.replace(chosen, **changed)


def everything(house: Context) -> dict[str, list[Any]]:
    """Every row of the three databases, and every blob."""
    stores = (
        (house.database, metadata),
        (house.keyvault.database, vault_metadata),
        (house.keyvault.graveyard, tombstone_metadata),
    )
    rows = {}
    for database, tables in stores:
        with database.transaction(read_only=True) as connection:
            rows |= {table.name: sorted(connection.execute(select(table)).all(), key=repr) for table in _tables(tables)}
    return rows | {"blobs": [held.name for held in house.blobs.inventory()]}


def _tables(tables: MetaData) -> list[Table]:
    return [table for table in tables.tables.values() if table.name != "alembic_version"]


# --- Not today ----------------------------------------------------------------------------------------------------------------


def test_not_today_leaves_nothing(any_house: Context) -> None:
    before = everything(any_house)
    session = started(any_house)
    people.keep_choices(any_house, session, complete(any_house, session, wants_words=True))
    people.not_today(any_house, session)
    assert everything(any_house) == before


def test_what_is_left_half_made_ends_after_half_an_hour_and_leaves_nothing(house: Context, clock: Clock) -> None:
    before = everything(house)
    cookie = people.start_opening(house, None, "fr")
    session = sessions.find(house, cookie)
    people.keep_choices(house, session, complete(house, session))
    clock.forward(minutes=30)
    with pytest.raises(NoSession):
        sessions.find(house, cookie)
    sessions.sweep(house)
    assert everything(house) == before


def test_no_choice_is_readable_while_it_waits(house: Context, tmp_path: Path) -> None:
    session = started(house)
    chosen = complete(house, session)
    people.keep_choices(house, session, chosen)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        for secret in ("Zenobia", chosen.card or "", CODE):
            assert secret.encode() not in content, path


# --- Opening ------------------------------------------------------------------------------------------------------------------


def test_a_safe_has_an_account_a_way_in_ten_drawers_and_a_first_entry(any_house: Context) -> None:
    session = started(any_house)
    people.keep_choices(any_house, session, complete(any_house, session, guardian="11111111-1111-4111-8111-111111111111"))
    opened = people.open_safe(any_house, session)
    mine = sessions.find(any_house, opened.cookie)
    me = people.me(any_house, mine)
    assert (me.name, me.drawing, me.papers, me.last_opened) == ("Zenobia", "sun", 0, None)
    assert me.missing == ("first-guardian", "second-guardian", "first-share")
    assert opened.guardian == "11111111-1111-4111-8111-111111111111"
    assert people.number_of(any_house, mine) == opened.number
    assert people.conditions(any_house, mine) == ACCEPTED
    assert people.confirm_secret(any_house, mine, CODE) == opened.secret
    assert sorted(entry.event.tag for entry in audit.history(any_house, mine)) == ["safe.counted", "safe.opened-first"]
    with any_house.database.transaction(read_only=True) as connection:
        row = connection.execute(select(accounts).where(accounts.c.id == opened.person)).one()
        assert connection.execute(select(func.count()).where(shelves.c.person == opened.person)).scalar_one() == 10
        assert people.person_keys(any_house, connection, opened.person).kem == row.kem_public
    assert PersonKeys.parse(row.keys_statement).person == opened.person


def test_the_session_of_the_opening_is_over_once_the_safe_is_open(house: Context) -> None:
    cookie = people.start_opening(house, None, "fr")
    session = sessions.find(house, cookie)
    people.keep_choices(house, session, complete(house, session))
    people.open_safe(house, session)
    with pytest.raises(NoSession):
        sessions.find(house, cookie)
    with pytest.raises(NoSession):
        people.open_safe(house, session)


def test_a_name_is_not_needed(house: Context) -> None:
    person = make_person(house, None)
    assert people.me(house, person.session).name is None


def test_the_place_is_in_the_history_and_nowhere_in_clear(house: Context, tmp_path: Path) -> None:
    office = make_office(house, "ESI Rue Verlaine-Zut")
    person = make_person(house, "Zenobia", kiosk=office.kiosk)
    (entry,) = audit.history(house, person.session)
    assert entry.event.place == "ESI Rue Verlaine-Zut, poste 1"
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"Zenobia" not in path.read_bytes()
    with house.database.transaction(read_only=True) as connection:
        kept = [value for row in connection.execute(select(persons)) for value in row if isinstance(value, str)]
    assert "Zenobia" not in kept
    assert person.number not in kept


def test_no_column_holds_an_age_or_a_birth() -> None:
    parts = {part for table in metadata.tables.values() for column in table.columns for part in column.name.split("_")}
    assert not parts & {"birth", "birthday", "born", "age", "nir", "surname"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"drawing": None}, "drawing"),
        ({"drawing": "coffre"}, "drawing"),
        ({"code": None}, "code"),
        ({"code": "12345"}, "code"),
        ({"code": None, "pictures": (1, 2, 3)}, "pictures"),
        ({"pictures": PICTURES}, "code"),
        ({"card": None}, "card"),
        ({"accepted": None}, "accepted"),
        ({"name": ""}, "name"),
        ({"name": "a" * 61}, "name"),
    ],
)
def test_a_choice_that_is_missing_or_wrong_is_named(house: Context, changed: dict[str, Any], field: str) -> None:
    session = started(house)
    chosen = complete(house, session, **changed)
    before = everything(house)["accounts"]

    def finish() -> None:
        people.keep_choices(house, session, chosen)
        people.open_safe(house, session)

    with pytest.raises(BadInput) as refused:
        finish()
    assert refused.value.field == field
    assert everything(house)["accounts"] == before


@pytest.mark.parametrize("code", ["000000", "123456", "987654", "121212", "123123", "311299", "197805", "112233"])
def test_a_code_that_strangers_try_first_is_refused(house: Context, code: str) -> None:
    session = started(house)
    with pytest.raises(WeakSecret):
        people.keep_choices(house, session, complete(house, session, code=code))


def test_a_card_that_is_somebodys_is_refused_before_and_at_the_end(house: Context) -> None:
    first, second = started(house), started(house)
    chosen = complete(house, first)
    people.keep_choices(house, first, chosen)
    people.keep_choices(house, second, chosen)
    people.open_safe(house, first)
    with pytest.raises(AlreadyKnown):
        people.open_safe(house, second)
    third = started(house)
    with pytest.raises(AlreadyKnown):
        people.keep_choices(house, third, chosen)
    with house.database.transaction(read_only=True) as connection:
        assert connection.execute(select(func.count()).select_from(slots)).scalar_one() == 1


def test_something_else_than_a_card_is_refused(house: Context) -> None:
    session = started(house)
    with pytest.raises(WrongSecret):
        people.keep_choices(house, session, complete(house, session, card="ABRI-F1-AAAAAAAAAAAAAAAAAAAAAAAAAA"))


def test_only_an_opening_opens(house: Context) -> None:
    awa = make_person(house)
    for act in (people.open_safe, people.not_today):
        with pytest.raises(NotAllowed):
            act(house, awa.session)


def test_who_dies_while_opening_has_a_whole_safe_or_none(any_house: Context) -> None:
    session: Session | None = None

    def act(house: Context, _last: int) -> None:
        nonlocal session
        session = started(any_house)
        people.keep_choices(any_house, session, complete(any_house, session))
        people.open_safe(house, session)

    deaths = 0
    for _ in each_death(any_house, act):
        deaths += 1
        endings.finish(any_house)
        with any_house.database.transaction(read_only=True) as connection:
            counted = [
                connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (accounts, persons, slots)
            ]
            drawers = connection.execute(select(func.count()).select_from(shelves)).scalar_one()
        assert counted in ([0, 0, 0], [1, 1, 1])
        assert drawers == 10 * counted[0]
        if counted[0]:
            break
    assert deaths > 5


# --- Numbers and words ----------------------------------------------------------------------------------------------------------


@given(digits=st.text("0123456789", min_size=10, max_size=10), place=st.integers(0, 10), other=st.integers(1, 9))
def test_a_number_with_one_wrong_digit_is_never_read(digits: str, place: int, other: int) -> None:
    number = digits + account_numbers.check_digit(digits)
    assert account_numbers.read(account_numbers.shown(number)) == number
    wrong = number[:place] + str((int(number[place]) + other) % 10) + number[place + 1 :]
    with pytest.raises(BadInput):
        account_numbers.read(wrong)


@pytest.mark.parametrize("typed", ["", "123", "1234567890a", "１２３４５６７８９０１", "123456789012"])
def test_what_is_no_number_is_not_read(typed: str) -> None:
    with pytest.raises(BadInput):
        account_numbers.read(typed)


def test_numbers_are_kept_by_a_keyed_digest(house: Context) -> None:
    other = dataclasses.replace(house, settings=dataclasses.replace(house.settings, service_seal=SealKey.random()))
    number = account_numbers.draw()
    assert account_numbers.digest(house, number) != account_numbers.digest(other, number)


def test_each_word_is_named_by_its_first_four_letters_whatever_the_accents() -> None:
    words = wordlist.words()
    assert len(words) == len(set(words)) == 2048
    starts = [wordlist.plain(word)[:4] for word in words]
    assert len(set(starts)) == 2048
    for word, start in itertools.islice(zip(words, starts, strict=True), 0, None, 7):
        assert wordlist.recognise(start) == wordlist.recognise(word.upper()) == wordlist.recognise(wordlist.plain(word)) == word
        assert wordlist.recognise(start + "zzzzzzzzz") is None
        assert wordlist.recognise(start[:3]) is None


def test_a_word_that_no_page_says_is_recognised_and_never_drawn() -> None:
    assert set(wordlist.words()) >= wordlist.UNSAID
    assert wordlist.UNSAID.isdisjoint(word for _ in range(4000) for word in wordlist.draw(5))  # drawn ten times otherwise
