"""Changing code, card and words; "je me protège"; blocking. The old way or the new one opens: never neither, never both."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from sqlalchemy import select

from storage.tables import accounts, slots
from tests.vault.builders import (
    CODE,
    OTHER_CODE,
    PICTURES,
    MadePerson,
    make_office,
    make_person,
    make_worker,
    show_card,
    sign_in,
    unlock,
)
from tests.vault.clock import Clock
from tests.vault.dying import each_death
from vault import audit, cards, endings, people, sessions
from vault.circles import GuardianWorker, NewSheet, set_circle
from vault.context import Context
from vault.derivations import Derivations
from vault.errors import AbriError, AlreadyKnown, BadInput, MustWait, NoSession, NotAllowed, NotThere, WeakSecret, WrongSecret
from vault.guardians import people_who_count_on_me


def new_card() -> str:
    return cards.new_cards(1)[0].text


def opens(house: Context, card: str, code: people.Chosen) -> bool:
    with contextlib.suppress(WrongSecret):
        shown = show_card(house, card)
        if isinstance(code, str):
            return bool(people.unlock(house, shown, code))
        return bool(people.unlock_with_pictures(house, shown, code))
    return False


def opens_with_words(house: Context, number: str, words: tuple[str, ...] | None) -> bool:
    with contextlib.suppress(WrongSecret):
        return bool(people.unlock_with_words(house, None, number, words or ()))
    return False


def tags(house: Context, person: MadePerson) -> list[str]:
    return [entry.event.tag for entry in audit.history(house, person.session)]


def rows_of_ended_ways(house: Context, person: str) -> list[str]:
    """The ways that have ended and whose row of the key vault still lives."""
    with house.database.transaction(read_only=True) as connection:
        wanted = (slots.c.account == person, slots.c.state != "live")
        ended = list(connection.scalars(select(slots.c.id).where(*wanted)))
    return [slot for slot in ended if house.keyvault.exists("slot", slot)]


# --- Code, card, words -------------------------------------------------------------------------------------------------------


def test_another_code_opens_and_the_old_one_does_not(any_house: Context) -> None:
    awa = make_person(any_house)
    old = awa.session
    session = sessions.find(any_house, people.change_code(any_house, old, CODE, OTHER_CODE))
    assert people.confirm_secret(any_house, session, OTHER_CODE) == awa.secret
    assert not opens(any_house, awa.card, CODE)
    assert opens(any_house, awa.card, OTHER_CODE)
    assert rows_of_ended_ways(any_house, awa.id) == []
    unlock(any_house, awa, code=OTHER_CODE)
    assert "means.code-changed" in tags(any_house, awa)


def test_the_session_of_the_old_way_ends_with_it_and_what_it_kept_goes_on(house: Context) -> None:
    awa = make_person(house)
    cookie = people.unlock(house, show_card(house, awa.card), CODE)
    session = sessions.find(house, cookie)
    with house.database.transaction() as connection:
        sessions.write_state(connection, session, sessions.read_state(connection, session) | {"draft": "half read"})
    after = sessions.find(house, people.change_code(house, session, CODE, OTHER_CODE))
    with pytest.raises(NoSession):
        sessions.find(house, cookie)
    with house.database.transaction(read_only=True) as connection:
        assert sessions.read_state(connection, after, hold=False)["draft"] == "half read"


def test_pictures_can_take_the_place_of_a_code(house: Context) -> None:
    awa = make_person(house)
    people.change_code(house, awa.session, CODE, PICTURES)
    assert opens(house, awa.card, PICTURES)
    assert not opens(house, awa.card, CODE)


@pytest.mark.parametrize("new", ["123456", "000000", (1, 1, 1, 1, 1), (2, 3, 4, 5, 6)])
def test_a_weak_choice_is_refused_and_changes_nothing(house: Context, new: people.Chosen) -> None:
    awa = make_person(house)
    with pytest.raises(WeakSecret):
        people.change_code(house, awa.session, CODE, new)
    assert opens(house, awa.card, CODE)


def test_a_wrong_old_code_changes_nothing(house: Context) -> None:
    awa = make_person(house)
    with pytest.raises(WrongSecret):
        people.change_code(house, awa.session, OTHER_CODE, "804317")
    assert opens(house, awa.card, CODE)
    assert not opens(house, awa.card, "804317")


def test_a_new_card_kills_the_old_one_at_once_and_the_next_page_says_so(any_house: Context) -> None:
    awa, card = make_person(any_house), new_card()
    session = sessions.find(any_house, people.replace_card(any_house, awa.session, CODE, card))
    assert [notice.key for notice in people.me(any_house, session).notices] == ["card-replaced"]
    assert not opens(any_house, awa.card, CODE)
    assert opens(any_house, card, CODE)
    assert rows_of_ended_ways(any_house, awa.id) == []


def test_a_card_that_was_somebodys_is_not_taken_again(house: Context) -> None:
    awa, mariam = make_person(house), make_person(house, "Mariam")
    with pytest.raises(AlreadyKnown):
        people.replace_card(house, awa.session, CODE, mariam.card)
    old = awa.card
    session = sessions.find(house, people.replace_card(house, awa.session, CODE, new_card()))
    with pytest.raises(AlreadyKnown):
        people.replace_card(house, session, CODE, old)
    assert opens(house, mariam.card, CODE)


def test_who_forgot_the_code_comes_in_by_words_and_takes_a_new_card_and_code(house: Context) -> None:
    awa, card = make_person(house, words=True), new_card()
    assert awa.words is not None
    session = sessions.find(house, people.unlock_with_words(house, None, awa.number, awa.words))
    with pytest.raises(BadInput):
        people.replace_card(house, session, " ".join(awa.words), card)
    people.replace_card(house, session, " ".join(awa.words), card, OTHER_CODE)
    assert opens(house, card, OTHER_CODE)
    assert not opens(house, awa.card, CODE)
    assert opens_with_words(house, awa.number, awa.words), "another way stays what it was"


def test_five_new_words_end_the_five_before(any_house: Context) -> None:
    awa = make_person(any_house, words=True)
    slip = people.give_words(any_house, awa.session, CODE)
    assert (slip.number, slip.cookie) == (awa.number, None)
    assert opens_with_words(any_house, slip.number, slip.words)
    assert not opens_with_words(any_house, awa.number, awa.words)
    assert rows_of_ended_ways(any_house, awa.id) == []


def test_new_words_asked_in_a_session_of_the_old_ones_open_a_new_session(house: Context) -> None:
    awa = make_person(house, words=True)
    assert awa.words is not None
    cookie = people.unlock_with_words(house, None, awa.number, awa.words)
    slip = people.give_words(house, sessions.find(house, cookie), " ".join(awa.words))
    with pytest.raises(NoSession):
        sessions.find(house, cookie)
    assert slip.cookie is not None
    assert people.confirm_secret(house, sessions.find(house, slip.cookie), " ".join(slip.words)) == awa.secret


@pytest.mark.parametrize(
    "act",
    [
        lambda house, session: people.change_code(house, session, CODE, OTHER_CODE),
        lambda house, session: people.replace_card(house, session, CODE, new_card()),
        lambda house, session: people.give_words(house, session, CODE),
        lambda house, session: people.protect(house, session, CODE, new_card(), OTHER_CODE),
        lambda house, session: people.number_of(house, session),
        lambda house, session: people.rename(house, session, "Z"),
    ],
)
def test_a_card_alone_and_a_worker_change_no_means(house: Context, act: Callable[[Context, sessions.Session], object]) -> None:
    awa, fatou = make_person(house), make_worker(house, make_office(house))
    for session in (show_card(house, awa.card), fatou.session, fatou.office.admin):
        with pytest.raises(NotAllowed):
            act(house, session)
    assert opens(house, awa.card, CODE)


class BlockedMeanwhile(Derivations):
    """Somebody blocks the safe while the first secret is being tried."""

    def __init__(self, block: Callable[[], None]) -> None:
        super().__init__(2, 10)
        self._block: list[Callable[[], None]] = [block]

    @contextlib.contextmanager
    def turn(self, lane: str | None) -> Iterator[None]:
        with super().turn(lane):
            yield
        if self._block:
            self._block.pop()()


@pytest.mark.parametrize(
    "act",
    [
        lambda house, session: people.give_words(house, session, CODE),
        lambda house, session: people.replace_card(house, session, CODE, new_card()),
        lambda house, session: people.protect(house, session, CODE, new_card(), OTHER_CODE),
    ],
    ids=["words", "card", "protect"],
)
def test_what_was_on_its_way_at_a_block_changes_no_means(
    any_house: Context, act: Callable[[Context, sessions.Session], object]
) -> None:  # fmt: skip
    """A thief at the open safe: words or a card of theirs would open it when the block ends, and the owner's would be void."""
    awa, fatou = make_person(any_house, words=True), make_worker(any_house, make_office(any_house))
    block = partial(people.freeze_number, any_house, sign_in(any_house, fatou), awa.number)
    with any_house.database.transaction(read_only=True) as connection:
        before = connection.execute(select(slots.c.id, slots.c.state).where(slots.c.account == awa.id)).all()
    with pytest.raises(NoSession):
        act(dataclasses.replace(any_house, derivations=BlockedMeanwhile(block)), awa.session)
    with any_house.database.transaction(read_only=True) as connection:
        after = connection.execute(select(slots.c.id, slots.c.state).where(slots.c.account == awa.id)).all()
        assert connection.scalar(select(accounts.c.state).where(accounts.c.id == awa.id)) == "frozen"
    assert sorted(map(tuple, after)) == sorted(map(tuple, before))


