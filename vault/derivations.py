"""Costly derivations take turns: few at once, a short queue, and no kiosk may hold or fill it alone.

One derivation takes 64 MiB and about 150 ms of a core: without a bound, a few people typing at once, or one machine that guesses,
would stop everybody. Who finds the queue full is told to come back in a few seconds; nothing was derived for them, so nothing is
counted against them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from vault.lanes import Turns

WAITING_BY_KIOSK = 2


class Derivations(Turns):
    """The turns of this process: `at_once` run, `waiting` people at most wait, `by_kiosk` of them before one kiosk.

    Memory: 64 MiB for each of `at_once`, in each process. Several processes do not know of each other's turns: what they share
    are the counts of attempts, which are rows.
    """

    def __init__(self, at_once: int, waiting: int, by_kiosk: int = WAITING_BY_KIOSK) -> None:
        super().__init__(at_once, waiting, by_kiosk)

    @contextmanager
    def turn(self, lane: str | None) -> Iterator[None]:
        """Wait for a turn at a kiosk, or at none, and hold it; raises Busy at once when the queue is full."""
        with super().turn(lane or ""):
            yield
