"""The benchmark of unlocking ends with a failure when a target is missed, and says which."""

import dataclasses
from typing import Any

import pytest

from bench import unlocking
from bench.unlocking import Told

GOOD = Told([0.2] * 20, [0.8] * 20, [0.1] * 20, [0.4] * 20, 200.0, 320.0, {"401": 900, "503": 100})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"loaded": [1.1] * 20}, ["5.5 times"]),
        ({"peak": GOOD.bound + 1}, ["MiB under load, more than"]),
        ({"loaded": [1.1] * 20, "peak": 4000.0}, ["5.5 times", "4000 MiB"]),
    ],
    ids=["met", "slow", "large", "both"],
)
def test_a_missed_target_is_said_and_fails(
    changed: dict[str, Any], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert unlocking.report(dataclasses.replace(GOOD, **changed)) == (1 if said else 0)
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("missed")]
    assert len(printed) == len(said)
    assert all(words in line for words, line in zip(said, printed, strict=True))


def test_the_bound_counts_the_derivations_that_run_at_once() -> None:
    assert GOOD.bound - GOOD.resting == unlocking.Limits().derivations_at_once * 64 + 128
