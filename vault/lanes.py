"""Who takes places that are few: lanes. A crowd in one lane stops nobody in another.

Few things may run at once (a costly derivation, a child that parses a foreign file). Lanes are served in turns, each its oldest
first, and one lane never holds the last place: somebody in another one finds it free, or waits for one turn at most. Who finds the
queue full is told to come back in a few seconds; nothing was done for them.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vault.errors import Busy

LANE: ContextVar[str | None] = ContextVar("lane", default=None)
"""Who asks, as the door knows them: a kiosk, an open account, or all strangers together. None: the service itself, without a request."""


class Turns:
    """The turns of this process: `at_once` run, `waiting` at most wait, `by_lane` of them in one lane, `seconds` at most.

    `trusted`: the lane that may hold every place. Several processes do not know of each other's turns.
    """

    def __init__(
        self, at_once: int, waiting: int, by_lane: int, *, seconds: float | None = None, trusted: str | None = None
    ) -> None:  # fmt: skip
        self._all, self._free, self._most_waiting, self._by_lane = at_once, at_once, waiting, by_lane
        self._seconds, self._trusted = seconds, trusted
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._queues: dict[str, deque[threading.Event]] = {}  # in the order in which lanes have their next turn

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return sum(len(queue) for queue in self._queues.values())

    @contextmanager
    def turn(self, lane: str) -> Iterator[None]:
        """Wait for a turn and hold it; raises Busy at once when the queue is full for everybody or for this lane, or when none came."""
        self._enter(lane)
        try:
            yield
        finally:
            self._leave(lane)

    def _may_run(self, lane: str) -> bool:
        most = self._all if lane == self._trusted else max(1, self._all - 1)
        return bool(self._free) and self._running[lane] < most

    def _enter(self, lane: str) -> None:
        with self._lock:
            if self._may_run(lane):
                self._take(lane)
                return
            queue = self._queues.get(lane, ())
            if self.waiting >= self._most_waiting or len(queue) >= self._by_lane:
                raise Busy
            mine = threading.Event()
            self._queues.setdefault(lane, deque()).append(mine)
        try:
            came = mine.wait(self._seconds)
        except BaseException:
            if not self._gave_up(lane, mine):  # the turn was given in the same instant: pass it on
                self._leave(lane)
            raise
        if not came and self._gave_up(lane, mine):
            raise Busy

    def _gave_up(self, lane: str, mine: threading.Event) -> bool:
        """Out of the queue; false when the turn had been given already."""
        with self._lock:
            if mine not in self._queues.get(lane, ()):
                return False
            self._unqueue(lane, mine)
            return True

    def _leave(self, lane: str) -> None:
        with self._lock:
            self._free += 1
            self._running[lane] -= 1
            self._running += Counter()  # forget lanes that hold nothing
            for following in [*self._queues]:
                if self._may_run(following):
                    mine = self._queues[following][0]
                    self._unqueue(following, mine)
                    self._take(following)
                    mine.set()

    def _take(self, lane: str) -> None:
        self._free -= 1
        self._running[lane] += 1

    def _unqueue(self, lane: str, mine: threading.Event) -> None:
        """Out of its queue; the lane's next one has its turn after everybody else's."""
        queue = self._queues.pop(lane)
        queue.remove(mine)
        if queue:
            self._queues[lane] = queue
