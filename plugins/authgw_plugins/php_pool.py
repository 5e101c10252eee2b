"""Workers in waiting: so many at the same time, each started before it is needed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from authgw_plugins.php_worker import Command, Worker

log = logging.getLogger("authgw.login.php")


class Full(Exception):
    """Nobody was free in time, or too many wait already."""


class Pool:
    """At most `size` workers are asked at the same time and `waiting` askers wait; a worker serves `reuse` times."""

    def __init__(self, command: Command, size: int, waiting: int, reuse: int) -> None:
        self._command = command
        self._size = size
        self._most = size + waiting
        self._reuse = reuse
        self._free = asyncio.Semaphore(size)
        self._present = 0
        self._idle: list[Worker] = []
        self._started: set[Worker] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def fill(self, stamp: str) -> None:
        """Start what is missing. OSError: php cannot be run."""
        while len(self._idle) < self._size and not self._closed:
            self._idle.append(await self._start(stamp))

    @contextlib.asynccontextmanager
    async def worker(self, stamp: str, seconds: float) -> AsyncIterator[Worker]:
        """A worker that has loaded this state of the script or nothing yet. It serves again only if it is `fine`.

        Full: none within `seconds`. OSError: php cannot be run.
        """
        if self._present >= self._most:
            raise Full(f"all {self._size} work and the line is full")
        self._present += 1
        try:
            await self._admitted(seconds)
            worker = None
            try:
                worker = await self._next(stamp)
                yield worker
            finally:
                self._later(self._after(worker, stamp))
        finally:
            self._present -= 1

    async def close(self) -> None:
        """End all of them, at work or not."""
        self._closed = True
        for worker in self._started:
            worker.kill()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.gone() for worker in self._started))
        self._started.clear()
        self._idle.clear()

    async def _admitted(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._free.acquire()
        except TimeoutError as error:
            raise Full(f"none of {self._size} was free within {seconds:g} s") from error

    async def _next(self, stamp: str) -> Worker:
        while self._idle:
            worker = self._idle.pop(0)
            # One that was never asked has not read the script yet: it will read what is there then.
            if worker.alive and (worker.asked == 0 or worker.stamp == stamp):
                worker.stamp = stamp
                return worker
            self._later(self._end(worker))
        return await self._start(stamp)

    async def _start(self, stamp: str) -> Worker:
        if self._closed:
            raise Full("is closed")
        worker = await Worker.start(self._command, stamp)
        self._started.add(worker)
        if self._closed:
            worker.kill()
        return worker

    async def _end(self, worker: Worker) -> None:
        await (worker.end() if worker.fine else worker.gone())
        self._started.discard(worker)

    async def _after(self, worker: Worker | None, stamp: str) -> None:
        """Keep the worker or replace it; then its place is free."""
        try:
            if worker is not None and worker.fine and worker.alive and worker.asked < self._reuse:
                self._idle.append(worker)
            elif worker is not None:
                self._later(self._end(worker))
            await self.fill(stamp)
        except OSError as error:
            log.error("php: %s cannot be run: %s", self._command.program, error.strerror)
        finally:
            self._free.release()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
