"""The walls around foreign files: what a child that was taken over can do, and what the service makes of it."""

import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.vault import hostile_jobs
from vault.confinement import Confinement, ConfinementLimits
from vault.errors import Busy
from vault.lanes import LANE, Turns
from vault.refusals import (
    ConfinementBusy,
    ConfinementUnavailable,
    ParserCrashed,
    ParserTooGreedy,
    ParserTooSlow,
    Unreadable,
)

HOSTILE = pathlib.Path(hostile_jobs.__file__)
REPOSITORY = pathlib.Path(__file__).parents[2]
LAYERS = {
    "clean-interpreter",
    "network-namespace",
    "ordinary-user",
    "limits",
    "no-new-privileges",
    "landlock",
    "seccomp",
}
# What a kernel or a container may lack; the others are in our own hands.
DEPENDS_ON_THE_MACHINE = {"network-namespace": {"EPERM", "ENOSYS", "EINVAL", "ENOSPC"}, "landlock": {"ENOSYS", "EOPNOTSUPP"}}


NONE_WAITS = ConfinementLimits(spares=0)


@pytest.fixture(scope="module")
def besieged() -> Iterator[Confinement]:
    """A confinement whose children may be hostile. None waits, so that those that live are those that work."""
    with Confinement(NONE_WAITS, insecure_extra_jobs=HOSTILE) as started:
        yield started


@pytest.fixture(scope="module")
def lying_in_wait() -> Iterator[Confinement]:
    """The same with children that wait for their job, as the service has them."""
    with Confinement(insecure_extra_jobs=HOSTILE) as started:
        yield started


def still_works(confinement: Confinement) -> bool:
    """Whether an innocent job is answered."""
    return confinement.run("echo", {"a": 1}, [b"paper"]).parts == (b"paper",)


def children_of(confinement: Confinement) -> list[psutil.Process]:
    """The confined children that live now."""
    return psutil.Process(confinement.server_pid()).children()


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it holds soon."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_every_layer_is_on_and_was_tried(besieged: Confinement) -> None:
    layers = {layer.name: layer for layer in besieged.layers()}
    assert layers.keys() == LAYERS
    for name, layer in layers.items():
        assert layer.on or layer.detail in DEPENDS_ON_THE_MACHINE.get(name, set()), layer


def test_a_child_that_was_taken_over_gets_nowhere(besieged: Confinement) -> None:
    met = besieged.run("break out", {}).head
    assert met.keys() == hostile_jobs.PUSHES.keys()
    assert {what for what, answer in met.items() if answer == "allowed"} == set()
    assert not pathlib.Path("/tmp/planted").exists()
    assert psutil.pid_exists(besieged.server_pid())


def test_a_child_that_waited_has_the_same_walls_and_does_one_job(lying_in_wait: Confinement) -> None:
    assert within(20, lambda: len(children_of(lying_in_wait)) == 2)
    waiting = {child.pid for child in children_of(lying_in_wait)}
    met = lying_in_wait.run("break out", {}).head
    assert {what for what, answer in met.items() if answer == "allowed"} == set()
    assert within(20, lambda: len(children_of(lying_in_wait)) == 2)
    answers = [lying_in_wait.run("sleep", {"seconds": 0.01, "number": number}).head["pid"] for number in range(5)]
    assert len(set(answers)) == 5
    assert set(answers) & waiting  # the one that waited longest did work
    with pytest.raises(ParserCrashed):
        lying_in_wait.run("crash", {})
    with pytest.raises(ParserTooSlow):
        lying_in_wait.run("loop", {}, seconds=0.2)
    dying = children_of(lying_in_wait)
    for child in dying:
        child.kill()  # one that dies while it waits takes nobody's paper along
    assert within(20, lambda: not any(child.is_running() for child in dying))
    assert all(still_works(lying_in_wait) for _ in range(3))


def test_landlock_and_seccomp_each_refuse_alone(besieged: Confinement) -> None:
    layers = {layer.name: layer for layer in besieged.layers()}
    # landlock was tried before seccomp stood, so its refusal is its own; they answer with different numbers
    assert "EACCES" in layers["landlock"].detail
    assert all(f"{what}: EPERM" in layers["seccomp"].detail for what in ("read a file", "write a file", "socket", "program"))


def test_decoders_may_have_threads(besieged: Confinement) -> None:
    assert besieged.run("threads", {}).head == {"seen": [0, 1, 2, 3]}


