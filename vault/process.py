"""What a process that holds keys owes to them: no core dump, no debugger, errors printed without local variables."""

import ctypes
import resource
import sys
from types import TracebackType

PR_SET_DUMPABLE = 4


def harden() -> None:
    """Refuse core dumps and attaching debuggers, and print uncaught errors by class and place alone."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    sys.excepthook = _short


def _short(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    place = ""
    while trace is not None:
        place, trace = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}", trace.tb_next
    sys.stderr.write(f"abri: {kind.__name__} at {place}\n")
