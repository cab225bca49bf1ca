"""The benchmark beside the twin ends with a failure when a target is missed, and says which."""

import pytest

from bench.__main__ import missed
from bench.scenes import Listing, Result, Turn


def line(target: float | None, ours: float) -> Result:
    """A line of the table with so many requests a second, where the twin makes a hundred."""
    turns = {"abri": [Turn(int(ours), 1.0, 0.1)], "twin": [Turn(100, 1.0, 0.1)]}
    return Result("deposits", 1, 8, target, turns)


def listed(use_case: float, processor: float) -> Listing:
    """A list in so many milliseconds."""
    return Listing(100, {"abri": 1.0}, {"abri": use_case}, {"abri": processor}, {"abri": 9.0})


@pytest.mark.parametrize(
    ("results", "listing", "said"),
    [
        ([line(0.85, 85), line(None, 10)], listed(4.9, 4.9), []),
        ([line(0.85, 84), line(0.8, 80)], listed(4.9, 4.9), ["0.84 of the twin's rate, less than 0.85"]),
        ([line(0.8, 79)], listed(5.0, 4.9), ["less than 0.80", "use case, p50: 5.0 ms"]),
        ([line(0.8, 81)], listed(4.9, 6.1), ["processor of one request: 6.1 ms, not under 5"]),
    ],
    ids=["met", "slow", "both", "processor"],
)
def test_each_missed_target_is_a_line(results: list[Result], listing: Listing, said: list[str]) -> None:
    found = missed(results, listing)
    assert len(found) == len(said)
    assert all(words in one for words, one in zip(said, found, strict=True))
