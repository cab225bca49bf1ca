"""The right person at one kiosk while another kiosk guesses: a thousand wrong attempts in flight, all the time.

The whole service in a process of its own, at the cost of production, on SQLite and a folder. A person shows their card, is asked
for the code, types it and is in; again and again, first alone, then while a thousand connections of another kiosk each try codes
on cards of their own and try again as soon as they are answered. The target: 95 of 100 unlocks under that load take at most five
times what they take alone, and the memory stays within a bound. In bounded time, on loopback: about two minutes. It ends with 1
when one of the two is missed.
"""

import argparse
import asyncio
import collections
import dataclasses
import http.client
import multiprocessing
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from storage.migrate import upgrade
from tests.engines import sqlite_urls
from tests.faults import service
from tests.faults.service import Service
from tests.vault.builders import MadePerson, make_office, make_person
from tests.vault.clock import Clock
from vault import cards, kiosks, people, sessions
from vault.context import Context
from vault.kiosks import Equipment
from vault.settings import Limits

PARALLEL, UNLOCKS, TARGET = 1000, 40, 5.0
DERIVATION, CONNECTIONS = 64, 128  # MiB: of one derivation, and for a thousand connections that are open at once
WRONG = "314159"
MIB = 1024 * 1024
TOKEN = re.compile(rb'name="token" value="([0-9a-f]+)"')


@dataclass(frozen=True)
class Told:
    """Seconds of each right unlock and of its code alone; MiB of memory at most; how the wrong attempts were answered."""

    idle: list[float]
    loaded: list[float]
    idle_codes: list[float]
    loaded_codes: list[float]
    resting: float
    peak: float
    answers: dict[str, int]

    @property
    def ratio(self) -> float:
        """What the target is about."""
        return _p95(self.loaded) / _p95(self.idle)

    @property
    def bound(self) -> float:
        """MiB: what the service holds at rest, the derivations that run at once, and the connections."""
        return self.resting + Limits().derivations_at_once * DERIVATION + CONNECTIONS

    def missed(self) -> list[str]:
        """Which targets were missed, in words."""
        slow = f"missed: p95 under load is {self.ratio:.1f} times what it is alone, more than {TARGET:.0f}"
        large = f"missed: {self.peak:.0f} MiB under load, more than {self.bound:.0f}"
        return [words for words, wrong in ((slow, self.ratio > TARGET), (large, self.peak > self.bound)) if wrong]

    def lines(self) -> list[str]:
        """For people."""
        kinds = ", ".join(f"{many} times {kind}" for kind, many in sorted(self.answers.items()))
        return [
            f"Right unlocks at another kiosk (card, page, code), milliseconds: alone {_ms(self.idle)}; under load {_ms(self.loaded)}",
            f"p95 under load / p95 alone: {self.ratio:.1f} (target: at most {TARGET:.0f})",
            f"The code alone: alone {_ms(self.idle_codes)}; under load {_ms(self.loaded_codes)}",
            f"Memory of the service: {self.resting:.0f} MiB before, at most {self.peak:.0f} MiB under load (bound: {self.bound:.0f})",
            f"Wrong attempts, by status: {kinds}",
        ]


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _ms(times: list[float]) -> str:
    return f"p50 {1000 * statistics.median(times):.0f}, p95 {1000 * _p95(times):.0f}"


class Screen:
    """The browser of one kiosk."""

    def __init__(self, running: Service, kiosk: str) -> None:
        self._host, self._kiosk = running.base.partition("//")[2], kiosk
        self._connection = http.client.HTTPConnection(self._host, timeout=120)
        self._origin = running.base

    def ask(self, method: str, path: str, cookie: str = "", **form: str) -> tuple[int, bytes, str]:
        """The status, the page, and the session's cookie if it changed."""
        cookies = f"__Host-borne={self._kiosk}" + (f"; __Host-abri={cookie}" if cookie else "")
        headers = {"Cookie": cookies, "Sec-Fetch-Site": "same-origin"}
        body = None
        if method == "POST":
            headers["Content-Type"], body = "application/x-www-form-urlencoded", urllib.parse.urlencode(form)
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        page = answer.read()
        found = re.search(r"__Host-abri=([^;]+)", answer.headers.get("set-cookie", ""))
        return answer.status, page, found[1] if found else cookie

    def unlock(self, person: MadePerson) -> tuple[float, float]:
        """Show the card, come to the page of the code, type it: seconds in all, and of the code alone."""
        began = time.perf_counter()
        status, _, cookie = self.ask("POST", "/fr/carte", card=person.card)
        assert status == 303, status
        status, page, cookie = self.ask("GET", "/fr/code", cookie)
        token = TOKEN.search(page)
        assert token is not None, (status, page[:500])
        typed = time.perf_counter()
        status, page, cookie = self.ask("POST", "/fr/code", cookie, token=token[1].decode(), code=person.code)
        assert status == 303, (status, page[:500])
        done = time.perf_counter()
        return done - began, done - typed


