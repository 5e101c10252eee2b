"""Facts about calls by id, shared by all users: facts, never verdicts.

Facts and misses are cached alike for a short while, so that the second question tells nothing either.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextvars import Context, copy_context

from authgw.errors import UpstreamError
from authgw.narrow.facts_outline import Outlines
from authgw.narrow.facts_teller import MAX_CACHED, TTL, Teller
from authgw.narrow.scope import Facts


class CallFacts:
    """Looks calls up by id. What is asked for at the same moment is asked once, and in as few questions as may be."""

    def __init__(self, teller: Teller, clock: Callable[[], float], ttl: float = TTL) -> None:
        self.teller = teller
        self.outlines = Outlines(teller, clock, ttl)
        self._clock = clock
        self._ttl = ttl
        self._known: dict[int, tuple[float, Facts | None]] = {}
        self._asked: dict[int, asyncio.Future[Facts | None]] = {}
        self._next: dict[int, tuple[asyncio.Future[Facts | None], Context]] = {}
        self._questions: set[asyncio.Task[None]] = set()

    async def of(self, call_id: int) -> Facts | None:
        """The facts of a call, or None if there is none of that id. Raises `UpstreamError`."""
        kept = self._fresh(call_id)
        if kept is not None:
            return kept[1]
        # Shielded: one client that leaves must not take the answer from the others.
        return _told(await _settled(self._future(call_id)))

    async def many(self, call_ids: Iterable[int]) -> dict[int, Facts | None]:
        """The same for many ids. One look-up that failed fails them all: what cannot be judged is not shown."""
        wanted = deque(dict.fromkeys(call_ids))
        found: dict[int, Facts | None] = {}
        waiting: dict[asyncio.Future[Facts | None], int] = {}
        while wanted or waiting:
            while wanted and len(waiting) < self.teller.width:
                call_id = wanted.popleft()
                kept = self._fresh(call_id)
                if kept is None:
                    waiting[self._future(call_id)] = call_id
                else:
                    found[call_id] = kept[1]
            if waiting:
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    found[waiting.pop(future)] = _told(future)
        return found

    def forget(self, call_ids: Iterable[int]) -> None:
        """What was known of calls that have just been changed, and what is being answered about them."""
        for call_id in call_ids:
            self._known.pop(call_id, None)
            self.outlines.forget(call_id)
            if call_id not in self._next:
                self._asked.pop(call_id, None)

    async def close(self) -> None:
        await self.teller.close()

    def _fresh(self, call_id: int) -> tuple[float, Facts | None] | None:
        kept = self._known.get(call_id)
        return kept if kept is not None and kept[0] > self._clock() else None

    def _future(self, call_id: int) -> asyncio.Future[Facts | None]:
        """The answer to come; the question goes out when this turn of the loop is over, with all others of it."""
        future = self._asked.get(call_id)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._asked[call_id] = loop.create_future()
            if not self._next:
                loop.call_soon(self._ask_next)
            self._next[call_id] = future, copy_context()
        return future

    def _ask_next(self) -> None:
        wanted, self._next = list(self._next.items()), {}
        loop = asyncio.get_running_loop()
        for at in range(0, len(wanted), self.teller.batch):
            part = wanted[at : at + self.teller.batch]
            futures = {call_id: future for call_id, (future, _) in part}
            # On behalf of the first who wanted it: users take turns upstream.
            question = loop.create_task(self._ask(futures), context=part[0][1][1])
            self._questions.add(question)
            question.add_done_callback(self._questions.discard)

    async def _ask(self, futures: Mapping[int, asyncio.Future[Facts | None]]) -> None:
        """One question, on its own: whoever waits may leave. Every future is settled, whatever happens."""
        try:
            told = await self.teller.tell(tuple(futures))
            for call_id, future in futures.items():
                if self._asked.get(call_id) is future:
                    self._keep(call_id, told[call_id])
                future.set_result(told[call_id])
        except Exception as error:
            for future in futures.values():
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # seen, even if everybody who asked has left
        finally:
            for call_id, future in futures.items():
                future.cancel()  # only where the gateway is stopping: all others are settled
                if self._asked.get(call_id) is future:
                    del self._asked[call_id]

    def _keep(self, call_id: int, facts: Facts | None) -> None:
        self._known.pop(call_id, None)
        self._known[call_id] = (self._clock() + self._ttl, facts)
        while len(self._known) > MAX_CACHED:
            del self._known[next(iter(self._known))]


async def _settled(future: asyncio.Future[Facts | None]) -> asyncio.Future[Facts | None]:
    """Wait without ending it: a waiter that is cancelled leaves the question to the others."""
    await asyncio.wait((future,))
    return future


def _told(future: asyncio.Future[Facts | None]) -> Facts | None:
    """What came, or the failure: raised anew for each who waited."""
    error = future.exception()
    if isinstance(error, UpstreamError):
        raise UpstreamError(error.reason, error.detail)
    return future.result()
