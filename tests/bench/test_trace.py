"""The benchmark of the trace measures at each size a log that the service takes for its own."""

from bench import trace
from tests.vault.conftest import clock, house
from vault import checkpoints
from vault.context import Context

__all__ = ["clock", "house"]


def test_a_log_that_is_filled_anew_is_measured_and_signed(house: Context) -> None:
    for size in (240, 400):
        speed = trace.asked(house, trace.filled(house, size), size)
        assert speed.entries == size
        assert speed.page > 0
        head = checkpoints.published(house) if checkpoints.publish(house) else None
        assert head is not None
        assert head.size >= size