def wrong_attempts(context: Context, kiosk: str, token: str, host: str, many: int) -> list[bytes]:
    """So many requests that try a code, each on a card of its own that was shown at this kiosk."""

    def one(_: int) -> bytes:
        (card,) = cards.new_cards(1)
        cookie = people.present_card(context, kiosk, card.text)
        form = urllib.parse.urlencode({"token": sessions.find(context, cookie).form_token, "code": WRONG})
        return (
            f"POST /fr/code HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\n"
            f"Cookie: __Host-borne={token}; __Host-abri={cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(form)}\r\n\r\n{form}"
        ).encode()

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(many)))


def guess(host: str, requests: list[bytes], stop: Event, answers: "multiprocessing.Queue[dict[str, int]]") -> None:
    """In a process of its own: every request in flight, and again as soon as it is answered, until told to stop."""
    told: collections.Counter[str] = collections.Counter()
    name, _, port = host.partition(":")

    async def one(request: bytes) -> None:
        while not stop.is_set():
            try:
                reader, writer = await asyncio.open_connection(name, int(port))
            except OSError:
                told["no connection"] += 1
                await asyncio.sleep(0.1)
                continue
            try:
                while not stop.is_set():
                    writer.write(request)
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = re.search(rb"(?i)content-length: (\d+)", head)
                    await reader.readexactly(int(length[1]) if length else 0)
                    told[head[9:12].decode()] += 1
            except (OSError, asyncio.IncompleteReadError):
                told["hung up"] += 1
            finally:
                writer.close()

    async def all_of_them() -> None:
        tasks = [asyncio.create_task(one(request)) for request in requests]
        while not stop.is_set():
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(all_of_them())
    answers.put(dict(told))


class Watch(threading.Thread):
    """How much memory the service holds at most, looked at 20 times a second."""

    def __init__(self, running: Service) -> None:
        super().__init__(daemon=True)
        self._running, self._over, self.most = running, threading.Event(), 0

    def run(self) -> None:
        """Look until told to stop."""
        while not self._over.wait(0.05):
            self.most = max(self.most, self._running.resident())

    def stop(self) -> float:
        """MiB at most."""
        self._over.set()
        self.join()
        return self.most / MIB


def two_kiosks(context: Context) -> tuple[str, str]:
    """The tokens of two kiosks of one structure. Administrators sign in with a clock of their own."""
    office = make_office(dataclasses.replace(context, clock=Clock(context.clock())))
    session = office.admin
    guessing, right = (kiosks.enrol(context, session, office.structure, name, Equipment()) for name in ("poste 2", "poste 3"))
    return guessing, right


def unlocks(screen: Screen, person: MadePerson, many: int, seconds: float) -> tuple[list[float], list[float]]:
    """So many right unlocks in a row, fewer when they take too long: seconds of each, and of the codes alone."""
    end = time.monotonic() + seconds
    whole: list[float] = []
    codes: list[float] = []
    while len(whole) < many and (time.monotonic() < end or len(whole) < 2):
        took, code = screen.unlock(person)
        whole.append(took)
        codes.append(code)
    return whole, codes


def measure(folder: Path, parallel: int, many: int, seconds: float) -> Told:
    """Alone, then under load."""
    urls = sqlite_urls(folder)
    upgrade(urls)
    stores = service.stores(folder, urls, folder / "papers")
    with service.running(stores) as (running,), stores.context() as context:
        guessing, right = two_kiosks(context)
        person = make_person(context)
        host = running.base.partition("//")[2]
        requests = wrong_attempts(context, kiosks.by_token(context, guessing).id, guessing, host, parallel)
        screen = Screen(running, right)
        unlocks(screen, person, 3, seconds)
        idle, idle_codes = unlocks(screen, person, many, seconds)
        resting = running.resident() / MIB
        spawn = multiprocessing.get_context("spawn")
        stop, answers = spawn.Event(), spawn.Queue()
        attacker = spawn.Process(target=guess, args=(host, requests, stop, answers), daemon=True)
        watch = Watch(running)
        attacker.start()
        watch.start()
        time.sleep(3)
        loaded, loaded_codes = unlocks(screen, person, many, seconds)
        stop.set()
        peak, told = watch.stop(), answers.get(timeout=60)
        attacker.join(20)
    return Told(idle, loaded, idle_codes, loaded_codes, resting, peak, told)


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    options = argparse.ArgumentParser(prog="python -m bench.unlocking", description=__doc__)
    options.add_argument("--parallel", type=int, default=PARALLEL, help=f"wrong attempts in flight (default: {PARALLEL})")
    options.add_argument("--unlocks", type=int, default=UNLOCKS, help=f"right unlocks, alone and under load (default: {UNLOCKS})")
    options.add_argument("--seconds", type=float, default=60, help="at most, for each of the two (default: 60)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="abri-bench-", dir="/var/tmp") as made:
        return report(measure(Path(made), chosen.parallel, chosen.unlocks, chosen.seconds))


def report(told: Told) -> int:
    """Print what was measured and what was missed; 1 when something was."""
    missed = told.missed()
    print("\n".join([*told.lines(), *missed]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
