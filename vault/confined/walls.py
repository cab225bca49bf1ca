"""The walls around one confined child, raised after all imports and before the first foreign byte.

Each wall is independent: a kernel without one of them leaves the others standing, and the admin page says which are on.
What stays allowed is memory, time, threads and the two pipes that are already open. Linux only; sources: landlock(7),
seccomp(2), capabilities(7), setrlimit(2).
"""

import contextlib
import ctypes
import dataclasses
import errno
import importlib
import os
import platform
import resource
import socket
import struct
import types
from collections.abc import Callable
from typing import ClassVar

pyseccomp: types.ModuleType | None
try:
    pyseccomp = importlib.import_module("pyseccomp")
except RuntimeError:  # the C library is missing
    pyseccomp = None

libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 1, 4, 38, 39
_PR_SET_SECCOMP, _SECCOMP_FILTER = 22, 2
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIGKILL = 9
_NOBODY = 65534
_OPEN_FILES = 16


@dataclasses.dataclass(frozen=True, slots=True)
class WallLimits:
    """What one child may use: seconds of processor, bytes of address space, and the system calls of the filter."""

    cpu_seconds: int
    memory_bytes: int
    program: bytes | None


@dataclasses.dataclass(frozen=True, slots=True)
class Wall:
    """One layer: is it on, and what was seen when it was tried."""

    name: str
    on: bool
    detail: str


def leave_the_network() -> Wall:
    """Move the whole confined interpreter to an empty network of its own, while it has one thread."""
    # An ordinary user needs a user namespace for it. Root must not take one: it would only look like nobody.
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    try:
        _checked(libc.unshare(flags))
    except OSError as refused:
        return Wall("network-namespace", on=False, detail=_name(refused))
    try:
        seen = [name for _, name in socket.if_nameindex()]
    except OSError as refused:
        return Wall("network-namespace", on=False, detail=_name(refused))
    return Wall("network-namespace", on=set(seen) <= {"lo"}, detail="interfaces: " + (", ".join(seen) or "none"))


def hide_from_debuggers() -> None:
    """No core, no ptrace by a neighbour of the same user, first choice of the kernel when memory is short."""
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as score:
        score.write(b"800")


def raise_walls(limits: WallLimits, *, parent: int, try_them: bool = False) -> list[Wall]:
    """Raise all walls that this machine has, in the only order that works; with `try_them`, push against each."""
    walls = [
        _ordinary_user(),
        _limits(limits),
        _no_new_privileges(),
        _landlock(try_it=try_them),
        _seccomp(limits.program, try_it=try_them),
    ]
    if os.getppid() != parent:
        os._exit(1)  # the server died before the death signal was armed
    return walls


def _ordinary_user() -> Wall:
    detail = f"user {os.geteuid()}"
    try:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
            detail = f"user {_NOBODY}, was 0"
        _drop_capabilities()
    except OSError as refused:
        return Wall("ordinary-user", on=False, detail=_name(refused))
    finally:
        # A change of user clears the death signal and may set dumpable again: both come after it.
        libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return Wall("ordinary-user", on=os.geteuid() != 0, detail=detail + ", no capabilities")


def _drop_capabilities() -> None:
    header = struct.pack("=Ii", 0x20080522, 0)  # version 3, this thread
    _checked(libc.capset(header, bytes(24)))


def _limits(limits: WallLimits) -> Wall:
    wanted = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
    }
    for which, value in wanted.items():
        resource.setrlimit(which, (value, value))
    on = all(resource.getrlimit(which) == (value, value) for which, value in wanted.items())
    return Wall("limits", on=on, detail=f"{limits.memory_bytes >> 20} MiB, {limits.cpu_seconds} s of processor")


def _no_new_privileges() -> Wall:
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return Wall("no-new-privileges", on=libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, detail="")


# -- landlock: no path may be opened, made or removed; the numbers are the same on every machine --------------------

_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_FS_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many of the file rights exist
_NET_RIGHTS = 0b11  # bind and connect TCP, from ABI 4
_SCOPES = 0b11  # abstract sockets and signals, from ABI 6