# --- Dying on the way ----------------------------------------------------------------------------------------------------------


def test_who_dies_while_changing_the_code_has_the_old_one_or_the_new_one(house: Context, clock: Clock) -> None:
    codes = ("482915", "739164")
    awa = make_person(house, code=codes[0])
    now, deaths = 0, 0

    def act(dying: Context, _last: int) -> None:
        people.change_code(dying, awa.session, codes[now], codes[1 - now])

    for _ in each_death(house, act):
        deaths += 1
        endings.finish(house)
        clock.forward(hours=24)  # attempts that died were counted
        found = [opens(house, awa.card, code) for code in codes]
        assert sorted(found) == [False, True]
        now = found.index(True)
        unlock(house, awa, code=codes[now])
        assert _living_ways(house, awa.id) == 1
    assert deaths > 8


def test_who_dies_while_changing_the_card_has_the_old_one_or_the_new_one(house: Context, clock: Clock) -> None:
    awa, card = make_person(house), new_card()
    changed: list[int] = []

    def act(dying: Context, last: int) -> None:
        if changed:  # it was changed before the process died: what is left is to find that out
            return
        people.replace_card(dying, awa.session, CODE, card)

    for last in each_death(house, act):
        endings.finish(house)
        clock.forward(hours=24)
        found = [opens(house, awa.card, CODE), opens(house, card, CODE)]
        assert sorted(found) == [False, True]
        if found[1]:
            changed.append(last)
            assert rows_of_ended_ways(house, awa.id) == []
        else:
            unlock(house, awa)
    assert opens(house, card, CODE)


