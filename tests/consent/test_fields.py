"""A text that is signed can be read: not only hidden signs, and not nothing at all."""

import pytest

from consent.fields import plain, shows
from crypto.errors import Malformed


@pytest.mark.parametrize(
    "nothing", ["\u200b\u200b", "\u200e", "\u200d", "\u2060", "\ufeff", "\u200b \u200b", "\u0332", "\u3164", "\u2800"]
)
def test_a_name_that_shows_nothing_is_none(nothing: str) -> None:
    with pytest.raises(Malformed, match="shows nothing"):
        plain(nothing, "name", 40)
    assert not shows(nothing)
    assert plain(f"B{nothing}", "name", 40) == f"B{nothing}"


@pytest.mark.parametrize("name", ["Awa", "می\u200cخواهم", "7", "…", "✊", "学校", "মা"])
def test_whatever_is_seen_stays(name: str) -> None:
    """Joiners belong to the writing of Persian, vowel signs to Bengali; a person may call somebody by one sign."""
    assert plain(name, "name", 40) == name
    assert shows(name)