def test_a_child_sees_neither_environment_nor_descriptors_of_the_service(
    besieged: Confinement, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("ABRI_SECRET", "marmot")
    with (tmp_path / "open").open("wb") as held:
        os.set_inheritable(held.fileno(), True)
        with Confinement(insecure_extra_jobs=HOSTILE) as started:
            found = started.run("surroundings", {}).head
    assert found["descriptors"] == ["p", "p", "/dev/null", "/dev/urandom"]
    assert found["user"] != 0
    assert "ABRI_SECRET" not in str(found["environment"])
    assert len(str(found["environment"])) < 200


def test_no_key_of_the_service_is_in_the_memory_of_the_interpreter(besieged: Confinement) -> None:
    key = secrets.token_bytes(32)
    if os.geteuid() != 0:
        with pytest.raises(PermissionError):
            memory_of(besieged.server_pid())
        return
    assert key in memory_of(os.getpid())
    memory = memory_of(besieged.server_pid())
    assert hostile_jobs.MARK in memory
    assert key not in memory


def memory_of(pid: int) -> bytes:
    """All that a process can write to, as it is now."""
    pieces = []
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps.splitlines():
            place = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if place is None or "[v" in line:
                continue
            start, end = int(place[1], 16), int(place[2], 16)
            try:
                memory.seek(start)
                pieces.append(memory.read(end - start))
            except OSError:
                continue
    return b"".join(pieces)


@pytest.mark.parametrize("job", ["crash", "segfault"])
def test_a_crash_has_a_name_and_the_service_goes_on(besieged: Confinement, job: str) -> None:
    with pytest.raises(ParserCrashed) as crashed:
        besieged.run(job, {})
    assert crashed.value.detail.startswith("signal")
    assert still_works(besieged)


def test_an_unknown_job_ends_its_child_alone(besieged: Confinement) -> None:
    with pytest.raises(ParserCrashed):
        besieged.run("no such job", {})
    assert still_works(besieged)


@pytest.mark.parametrize(("job", "arguments"), [("loop", {}), ("sleep", {"seconds": 60})])
def test_a_loop_meets_the_deadline_and_is_killed(besieged: Confinement, job: str, arguments: dict[str, int]) -> None:
    started = time.monotonic()
    with pytest.raises(ParserTooSlow):
        besieged.run(job, arguments, seconds=0.5)
    assert time.monotonic() - started < 15
    assert within(20, lambda: not children_of(besieged))
    assert still_works(besieged)


def test_growth_is_refused(besieged: Confinement) -> None:
    with pytest.raises(ParserTooGreedy):
        besieged.run("grow", {})
    assert still_works(besieged)


@pytest.mark.parametrize(
    ("sent", "refusal", "detail"),
    [(signal.SIGXCPU, ParserTooSlow, "processor"), (signal.SIGKILL, ParserTooGreedy, "kernel")],
)
def test_the_kernels_own_verdicts_have_names(
    besieged: Confinement, sent: signal.Signals, refusal: type[Unreadable], detail: str
) -> None:
    assert within(20, lambda: not children_of(besieged))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(besieged.run, "sleep", {"seconds": 10})
        assert within(20, lambda: bool(children_of(besieged)))
        time.sleep(0.3)
        children_of(besieged)[0].send_signal(sent)
        with pytest.raises(refusal, match=detail):
            under_way.result()


@pytest.mark.parametrize(
    "how",
    ["garbage", "not JSON", "deep JSON", "negative", "too long", "half", "more", "unknown refusal", "silence", "nothing"],
)
def test_a_child_that_lies_is_not_believed(besieged: Confinement, how: str) -> None:
    with pytest.raises(ParserCrashed):
        besieged.run("lie", {"how": how}, seconds=10)
    assert within(20, lambda: not children_of(besieged))
    assert still_works(besieged)


def test_jobs_and_answers_larger_than_any_pipe(besieged: Confinement) -> None:
    parts = [secrets.token_bytes(size) for size in (0, 1, 65_537, 12 << 20, 3)]
    answer = besieged.run("echo", {"texts": ["é", "\0", "🪪"]}, parts)
    assert list(answer.parts) == parts
    assert answer.head == {"texts": ["é", "\0", "🪪"]}


def test_many_threads_share_a_bounded_pool(besieged: Confinement) -> None:
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: besieged.run("sleep", {"seconds": 0.1, "number": number}).head, range(12)))
    assert len({answer["pid"] for answer in answers}) == 12  # one child for each job
    steps = sorted((moment, step) for answer in answers for moment, step in ((answer["began"], 1), (answer["ended"], -1)))
    assert max(itertools.accumulate(step for _, step in steps)) <= 2


