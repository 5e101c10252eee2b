"""Who still waits for an answer: clients that leave, or take nothing, end the work that is done for them.

One timer looks at everything that takes long. Requests that are answered at once are never looked at, so that most
cost neither a task nor a timer (measured: two tasks and a timer for each were 45 of 200 µs).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Receive = Callable[[], Awaitable[dict[str, Any]]]
T = TypeVar("T")

# Between two looks. What is found under way at two of them is watched from then on.
LOOK_SECONDS = 0.25


# Between two looks at the session of what takes long: its end is felt within one second.
ALIVE_SECONDS = 0.4


# Bytes a second that a client takes at the least, beyond his patience at the start: one that trickles would keep a
# session of the service account for as long as it liked.
SLOWEST = 16 * 1024


class ClientGone(Exception):
    """The client left before it was answered: there is nobody to tell."""


class SessionEnded(Exception):
    """The session ended while something was being done for it."""


Still = Callable[[], Awaitable[bool]]


class Watch:
    """All the work under way that is given up when nobody waits for it any more."""

    def __init__(self) -> None:
        self.under_way: set[Work] = set()
        self._timer: asyncio.TimerHandle | None = None

    def work(self, receive: Receive, patience: float, still: Still | None = None) -> Work:
        """Something to do for the client behind `receive`. `still`: whether his session lives, asked now and then."""
        return Work(self, receive, patience, still)

    def begin(self, work: Work) -> None:
        self.under_way.add(work)
        if self._timer is None:
            self._timer = work.loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        for work in tuple(self.under_way):
            work.look()
        running = asyncio.get_running_loop() if self.under_way else None
        self._timer = running.call_later(LOOK_SECONDS, self._look) if running else None


class Work:
    """What one task does for one client. Used once. `patience`: seconds for which the client may take nothing."""

    __slots__ = (
        "_gone", "_listeners", "_looked_at", "_offered", "_patience", "_receive", "_still", "_taken", "_task",
        "_waited", "_watch", "loop",
    )  # fmt: skip

    def __init__(self, watch: Watch, receive: Receive, patience: float, still: Still | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self._watch = watch
        self._receive = receive
        self._patience = patience
        self._task: asyncio.Task[Any] | None = None
        self._listeners: list[asyncio.Task[None]] = []
        self._still = still
        self._looked_at = False
        self._gone: type[Exception] | None = None
        self._offered = self._waited = 0.0
        self._taken = 0

    async def over(self, work: Awaitable[T]) -> T:
        """The outcome of the work; `ClientGone` or `SessionEnded` where it was given up."""
        self._task = asyncio.current_task(self.loop)
        self._watch.begin(self)
        try:
            found = await work
        except asyncio.CancelledError:
            if (gone := self._was_ours()) is not None:
                raise gone from None
            raise
        else:
            if (gone := self._was_ours()) is not None:
                raise gone
            return found
        finally:
            self._watch.under_way.discard(self)
            listeners, self._listeners = self._listeners, []  # they know this work, which would know them
            for listener in listeners:
                listener.cancel()

    def _was_ours(self) -> type[Exception] | None:
        """Why the work was cancelled here; None: it was not, or by somebody else too."""
        if self._gone is None or self._task is None or self._task.uncancel():
            return None
        return self._gone

    async def offer(self, sending: Awaitable[None], size: int = 0) -> None:
        """Send a piece of that size, which the client takes within its patience, and all of them not too slowly.
        `ClientGone`: the server knows that it has left."""
        self._offered = self.loop.time()
        try:
            await sending
        except OSError:
            raise ClientGone from None
        self._waited += self.loop.time() - self._offered
        self._offered = 0.0
        self._taken += size

    def look(self) -> None:
        if self._offered and self._is_too_slow(self.loop.time() - self._offered):
            self.give_up(ClientGone)
        elif not self._looked_at:
            self._looked_at = True
        elif not self._listeners:
            self._listeners = [self.loop.create_task(self._left())]
            if self._still is not None:
                self._listeners.append(self.loop.create_task(self._ended(self._still)))

    def _is_too_slow(self, waiting: float) -> bool:
        return waiting > self._patience or self._waited + waiting > self._patience + self._taken / SLOWEST

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.give_up(ClientGone)

    async def _ended(self, still: Still) -> None:
        while True:
            if not await still():
                self.give_up(SessionEnded)
                return
            await asyncio.sleep(ALIVE_SECONDS)

    def give_up(self, why: type[Exception]) -> None:
        if self._gone is None and self._task is not None:
            self._gone = why
            self._task.cancel()
