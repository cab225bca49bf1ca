"""Authenticators: they open alone, or stand beside the words; nothing that was answered once, elsewhere or by a copy opens anything."""

import base64
import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crypto.unlock import Kind
from storage.tables import passkeys as rows
from storage.tables import slots as way_rows
from tests.vault.authenticator import Authenticator, b64, cose_of
from tests.vault.builders import MadeAdministrator, MadeWorker, make_office, make_worker, one_time_password, sign_in
from tests.vault.clock import Clock
from vault import administrators, audit, authenticators, ceremonies, confirming, entering, rights, sessions, workers
from vault.authenticators import DIGITS, KEY, OPENS_ALONE, SHEET, WORDS, opens, survives_a_loss
from vault.ceremonies import Answer
from vault.confirming import Act, NotProven, Typed
from vault.context import Context
from vault.errors import AbriError, BadInput, Conflict, NoSession, NotThere, WrongSecret
from vault.sessions import Session
from vault.staff import StaffKind

BARE = cast("Context", SimpleNamespace(settings=SimpleNamespace(mode="embedded", origins=("https://localhost:8000",))))
PUBLIC = cose_of(Authenticator().key)
Staff = MadeWorker | MadeAdministrator


def typed(one: Staff) -> Typed:
    return Typed(" ".join(one.words))


def add(house: Context, one: Staff, key: Authenticator, name: str = "clé bleue") -> bool:
    """The owner adds an authenticator, with the words."""
    asked = authenticators.ask_key(house, one.session)
    return authenticators.add_key(house, one.session, name, typed(one), key.register(asked.new))


def door(house: Context, kind: StaffKind = "worker", code: str = "") -> Session:
    return sessions.find(house, entering.start(house, kind, code, None))


def enter(house: Context, key: Authenticator, kind: StaffKind = "worker", code: str = "") -> str | None:
    at = door(house, kind, code)
    return entering.with_key(house, at, key.touch(entering.asked(house, at)))


def test_an_authenticator_with_a_secret_opens_alone(any_house: Context) -> None:
    fatou = make_worker(any_house, make_office(any_house))
    key = Authenticator()
    assert add(any_house, fatou, key) is True
    cookie = enter(any_house, key)
    assert cookie
    opened = sessions.find(any_house, cookie)
    assert (opened.account, opened.kind) == (fatou.id, "worker")
    assert opened.opened().sign == fatou.session.opened().sign
    (line,) = authenticators.held(any_house, opened).keys
    assert (line.name, line.alone, line.used) == ("clé bleue", True, any_house.clock().date())
    tags = [one.event.tag for one in audit.history(any_house, opened)]
    assert tags[:2] == ["worker.signed-in", "worker.key-added"]


