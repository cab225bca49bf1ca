"""A lock that serves those who wait in the order of their arrival."""

import threading
from collections import deque


class FairLock:
    """One holder at a time; the one who waited longest is next.

    `threading.Lock` may serve a newcomer first, so that under load one request in a thousand waits for seconds.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def acquire(self, *, timeout: float) -> bool:
        """Wait for one's turn, `timeout` seconds at most; False when it did not come."""
        with self._guard:
            if not self._held:
                self._held = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            if mine.acquire(timeout=timeout):
                return True
        except BaseException:
            if not self._leave(mine):
                self.release()
            raise
        return not self._leave(mine)

    def _leave(self, mine: threading.Lock) -> bool:
        """Stop waiting; False when the turn was given in the same instant, and is now ours."""
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return True
            return False

    def release(self) -> None:
        """Give the turn to the one who waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
