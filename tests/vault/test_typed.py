"""What is typed is put in the one form that is signed, and judged where it is typed."""

import pytest

from consent.fields import plain
from vault.errors import BadInput
from vault.typed import UNSEEN, line, line_or_none, lines

SHADDA_THEN_FATHA = "مح\u0651\u064eمد"
NOTHING = ["", "  ", "\u200b\u200b", "\u2800", "\u3164", "\u0301", "\u00ad"]
UNSEEN_SIGNS = ["\u202e abc", "a\u2066b", "a\x00b", "a\ue000b", "a\u0378b"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Banque", "Banque"), ("  chez   ma\tsœur \n", "chez ma sœur"), ("cafe\u0301", "café"),
        (SHADDA_THEN_FATHA, "مح\u064e\u0651مد"), ("می\u200cخواهم", "می\u200cخواهم"), ("a" * 40, "a" * 40),
    ],
)  # fmt: skip
def test_a_line_is_kept_as_it_can_be_signed(typed: str, kept: str) -> None:
    """The order of a keyboard is not the order that is signed; nothing that is seen changes."""
    assert line(typed, "name", 40) == line_or_none(typed, "name", 40) == lines(typed, "name", 40, empty="no", long="no") == kept
    assert plain(kept, "name", 40) == kept


@pytest.mark.parametrize("typed", NOTHING)
def test_what_shows_nothing_is_nothing(typed: str) -> None:
    for judge in (lambda: line(typed, "name", 40, empty="none"), lambda: lines(typed, "name", 40, empty="none", long="long")):
        with pytest.raises(BadInput) as refused:
            judge()
        assert (refused.value.field, refused.value.shown) == ("name", "none")
    assert line_or_none(typed, "name", 40) == ""


@pytest.mark.parametrize("typed", UNSEEN_SIGNS)
def test_signs_that_nobody_sees_are_said(typed: str) -> None:
    for judge in (line, line_or_none, lambda *of: lines(*of, empty="none", long="long")):
        with pytest.raises(BadInput) as refused:
            judge(typed, "name", 40)
        assert (refused.value.field, refused.value.shown) == ("name", UNSEEN)


def test_what_is_too_long_says_so() -> None:
    for judge in (lambda: line("a" * 41, "name", 40), lambda: line_or_none("a" * 41, "name", 40)):
        with pytest.raises(BadInput) as refused:
            judge()
        assert refused.value.shown == "error.name-long"
    with pytest.raises(BadInput) as refused:
        lines("a\n" * 30, "reason", 40, empty="none", long="long")
    assert refused.value.shown == "long"


def test_several_lines_stay_lines() -> None:
    assert lines("  Un\u0301  \r\n\r\ndeux ", "reason", 40, empty="none", long="long") == "Uń\n\ndeux"