def test_one_without_a_secret_stands_beside_the_words(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    key = Authenticator(prf=False)
    assert add(house, fatou, key) is False
    at = door(house)
    assert entering.with_key(house, at, key.touch(entering.asked(house, at))) is None
    other = make_worker(house, fatou.office, "Inès")
    for code, words in ((fatou.code, other.words), (other.code, other.words), ("ABCDEF", fatou.words)):
        with pytest.raises(WrongSecret):
            entering.then_words(house, at, code, " ".join(words))
    cookie = entering.then_words(house, at, fatou.code, " ".join(fatou.words))
    assert sessions.find(house, cookie).account == fatou.id
    with house.database.transaction() as connection:
        kinds = connection.execute(select(way_rows.c.kind).where(way_rows.c.account == fatou.id)).scalars().all()
    assert Kind.PRF.value not in kinds


def test_words_without_the_touch_before_open_nothing(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    add(house, fatou, Authenticator(prf=False))
    with pytest.raises(NoSession):
        entering.then_words(house, door(house), fatou.code, " ".join(fatou.words))
    key = Authenticator(prf=False)
    add(house, fatou, key, "autre")
    at = door(house)
    assert entering.with_key(house, at, key.touch(entering.asked(house, at))) is None
    cast("Clock", house.clock).forward(minutes=6)
    with pytest.raises(NoSession):
        entering.then_words(house, at, fatou.code, " ".join(fatou.words))


def test_a_code_asks_for_its_own_keys_and_an_unknown_one_for_as_many(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    key = Authenticator()
    add(house, fatou, key)
    assert f'"id": "{b64(key.credential)}"' in entering.asked(house, door(house, code=fatou.code.lower()))
    unknown = [entering.asked(house, door(house, code="ZZZZZZ")) for _ in range(2)]
    assert [one.count('"public-key"') for one in unknown] == [2, 2]
    assert len({one.split('"allowCredentials"')[1].split("]")[0] for one in unknown}) == 1, (
        "always the same: nothing tells it from a real one"
    )
    assert enter(house, key, code=fatou.code)


def _replayed(house: Context, key: Authenticator) -> None:
    at = door(house)
    answer = key.touch(entering.asked(house, at))
    assert entering.with_key(house, at, answer)
    entering.with_key(house, door(house), answer)


def _of_another_session(house: Context, key: Authenticator) -> None:
    mine, theirs = door(house), door(house)
    entering.asked(house, theirs)
    entering.with_key(house, theirs, key.touch(entering.asked(house, mine)))


def _of_an_earlier_page(house: Context, key: Authenticator) -> None:
    at = door(house)
    first = key.touch(entering.asked(house, at))
    entering.asked(house, at)
    entering.with_key(house, at, first)


def _late(house: Context, key: Authenticator) -> None:
    at = door(house)
    answer = key.touch(entering.asked(house, at))
    cast("Clock", house.clock).forward(minutes=5)
    entering.with_key(house, at, answer)


def _never_asked(house: Context, key: Authenticator) -> None:
    entering.with_key(house, door(house), key.touch(entering.asked(house, door(house))))


def _elsewhere(house: Context, key: Authenticator) -> None:
    key.origin = "https://localhost.example:8000"
    enter(house, key)


def _another_name(house: Context, key: Authenticator) -> None:
    """What another instance made the authenticator sign."""
    other = dataclasses.replace(house, settings=dataclasses.replace(house.settings, origins=("https://abri.example",)))
    at = door(house)
    asked = entering.asked(house, at).replace('"localhost"', '"abri.example"')
    assert other
    entering.with_key(house, at, key.touch(asked))


def _unverified(house: Context, key: Authenticator) -> None:
    key.verified = False
    enter(house, key)


def _a_copy(house: Context, key: Authenticator) -> None:
    copy = dataclasses.replace(key)
    assert enter(house, key)
    assert enter(house, key)
    enter(house, copy)


def _another_secret(house: Context, key: Authenticator) -> None:
    key.seed = bytes(32)
    enter(house, key)


def _another_user(house: Context, key: Authenticator) -> None:
    at = door(house)
    entering.with_key(house, at, key.touch(entering.asked(house, at), user=bytes(32)))


def _another_key(house: Context, key: Authenticator) -> None:
    enter(house, Authenticator(credential=key.credential, count=key.count, user=key.user))


def _at_the_office(house: Context, key: Authenticator) -> None:
    enter(house, key, "administrator")


def _nonsense(house: Context, key: Authenticator) -> None:
    at = door(house)
    entering.asked(house, at)
    entering.with_key(house, at, Answer("[" * 60_000))


REFUSED = [
    _replayed, _of_another_session, _of_an_earlier_page, _late, _never_asked, _elsewhere, _another_name, _unverified, _a_copy,
    _another_secret, _another_user, _another_key, _at_the_office, _nonsense,
]  # fmt: skip


def test_what_is_not_an_answer_to_this_challenge_opens_nothing(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    for attack in REFUSED:
        key = Authenticator()
        add(house, fatou, key, attack.__name__[:30])
        with pytest.raises(WrongSecret):
            attack(house, key)
        (line,) = authenticators.held(house, sign_in(house, fatou)).keys
        authenticators.remove_key(house, fatou.session, line.id, typed(fatou))


def test_wrong_answers_of_a_stranger_shut_out_nobody_and_bury_no_history(house: Context) -> None:
    """Whoever knows a sign-in code is told the credentials; nobody waits because of what a stranger sends."""
    fatou = make_worker(house, make_office(house))
    key = Authenticator()
    add(house, fatou, key)
    wrong = Authenticator(credential=key.credential, user=key.user)
    for _ in range(8):
        with pytest.raises(WrongSecret):
            enter(house, wrong, code=fatou.code)
        cast("Clock", house.clock).forward(minutes=6)
    assert enter(house, key)
    with pytest.raises(WrongSecret):
        enter(house, wrong)
    seen = [one.event.tag for one in audit.history(house, sign_in(house, fatou))].count("worker.sign-in-failed")
    assert seen == 6, "five of the eight, and one more after its owner entered"
    act = Act("worker.end", "somebody")
    asked = confirming.ask(house, fatou.session, act)
    assert confirming.confirm(house, fatou.session, act, key.touch(asked)), "nor where somebody who is in confirms"


@settings(max_examples=60)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=80).map(lambda data: _shaped(data))))
def test_no_answer_in_the_world_is_more_than_a_refusal(untrusted: str) -> None:
    found = Answer(untrusted)
    with pytest.raises(WrongSecret):
        ceremonies.asserted(BARE, bytes(32), found, account="a", public_key=PUBLIC, uses=0)
    with suppress(WrongSecret):  # its name may be read: nothing is believed because of that
        ceremonies.credential_of(found)
    with pytest.raises(BadInput):
        ceremonies.registered(BARE, bytes(32), found)


def _shaped(data: bytes) -> str:
    part = b64(data)
    response = {"clientDataJSON": part, "authenticatorData": part, "signature": part, "userHandle": part}
    return json.dumps({"id": part, "rawId": part, "type": "public-key", "response": response})


# --- Losing one thing -------------------------------------------------------------------------------------------------------

THINGS = [WORDS, SHEET, DIGITS, OPENS_ALONE + "a", OPENS_ALONE + "b", KEY + "c", KEY + "d"]


@given(st.frozensets(st.sampled_from(THINGS)), st.sampled_from(THINGS))
def test_more_things_never_open_less(things: frozenset[str], one: str) -> None:
    assert opens(things) <= opens(things | {one})
    if survives_a_loss(things):
        assert opens(things)
        assert all(opens(things - {lost}) for lost in things)


def test_what_opens_and_what_survives_a_loss() -> None:
    assert not any(opens({one}) for one in (WORDS, SHEET, DIGITS, KEY + "c"))
    assert not opens({DIGITS, KEY + "c"})
    assert opens({WORDS, DIGITS})
    assert survives_a_loss({WORDS, SHEET, DIGITS}), "everybody has these from the first day"
    assert not survives_a_loss({WORDS, DIGITS})
    assert not survives_a_loss({OPENS_ALONE + "a"})
    assert survives_a_loss({OPENS_ALONE + "a", OPENS_ALONE + "b"})
    assert not survives_a_loss(frozenset())


def by_code(house: Context, fatou: MadeWorker, code: str, words: tuple[str, ...], second: str) -> Session:
    return sessions.find(house, workers.sign_in(house, code, words, second))


def test_whoever_loses_one_thing_enters_with_the_others(any_house: Context) -> None:
    fatou = make_worker(any_house, make_office(any_house))
    sheet = authenticators.new_sheet(any_house, fatou.session, typed(fatou))
    # the telephone is lost
    assert by_code(any_house, fatou, fatou.code, fatou.words, " ".join(sheet.words)).account == fatou.id
    # the words are forgotten, and drawn again
    session = by_code(any_house, fatou, sheet.code, sheet.words, one_time_password(any_house, fatou.totp))
    words = authenticators.new_words(any_house, session, Typed(" ".join(sheet.words)))
    with pytest.raises(WrongSecret):
        by_code(any_house, fatou, fatou.code, fatou.words, one_time_password(any_house, fatou.totp))
    with pytest.raises(WrongSecret):
        by_code(any_house, fatou, sheet.code, sheet.words, " ".join(sheet.words))  # the same paper twice
    cast("Clock", any_house.clock).forward(minutes=6)
    assert by_code(any_house, fatou, fatou.code, words, one_time_password(any_house, fatou.totp)).account == fatou.id


def test_another_telephone_counts_once_it_has_answered(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    authenticators.start_digits(house, fatou.session, typed(fatou))
    uri = authenticators.digits_uri(house, fatou.session)
    seed = base64.b32decode(uri.partition("secret=")[2].partition("&")[0])
    with pytest.raises(BadInput):
        authenticators.finish_digits(house, fatou.session, "000000")
    authenticators.finish_digits(house, fatou.session, one_time_password(house, seed))
    with pytest.raises(WrongSecret):
        sign_in(house, fatou)
    fatou.totp = seed
    assert sign_in(house, fatou).account == fatou.id


def test_nothing_is_taken_away_that_the_account_would_hang_on(house: Context) -> None:
    fatou = make_worker(house, make_office(house))
    key = Authenticator()
    add(house, fatou, key)
    (line,) = authenticators.held(house, fatou.session).keys
    assert line.may_go, "words, sheet and digits are left"
    with pytest.raises(WrongSecret):
        authenticators.remove_key(house, fatou.session, line.id, Typed("un deux trois quatre cinq six"))
    other = make_worker(house, fatou.office, "Inès")
    with pytest.raises(NotThere):
        authenticators.remove_key(house, other.session, line.id, typed(other))
    opened = sessions.find(house, enter(house, key) or "")
    authenticators.remove_key(house, opened, line.id, typed(fatou))
    with pytest.raises(WrongSecret):
        enter(house, key)
    with house.database.transaction() as connection:
        assert connection.execute(select(rows.c.id)).first() is None


def test_an_administrator_with_a_key_no_longer_enters_by_digits(house: Context) -> None:
    nadia = make_office(house).administrators[0]
    key = Authenticator()
    add(house, nadia, key)
    with pytest.raises(WrongSecret):
        administrators.sign_in(house, nadia.code, nadia.words, one_time_password(house, nadia.totp))
    session = sessions.find(house, enter(house, key, "administrator") or "")
    assert session.account == nadia.id
    held = authenticators.held(house, session)
    assert not held.digits_count
    assert held.keys[0].may_go, "digits count again once it is gone"
    authenticators.remove_key(house, session, held.keys[0].id, typed(nadia))
    assert administrators.sign_in(house, nadia.code, nadia.words, one_time_password(house, nadia.totp))


# --- Approving --------------------------------------------------------------------------------------------------------------


def approved(house: Context, session: Session, key: Authenticator, act: Act) -> Answer:
    return key.touch(confirming.ask(house, session, act))


def test_an_approval_is_bound_to_what_is_approved(house: Context) -> None:
    office = make_office(house)
    nadia = office.administrators[0]
    key = Authenticator()
    add(house, nadia, key)
    one, two = (rights.receive(house, nadia.session, "requisition", "authority").id for _ in range(2))
    for answer in (
        lambda: approved(house, nadia.session, key, rights.approval(house, nadia.session, two)),
        lambda: approved(house, nadia.session, key, Act.on("worker.end", one)),
    ):
        with pytest.raises(WrongSecret):
            rights.approve(house, nadia.session, one, answer())
    good = approved(house, nadia.session, key, rights.approval(house, nadia.session, one))
    assert rights.approve(house, nadia.session, one, good) is False
    with pytest.raises(WrongSecret):
        rights.approve(house, nadia.session, two, good)
    hugo = office.administrators[1]
    theirs = Authenticator()
    add(house, hugo, theirs)
    act = rights.approval(house, nadia.session, two)
    with pytest.raises(WrongSecret):
        rights.approve(house, nadia.session, two, theirs.touch(confirming.ask(house, nadia.session, act)))


def test_what_weighs_asks_again_who_is_there(house: Context) -> None:
    office = make_office(house)
    nadia = office.administrators[0]
    fatou = make_worker(house, office)
    asked = rights.receive(house, nadia.session, "requisition", "authority").id
    acts: list[Callable[[Typed | None], object]] = [
        lambda proof: rights.approve(house, nadia.session, asked, proof),
        lambda proof: workers.end(house, nadia.session, fatou.id, proof),
    ]
    cast("Clock", house.clock).forward(minutes=6)
    for act in acts:
        with pytest.raises(NotProven):
            act(None)
        with pytest.raises(WrongSecret):
            act(Typed("un deux trois quatre cinq six"))
        act(typed(nadia))
    with pytest.raises(Conflict):
        workers.end(house, nadia.session, fatou.id, typed(nadia))
    assert issubclass(NotProven, AbriError)
    assert dt.timedelta(minutes=5).total_seconds() == confirming.FRESH_SECONDS
