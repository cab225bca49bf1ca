"""Codes and pictures that are too easy to guess."""

import pytest

from crypto.choices import Weakness, draw_code, draw_pictures, weak_code, weak_pictures
from crypto.errors import Malformed


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("000000", Weakness.REPEATED),
        ("777777", Weakness.REPEATED),
        ("121212", Weakness.REPEATED),
        ("123123", Weakness.REPEATED),
        ("112233", Weakness.REPEATED),
        ("123321", Weakness.REPEATED),
        ("111222", Weakness.REPEATED),
        ("100000", Weakness.REPEATED),
        ("779977", Weakness.REPEATED),
        ("123456", Weakness.LADDER),
        ("654321", Weakness.LADDER),
        ("456789", Weakness.LADDER),
        ("890123", Weakness.LADDER),
        ("024680", Weakness.LADDER),
        ("135791", Weakness.LADDER),
        ("198455", Weakness.YEAR),
        ("551984", Weakness.YEAR),
        ("719847", Weakness.YEAR),
        ("202647", Weakness.YEAR),
        ("241265", Weakness.DATE),
        ("122465", Weakness.DATE),
        ("651224", Weakness.DATE),
        ("290283", Weakness.DATE),
        ("310199", Weakness.DATE),
    ],
)
def test_what_others_guess_first_is_refused(code: str, why: Weakness) -> None:
    assert weak_code(code) is why


@pytest.mark.parametrize("code", ["271828", "808264", "947382", "498713", "777123", "304875"])
def test_the_rest_is_accepted(code: str) -> None:
    assert weak_code(code) is None


def test_enough_codes_are_left() -> None:
    left = sum(weak_code(f"{number:06}") is None for number in range(0, 1_000_000, 97))
    assert left > 0.8 * 1_000_000 / 97


def test_what_is_no_code_has_no_weakness() -> None:
    with pytest.raises(Malformed):
        weak_code("12345")
    with pytest.raises(Malformed):
        weak_pictures((1, 2, 3))


@pytest.mark.parametrize(
    ("pictures", "why"),
    [
        ((4, 4, 4, 4, 4), Weakness.REPEATED),
        ((4, 4, 4, 4, 9), Weakness.REPEATED),
        ((1, 2, 3, 2, 1), Weakness.REPEATED),
        ((0, 1, 2, 3, 4), Weakness.LADDER),
        ((14, 15, 0, 1, 2), Weakness.LADDER),
        ((9, 8, 7, 6, 5), Weakness.LADDER),
        ((0, 4, 8, 12, 0), Weakness.LADDER),
        ((3, 15, 0, 7, 7), None),
    ],
)
def test_pictures_in_the_order_of_the_page_are_refused(pictures: tuple[int, ...], why: Weakness | None) -> None:
    assert weak_pictures(pictures) is why


def test_what_is_drawn_is_never_weak() -> None:
    codes = {draw_code() for _ in range(300)}
    assert all(weak_code(code) is None for code in codes)
    assert len(codes) > 290
    assert all(weak_pictures(draw_pictures()) is None for _ in range(300))
