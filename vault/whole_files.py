"""A small file that is the old one or the new one, also after a kill or a power cut: written beside, brought to the disk, put in place."""

import os
from pathlib import Path


def part_of(place: Path, writer: str = "") -> Path:
    """Where the new content is written, and what a killed process leaves."""
    return place.with_name(f".{place.name}{writer}.part")


def put(place: Path, content: str, *, mode: int = 0o600, writer: str = "") -> None:
    """Put this in the place of what is there; on the disk when this returns. OSError.

    `writer`: a name of each, where several processes may write at once: the last one stays, whole.
    """
    part = part_of(place, writer)
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