def test_who_dies_while_protecting_has_all_old_means_or_all_new_ones(house: Context, clock: Clock) -> None:
    awa, card = make_person(house, words=True), new_card()
    done: list[int] = []

    def act(dying: Context, last: int) -> None:
        if not done:
            people.protect(dying, awa.session, CODE, card, OTHER_CODE)

    for last in each_death(house, act):
        endings.finish(house)
        clock.forward(hours=24)
        old = [opens(house, awa.card, CODE), opens_with_words(house, awa.number, awa.words)]
        new = opens(house, card, OTHER_CODE)
        assert (old, new) in (([True, True], False), ([False, False], True))
        if new:
            done.append(last)
        else:
            unlock(house, awa)
    assert opens(house, card, OTHER_CODE)


def _living_ways(house: Context, person: str) -> int:
    with house.database.transaction(read_only=True) as connection:
        return len(connection.execute(select(slots.c.id).where(slots.c.account == person, slots.c.state == "live")).all())


# --- Blocking --------------------------------------------------------------------------------------------------------------------


def test_a_blocked_safe_answers_as_an_unknown_card(any_house: Context) -> None:
    awa = make_person(any_house, words=True)
    cookie = people.unlock(any_house, show_card(any_house, awa.card), CODE)
    people.freeze(any_house, show_card(any_house, awa.card))
    with pytest.raises(NoSession):
        sessions.find(any_house, cookie)
    assert not opens(any_house, awa.card, CODE)
    assert not opens_with_words(any_house, awa.number, awa.words)


def test_blocking_with_an_unknown_card_gets_the_same_answer(house: Context) -> None:
    known, unknown = show_card(house, make_person(house).card), show_card(house, new_card())
    for shown in (known, unknown):
        people.freeze(house, shown)
        with pytest.raises(NoSession):
            people.card_of(house, shown)


def test_two_means_together_unblock_and_one_of_them_does_not(house: Context, clock: Clock) -> None:
    awa, mariam = make_person(house, words=True), make_person(house, "Mariam", words=True)
    assert awa.words is not None
    assert mariam.words is not None
    people.freeze(house, awa.session)
    for code, number, words in (
        (OTHER_CODE, awa.number, awa.words),
        (CODE, awa.number, mariam.words),
        (CODE, mariam.number, mariam.words),
    ):
        clock.forward(hours=24)
        with pytest.raises(WrongSecret):
            people.lift_freeze(house, show_card(house, awa.card), code, number, words)
    clock.forward(hours=24)
    assert not opens(house, awa.card, CODE), "who has words is never unblocked by waiting"
    clock.forward(hours=24)
    awa.session = sessions.find(house, people.lift_freeze(house, show_card(house, awa.card), CODE, awa.number, awa.words))
    assert opens(house, awa.card, CODE)
    unlock(house, awa)
    assert {"means.frozen", "means.unfrozen"} <= set(tags(house, awa))


