"""What several requests want to know at the same time is one question.

A question to Redis takes redis-py about 100 µs, one to the database five times that, whatever is asked. So one is under
way at a time, and what is wanted meanwhile goes into the next one, each thing once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from authgw.errors import StoreError

K = TypeVar("K")
V = TypeVar("V")
# So many things at the most are one question.
MOST = 64


class Together(Generic[K, V]):
    """`question` answers for each of the keys it is given, in their order, or raises StoreError."""

    def __init__(self, question: Callable[[Sequence[K]], Awaitable[Sequence[V]]]) -> None:
        self._question = question
        self._waiting: list[tuple[Sequence[K], asyncio.Future[list[V]]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def get(self, *keys: K) -> list[V]:
        """The answers, by a question that is put after this call. Raises StoreError."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[V]] = loop.create_future()
        self._waiting.append((keys, answer))
        if self._asking is None:
            self._asking = loop.create_task(self._ask())
        return await answer

    async def _ask(self) -> None:
        batch: list[tuple[Sequence[K], asyncio.Future[list[V]]]] = []
        try:
            while self._waiting:
                batch = self._next()
                wanted = list(dict.fromkeys([key for keys, _ in batch for key in keys]))
                known: Mapping[K, V] = dict(zip(wanted, await self._question(wanted), strict=True))
                for keys, answer in batch:
                    if not answer.done():
                        answer.set_result([known[key] for key in keys])
        except BaseException as error:
            # Whoever waits for the next question would wait as long again for the same news.
            self._fail([*batch, *self._waiting], error)
            if not isinstance(error, StoreError):
                raise
        finally:
            self._asking = None

    def _next(self) -> list[tuple[Sequence[K], asyncio.Future[list[V]]]]:
        """As many of those who wait as one question has room for, at least one."""
        count, size = 0, 0
        for keys, _ in self._waiting:
            size += len(keys)
            if count and size > MOST:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _fail(self, waiting: Sequence[tuple[Sequence[K], asyncio.Future[list[V]]]], error: BaseException) -> None:
        self._waiting = []
        for _, answer in waiting:
            if not answer.done():
                answer.set_exception(StoreError(str(error) or "the question was given up"))