def test_a_rush_of_short_jobs_is_served_by_one_interpreter(besieged: Confinement) -> None:
    """A child's death and the end of its leash arrive together, in any order."""
    server = besieged.server_pid()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: besieged.run("echo", {"number": number}).head["number"], range(150)))
    assert answers == list(range(150))
    assert besieged.server_pid() == server


def test_waiting_for_a_place_has_an_end() -> None:
    limits = ConfinementLimits(children=1, wait_seconds=0.2, spares=0)
    with Confinement(limits, insecure_extra_jobs=HOSTILE) as crowded, concurrent.futures.ThreadPoolExecutor(1) as pool:
        long = pool.submit(crowded.run, "sleep", {"seconds": 1.5})
        assert within(20, lambda: bool(children_of(crowded)))
        with pytest.raises(ConfinementBusy):
            crowded.run("echo", {})
        assert long.result().head["slept"] is True
        assert still_works(crowded)


def test_no_child_limbers_up_beside_one_that_works_as_long_as_another_waits(lying_in_wait: Confinement) -> None:
    """It took a processor from the page that somebody waited for; but whoever comes then still finds one that is warm."""
    assert within(20, lambda: len(children_of(lying_in_wait)) == 2)
    before = {one.pid for one in children_of(lying_in_wait)}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(lying_in_wait.run, "sleep", {"seconds": 1.0})
        time.sleep(0.5)
        assert {one.pid for one in children_of(lying_in_wait)} == before, "one works, one waits, and none was made"
        second = pool.submit(lying_in_wait.run, "sleep", {"seconds": 0.3})
        assert within(20, lambda: len(children_of(lying_in_wait)) == 3), "the last one went to work: another is made at once"
        assert first.result().head["slept"] is second.result().head["slept"] is True
    assert within(20, lambda: len(children_of(lying_in_wait)) == 2)


def test_strangers_who_send_pictures_never_hold_the_last_child(besieged: Confinement) -> None:
    """Fourteen at once, each a long job: somebody whose safe is open looks at a page as if they were alone."""

    def asked_by(lane: str, job: str, seconds: float = 0) -> bool:
        token = LANE.set(lane)
        try:
            return bool(besieged.run(job, {"seconds": seconds}).head)
        finally:
            LANE.reset(token)

    with concurrent.futures.ThreadPoolExecutor(14) as pool:
        crowd = [pool.submit(asked_by, "strangers", "sleep", 0.4) for _ in range(14)]
        assert within(20, lambda: bool(children_of(besieged)))
        for lane in ("account awa", "kiosk 1", "account awa"):
            assert asked_by(lane, "echo")
        assert sum(one.done() for one in crowd) < 14, "and nobody waited for the crowd to have gone"
        assert all(one.result() for one in crowd), "which is served as well, one by one"


def test_a_crowd_in_one_lane_is_told_to_come_back() -> None:
    turns = Turns(2, 10, 2, seconds=0.05, trusted="")
    with turns.turn("strangers"):
        with pytest.raises(Busy), turns.turn("strangers"):
            pytest.fail("one lane holds the last place")
        assert turns.waiting == 0, "who waited in vain has left the queue"
        with turns.turn("account awa"):
            pass
        with turns.turn(""):
            pass
    with turns.turn(""), turns.turn(""):
        pass


def test_nothing_leaks_from_job_to_job(besieged: Confinement) -> None:
    assert within(20, lambda: not children_of(besieged))
    before = len(os.listdir("/proc/self/fd"))
    server_before = psutil.Process(besieged.server_pid()).num_fds()
    for _ in range(10):
        still_works(besieged)
        with pytest.raises(ParserCrashed):
            besieged.run("crash", {})
    with pytest.raises(ParserTooSlow):
        besieged.run("loop", {}, seconds=0.1)
    assert len(os.listdir("/proc/self/fd")) == before
    assert within(20, lambda: psutil.Process(besieged.server_pid()).num_fds() == server_before)


def test_the_interpreter_is_started_again_when_it_died() -> None:
    with Confinement(NONE_WAITS, insecure_extra_jobs=HOSTILE) as started:
        first = started.server_pid()
        os.kill(first, signal.SIGKILL)
        assert still_works(started)
        assert started.server_pid() != first
        # and a job that was under way, which may be innocent, is tried once more
        assert within(20, lambda: not children_of(started))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(started.run, "sleep", {"seconds": 0.6})
            assert within(20, lambda: bool(children_of(started)))
            (child,) = children_of(started)
            os.kill(started.server_pid(), signal.SIGKILL)
            assert under_way.result().head["slept"] is True
        assert within(20, lambda: not child.is_running())


