"""A few threads for work that blocks: so many at once, so many waiting, the rest is told that it is too much."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Job = tuple["Future[Any]", Callable[[], Any]]


class Busy(Exception):
    """All threads work and the line before them is full."""


class Workers:
    """Threads start with the first job. They are daemons: one that never comes back holds up no shutdown.

    A job that its asker gave up while it waited is not begun; one that runs cannot be stopped, and its thread serves
    again when it returns.

    `patience`: seconds in line after which a job is given up as Busy; None: the asker's own. `nice`: by how much the
    threads, and those that they start, stand back behind the rest of the process, as nice(2) counts; on Linux only,
    where a thread has such a number of its own.
    """

    def __init__(self, name: str, threads: int, waiting: int, *, patience: float | None = None, nice: int = 0) -> None:
        self._name = name
        self._patience = patience
        self._nice = nice
        self._threads = threads
        self._places = threading.BoundedSemaphore(threads + waiting)
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._started: list[threading.Thread] = []

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises, from another thread. Busy: not begun."""
        if not self._places.acquire(blocking=False):
            raise Busy(f"{self._name}: all {self._threads} threads work and the line is full")
        if len(self._started) < self._threads:
            thread = threading.Thread(target=self._serve, name=f"{self._name}-{len(self._started)}", daemon=True)
            self._started.append(thread)
            thread.start()
        future: Future[T] = Future()
        self._queue.put((future, call))
        answer = asyncio.wrap_future(future)
        try:
            await asyncio.wait([answer], timeout=self._patience)
        except asyncio.CancelledError:
            answer.cancel()
            raise
        # Whether it has begun only its own lock knows: what cannot be taken back is waited for.
        if not answer.done() and future.cancel():
            raise Busy(f"{self._name}: all {self._threads} threads worked for {self._patience:g} s")
        return await answer

    def close(self) -> None:
        """Ends the threads as soon as each has done what it does; what still waits is given up."""
        for _ in self._started:
            self._queue.put(None)
        self._started.clear()

    def _serve(self) -> None:
        if self._nice and sys.platform == "linux":
            os.nice(self._nice)  # of this thread alone: nice(2), "C library/kernel differences"
        while (job := self._queue.get()) is not None:
            self._do(*job)
            del job

    def _do(self, future: Future[Any], call: Callable[[], Any]) -> None:
        """The place is free again before the asker hears of it: his next question finds it so."""
        if not future.set_running_or_notify_cancel():
            self._places.release()
            return
        try:
            result = call()
        except BaseException as error:
            # What would end the event loop that waits for it, or cannot pass through it, goes on as other errors do.
            passes = isinstance(error, Exception) and not isinstance(error, StopIteration)
            self._places.release()
            future.set_exception(error if passes else _as_error(error))
        else:
            self._places.release()
            future.set_result(result)


def _as_error(error: BaseException) -> Exception:
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)
