"""Two writers, one form: what Python's own writer is trusted with is what the RFC 8785 library writes."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as some

from crypto.canonical import Value, canonical
from crypto.errors import Malformed

texts = some.text(max_size=12) | some.sampled_from(["\x00\x1f\x7f\x80", '"\\/\b\f\n\r\t', "é€😀\ufffd", "\u2028", "</script>"])
names = some.text(max_size=6) | some.sampled_from(["\r", "\u20ac", "\ufb33", "1", "\U0001f600", "\x80", "\xf6", "aa", "a", "A"])
leaves = some.none() | some.booleans() | some.integers(-(2**53) + 1, 2**53 - 1) | texts
values = some.recursive(leaves, lambda inner: some.lists(inner, max_size=4) | some.dictionaries(names, inner, max_size=4))


@given(values)
def test_both_writers_agree(value: Value) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type] # the library names the same values otherwise


@pytest.mark.parametrize("value", [2**53, -(2**53), "\ud800", {"\ud800": 1}, {"a": ["\udfff"]}, {"é": 2**53}, 0.5, {"a": {1: 2}}])
def test_both_refuse_what_has_no_form(value: object) -> None:
    with pytest.raises(Malformed):
        canonical(value)  # type: ignore[arg-type] # it is what a stranger could send
