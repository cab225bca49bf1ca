"""The queue of costly derivations: few at once, a short queue, no kiosk alone in it, first come first served."""

import threading
import time
from collections.abc import Callable

import pytest

from vault.derivations import Derivations
from vault.errors import Busy


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < end, "it was never reached"
        time.sleep(0.002)


class Crowd:
    """People at kiosks, each in a thread, who hold their turn until they are told."""

    def __init__(self, turns: Derivations) -> None:
        self.turns, self.served, self.refused = turns, [], []
        self.threads: list[threading.Thread] = []
        self.go: dict[str, threading.Event] = {}

    def come(self, name: str, kiosk: str | None) -> None:
        """Somebody comes; returns once they hold a turn, wait, or were refused."""
        before = self._settled()
        self.go[name] = threading.Event()
        thread = threading.Thread(target=self._stand, args=(name, kiosk), daemon=True)
        self.threads.append(thread)
        thread.start()
        until(lambda: self._settled() > before)

    def _settled(self) -> int:
        return len(self.served) + len(self.refused) + len(self.turns._queue)

    def _stand(self, name: str, kiosk: str | None) -> None:
        try:
            with self.turns.turn(kiosk):
                self.served.append(name)
                self.go[name].wait(timeout=20)
        except Busy:
            self.refused.append(name)

    def leave(self, name: str) -> None:
        """Somebody has finished; returns once the next one holds the turn."""
        waiting = len(self.turns._queue)
        self.go[name].set()
        until(lambda: len(self.turns._queue) == max(0, waiting - 1))

    def end(self) -> None:
        """Everybody leaves."""
        for event in self.go.values():
            event.set()
        for thread in self.threads:
            thread.join(timeout=20)
            assert not thread.is_alive()


def test_few_at_once_and_the_others_in_the_order_they_came() -> None:
    crowd = Crowd(Derivations(2, 10))
    for name, kiosk in (("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")):
        crowd.come(name, kiosk)
    assert crowd.served == ["a", "b"]
    crowd.leave("b")
    until(lambda: crowd.served == ["a", "b", "c"])
    crowd.leave("a")
    until(lambda: crowd.served == ["a", "b", "c", "d"])
    crowd.end()
    assert crowd.served == ["a", "b", "c", "d", "e"]


def test_one_kiosk_does_not_fill_the_queue() -> None:
    crowd = Crowd(Derivations(1, 10, by_kiosk=2))
    for name in ("a", "b", "c", "d", "e"):
        crowd.come(name, "greedy")
    crowd.come("z", "other")
    assert crowd.refused == ["d", "e"], "one is served, two wait, the others come back later"
    crowd.end()
    assert set(crowd.served) == {"a", "b", "c", "z"}


def test_the_whole_queue_is_bounded() -> None:
    crowd = Crowd(Derivations(1, 3))
    for number in range(6):
        crowd.come(str(number), f"kiosk {number}")
    assert crowd.refused == ["4", "5"]
    crowd.end()


def test_callers_without_a_kiosk_share_one_place() -> None:
    crowd = Crowd(Derivations(1, 10, by_kiosk=2))
    for name in ("a", "b", "c", "d"):
        crowd.come(name, None)
    assert crowd.refused == ["d"]
    crowd.end()


def test_a_kiosk_that_was_served_may_wait_again() -> None:
    turns = Derivations(1, 10, by_kiosk=1)
    for _ in range(20):
        crowd = Crowd(turns)
        crowd.come("a", "1")
        crowd.come("b", "1")
        crowd.end()
        assert crowd.refused == []


def test_a_derivation_that_fails_gives_its_turn_back() -> None:
    turns = Derivations(1, 0)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), turns.turn("1"):
            _ = 1 / 0
    with turns.turn("1"), pytest.raises(Busy), turns.turn("1"):
        raise AssertionError


def test_many_at_once_lose_no_turn() -> None:
    turns, inside, most, lock = Derivations(2, 100, by_kiosk=100), [0], [0], threading.Lock()

    def derive() -> None:
        with turns.turn("1"):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.001)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=derive) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert most == [2]
    assert inside == [0]
