"""The service's side of confinement: every foreign file is parsed by a confined child, one for each job.

`Confinement` starts a fresh interpreter (`vault.confined.server`) by exec, with an empty environment and closed
descriptors, so that it has never seen a key; that interpreter forks one walled child for each job. Jobs and answers
travel on pipes. What a child answers is a stranger's word: it is read strictly, and callers check what they take.
"""

import contextlib
import dataclasses
import fcntl
import json
import math
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from vault.errors import Busy
from vault.frames import ENDING, ORDER, BadFrame, FrameReader, Json, frame
from vault.lanes import LANE, Turns
from vault.refusals import (
    REFUSALS,
    ConfinementBusy,
    ConfinementUnavailable,
    PaperRefused,
    ParserCrashed,
    ParserTooGreedy,
    ParserTooSlow,
)

_SERVER = pathlib.Path(__file__).with_name("confined") / "server.py"
_START_SECONDS = 60.0  # about one second on a quiet machine
_BURIAL_SECONDS = 5.0
_PIPE_BYTES = 1024 * 1024
_READ_BYTES = 1024 * 1024
_MOST_WAITING, _WAITING_BY_LANE = 256, 16  # each holds a thread of the service
_SERVICE = ""  # the lane of what no request asked for

# Nothing of the service's environment goes along. One thread: a fork copies only one.
_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}


@dataclasses.dataclass(frozen=True, slots=True)
class ConfinementLimits:
    """How many children at once, and what one may use. With one alone, lanes share it in turns."""

    children: int = 2
    spares: int = 2  # children that wait, warm, for a job to come
    wait_seconds: float = 30.0  # for a free child
    seconds: float = 20.0  # wall clock for one job, unless the job says otherwise
    memory_bytes: int = 2 << 30
    answer_bytes: int = 256 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Layer:
    """One wall around the children, for the admin page; `detail` says what was met when it was tried."""

    name: str
    on: bool
    detail: str


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a child answered. Untrusted: it has read a foreign file."""

    head: dict[str, Json]
    parts: tuple[bytes, ...]


class _ServerLost(Exception):
    """The clean interpreter died under a job that may be innocent."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Server:
    process: subprocess.Popen[bytes]
    control: socket.socket
    layers: tuple[Layer, ...]


class Confinement:
    """Runs jobs in confined children; may be used from several threads, and restarts its interpreter if it died."""

    def __init__(self, limits: ConfinementLimits | None = None, *, insecure_extra_jobs: pathlib.Path | None = None) -> None:
        """`insecure_extra_jobs` is a Python file whose JOBS are added: for tests of hostile children only."""
        self.limits = limits or ConfinementLimits()
        self._extra_jobs = insecure_extra_jobs
        self._turns = Turns(
            self.limits.children, _MOST_WAITING, _WAITING_BY_LANE, seconds=self.limits.wait_seconds, trusted=_SERVICE
        )
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._closed = True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the clean interpreter and wait until every parser is loaded. Raises ConfinementUnavailable."""
        with self._lock:
            self._closed = False
        self._living()

    def close(self) -> None:
        """End the interpreter and whatever still runs in its children."""
        with self._lock:
            self._closed = True
            server, self._server = self._server, None
        if server is not None:
            _end(server)

    def layers(self) -> tuple[Layer, ...]:
        """Which walls stand, as they were found when they were tried at the start."""
        return self._living().layers

    def server_pid(self) -> int:
        """The process of the clean interpreter, for the administrator's page and for faults in tests."""
        return self._living().process.pid

    def run(
        self,
        job: str,
        arguments: Mapping[str, Json],
        parts: Sequence[bytes] = (),
        *,
        seconds: float | None = None,
    ) -> Answer:
        """Do one job in one child.

        Raises the refusal that the child named, ParserCrashed, ParserTooSlow or ParserTooGreedy when it did not
        answer, ConfinementBusy or ConfinementUnavailable when it is not the paper's fault.
        """
        pieces = frame({"job": job, "arguments": dict(arguments)}, parts)
        allowed = self.limits.seconds if seconds is None else seconds
        with self._place():
            try:
                answer = self._attempt(pieces, allowed)
            except _ServerLost:
                try:
                    answer = self._attempt(pieces, allowed)
                except _ServerLost as lost:
                    raise ConfinementUnavailable("the confined interpreter died twice") from lost
        refusal = answer.head.get("refused")
        if refusal is None:
            return answer
        detail = answer.head.get("detail")
        raise _named_refusal(refusal, detail if isinstance(detail, str) else "")

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        """A child, in the turn of whoever asks: one kiosk, one open account or all strangers together never hold the last one."""
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(self._turns.turn(LANE.get() or _SERVICE))
            except Busy as busy:
                raise ConfinementBusy("every confined child is busy") from busy
            yield

    def _attempt(self, pieces: Sequence[bytes], seconds: float) -> Answer:
        server = self._living()
        try:
            with contextlib.ExitStack() as open_ends:
                return _Errand(server.control, pieces, seconds, self.limits, open_ends).run()
        except _ServerLost:
            self._give_up(server)  # its socket breaks a moment before its process is seen to be dead
            raise

    def _give_up(self, server: _Server) -> None:
        with self._lock:
            if self._server is server:
                self._server = None
                _end(server)

    def _living(self) -> _Server:
        with self._lock:
            if self._closed:
                raise ConfinementUnavailable("not started")
            if self._server is not None and self._server.process.poll() is not None:
                _end(self._server)
                self._server = None
            if self._server is None:
                self._server = _start(self._extra_jobs, self.limits.spares)
            return self._server


