"""Bodies on their way: what they may hold of the memory, lane by lane, and how long they may take.

A photo or a form is read whole before anything is done with it, and whoever sends it decides how much and how slowly. A thousand
bodies that are never ended would fill the memory of the service, whatever the lanes at the door say of places. So what each lane's
bodies hold together is counted while they come; what is beyond is refused, and nothing of it is kept. What streams into a sealed
object holds no memory and is not counted.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.types import Receive

from vault.errors import Busy
from vault.lanes import LANE
from vault.refusals import BadForm


@dataclass(frozen=True)
class Pace:
    """How long a body may take: some seconds for any, and more for each byte that came. The slowest mobile network is faster."""

    seconds: float = 60
    bytes_a_second: int = 4 * 1024

    def allows(self, received: int) -> float:
        """Seconds of waiting, in all."""
        return self.seconds + received / self.bytes_a_second


class Gathered(Counter[str]):
    """Bytes of bodies in memory, by who answers for them. One process, one event loop: nothing here is locked."""


class Held:
    """What the body of one request holds, until it is answered."""

    def __init__(self, gathered: Gathered, lane: str, most: int) -> None:
        self._gathered, self._lane, self._most = gathered, lane, most
        self._mine = 0

    def count_for(self, lane: str) -> None:
        """Somebody else answers for this body and what is done with it: who gave the link that it comes by, not all strangers."""
        LANE.set(lane)
        mine, self._mine = self._mine, 0
        self._give_back(mine)
        self._lane = lane
        self.add(mine)

    def add(self, length: int) -> None:
        """So many bytes more; Busy when those of this lane hold as much as they may."""
        if self._gathered[self._lane] + length > self._most:
            raise Busy
        self._gathered[self._lane] += length
        self._mine += length

    def let_go(self) -> None:
        """The request is answered."""
        mine, self._mine = self._mine, 0
        self._give_back(mine)

    def _give_back(self, length: int) -> None:
        self._gathered[self._lane] -= length
        if not self._gathered[self._lane]:
            del self._gathered[self._lane]


def held_by(request: Request[Any, Any, Any]) -> Held | None:
    """What the door counts for this request; None where the application stands alone, as in most tests."""
    found: Held | None = request.scope["state"].get("held")
    return found


async def gathering(request: Request[Any, Any, Any]) -> AsyncGenerator[bytes, None]:
    """The body of a request that is kept in memory, piece by piece. Raises Busy when its lane holds as much as it may."""
    held = held_by(request)
    async for piece in request.stream():
        if held is not None:
            held.add(len(piece))
        yield piece


def in_time(receive: Receive, pace: Pace) -> Receive:
    """The same, but BadForm when the body takes too long to come. Waiting for the end of a download is not limited.

    Only waiting counts: what is done with one piece before the next is asked for (a paper parsed, a block sealed) is our own time.
    """
    waited, received, whole = 0.0, 0, False

    async def coming() -> Any:
        nonlocal waited, received, whole
        if whole:
            return await receive()
        time = asyncio.get_running_loop().time
        begun = time()
        try:
            async with asyncio.timeout(pace.allows(received) - waited):
                message: dict[str, Any] = dict(await receive())
        except TimeoutError as late:
            raise BadForm("too slow") from late
        waited += time() - begun
        received += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        return message

    return coming
