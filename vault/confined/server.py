"""The clean interpreter that lends one confined child to each job, forked and warm before the job arrives.

Started by exec with an empty environment and one descriptor: the control socket. It parses nothing itself. For each
job it receives three descriptors (the job's pipe, the answer's pipe, a leash), forks, and tells on the leash how the
child ended. Anything said on the leash, or its end, kills the child; the end of the control socket ends everything.
Run as a program: `python -I server.py CONTROL_FD SPARES [EXTRA_JOBS_FILE]`.
"""

import contextlib
import gc
import importlib
import itertools
import json
import os
import pathlib
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))  # isolated mode leaves our own packages out

from vault.confined import walls
from vault.frames import ENDING, ORDER


class ForkServer:
    """One loop over the control socket, the leashes and the deaths of children."""

    def __init__(
        self, control: socket.socket, serve: Callable[[int, int], None], limber: Callable[[], None], spares: int
    ) -> None:
        self._control = control
        self._chance = descriptors_of_chance()
        self._program = walls.seccomp_program()
        self._serve, self._limber = serve, limber
        self._leash_of: dict[int, socket.socket] = {}
        self._spares: dict[int, socket.socket] = {}
        self._wanted = spares
        self._selector = selectors.DefaultSelector()
        self._deaths, tell_death = os.pipe()
        for end in (self._deaths, tell_death):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(tell_death, warn_on_full_buffer=False)
        self._selector.register(control, selectors.EVENT_READ, self._take_order)
        self._selector.register(self._deaths, selectors.EVENT_READ, self._bury)

    def run(self) -> None:
        """Until the service closes its end."""
        while True:
            ready = self._selector.select(0)
            while not ready:
                if self._short():
                    self._keep_a_spare()  # only when nobody waits
                ready = self._selector.select(0 if self._short() else None)
            for key, _ in ready:
                try:
                    key.data()
                except EOFError:
                    return

    def _short(self) -> bool:
        """Whether one more child is to wait. While one works, the last that waits is enough: limbering up takes a processor from whoever
        waits for a page."""
        return len(self._spares) < (min(1, self._wanted) if self._leash_of else self._wanted)

    def _take_order(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self._control, ORDER.size, 3)
        if not message:
            raise EOFError
        job, answer, leash = descriptors
        child = self._hand_to_a_spare(message, job, answer)
        if child is None:
            server = os.getpid()
            child = os.fork()
            if child == 0:
                self._become_child(job, answer, server, *ORDER.unpack(message))
        os.close(job)
        os.close(answer)
        self._leash_of[child] = held = socket.socket(fileno=leash)
        self._selector.register(held, selectors.EVENT_READ, lambda: self._let_go(child, held))

    def _keep_a_spare(self) -> None:
        """Fork a child that waits for its one job. What a fork copies page by page is copied before anybody waits for it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server = os.getpid()
        child = os.fork()
        if child == 0:
            self._become_spare(theirs, server)
        theirs.close()
        self._spares[child] = ours

    def _hand_to_a_spare(self, order: bytes, job: int, answer: int) -> int | None:
        """The child that takes this order; None when none waits."""
        while self._spares:
            child = next(iter(self._spares))  # the one that waited longest is the warmest
            post = self._spares.pop(child)
            with post, contextlib.suppress(OSError):
                socket.send_fds(post, [order], [job, answer])
                return child
        return None

    def _become_spare(self, post: socket.socket, server: int) -> NoReturn:
        """Limber up over bytes of our own, then wait; an end of the post is the end of the server."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            close_all_but((0, 1, 2, post.fileno(), *self._chance))
            self._limber()
            order, descriptors, _, _ = socket.recv_fds(post, ORDER.size, 2)
            if order:
                job, answer = descriptors
                self._become_child(job, answer, server, *ORDER.unpack(order))
            os._exit(0)
        finally:
            os._exit(1)

    def _become_child(self, job: int, answer: int, server: int, cpu_seconds: int, memory_bytes: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(job, 0)
            os.dup2(answer, 1)
            os.dup2(silence, 2)  # decoders print what they dislike, and it is somebody's paper
            close_all_but((0, 1, 2, *self._chance))
            walls.raise_walls(walls.WallLimits(cpu_seconds, memory_bytes, self._program), parent=server)
            self._serve(0, 1)
            os._exit(0)
        finally:
            os._exit(1)  # nothing of a child may ever come back to this loop

    def _let_go(self, child: int, leash: socket.socket) -> None:
        if self._leash_of.get(child) is not leash:
            return  # buried a moment ago, in the same round
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        self._selector.unregister(leash)

    def _bury(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._deaths, 512):
                pass
        while True:
            try:
                child, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            spare, leash = self._spares.pop(child, None), self._leash_of.pop(child, None)
            if spare is not None:
                spare.close()
            if leash is None:
                continue
            with contextlib.suppress(KeyError):
                self._selector.unregister(leash)
            with contextlib.suppress(OSError):
                leash.send(ENDING.pack(status, used.ru_maxrss))
            leash.close()


def descriptors_of_chance() -> list[int]:
    """Where the loaded libraries read random bytes (qpdf does, for locked files): open already, and harmless."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}") == "/dev/urandom":
                found.append(int(name))
    return found


def close_all_but(kept: Sequence[int]) -> None:
    """Every other descriptor of this process."""
    bounds = [*sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for before, after in itertools.pairwise(bounds):
        os.closerange(before + 1, after)


def try_walls() -> list[dict[str, object]]:
    """Fork once, raise the walls there and push against each; the answer comes back as JSON on a pipe."""
    told, tell = os.pipe()
    server = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            limits = walls.WallLimits(cpu_seconds=10, memory_bytes=2 << 30, program=walls.seccomp_program())
            seen = walls.raise_walls(limits, parent=server, try_them=True)
            os.write(tell, json.dumps([{"name": w.name, "on": w.on, "detail": w.detail} for w in seen]).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(tell)
    with os.fdopen(told, "rb") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    seen_walls: list[dict[str, object]] = json.loads(text or b"[]")
    return seen_walls


def main(arguments: list[str]) -> None:
    """Raise what concerns the whole interpreter, load every parser, say so, and serve."""
    for sent_to_all in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sent_to_all, signal.SIG_IGN)  # a supervisor tells the whole group: the service ends us in its time
    control = socket.socket(fileno=int(arguments[0]))
    walls.hide_from_debuggers()
    jobs = importlib.import_module("vault.confined.jobs")
    extra: Mapping[str, object] = runpy.run_path(arguments[2]) if len(arguments) > 2 else {}
    serve, limber = jobs.ready_to_serve(extra.get("JOBS", {}))
    outside = walls.leave_the_network()  # after loading: in a namespace of its own a user may lose sight of files
    threads = len(os.listdir("/proc/self/task"))
    clean = walls.Wall(
        "clean-interpreter",
        on=threads == 1,
        detail=f"{threads} thread, {len(os.environ)} variables, {len(os.listdir('/proc/self/fd')) - 1} descriptors",
    )
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, pages shared with the children
    seen = [{"name": w.name, "on": w.on, "detail": w.detail} for w in (clean, outside)]
    server = ForkServer(control, serve, limber, spares=int(arguments[1]))
    control.send(json.dumps(seen + try_walls()).encode())
    server.run()


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # libraries have words to say when they are unloaded, and nobody listens