def test_closed_means_closed_and_can_be_started_again() -> None:
    confinement = Confinement(NONE_WAITS, insecure_extra_jobs=HOSTILE)
    with pytest.raises(ConfinementUnavailable):
        confinement.run("echo", {})
    confinement.start()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(confinement.run, "sleep", {"seconds": 30})
        assert within(20, lambda: bool(children_of(confinement)))
        server, (child,) = psutil.Process(confinement.server_pid()), children_of(confinement)
        confinement.close()
        with pytest.raises((ConfinementUnavailable, Unreadable)):
            under_way.result(timeout=10)
    assert within(20, lambda: not server.is_running() and not child.is_running())
    confinement.start()
    assert still_works(confinement)
    confinement.close()


def test_an_interpreter_that_cannot_start_is_our_fault(tmp_path: pathlib.Path) -> None:
    broken = tmp_path / "jobs.py"
    broken.write_text("import no_such_module\n")
    with pytest.raises(ConfinementUnavailable):
        Confinement(insecure_extra_jobs=broken).start()


_SERVICE = """
import pathlib, sys, threading, time
sys.path.insert(0, sys.argv[1])
from vault.confinement import Confinement
confinement = Confinement(insecure_extra_jobs=pathlib.Path(sys.argv[2]))
confinement.start()
"""


def test_when_the_service_is_killed_its_children_go_too() -> None:
    program = _SERVICE + (
        "threading.Thread(target=confinement.run, args=('loop', {}), kwargs={'seconds': 50}).start()\n"
        "print(confinement.server_pid(), flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(REPOSITORY), str(HOSTILE)], stdout=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout is not None
        server = psutil.Process(int(service.stdout.readline()))
        assert within(20, lambda: bool(server.children()))
        children = server.children()  # those that wait go too
        service.kill()
        service.wait()
        assert within(20, lambda: not server.is_running() and not any(child.is_running() for child in children))


def test_an_ordinary_user_has_the_same_walls() -> None:
    program = _SERVICE + (
        "import json, os\n"
        "met = confinement.run('break out', {}).head\n"
        "around = confinement.run('surroundings', {}).head\n"
        "layers = [(layer.name, layer.on, layer.detail) for layer in confinement.layers()]\n"
        "confinement.close()\n"
        "print(json.dumps([os.geteuid(), met, around, layers]))\n"
    )
    command = [sys.executable, "-c", program, str(REPOSITORY), str(HOSTILE)]
    if os.geteuid() == 0:
        # The interpreter of a developer may lie in a folder that only root enters: reading is the one right that stays.
        reading = "-all,+dac_read_search"
        command = [
            "setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", f"--inh-caps={reading}",
            f"--ambient-caps={reading}", *command,
        ]  # fmt: skip
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    user, met, around, layers = json.loads(told.stdout)
    assert user != 0
    assert around["user"] not in (0, None)
    assert {what for what, answer in met.items() if answer == "allowed"} == set()
    for name, on, detail in layers:
        assert on or detail in DEPENDS_ON_THE_MACHINE.get(name, set()), (name, detail)


def test_the_service_itself_loads_no_parser() -> None:
    """What is imported can be called; what is not, cannot parse anybody's paper by mistake."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import vault.confinement, vault.intake, vault.preparing, vault.rendering\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules if not name.startswith('vault.')}\n"
        "  | {name for name in sys.modules if name.startswith('vault.confined')}))\n"
    )
    told = subprocess.run([sys.executable, "-c", program, str(REPOSITORY)], check=True, capture_output=True, text=True)
    for parser in ("PIL", "cv2", "numpy", "pikepdf", "pypdfium2", "img2pdf", "pi_heif", "zxingcpp", "vault.confined"):
        assert f"'{parser}" not in told.stdout


def test_only_the_confined_package_names_a_parser() -> None:
    naming = re.compile(
        r"^\s*(?:import|from)\s+(PIL|cv2|pikepdf|pypdfium2|img2pdf|pi_heif|zxingcpp|vault\.confined)\b", re.MULTILINE
    )
    parsing = {
        str(path.relative_to(REPOSITORY))
        for package in ("crypto", "consent", "storage", "vault")
        for path in (REPOSITORY / package).rglob("*.py")
        if naming.search(path.read_text()) and "confined" not in path.parts
    }
    assert parsing <= {"vault/printed.py"}  # it draws the cards that we have made ourselves
