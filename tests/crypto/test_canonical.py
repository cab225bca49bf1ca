"""One form for each value: what parses encodes back to the same bytes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import Value, canonical, context, fields_of, instant, pad, parse, parse_instant, parse_object, unpad
from crypto.errors import Malformed

texts = st.text(st.characters(codec="utf-8"))
values: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_written_reads_back(value: Value) -> None:
    assert parse(canonical(value)) == value


@given(
    st.binary(max_size=60)
    | values.map(canonical).flatmap(lambda data: st.tuples(st.just(data), st.binary(max_size=3)).map(b"".join))
)
def test_what_parses_encodes_back_to_the_same_bytes(data: bytes) -> None:
    try:
        value = parse(data)
    except Malformed:
        return
    assert canonical(value) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b"1.0",
        b"-0",
        b"1e3",
        b"01",
        b"NaN",
        b"Infinity",
        b"1.5",
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf1",
        b"[1,]",
        b"[" * 100_000,
        b"[" * 40 + b"]" * 40,
        b"9007199254740993",
        b"9" * 5000,
        b'{"a":1}\n',
    ],
)
def test_any_other_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


def test_the_order_of_names_is_that_of_utf16() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2, "é": 3}) == '{"é":3,"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize("value", [1.0, {1: "a"}, {"a": object()}, b"bytes", {"a": "\ud800"}, 2**53])
def test_what_has_no_form_is_refused(value: Value) -> None:
    with pytest.raises(Malformed):
        canonical(value)


def test_fields_are_asked_for_by_name() -> None:
    assert parse_object(b'{"a":"b"}') == {"a": "b"}
    with pytest.raises(Malformed):
        parse_object(b'["a"]')


def test_a_context_is_its_label_and_its_fields() -> None:
    data = context("sign/grant", {"b": "2", "a": "1"})
    assert data == b'abri/v1/sign/grant\x00{"a":"1","b":"2"}'
    assert fields_of("sign/grant", data) == {"a": "1", "b": "2"}
    for other in ("sign/gran", "sign/grants", "grant"):
        with pytest.raises(Malformed):
            fields_of(other, data)


@pytest.mark.parametrize("label", ["", "Seed", "seed\x00", "a b", "seed-", "1"])
def test_a_label_is_lower_case_words(label: str) -> None:
    with pytest.raises(ValueError, match="label"):
        context(label, {})


@given(st.binary(max_size=3000))
def test_padding_hides_the_length_and_gives_the_text_back(data: bytes) -> None:
    padded = pad(data)
    assert unpad(padded) == data
    assert len(padded) in {64, 256} or len(padded) % 1024 == 0
    assert len(padded) - len(data) <= 1028


@pytest.mark.parametrize(("size", "padded"), [(0, 64), (60, 64), (61, 256), (252, 256), (253, 1024), (1020, 1024), (1021, 2048)])
def test_the_sizes_of_texts(size: int, padded: int) -> None:
    assert len(pad(bytes(size))) == padded


@given(st.binary(max_size=300))
def test_only_one_padding_is_accepted(data: bytes) -> None:
    try:
        text = unpad(data)
    except Malformed:
        return
    assert pad(text) == data


@pytest.mark.parametrize(
    "wrong", [b"", b"\0\0\0\0", pad(b"a") + bytes(64), pad(b"a")[:-1] + b"\1", b"\0\0\1\0" + bytes(60), pad(bytes(61))[:64]]
)
def test_other_paddings_are_refused(wrong: bytes) -> None:
    with pytest.raises(Malformed):
        unpad(wrong)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001 - the strategy adds the zone
def test_moments_are_utc_and_whole_seconds(moment: datetime, minutes: int) -> None:
    at = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = instant(at)
    assert parse_instant(text) == at.replace(microsecond=0)
    assert instant(parse_instant(text)) == text
    assert parse_instant(text).tzinfo == UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T10:00:00",
        "2026-11-23T10:00:00+00:00",
        "2026-13-23T10:00:00Z",
        "2026-11-23 10:00:00Z",
        "٢026-11-23T10:00:00Z",
        "2026-11-23T10:00:00Z\n",
    ],
)
def test_other_moments_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_instant(text)


def test_a_moment_without_its_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zone"):
        instant(datetime(2026, 11, 23))  # noqa: DTZ001 - it is the mistake