def _landlock(*, try_it: bool) -> Wall:
    abi = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if abi < 1:
        return Wall("landlock", on=False, detail=errno.errorcode.get(ctypes.get_errno(), "absent"))
    attributes = [(1 << _FS_RIGHTS_BY_ABI.get(abi, 16)) - 1]
    attributes += [_NET_RIGHTS] if abi >= 4 else []
    attributes += [_SCOPES] if abi >= 6 else []
    packed = struct.pack(f"={len(attributes)}Q", *attributes)
    try:
        rules = _checked(libc.syscall(_LANDLOCK_CREATE, packed, ctypes.c_size_t(len(packed)), ctypes.c_uint32(0)))
        _checked(libc.syscall(_LANDLOCK_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0)))
        os.close(rules)
    except OSError as refused:
        return Wall("landlock", on=False, detail=_name(refused))
    met = _attempt(_open_for_reading) if try_it else "EACCES"
    return Wall("landlock", on=met == "EACCES", detail=f"ABI {abi}, opening a file: {met}")


# -- seccomp: a list of what is allowed; everything else fails with EPERM -------------------------------------------

_ALLOWED = (
    # the pipes; `newfstatat` serves fstat in newer C libraries
    "read", "readv", "write", "writev", "close", "lseek", "fstat", "newfstatat", "poll", "ppoll",
    # memory that does not become code: see below for mmap and mprotect
    "munmap", "mremap", "madvise", "brk",
    # threads of decoders, and their locks
    "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "exit", "exit_group", "membarrier",
    # time, chance, and knowing oneself
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "getrandom", "getpid",
    "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getrusage", "times", "sysinfo", "uname", "getcpu",
    "getcwd",  # Pillow asks when it saves
    # signals to handle, not to send: abort() then falls back to an illegal instruction, which ends it as well
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
)  # fmt: skip
_PROT_EXEC = 4
_THREAD = 0x00010000  # CLONE_THREAD: a thread of this child, never a new process


def seccomp_program() -> bytes | None:
    """The filter as the kernel takes it: made once, before the first fork; None where libseccomp is missing."""
    if pyseccomp is None:
        return None
    wall = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    argument = pyseccomp.Arg
    conditional = [
        ("mmap", argument(2, pyseccomp.MASKED_EQ, _PROT_EXEC, 0)),
        ("mprotect", argument(2, pyseccomp.MASKED_EQ, _PROT_EXEC, 0)),
        ("clone", argument(0, pyseccomp.MASKED_EQ, _THREAD, _THREAD)),
        ("prlimit64", argument(2, pyseccomp.EQ, 0)),  # reading a limit
    ]
    for name, *conditions in [*((name,) for name in _ALLOWED), *conditional]:
        try:
            wall.add_rule(pyseccomp.ALLOW, name, *conditions)
        except OSError as unknown:
            if unknown.errno != errno.EINVAL:  # a name that this libseccomp does not know yet stays forbidden
                raise
    # Its flags lie behind a pointer that no filter can read; with ENOSYS the C library falls back to clone.
    wall.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    with open(os.memfd_create("filter"), "w+b") as memory:
        wall.export_bpf(memory)
        memory.seek(0)
        return memory.read()


class _Program(ctypes.Structure):
    """struct sock_fprog: how many instructions of 8 bytes, and where they are."""

    _fields_: ClassVar = [("count", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def _seccomp(program: bytes | None, *, try_it: bool) -> Wall:
    if program is None:
        return Wall("seccomp", on=False, detail="libseccomp is not installed")
    told = _Program(len(program) // 8, program)
    try:
        _checked(libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_FILTER), ctypes.byref(told), 0, 0))
    except OSError as refused:
        return Wall("seccomp", on=False, detail=_name(refused))
    if not try_it:
        return Wall("seccomp", on=True, detail="")
    met = {what: _attempt(act) for what, act in _FORBIDDEN.items()}
    answers = ", ".join(f"{what}: {answer}" for what, answer in met.items())
    return Wall("seccomp", on=set(met.values()) == {"EPERM"}, detail=f"{platform.machine()}, {answers}")


def _open_for_reading() -> None:
    os.close(os.open("/etc/passwd", os.O_RDONLY))


def _open_for_writing() -> None:
    os.close(os.open("/dev/null", os.O_WRONLY))


def _open_a_socket() -> None:
    socket.socket().close()


def _become_another_program() -> None:
    os.execv("/bin/false", ["/bin/false"])  # noqa: S606 - tried behind the walls, to see it refused


_FORBIDDEN: dict[str, Callable[[], None]] = {
    "read a file": _open_for_reading,
    "write a file": _open_for_writing,
    "socket": _open_a_socket,
    "program": _become_another_program,
}


def _attempt(act: Callable[[], None]) -> str:
    try:
        act()
    except OSError as refused:
        return _name(refused)
    return "allowed"


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _name(refused: OSError) -> str:
    return errno.errorcode.get(refused.errno or 0, "unknown")