def test_who_has_no_other_way_back_opens_again_after_three_days(house: Context, clock: Clock) -> None:
    awa = make_person(house)
    people.freeze(house, awa.session)
    clock.forward(hours=71)
    assert not opens(house, awa.card, CODE)
    clock.forward(hours=1)
    assert opens(house, awa.card, CODE)
    people.freeze(house, show_card(house, awa.card))
    assert not opens(house, awa.card, CODE), "blocked again, it waits again"


def test_who_has_guardians_is_never_unblocked_by_waiting(house: Context, clock: Clock) -> None:
    fatou, marc = make_worker(house, make_office(house)), make_worker(house, make_office(house, "ESI Le Canal"), "Marc")
    awa = make_person(house)
    set_circle(house, awa.session, CODE, [GuardianWorker(fatou.id, "Awa", "turtle"), GuardianWorker(marc.id, "Awa", "turtle")], 2)
    people.freeze(house, unlock(house, awa))
    clock.forward(days=30)
    assert not opens(house, awa.card, CODE)


def test_a_guardian_at_their_desk_blocks_the_safe_of_who_counts_on_them(any_house: Context) -> None:
    fatou, marc = make_worker(any_house, make_office(any_house)), make_worker(any_house, make_office(any_house, "ESI B"), "Marc")
    awa = make_person(any_house)
    set_circle(any_house, awa.session, CODE, [GuardianWorker(fatou.id, "Awa", "turtle"), NewSheet("chez moi")], 2)
    (ward,) = people_who_count_on_me(any_house, fatou.session)
    cookie = people.unlock(any_house, show_card(any_house, awa.card), CODE)
    with pytest.raises(NotThere):
        people.freeze_ward(any_house, marc.session, ward.member)
    with pytest.raises(NotAllowed):
        people.freeze_ward(any_house, awa.session, ward.member)
    assert sessions.find(any_house, cookie)
    people.freeze_ward(any_house, fatou.session, ward.member)
    with pytest.raises(NoSession):
        sessions.find(any_house, cookie)
    assert not opens(any_house, awa.card, CODE)
    frozen = [entry.event for entry in audit.history(any_house, awa.session) if entry.event.tag == "means.frozen"]
    assert [event.by_name for event in frozen] == ["Fatou"]


# --- Je me protège -----------------------------------------------------------------------------------------------------------------


def test_protecting_leaves_everything_that_somebody_else_may_know(any_house: Context, clock: Clock) -> None:
    fatou = make_worker(any_house, make_office(any_house))
    awa, card = make_person(any_house, words=True), new_card()
    set_circle(any_house, awa.session, CODE, [GuardianWorker(fatou.id, "Awa", "turtle"), NewSheet("chez mon frère")], 2)
    people.show_places(any_house, unlock(any_house, awa), shown=True)
    protected = people.protect(any_house, awa.session, CODE, card, OTHER_CODE)
    session = sessions.find(any_house, protected.cookie)
    me = people.me(any_house, session)
    assert me.to_review
    assert not me.show_places
    assert me.missing == ("second-guardian", "first-share"), "the sheet is void, the worker stays"
    assert not opens(any_house, awa.card, CODE)
    assert not opens_with_words(any_house, awa.number, awa.words)
    assert protected.number != awa.number
    assert people.number_of(any_house, session) == protected.number
    assert opens(any_house, card, OTHER_CODE)
    assert rows_of_ended_ways(any_house, awa.id) == []


def test_after_protecting_the_old_card_is_answered_as_an_unknown_one(house: Context) -> None:
    awa = make_person(house)
    people.protect(house, awa.session, CODE, new_card(), OTHER_CODE)
    answers = []
    for card in (awa.card, new_card()):
        for _ in range(4):
            try:
                people.unlock(house, show_card(house, card), CODE)
            except MustWait as error:
                answers.append((MustWait, error.seconds))
            except AbriError as error:
                answers.append((type(error), 0))
    assert answers[:4] == answers[4:]


def test_what_was_reviewed_is_not_asked_again(house: Context) -> None:
    awa = make_person(house)
    session = sessions.find(house, people.protect(house, awa.session, CODE, new_card(), OTHER_CODE).cookie)
    people.reviewed(house, session)
    assert not people.me(house, session).to_review


def test_name_and_drawing_change_one_without_the_other(house: Context) -> None:
    awa = make_person(house, "Awa", drawing="turtle")
    people.rename(house, awa.session, "Zed")
    people.redraw(house, awa.session, "moon")
    me = people.me(house, awa.session)
    assert (me.name, me.drawing) == ("Zed", "moon")
    people.rename(house, awa.session, None)
    assert people.me(house, awa.session).name is None
    with pytest.raises(BadInput):
        people.redraw(house, awa.session, "coffre")
