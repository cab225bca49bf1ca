"""Those who wait are served in the order of their arrival."""

import threading
import time

from storage.turns import FairLock


def test_first_come_first_served() -> None:
    lock, served, threads = FairLock(), [], []
    assert lock.acquire(timeout=1)

    def wait(number: int) -> None:
        assert lock.acquire(timeout=5)
        served.append(number)
        lock.release()

    for number in range(10):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(lock._waiting) <= number:  # until this one stands in the queue
            time.sleep(0.001)
    lock.release()
    for thread in threads:
        thread.join(5)
    assert served == list(range(10))


def test_who_gives_up_does_not_keep_the_turn() -> None:
    lock = FairLock()
    assert lock.acquire(timeout=1)
    assert not lock.acquire(timeout=0.01)
    lock.release()
    assert lock.acquire(timeout=0)
    lock.release()


def test_one_holder_at_a_time() -> None:
    lock, inside, worst = FairLock(), [0], [0]

    def hold() -> None:
        for _ in range(200):
            assert lock.acquire(timeout=5)
            inside[0] += 1
            worst[0] = max(worst[0], inside[0])
            inside[0] -= 1
            lock.release()

    threads = [threading.Thread(target=hold) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (worst, inside) == ([1], [0])
    assert lock.acquire(timeout=0)
