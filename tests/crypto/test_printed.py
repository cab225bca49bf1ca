"""Secrets on paper: one form each."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import keys, printed
from crypto.errors import Malformed

sixteen = st.binary(min_size=16, max_size=16) | st.sampled_from([bytes(16), b"\xff" * 16])


@given(sixteen)
def test_each_form_reads_back(data: bytes) -> None:
    card, sheet = keys.CardSecret(data), keys.SheetSecret(data)
    assert printed.parse_card_text(printed.card_text(card)) == card
    assert printed.parse_sheet_text(printed.sheet_text(sheet)) == sheet
    assert printed.parse_sheet_digits(printed.sheet_digits(sheet)) == sheet
    assert len(printed.sheet_digits(sheet)) == 40
    # QR codes are smaller with this alphabet alone.
    assert set(printed.card_text(card)) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-")


@given(
    st.text(max_size=50)
    | sixteen.map(keys.CardSecret).map(printed.card_text)
    | sixteen.map(keys.SheetSecret).map(printed.sheet_text)
)
def test_what_parses_is_written_back(text: str) -> None:
    with contextlib.suppress(Malformed):
        assert printed.card_text(printed.parse_card_text(text)) == text
    with contextlib.suppress(Malformed):
        assert printed.sheet_text(printed.parse_sheet_text(text)) == text


CARD = printed.card_text(keys.CardSecret(bytes(16)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        CARD.lower(),
        CARD + " ",
        " " + CARD,
        CARD + "======",
        CARD[:-1],
        CARD + "A",
        CARD[:-1] + "B",  # two bits that belong to no byte
        CARD[:-1] + "1",
        CARD[:-1] + "é",
        CARD.replace("C1", "C2"),
        CARD.removeprefix("ABRI-C1-"),
        printed.sheet_text(keys.SheetSecret(bytes(16))),
    ],
)
def test_any_other_card_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        printed.parse_card_text(text)


@given(sixteen.map(keys.SheetSecret), st.integers(0, 39), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(sheet: keys.SheetSecret, place: int, more: int) -> None:
    digits = printed.sheet_digits(sheet)
    wrong = digits[:place] + str((int(digits[place]) + more) % 10) + digits[place + 1 :]
    with pytest.raises(Malformed):
        printed.parse_sheet_digits(wrong)


def test_two_neighbours_exchanged_are_nearly_always_found() -> None:
    tried = found = 0
    for byte in range(0, 256, 5):
        digits = printed.sheet_digits(keys.SheetSecret(bytes([byte]) * 16))
        for place, (one, other) in enumerate(itertools.pairwise(digits)):
            if one != other:
                tried += 1
                try:
                    printed.parse_sheet_digits(digits[:place] + other + one + digits[place + 2 :])
                except Malformed:
                    found += 1
    assert found / tried > 0.95


@pytest.mark.parametrize("text", ["", "1" * 39, "1" * 41, " " * 40, "9" * 40, "٣" * 40, "²" * 40, "+" + "1" * 39])
def test_any_other_digits_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        printed.parse_sheet_digits(text)


def test_a_number_too_large_is_refused_even_with_its_check_digit() -> None:
    for number in (1 << 128, 10**39 - 1):
        text = str(number)
        with pytest.raises(Malformed):
            printed.parse_sheet_digits(text + printed._check_digit(text))
