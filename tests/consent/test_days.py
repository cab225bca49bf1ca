"""Months are calendar months, and the last day lasts until midnight in Paris."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.days import add_months, lasts, paris_day, whole_second


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 23), 3, date(2027, 2, 23)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),  # a leap year
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 8, 31), 1, date(2026, 9, 30)),
        (date(2099, 11, 30), 3, date(2100, 2, 28)),  # 2100 is no leap year
    ],
)
def test_months_are_calendar_months(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@given(st.dates(date(2000, 1, 1), date(2200, 12, 31)), st.integers(0, 24))
def test_months_never_skip_a_month_nor_lengthen(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("at", "still"),
    [
        (datetime(2027, 2, 23, 22, 59, 59, tzinfo=UTC), True),  # 23:59:59 in Paris, winter
        (datetime(2027, 2, 23, 23, 0, 0, tzinfo=UTC), False),
        (datetime(2027, 2, 24, 0, 30, tzinfo=timezone(timedelta(hours=9))), True),  # it is still the 23rd in Paris
    ],
)
def test_the_last_day_counts_whole_in_winter(at: datetime, still: bool) -> None:
    assert lasts(date(2027, 2, 23), at) is still


def test_the_last_day_counts_whole_in_summer() -> None:
    assert lasts(date(2027, 7, 14), datetime(2027, 7, 14, 21, 59, 59, tzinfo=UTC))
    assert not lasts(date(2027, 7, 14), datetime(2027, 7, 14, 22, 0, tzinfo=UTC))


def test_a_moment_without_time_zone_is_refused() -> None:
    naive = datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - the point of the test
    for ask in (paris_day, whole_second):
        with pytest.raises(ValueError, match="time zone"):
            ask(naive)


def test_whole_seconds_are_in_utc() -> None:
    at = datetime(2026, 11, 23, 11, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert whole_second(at).isoformat() == "2026-11-23T10:00:00+00:00"
