"""Unlocking: what opens, what opens nothing, and the secret that is asked again."""

import datetime as dt

import pytest
from sqlalchemy import select, update

from crypto.keys import CardSecret, SheetSecret
from crypto.printed import card_text, sheet_text
from storage.tables import accounts
from tests.vault.builders import CODE, OTHER_CODE, PICTURES, MadePerson, make_person, show_card, unlock
from tests.vault.clock import Clock
from tests.vault.trials import counted, new_card, tags, try_code
from vault import people, sessions, shown_cards
from vault.context import NOBODY, Context
from vault.errors import BadInput, MustWait, NoSession, NotAllowed, Tampered, WrongSecret

# --- What opens -----------------------------------------------------------------------------------------------------------


def test_card_and_code_open_the_safe_and_its_history_says_so(any_house: Context) -> None:
    awa = make_person(any_house)
    session = unlock(any_house, awa)
    assert session.kind == "person"
    assert session.account == awa.id
    assert people.me(any_house, session).name == "Awa"
    assert tags(any_house, awa).count("safe.unlocked") == 1


def test_card_and_pictures_open(house: Context) -> None:
    yonas = make_person(house, "Yonas", pictures=PICTURES)
    assert unlock(house, yonas).account == yonas.id
    assert try_code(house, yonas.card, CODE) is WrongSecret, "a code where pictures were chosen is only wrong"


def test_number_and_words_open_however_they_are_typed(house: Context) -> None:
    awa = make_person(house, words=True)
    assert awa.words is not None
    typed = "  ".join(word.upper()[:4] for word in awa.words)
    spaced = f"{awa.number[:3]} {awa.number[3:6]}-{awa.number[6:]}"
    session = sessions.find(house, people.unlock_with_words(house, None, spaced, typed))
    assert session.account == awa.id


def test_words_of_another_number_open_nothing(house: Context) -> None:
    awa, mariam = make_person(house, words=True), make_person(house, "Mariam", words=True)
    assert awa.words is not None
    with pytest.raises(WrongSecret):
        people.unlock_with_words(house, None, mariam.number, awa.words)


def test_a_card_alone_opens_nothing(house: Context) -> None:
    awa = make_person(house)
    shown = show_card(house, awa.card)
    assert shown.keys is None
    assert shown.account == NOBODY
    with pytest.raises(NotAllowed):
        people.me(house, shown)
    with pytest.raises(NotAllowed):
        people.confirm_secret(house, shown, CODE)


def test_showing_a_card_ends_nobodys_session_and_ties_its_row_to_nobody(house: Context) -> None:
    awa = make_person(house)
    known, unknown = show_card(house, awa.card), show_card(house, new_card())
    assert (known.account, known.slot) == (unknown.account, unknown.slot) == (NOBODY, NOBODY)
    assert sessions.find(house, _cookie_still(house, awa))


def _cookie_still(house: Context, person: MadePerson) -> str:
    cookie = people.unlock(house, show_card(house, person.card), person.code)
    show_card(house, person.card)
    return cookie


def test_a_second_session_ends_the_first_in_neutral_words(house: Context) -> None:
    awa = make_person(house)
    cookie = people.unlock(house, show_card(house, awa.card), CODE)
    unlock(house, awa)
    with pytest.raises(NoSession):
        sessions.find(house, cookie)
    assert "safe.session-replaced" in tags(house, awa)


def test_the_shown_card_is_used_up_by_the_unlock(house: Context) -> None:
    awa = make_person(house)
    shown = show_card(house, awa.card)
    people.unlock(house, shown, CODE)
    with pytest.raises(NoSession):
        people.unlock(house, shown, CODE)


@pytest.mark.parametrize(
    "text", ["", "https://example.org", sheet_text(SheetSecret(bytes(16))), card_text(CardSecret(bytes(16))).lower(), "ABRI-C1-"]
)
def test_another_qr_code_is_a_card_that_opens_nothing(house: Context, text: str) -> None:
    with pytest.raises(WrongSecret):
        people.present_card(house, None, text)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６"])
def test_what_is_no_code_is_notcounted(house: Context, code: str) -> None:
    awa = make_person(house)
    with pytest.raises(BadInput):
        people.unlock(house, show_card(house, awa.card), code)
    assert counted(house, awa.card) == 0


def test_a_planted_public_key_is_refused_at_the_next_unlock(house: Context) -> None:
    awa, other = make_person(house), make_person(house, "Other")
    with house.database.transaction() as connection:
        theirs = connection.execute(select(accounts.c.kem_public).where(accounts.c.id == other.id)).scalar_one()
        connection.execute(update(accounts).where(accounts.c.id == awa.id).values(kem_public=theirs))
    with pytest.raises(Tampered):
        unlock(house, awa)


# --- The secret asked again -------------------------------------------------------------------------------------------------


def test_the_secret_asked_again_gives_the_account_secret(house: Context) -> None:
    awa = make_person(house, words=True)
    assert people.confirm_secret(house, awa.session, CODE) == awa.secret
    assert awa.words is not None
    by_words = sessions.find(house, people.unlock_with_words(house, None, awa.number, awa.words))
    assert people.confirm_secret(house, by_words, " ".join(awa.words)) == awa.secret
    yonas = make_person(house, "Yonas", pictures=PICTURES)
    assert people.confirm_secret(house, unlock(house, yonas), PICTURES) == yonas.secret


def test_wrong_ones_asked_again_are_counted_like_the_others(house: Context) -> None:
    awa = make_person(house)
    for _ in range(3):
        with pytest.raises(WrongSecret):
            people.confirm_secret(house, awa.session, OTHER_CODE)
    with pytest.raises(MustWait):
        people.confirm_secret(house, awa.session, CODE)
    assert try_code(house, awa.card, CODE) == 60


def test_an_ended_way_confirms_nothing(house: Context) -> None:
    awa = make_person(house)
    before = awa.session
    people.change_code(house, before, CODE, OTHER_CODE)
    with pytest.raises(NoSession):
        people.confirm_secret(house, before, CODE)


# --- Whose safe a session speaks for ----------------------------------------------------------------------------------------


def test_a_card_names_its_safe_only_while_it_opens(any_house: Context) -> None:
    awa = make_person(any_house)
    shown, stranger = show_card(any_house, awa.card), show_card(any_house, new_card())
    with any_house.database.transaction(read_only=True) as connection:
        assert shown_cards.person_of(connection, shown) == awa.id
        assert shown_cards.person_of(connection, stranger) is None
        assert shown_cards.person_of(connection, awa.session) == awa.id
    people.freeze(any_house, awa.session)
    with any_house.database.transaction(read_only=True) as connection:
        assert shown_cards.person_of(connection, shown) is None


def test_a_started_opening_speaks_for_nobody(house: Context) -> None:
    started = sessions.find(house, people.start_opening(house, None, "fr"))
    with house.database.transaction(read_only=True) as connection, pytest.raises(NotAllowed):
        shown_cards.person_of(connection, started)


def test_last_opened_is_the_opening_before(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    assert people.me(house, awa.session).last_opened is None
    opened = clock.now
    clock.forward(days=2)
    assert people.me(house, unlock(house, awa)).last_opened == opened
    clock.forward(days=1)
    assert people.me(house, unlock(house, awa)).last_opened == opened + dt.timedelta(days=2)
