"""One reply between the connection that fills it and the one task that empties it."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.landing import Landing
from authgw.upstream.wire import Head

# What is waited for, by the reason that is given when it does not come in time.
AWAITED = {
    Reason.UPSTREAM_SEND_TIMEOUT: "the request was not taken",
    Reason.UPSTREAM_REPLY_TIMEOUT: "no reply",
    Reason.UPSTREAM_IDLE_TIMEOUT: "no more of the reply",
    Reason.UPSTREAM_WHOLE_TIMEOUT: "the reply was not whole",
}


class Incoming:
    """Bytes wait here, bounded: with half of what the landing takes at once the connection stops reading, and goes on
    when the reader has taken all of it and waits. While a reader rests, what comes next stays in the kernel.

    A reply that ended, well or badly, no longer knows its connection; what is buffered can still be read, and the
    failure comes after it. A deadline (of the loop's clock) is set only while the reader waits, so that a slow client
    never counts as a slow upstream. `whole`: seconds for all of it, until `unbounded` is called.
    """

    # How each begins.
    head: Head | None = None
    started = done = False
    error: UpstreamError | None = None
    size = 0
    _deadline = math.inf
    _late, _seconds = Reason.UPSTREAM_REPLY_TIMEOUT, 0.0
    _paused = False
    _waiter: asyncio.Future[None] | None = None

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        landing: Landing,
        pause: Callable[[], None],
        resume: Callable[[], None],
        whole: float = math.inf,
    ) -> None:
        self._ends, self._whole = loop.time() + whole, whole
        self._pieces: deque[bytes] = deque()
        self._loop, self._landing = loop, landing
        self._pause, self._resume = pause, resume

    # the connection's side

    def put(self, pieces: list[bytes]) -> None:
        self._pieces.extend(pieces)
        self.size += sum(map(len, pieces))
        if self.size >= self._landing.size // 2 and not self._paused:
            self._paused = True
            self._pause()
        self.wake()

    def end(self, error: UpstreamError | None = None) -> None:
        """The last that the connection says."""
        self.done = error is None
        self.error = error
        self._read_on()
        self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # the reader's side

    async def wait(self, late: Reason, seconds: float, ends: float = 0.0) -> None:
        """Until anything happens. The sweeper ends the reply with the reason `late` after so many seconds from now, or
        at `ends` where that is given, or with UPSTREAM_WHOLE_TIMEOUT."""
        self._deadline = min(ends or self._loop.time() + seconds, self._ends)
        self._late, self._seconds = late, seconds
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter, self._deadline = None, math.inf

    def overdue(self, now: float) -> UpstreamError | None:
        """What has been waited for too long."""
        if self._deadline > now:
            return None
        whole = self._deadline == self._ends
        late, seconds = (Reason.UPSTREAM_WHOLE_TIMEOUT, self._whole) if whole else (self._late, self._seconds)
        return UpstreamError(late, f"{AWAITED[late]} within {seconds:g} s")

    def unbounded(self) -> None:
        """The reply is handed on as it comes: there is no bound on all of it, only on its pauses."""
        self._ends = math.inf

    async def when_head(self, seconds: float) -> Head:
        ends = self._loop.time() + seconds
        while self.head is None:
            if self.error is not None:
                raise self.error
            await self.wait(Reason.UPSTREAM_REPLY_TIMEOUT, seconds, ends)
        return self.head

    async def piece(self, seconds: float) -> bytes:
        """The next bytes of the body, empty at its end."""
        while not self._pieces:
            if self.error is not None:
                raise self.error
            if self.done:
                return b""
            self._read_on()
            await self.wait(Reason.UPSTREAM_IDLE_TIMEOUT, seconds)
        piece = self._pieces.popleft()
        self.size -= len(piece)
        return piece

    async def ahead(self, count: int, seconds: float) -> bytes | None:
        """The whole body without taking it away, or None if it is longer than `count` bytes."""
        while self.size <= count and not self.done:
            if self.error is not None:
                raise self.error
            self._read_on()
            await self.wait(Reason.UPSTREAM_IDLE_TIMEOUT, seconds)
        return b"".join(self._pieces) if self.size <= count else None

    def rest(self, count: int) -> bytes | None:
        """What is left of a body that is whole, or None if that is more than `count` bytes. Nothing is taken away."""
        return b"".join(self._pieces) if self.size <= count else None

    def _read_on(self) -> None:
        if self._paused:
            self._paused = False
            self._resume()

    def discard(self) -> None:
        self._pieces.clear()
        self.size = 0
