"""Costly derivations take turns: few at once, a short queue, and no kiosk may fill it alone.

One derivation takes 64 MiB and about 150 ms of a core: without a bound, a few people typing at once, or one machine that guesses,
would stop everybody. Who finds the queue full is told to come back in a few seconds; nothing is counted against them.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from vault.errors import Busy

WAITING_BY_KIOSK = 2


class Derivations:
    """The turns of this process. `waiting` people at most wait, `by_kiosk` of them before one kiosk; first come, first served."""

    def __init__(self, at_once: int, waiting: int, by_kiosk: int = WAITING_BY_KIOSK) -> None:
        self._free, self._waiting, self._by_kiosk = at_once, waiting, by_kiosk
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()
        self._crowd: Counter[str] = Counter()

    @contextmanager
    def turn(self, kiosk: str | None) -> Iterator[None]:
        """Wait for a turn and hold it; raises Busy at once when the queue is full for everybody or for this kiosk."""
        self._enter(kiosk or "")
        try:
            yield
        finally:
            self._leave()

    def _enter(self, kiosk: str) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            if len(self._queue) >= self._waiting or self._crowd[kiosk] >= self._by_kiosk:
                raise Busy
            mine = threading.Event()
            self._queue.append(mine)
            self._crowd[kiosk] += 1
        try:
            mine.wait()
        except BaseException:
            with self._lock:
                left = mine in self._queue
                if left:
                    self._queue.remove(mine)
            if not left:  # the turn was given in the same instant: pass it on
                self._leave()
            raise
        finally:
            with self._lock:
                self._crowd[kiosk] -= 1
                self._crowd += Counter()  # forget kiosks that wait for nothing

    def _leave(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._free += 1
