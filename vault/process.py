"""What a process that holds keys owes to them: no core dump, no debugger, errors without local variables, memory given back."""

import ctypes
import resource
import sys
from types import TracebackType

PR_SET_DUMPABLE = 4
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's mallopt(3)
_MIB = 1024 * 1024


def harden() -> None:
    """Refuse core dumps and attaching debuggers, print uncaught errors by class and place alone, keep little of what was freed."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        _give_memory_back(library)
    sys.excepthook = _short


def _give_memory_back(library: ctypes.CDLL) -> None:
    """Let large blocks go back to the kernel when they are freed, which gives them to nobody before it has wiped them.

    By itself glibc keeps them for each of forty threads. A part of a paper on its way to S3 is such a block; smaller ones come
    from two arenas that all threads share. A C library without mallopt has no such arenas.
    """
    if hasattr(library, "mallopt"):
        library.mallopt(_ARENA_MAX, 2)
        library.mallopt(_MMAP_THRESHOLD, 2 * _MIB)
        library.mallopt(_TRIM_THRESHOLD, 4 * _MIB)


def _short(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    place = ""
    while trace is not None:
        place, trace = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}", trace.tb_next
    sys.stderr.write(f"abri: {kind.__name__} at {place}\n")
