"""The benchmark of leaving ends with a failure when a target is missed, and says which."""

import dataclasses
from typing import Any

import pytest

from bench import leaving
from bench.leaving import Cost

GOOD = [Cost(10, 3.0, 4.0, 5.0, 5.0), Cost(100, 2.0, 3.0, 5.1, 5.1), Cost(1000, 1.9, 3.1, 6.0, 6.0)]


@pytest.mark.parametrize(
    ("which", "changed", "said"),
    [
        (0, {}, []),
        (2, {"away": 2.7}, ["taking away, 1,000 papers / 100: 1.35"]),
        (1, {"erased": 6.0}, ["erasing, 100 papers / 10: 1.50"]),
        (2, {"memory": 10.0}, ["for each paper more, taking away"]),
        (2, {"memory_erasing": 60.0, "erased": 9.0}, ["erasing, 1,000 papers / 100: 3.00", "for each paper more, erasing"]),
    ],
    ids=["met", "slower-away", "slower-erasing", "more-memory-away", "both-erasing"],
)
def test_a_missed_target_is_said_and_fails(
    which: int, changed: dict[str, Any], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [dataclasses.replace(one, **changed) if number == which else one for number, one in enumerate(GOOD)]
    assert leaving.report(lines) == (1 if said else 0)
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("missed")]
    assert len(printed) == len(said)
    assert all(words in line for words, line in zip(said, printed, strict=True))
