"""Costly derivations take turns: few at once, a short queue, and no kiosk may hold or fill it alone.

One derivation takes 64 MiB and about 150 ms of a core: without a bound, a few people typing at once, or one machine that guesses,
would stop everybody. Kiosks are served in turns, each its oldest first, and one kiosk never holds the last place: somebody at
another one finds it free, or waits for one derivation at most. Who finds the queue full is told to come back in a few seconds;
nothing was derived for them, so nothing is counted against them.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from vault.errors import Busy

WAITING_BY_KIOSK = 2


class Derivations:
    """The turns of this process: `at_once` run, `waiting` people at most wait, `by_kiosk` of them before one kiosk.

    Memory: 64 MiB for each of `at_once`, in each process. Several processes do not know of each other's turns: what they share
    are the counts of attempts, which are rows.
    """

    def __init__(self, at_once: int, waiting: int, by_kiosk: int = WAITING_BY_KIOSK) -> None:
        self._free, self._most_waiting, self._by_kiosk = at_once, waiting, by_kiosk
        self._of_one_kiosk = max(1, at_once - 1)
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._queues: dict[str, deque[threading.Event]] = {}  # in the order in which kiosks have their next turn

    @property
    def waiting(self) -> int:
        """How many people wait now."""
        return sum(len(queue) for queue in self._queues.values())

    @contextmanager
    def turn(self, kiosk: str | None) -> Iterator[None]:
        """Wait for a turn and hold it; raises Busy at once when the queue is full for everybody or for this kiosk."""
        lane = kiosk or ""
        self._enter(lane)
        try:
            yield
        finally:
            self._leave(lane)

    def _enter(self, kiosk: str) -> None:
        with self._lock:
            if self._free and self._running[kiosk] < self._of_one_kiosk:
                self._take(kiosk)
                return
            queue = self._queues.get(kiosk, ())
            if self.waiting >= self._most_waiting or len(queue) >= self._by_kiosk:
                raise Busy
            mine = threading.Event()
            self._queues.setdefault(kiosk, deque()).append(mine)
        try:
            mine.wait()
        except BaseException:
            with self._lock:
                given = mine not in self._queues.get(kiosk, ())
                if not given:
                    self._unqueue(kiosk, mine)
            if given:  # the turn was given in the same instant: pass it on
                self._leave(kiosk)
            raise

    def _leave(self, kiosk: str) -> None:
        with self._lock:
            self._free += 1
            self._running[kiosk] -= 1
            self._running += Counter()  # forget kiosks that hold nothing
            for following in [*self._queues]:
                if self._free and self._running[following] < self._of_one_kiosk:
                    mine = self._queues[following][0]
                    self._unqueue(following, mine)
                    self._take(following)
                    mine.set()

    def _take(self, kiosk: str) -> None:
        self._free -= 1
        self._running[kiosk] += 1

    def _unqueue(self, kiosk: str, mine: threading.Event) -> None:
        """Out of its queue; the kiosk's next one has its turn after everybody else's."""
        queue = self._queues.pop(kiosk)
        queue.remove(mine)
        if queue:
            self._queues[kiosk] = queue
