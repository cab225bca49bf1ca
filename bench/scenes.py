"""What is measured: the same requests to both, in turns (ABBA...), so that whatever else the machine does falls on both."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.bodies import Body
from bench.sides import Client, Person, Side

TURN_SECONDS = 0.5
ROUNDS_AT_LEAST, ROUNDS_AT_MOST = 2, 60
PERSON_MIB = 700  # of the 1000 MB that a person may keep

Sides = tuple[Side, Side]
Act = Callable[[], object]


@dataclass(frozen=True)
class Turn:
    """So many requests in a row to one of the two."""

    requests: int
    seconds: float
    processor: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


@dataclass
class Result:
    """One line of the table. Ratios compare turns that followed each other: above 1 the service is the faster one."""

    name: str
    mib: int
    at_once: int
    target: float | None = None
    turns: dict[str, list[Turn]] = field(default_factory=lambda: {"abri": [], "twin": []})

    def rate(self, side: str) -> float:
        """Requests a second, the median of its turns."""
        return statistics.median(turn.rate for turn in self.turns[side])

    def processor_ms(self, side: str) -> float:
        """Milliseconds of processor for each request, over all turns."""
        turns = self.turns[side]
        return 1000 * sum(turn.processor for turn in turns) / sum(turn.requests for turn in turns)

    @property
    def ratios(self) -> list[float]:
        """Of the rates, round by round."""
        return [ours.rate / theirs.rate for ours, theirs in zip(self.turns["abri"], self.turns["twin"], strict=True)]

    @property
    def ratio(self) -> float:
        """Of the rates: the median round."""
        return statistics.median(self.ratios)

    @property
    def processor_ratio(self) -> float:
        """Of the processor's work, the other way round: above 1 the service needs less."""
        return self.processor_ms("twin") / self.processor_ms("abri")


def compare(result: Result, turns: dict[str, Callable[[int], Turn]], *, seconds: float, most: int) -> Result:
    """Let both take turns for so long, after one that does not count. `most`: acts that each person may still do."""
    first = {side: turn(1) for side, turn in turns.items()}
    each = max(1, round(TURN_SECONDS / max(one.seconds for one in first.values())))
    rounds = max(ROUNDS_AT_LEAST, min(ROUNDS_AT_MOST, (most - 1) // each))
    end = time.monotonic() + seconds
    order = list(turns)
    while len(result.turns[order[0]]) < rounds and (time.monotonic() < end or len(result.turns[order[0]]) < ROUNDS_AT_LEAST):
        for side in order:
            result.turns[side].append(turns[side](each))
        order.reverse()
    return result


def over_http(
    sides: Sides, result: Result, begin: Callable[[Client], Act], *, seconds: float, people: dict[str, list[Person]] | None = None
) -> Result:  # fmt: skip
    """Measure one act over HTTP, by `at_once` clients at a time, each with a person of their own. `begin` is not measured."""
    with ExitStack() as stack:
        turns = {}
        for side in sides:
            persons = people[side.name] if people else side.new_people(result.at_once)
            clients = [Client(side, person) for person in persons]
            for client in clients:
                stack.callback(client.close)
            turns[side.name] = _turn(side, [begin(client) for client in clients])
        return compare(result, turns, seconds=seconds, most=PERSON_MIB // max(1, result.mib))


def _turn(side: Side, acts: Sequence[Act]) -> Callable[[int], Turn]:
    def turn(each: int) -> Turn:
        start = threading.Barrier(len(acts) + 1)

        def work(act: Act) -> None:
            start.wait(60)
            for _ in range(each):
                act()

        with ThreadPoolExecutor(len(acts)) as pool:
            working = [pool.submit(work, act) for act in acts]
            processor = side.processor_seconds()
            start.wait(60)
            began = time.perf_counter()
            for one in working:
                one.result()
            took = time.perf_counter() - began
        return Turn(each * len(acts), took, side.processor_seconds() - processor)

    return turn


def deposits(sides: Sides, body: Body, at_once: int, keep: str, *, seconds: float) -> Result:
    """Deposits of a photo: `received` is stored as it comes, `prepared` goes through the confined parser first."""
    name = "deposit, as received" if keep == "received" else "deposit, prepared"

    def begin(client: Client) -> Act:
        return lambda: client.deposit(body.content, keep)

    return over_http(sides, Result(name, body.mib, at_once, 0.85), begin, seconds=seconds)


def openings(sides: Sides, body: Body, at_once: int, *, seconds: float) -> Result:
    """Openings of a paper as it was received."""

    def begin(client: Client) -> Act:
        paper = client.deposit(body.content, "received")
        return lambda: client.open(paper, len(body.content))

    return over_http(sides, Result("open", body.mib, at_once, 0.8), begin, seconds=seconds)


def storing(sides: Sides, body: Body, place: str, *, seconds: float) -> Result:
    """The deposit of a paper that is prepared already, in process: sealing, files, rows and trace alone."""

    def turn(side: Side) -> Callable[[int], Turn]:
        def take(each: int) -> Turn:
            took = side.ask("deposit", place=place, times=each)
            return Turn(each, took["seconds"], took["cpu"])

        return take

    for side in sides:
        side.ask("prepare", place=place)
    result = Result("deposit, storage part (use case)", body.mib, 1, 0.85)
    return compare(result, {side.name: turn(side) for side in sides}, seconds=seconds, most=PERSON_MIB // body.mib)


@dataclass(frozen=True)
class Listing:
    """The list of so many papers, in milliseconds: the use case alone, the processor's part of a request, a whole request."""

    papers: int
    fastest: dict[str, float]
    use_case: dict[str, float]
    processor: dict[str, float]
    request: dict[str, float]


def listing(sides: Sides, papers: int, *, seconds: float) -> Listing:
    """List the papers of somebody who has so many."""
    people = {side.name: side.new_people(1) for side in sides}
    for side in sides:
        side.ask("fill", person=people[side.name][0].number, many=papers)
    use_case: dict[str, list[float]] = {side.name: [] for side in sides}
    request: dict[str, list[float]] = {side.name: [] for side in sides}
    end = time.monotonic() + seconds / 2
    while time.monotonic() < end or len(use_case["twin"]) < 20:
        for side in sides:
            use_case[side.name] += side.ask("list_papers", person=people[side.name][0].number, times=10)

    def timed(client: Client, kept: list[float]) -> Act:
        def act() -> None:
            began = time.perf_counter()
            assert client.list_papers() == papers
            kept.append(time.perf_counter() - began)

        return act

    with ExitStack() as stack:
        turns = {}
        for side in sides:
            client = Client(side, people[side.name][0])
            stack.callback(client.close)
            turns[side.name] = _turn(side, [timed(client, request[side.name])])
        whole = compare(Result("list", 0, 1), turns, seconds=seconds / 2, most=10_000)
    return Listing(
        papers,
        {name: 1000 * min(times) for name, times in use_case.items()},
        {name: 1000 * statistics.median(times) for name, times in use_case.items()},
        {name: whole.processor_ms(name) for name in use_case},
        {name: 1000 * statistics.median(times) for name, times in request.items()},
    )
