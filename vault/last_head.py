"""The last head that this machine signed, in a file of its folder: whoever has the rows alone cannot put the trace back behind it.

Heads lie in the same database as the entries: without this file, a database that is put back to yesterday's, or of which heads, tree and
entries were rewritten together, contradicts nothing that the house itself remembers. One file for each name of the trace: after a restore
the trace is given another name, and begins anew there.
"""

import hashlib
import os
from pathlib import Path

import structlog

from crypto.errors import Malformed
from vault import whole_files
from vault.settings import Settings

log = structlog.get_logger()


def place(settings: Settings) -> Path:
    """The file, for the name that the trace has."""
    return settings.folder / f"trace-head-{hashlib.sha256(settings.trace_origin.encode()).hexdigest()[:16]}"


def read(settings: Settings) -> str | None:
    """The note of the last head; None when this machine has signed none under this name.

    Malformed when a file is there that cannot be read, or is no text: nothing is signed until somebody has looked.
    """
    try:
        return place(settings).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        log.error("the last head of the trace cannot be read in the folder", error=type(error).__name__)
        raise Malformed(f"the last head cannot be read: {type(error).__name__}") from None


def keep(settings: Settings, note: str) -> None:
    """Put the note in the place of the one before; on the disk when this returns, whole or not at all.

    A folder that cannot be written keeps no head from being signed: the log says so.
    """
    file = place(settings)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        whole_files.put(file, note, mode=0o644, writer=f".{os.getpid()}")
    except OSError as error:
        log.error("the last head of the trace is not kept in the folder", error=type(error).__name__)