def _start(extra_jobs: pathlib.Path | None, spares: int) -> _Server:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-I", "-B", str(_SERVER), str(theirs.fileno()), str(spares)]
    command += [str(extra_jobs)] if extra_jobs else []
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file, no shell
            command,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            close_fds=True,
            pass_fds=(theirs.fileno(),),
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the service, which then closes us
        )
    ours.settimeout(_START_SECONDS)
    try:
        told = ours.recv(64 * 1024)
        layers = tuple(Layer(str(wall["name"]), wall["on"] is True, str(wall["detail"])) for wall in json.loads(told))
    except (OSError, ValueError, KeyError, TypeError) as error:
        process.kill()
        process.wait()
        ours.close()
        raise ConfinementUnavailable("the confined interpreter did not start") from error
    ours.settimeout(None)
    return _Server(process, ours, layers)


def _end(server: _Server) -> None:
    server.control.close()
    try:
        server.process.wait(_BURIAL_SECONDS)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


class _Errand:
    """One job: three descriptors lent to a child, and a conversation with a deadline."""

    def __init__(
        self,
        control: socket.socket,
        pieces: Sequence[bytes],
        seconds: float,
        limits: ConfinementLimits,
        open_ends: contextlib.ExitStack,
    ) -> None:
        self._deadline = time.monotonic() + seconds
        self._reader = FrameReader(limits.answer_bytes)
        self._unwritten = [memoryview(piece) for piece in pieces if piece]
        self._job: int | None = None
        self._open_ends = open_ends
        self._order = ORDER.pack(math.ceil(seconds) + 1, limits.memory_bytes)
        self._control = control

    def run(self) -> Answer:
        self._lend()
        try:
            whole = self._converse()
        except BadFrame as error:
            raise ParserCrashed("bad frame") from error
        if not whole:
            self._explain_silence()
        head, parts = self._reader.message()
        return Answer(head, parts)

    def _lend(self) -> None:
        job_theirs, job_ours = os.pipe()
        answer_ours, answer_theirs = os.pipe()
        leash_ours, leash_theirs = socket.socketpair()
        self._open_ends.callback(self._close_job)
        self._open_ends.callback(os.close, answer_ours)
        self._open_ends.enter_context(leash_ours)
        self._job, self._answer, self._leash = job_ours, answer_ours, leash_ours
        try:
            _widen(job_ours)
            os.set_blocking(job_ours, False)
            os.set_blocking(answer_ours, False)
            lent = [job_theirs, answer_theirs, leash_theirs.fileno()]
            socket.send_fds(self._control, [self._order], lent)
        except (BrokenPipeError, ConnectionResetError) as lost:
            raise _ServerLost from lost
        finally:
            os.close(job_theirs)
            os.close(answer_theirs)
            leash_theirs.close()

    def _converse(self) -> bool:
        """Write the job and read the answer; false when the child closed its end before the answer was whole."""
        poll = select.poll()
        poll.register(self._answer, select.POLLIN)
        if self._job is not None:
            poll.register(self._job, select.POLLOUT)
        while True:
            left = self._deadline - time.monotonic()
            events = poll.poll(max(left, 0) * 1000)
            if left <= 0 or not events:
                self._kill()
                raise ParserTooSlow("wall clock")
            for descriptor, _ in events:
                if descriptor == self._answer:
                    piece = self._read()
                    if piece is not None and (not piece or self._reader.feed(piece)):
                        return bool(piece)
                elif not self._write():
                    poll.unregister(descriptor)
                    self._close_job()

    def _read(self) -> bytes | None:
        try:
            return os.read(self._answer, _READ_BYTES)
        except BlockingIOError:
            return None

    def _write(self) -> bool:
        """Write what fits; false when there is nothing left to write, or nobody to read it."""
        if self._job is None or not self._unwritten:
            return False
        try:
            written = os.write(self._job, self._unwritten[0])
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        self._unwritten[0] = self._unwritten[0][written:]
        if not self._unwritten[0]:
            self._unwritten.pop(0)
        return bool(self._unwritten)

    def _close_job(self) -> None:
        if self._job is not None:
            os.close(self._job)
            self._job = None

    def _kill(self) -> bytes:
        """Let go of the leash and wait for the server's word on how the child ended."""
        with contextlib.suppress(OSError):
            self._leash.shutdown(socket.SHUT_WR)
        return self._ending()

    def _ending(self) -> bytes:
        self._leash.settimeout(_BURIAL_SECONDS)
        try:
            return self._leash.recv(ENDING.size)
        except (TimeoutError, ConnectionResetError):
            return b""

    def _explain_silence(self) -> None:
        # The pipe closes a moment before the death is known: ask first, pull the leash only if it lingers.
        self._leash.settimeout(1.0)
        try:
            told = self._leash.recv(ENDING.size)
        except TimeoutError as lingering:
            self._kill()
            raise ParserCrashed("closed its pipe and stayed") from lingering
        except ConnectionResetError:
            told = b""
        if len(told) != ENDING.size:
            raise _ServerLost
        status, _ = ENDING.unpack(told)
        if not os.WIFSIGNALED(status):
            raise ParserCrashed(f"exit {os.waitstatus_to_exitcode(status)}")
        match os.WTERMSIG(status):
            case signal.SIGXCPU:
                raise ParserTooSlow("processor")
            case signal.SIGKILL:
                raise ParserTooGreedy("killed by the kernel")
            case other:
                raise ParserCrashed(f"signal {other}")


def _named_refusal(name: Json, detail: str) -> PaperRefused:
    refusal = REFUSALS.get(name) if isinstance(name, str) else None
    if refusal is None:
        return ParserCrashed("unknown refusal")
    return refusal(detail) if detail else refusal()


def _widen(pipe: int) -> None:
    # A refusal (the user's pipes are at their limit) only makes it slower.
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
