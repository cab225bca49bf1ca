"""The queue of costly derivations: few at once, a short queue, no kiosk alone in it, kiosks in turns."""

import itertools
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
        return len(self.served) + len(self.refused) + self.turns.waiting

    def _stand(self, name: str, kiosk: str | None) -> None:
        try:
            with self.turns.turn(kiosk):
                self.served.append(name)
                self.go[name].wait(timeout=20)
        except Busy:
            self.refused.append(name)

    def leave(self, name: str) -> None:
        """Somebody has finished; returns once the next one holds the turn."""
        waiting = self.turns.waiting
        self.go[name].set()
        until(lambda: self.turns.waiting == max(0, waiting - 1))

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


def test_kiosks_take_turns_however_many_wait_before_one() -> None:
    crowd = Crowd(Derivations(1, 20, by_kiosk=5))
    for name in ("a1", "a2", "a3", "a4"):
        crowd.come(name, "guessing")
    crowd.come("b1", "right")
    crowd.come("c1", "third")
    crowd.come("b2", "right")
    for name in ("a1", "a2", "b1", "c1", "a3", "b2", "a4"):
        until(lambda served=name: crowd.served[-1] == served)
        crowd.leave(name)
    crowd.end()
    assert crowd.served == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


def test_one_kiosk_never_holds_the_last_place() -> None:
    crowd = Crowd(Derivations(3, 10, by_kiosk=5))
    for name in ("a1", "a2", "a3", "a4"):
        crowd.come(name, "guessing")
    assert crowd.served == ["a1", "a2"], "the third place is free, and not for them"
    crowd.come("b1", "right")
    assert crowd.served == ["a1", "a2", "b1"], "somebody else does not wait at all"
    crowd.come("b2", "right")
    crowd.leave("b1")
    until(lambda: crowd.served[3:] == ["b2"])
    crowd.leave("a1")
    until(lambda: crowd.served[4:] == ["a3"])
    crowd.end()
    assert crowd.turns.waiting == 0
    assert set(crowd.served) == {"a1", "a2", "a3", "a4", "b1", "b2"}


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
    turns, inside, most, lock, kiosks = Derivations(2, 100, by_kiosk=100), [0], [0], threading.Lock(), itertools.count()

    def derive() -> None:
        with turns.turn(str(next(kiosks) % 5)):
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
