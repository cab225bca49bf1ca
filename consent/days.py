"""Days as people count them: a share lasts until the end of a day in Paris, and months are calendar months."""

from calendar import monthrange
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def paris_day(at: datetime) -> date:
    """The day it is in Paris at that moment; `at` carries its time zone, else ValueError."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("a moment needs its time zone")
    return at.astimezone(PARIS).date()


def whole_second(at: datetime) -> datetime:
    """The same moment in UTC, without fractions: what is signed is written to the second."""
    paris_day(at)  # refuses a moment without a time zone
    return at.astimezone(UTC).replace(microsecond=0)


def add_months(day: date, months: int) -> date:
    """The same day of the month, `months` later; the last day of a shorter month (31 January + 1 = 28 or 29 February)."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def lasts(until: date, at: datetime) -> bool:
    """Whether that last day is not over yet in Paris: it counts whole, to midnight."""
    return paris_day(at) <= until
