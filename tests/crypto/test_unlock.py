"""Every way to unlock, what it costs, and what it leaves behind."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import contexts, keys, unlock
from crypto.errors import CryptoError, Malformed, Undecryptable
from crypto.unlock import Cost, Kind, insecure_fast_kdf
from tests.crypto.places import ACCOUNT, OTHER, OTHER_ROW, ROW, SLOT, vault

CARD = keys.CardSecret(bytes(range(16)))
SLOT_ROW = bytes([3]) * 32
WORDS = ("lune", "pain", "été", "vélo", "sac")


def kek_of(h: keys.Stretched, place: contexts.SlotContext, salt: bytes, rows: tuple[bytes, bytes] = (ROW, SLOT_ROW)) -> keys.Kek:
    """Ask the vault for both rows."""
    return unlock.kek(h, vault(rows[0], place), vault(rows[1], place), salt, place)


def stretched(password: keys.Password, salt: bytes) -> keys.Stretched:
    return unlock.stretch(password, salt, insecure_fast_kdf)


WAYS: dict[Kind, Callable[[bytes], keys.Stretched]] = {
    Kind.CARD_PIN: lambda salt: stretched(unlock.code_password(CARD, "271828"), salt),
    Kind.CARD_PICTURES: lambda salt: stretched(unlock.pictures_password(CARD, (1, 9, 4, 15, 0)), salt),
    Kind.WORDS: lambda salt: stretched(unlock.words_password(WORDS), salt),
    Kind.PASSPHRASE: lambda salt: stretched(unlock.words_password((*WORDS, "six")), salt),
    Kind.RECOVERY: lambda _: unlock.recovery_stretched(keys.RecoverySecret(bytes([7]) * 32)),
    Kind.PRF: lambda _: unlock.prf_stretched(bytes([8]) * 32),
    Kind.ASSIST: lambda _: unlock.assist_stretched(
        CARD, (1, 9, 4, 15, 0), keys.AssistSecret(bytes([9]) * 32), contexts.assist(account=ACCOUNT, slot=SLOT)
    ),
}


@pytest.mark.parametrize("kind", Kind)
def test_each_way_opens_and_every_part_of_it_counts(kind: Kind) -> None:
    cost = insecure_fast_kdf if kind.guessable else Cost.none()
    place, salt = unlock.slot_context(ACCOUNT, SLOT, kind, cost), unlock.new_salt()
    h, secret = WAYS[kind](salt), keys.AccountSecret.random()
    sealed = unlock.seal_slot(kek_of(h, place, salt), place, secret)
    assert unlock.open_slot(kek_of(WAYS[kind](salt), place, salt), place, sealed) == secret
    elsewhere = unlock.slot_context(OTHER, SLOT, kind, cost)
    wrong = [
        kek_of(h, place, salt, (OTHER_ROW, SLOT_ROW)),
        kek_of(h, place, salt, (ROW, OTHER_ROW)),
        kek_of(h, place, salt, (SLOT_ROW, ROW)),
        kek_of(h, place, bytes(16)),
        kek_of(h, elsewhere, salt),
        kek_of(keys.Stretched.random(), place, salt),
    ]
    for key in wrong:
        with pytest.raises(Undecryptable):
            unlock.open_slot(key, place, sealed)


@pytest.mark.parametrize("code", ["271829", "000000"])
def test_another_code_or_another_card_gives_another_key(code: str) -> None:
    salt = unlock.new_salt()
    right = stretched(unlock.code_password(CARD, "271828"), salt)
    assert stretched(unlock.code_password(CARD, code), salt) != right
    assert stretched(unlock.code_password(keys.CardSecret.random(), "271828"), salt) != right
    assert stretched(unlock.code_password(CARD, "271828"), unlock.new_salt()) != right
    assert unlock.stretch(unlock.code_password(CARD, "271828"), salt, Cost(16, 1)) != right


@given(st.integers(-1, 1 << 40), st.integers(-1, 1 << 20))
def test_a_cost_from_a_row_is_refused_before_it_is_paid(m: int, t: int) -> None:
    acceptable = (m, t) == (0, 0) or (8 <= m <= 262144 and 1 <= t <= 10)
    try:
        Cost(m, t)
    except Malformed:
        assert not acceptable
    else:
        assert acceptable


@pytest.mark.parametrize(
    ("paid", "whole"),
    [(Cost(65536, 3), Cost(65536, 4)), (Cost(8192, 2), Cost(65536, 3)), (Cost(65536, 1), Cost(131072, 3)), (Cost(64, 1), Cost(65536, 3))],
)  # fmt: skip
def test_a_smaller_cost_and_its_rest_are_the_whole_cost(paid: Cost, whole: Cost) -> None:
    rest = unlock.rest_of(paid, whole)
    assert rest is not None
    assert abs(paid.m * paid.t + rest.m * rest.t - whole.m * whole.t) <= whole.t


def test_nothing_is_left_of_a_cost_that_was_paid_or_more_than_paid() -> None:
    for paid, whole in ((Cost(64, 3), Cost(64, 3)), (Cost(65536, 4), Cost(65536, 3)), (Cost(64, 1), Cost.none())):
        assert unlock.rest_of(paid, whole) is None


def test_a_kind_and_its_cost_go_together() -> None:
    for kind in Kind:
        wrong = Cost.none() if kind.guessable else insecure_fast_kdf
        with pytest.raises(Malformed):
            unlock.slot_context(ACCOUNT, SLOT, kind, wrong)
    password = unlock.code_password(CARD, "271828")
    with pytest.raises(Malformed):
        unlock.stretch(password, bytes(16), Cost.none())
    with pytest.raises(Malformed):
        unlock.stretch(password, bytes(15), insecure_fast_kdf)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "12 345", "123456\n", "-12345", "²23456"])
def test_a_code_is_six_ascii_digits(code: str) -> None:
    with pytest.raises(Malformed):
        unlock.code_password(CARD, code)


@pytest.mark.parametrize("pictures", [(), (1, 2, 3, 4), (1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 16), (-1, 2, 3, 4, 5)])
def test_five_pictures_of_sixteen(pictures: tuple[int, ...]) -> None:
    with pytest.raises(Malformed):
        unlock.pictures_password(CARD, pictures)


def test_words_are_the_same_however_they_were_typed() -> None:
    typed = [unicodedata.normalize("NFD", word) for word in WORDS]
    assert typed != list(WORDS)
    assert unlock.words_password(typed) == unlock.words_password(WORDS)
    assert bytes(unlock.words_password(WORDS)) == "lune pain été vélo sac".encode()


@pytest.mark.parametrize(
    "words", [(), WORDS[:4], (*WORDS, "six", "sept"), ("", *WORDS[1:]), ("la lune", *WORDS[1:]), ("lune\n", *WORDS[1:])]
)
def test_five_words_or_six(words: tuple[str, ...]) -> None:
    with pytest.raises(Malformed):
        unlock.words_password(words)


def test_words_are_drawn_by_chance_from_a_long_list() -> None:
    wordlist = [f"mot{number}" for number in range(2048)]
    drawn = unlock.draw_words(wordlist, 5)
    assert len(drawn) == 5
    assert set(drawn) <= set(wordlist)
    assert len({unlock.draw_words(wordlist, 5) for _ in range(50)}) == 50
    for short in (wordlist[:-1], [*wordlist[:-1], wordlist[0]], wordlist * 2):
        with pytest.raises(ValueError, match="2048"):
            unlock.draw_words(short, 5)


def test_a_card_is_known_by_what_does_not_give_it_away() -> None:
    assert len(unlock.card_id(CARD)) == 32
    assert unlock.card_id(CARD) == unlock.card_id(CARD) != unlock.card_id(keys.CardSecret.random())
    assert bytes(CARD) not in unlock.card_id(CARD)


def test_assisted_opening_changes_with_each_thing_shown() -> None:
    place, held = contexts.assist(account=ACCOUNT, slot=SLOT), keys.AssistSecret.random()
    all_of_them = {
        bytes(unlock.assist_stretched(card, pictures, secret, where))
        for card in (CARD, keys.CardSecret.random())
        for pictures in (None, (1, 2, 3, 4, 6), (6, 4, 3, 2, 1))
        for secret in (held, keys.AssistSecret.random())
        for where in (place, contexts.assist(account=ACCOUNT, slot=OTHER))
    }
    assert len(all_of_them) == 24


def test_an_assist_slot_gives_a_seed_and_no_account() -> None:
    place, salt = unlock.slot_context(ACCOUNT, SLOT, Kind.ASSIST, Cost.none()), unlock.new_salt()
    key, seed = kek_of(WAYS[Kind.ASSIST](salt), place, salt), keys.KemSeed.random()
    assert unlock.open_assist_slot(key, place, unlock.seal_assist_slot(key, place, seed)) == seed


def test_the_old_card_and_code_may_say_stop_and_nothing_else() -> None:
    key, place = keys.Kek.random(), contexts.veto(slot=SLOT)
    kept = unlock.veto_hash(key, place)
    unlock.check_veto(key, place, kept)
    for other_key, elsewhere in ((keys.Kek.random(), place), (key, contexts.veto(slot=OTHER))):
        with pytest.raises(Undecryptable):
            unlock.check_veto(other_key, elsewhere, kept)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_an_authenticator_gives_32_bytes(size: int) -> None:
    with pytest.raises(CryptoError):
        unlock.prf_stretched(bytes(size))


def test_the_vault_answers_32_bytes() -> None:
    place = contexts.slot(account=ACCOUNT, slot=SLOT, kind="words", m=8, t=1)
    for person, slot, salt in ((b"", ROW, bytes(16)), (ROW, b"", bytes(16)), (ROW, ROW, bytes(15))):
        with pytest.raises(ValueError, match="32"):
            unlock.kek(keys.Stretched.random(), person, slot, salt, place)
