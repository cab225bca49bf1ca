"""Where the bytes of an upload go, block by block, each in a thread of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from vault.refusals import BadForm, TooHeavy

BLOCK_BYTES = 1024 * 1024
"""One hop to a thread for each MiB: with 64 KiB the hops cost half of the throughput."""


class Sink(Protocol):
    """Where the bytes of one file go."""

    def write(self, block: bytes) -> None:
        """Take the next bytes: BLOCK_BYTES, fewer at the end. Called in a thread, one call at a time."""

    def finish(self) -> None:
        """The file is whole. Called in a thread."""

    def abandon(self) -> None:
        """Undo everything, also after `finish`: the rest of the form failed or its sender left. Must not raise."""


class MemorySink:
    """Gathers a file that must be parsed, and never more than `limit` bytes of it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._blocks: list[bytes] = []
        self._length = 0
        self._whole = False

    def write(self, block: bytes) -> None:
        """Raises TooHeavy."""
        self._length += len(block)
        if self._length > self._limit:
            raise TooHeavy
        self._blocks.append(block)

    def finish(self) -> None:
        """From now on there is content."""
        self._whole = True

    def abandon(self) -> None:
        """Forget what was gathered."""
        self._blocks.clear()
        self._whole = False

    def content(self) -> bytes:
        """The whole file. Raises BadForm while it is not whole."""
        if not self._whole:
            raise BadForm("not whole")
        return self._blocks[0] if len(self._blocks) == 1 else b"".join(self._blocks)


class Blocks:
    """Fills blocks of BLOCK_BYTES and hands each to the sink in a thread: fewer, larger hops cost far less."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._filling = bytearray()

    async def add(self, piece: bytes) -> None:
        """Returns once the sink has taken every block that is full: that is the back-pressure."""
        self._filling += piece
        while len(self._filling) >= BLOCK_BYTES:
            block = bytes(memoryview(self._filling)[:BLOCK_BYTES])
            del self._filling[:BLOCK_BYTES]
            await in_thread(self._sink.write, block)

    async def finish(self) -> None:
        """Hand over what is left, and the word that it was all."""
        if self._filling:
            await in_thread(self._sink.write, bytes(self._filling))
        self._filling = bytearray()
        await in_thread(self._sink.finish)


async def in_thread(act: Callable[..., None], *arguments: bytes) -> None:
    """Do it in a thread and wait for it, also when we are cancelled meanwhile: a sink is never left in the middle."""
    doing = asyncio.ensure_future(asyncio.to_thread(act, *arguments))
    try:
        await asyncio.shield(doing)
    except asyncio.CancelledError:
        while not doing.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({doing})
        if not doing.cancelled():
            doing.exception()  # seen: the cancellation is what counts now
        raise


async def abandon_all(sinks: list[Sink], reason: BaseException) -> None:
    """Every sink, whatever happens to the others: a second cancellation, or one that raises against its promise."""
    if isinstance(reason, GeneratorExit):  # the coroutine is being closed and may not wait any more
        with contextlib.ExitStack() as one_after_the_other:
            for sink in sinks:
                one_after_the_other.callback(sink.abandon)
        return
    async with contextlib.AsyncExitStack() as one_after_the_other_in_threads:
        for sink in sinks:
            one_after_the_other_in_threads.push_async_callback(in_thread, sink.abandon)
