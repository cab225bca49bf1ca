"""A clock that only the test moves."""

import datetime as dt


class Clock:
    """Called like `vault.context.utc_now`; `forward` moves it."""

    def __init__(self, now: dt.datetime = dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC)) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> dt.datetime:
        """Move forward, and tell what time it is."""
        self.now += dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self.now
