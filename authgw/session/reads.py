"""Records read from the store: what several requests want at the same time is one question.

redis-py takes about 100 µs for a question, whatever is asked. So one is under way at a time, and what is wanted
meanwhile goes into the next one (MGET). Measured with 32 requests at a time, each reading its session: 100 of 250 µs.
"""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from authgw.errors import StoreError
from authgw.session.store import ask

# Keys of one question: an answer is no longer than so many records.
MOST = 64


class Reads:
    """Every `get` raises StoreError where the store cannot be asked."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: list[tuple[str, asyncio.Future[bytes | None]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def get(self, key: str) -> bytes | None:
        """The record under this key, read after this call; None where there is none, or something else than text."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes | None] = loop.create_future()
        self._waiting.append((key, answer))
        if self._asking is None:
            self._asking = loop.create_task(self._ask())
        return await answer

    async def _ask(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                found = await ask(self._redis.mget([key for key, _ in batch]))
                for (_, answer), value in zip(batch, found, strict=True):
                    if not answer.done():
                        answer.set_result(value if isinstance(value, bytes) else None)
        except BaseException as error:
            # Who waits for the next question would wait as long again for the same news.
            self._fail([*batch, *self._waiting], error)
            if not isinstance(error, StoreError):
                raise
        finally:
            self._asking = None

    def _fail(self, waiting: list[tuple[str, asyncio.Future[bytes | None]]], error: BaseException) -> None:
        self._waiting = []
        for _, answer in waiting:
            if not answer.done():
                answer.set_exception(StoreError(str(error) or "session store: the question was given up"))
