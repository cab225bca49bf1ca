"""Jobs of children that have been taken over: loaded into a confined interpreter by tests alone, through an argument."""

import ctypes
import errno
import mmap
import os
import pathlib
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vault.frames import frame

Result = tuple[dict[str, Any], list[bytes]]
Arguments = Mapping[str, Any]
libc = ctypes.CDLL(None, use_errno=True)
MARK = b"a mark that only the confined interpreter holds: " + b"marten"


def echo(arguments: Arguments, parts: tuple[bytes, ...]) -> Result:
    """Give everything back."""
    return dict(arguments), list(parts)


def sleep(arguments: Arguments, _: tuple[bytes, ...]) -> Result:
    """Do nothing for a while."""
    began = time.monotonic()
    time.sleep(arguments["seconds"])
    return {"slept": True, "pid": os.getpid(), "began": began, "ended": time.monotonic()}, []


def crash(_: Arguments, __: tuple[bytes, ...]) -> Result:
    """As a broken decoder ends."""
    os.abort()


def segfault(_: Arguments, __: tuple[bytes, ...]) -> Result:
    """As a broken decoder also ends."""
    ctypes.string_at(0)
    return {}, []


def loop(_: Arguments, __: tuple[bytes, ...]) -> Result:
    """Never end."""
    while True:
        pass


def grow(_: Arguments, __: tuple[bytes, ...]) -> Result:
    """Take memory until it is refused."""
    kept = []
    while True:
        kept.append(np.empty(32 << 20, np.uint8))  # reserved is enough: the limit is on addresses


def lie(arguments: Arguments, _: tuple[bytes, ...]) -> Result:
    """Write something else than an answer, then end or stay."""
    match arguments["how"]:
        case "garbage":
            os.write(1, b"\xff" * 4096)
        case "not JSON":
            os.write(1, (5).to_bytes(4, "big") + b"{{{{{")
        case "deep JSON":
            os.write(1, (100_000).to_bytes(4, "big") + b"[" * 100_000)
        case "negative":
            text = b'{"head": {}, "parts": [-1]}'
            os.write(1, len(text).to_bytes(4, "big") + text)
        case "too long":
            text = b'{"head": {}, "parts": [99999999999]}'
            os.write(1, len(text).to_bytes(4, "big") + text)
        case "half":
            os.write(1, frame({"a": 1}, [b"12345"])[0])
        case "more":
            os.write(1, b"".join(frame({"a": 1}, [b"12345"])) + b"6")
        case "unknown refusal":
            os.write(1, b"".join(frame({"refused": "SystemExit"})))
        case "silence":
            os.close(1)
            time.sleep(60)
    os._exit(0)


def surroundings(_: Arguments, __: tuple[bytes, ...]) -> Result:
    """What a child finds around it."""
    descriptors = []
    for number in range(256):
        try:
            found = os.fstat(number)
        except OSError:
            continue
        descriptors.append(_DEVICES.get(found.st_rdev) or stat.filemode(found.st_mode)[0])
    return {"environment": sorted(os.environ), "descriptors": descriptors, "user": os.geteuid()}, []


_DEVICES = {os.makedev(1, 3): "/dev/null", os.makedev(1, 9): "/dev/urandom"}


def break_out(_: Arguments, __: tuple[bytes, ...]) -> Result:
    """Push against every wall; the answer names what each push met."""
    return {what: _attempt(act) for what, act in PUSHES.items()}, []


def threads(_: Arguments, __: tuple[bytes, ...]) -> Result:
    """Decoders may have threads."""
    seen: list[int] = []
    workers = [threading.Thread(target=seen.append, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {"seen": sorted(seen)}, []


def _attempt(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as refused:
        return errno.errorcode.get(refused.errno or 0, "no number")
    return "allowed"


def _call(name: str, *arguments: object) -> None:
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def _system_call(number: int, *arguments: object) -> None:
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), str(number))


_PTRACE_ATTACH, _X86_64_IO_URING_SETUP, _BPF, _USERFAULTFD, _PIDFD_OPEN = 16, 425, 321, 323, 434

PUSHES: dict[str, Callable[[], object]] = {
    "read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "read this file": lambda: pathlib.Path(__file__).read_bytes(),
    "write a file": lambda: os.open("/tmp/planted", os.O_WRONLY | os.O_CREAT),
    "list a folder": lambda: os.listdir("/"),
    "remove a file": lambda: os.unlink("/tmp/planted"),
    "make a folder": lambda: os.mkdir("/tmp/planted"),
    "link": lambda: os.symlink("/etc/passwd", "/tmp/planted"),
    "read memory of others": lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDONLY),
    "internet": lambda: socket.socket(socket.AF_INET),
    "local socket": lambda: socket.socket(socket.AF_UNIX),
    "pair of sockets": socket.socketpair,
    "another program": lambda: os.execv("/bin/true", ["/bin/true"]),  # noqa: S606 - the push itself
    "another process": os.fork,
    "signal to the server": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "signal to oneself": lambda: signal.raise_signal(signal.SIGTERM),
    "signal to all": lambda: os.kill(-1, signal.SIGKILL),
    "trace the server": lambda: _call("ptrace", _PTRACE_ATTACH, os.getppid(), None, None),
    "become root": lambda: os.setresuid(0, 0, 0),
    "new namespace": lambda: _call("unshare", 0x10000000),
    "more open files": lambda: _call("setrlimit", 7, (ctypes.c_ulong * 2)(64, 64)),
    "memory as code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "io_uring": lambda: _system_call(_X86_64_IO_URING_SETUP, 1, None),
    "bpf": lambda: _system_call(_BPF, 0, None, 0),
    "userfaultfd": lambda: _system_call(_USERFAULTFD, 0),
    "pidfd": lambda: _system_call(_PIDFD_OPEN, os.getppid(), 0),
}

JOBS = {
    "echo": echo,
    "sleep": sleep,
    "crash": crash,
    "segfault": segfault,
    "loop": loop,
    "grow": grow,
    "lie": lie,
    "surroundings": surroundings,
    "break out": break_out,
    "threads": threads,
}
