"""A few threads for work that blocks: so many at once, so many waiting, the rest is told that it is too much."""

from __future__ import annotations

import asyncio
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
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._name = name
        self._threads = threads
        self._places = threading.BoundedSemaphore(threads + waiting)
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._started: list[threading.Thread] = []

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises, from another thread. Busy: not even queued."""
        if not self._places.acquire(blocking=False):
            raise Busy(f"{self._name}: all {self._threads} threads work and the line is full")
        if len(self._started) < self._threads:
            thread = threading.Thread(target=self._serve, name=f"{self._name}-{len(self._started)}", daemon=True)
            self._started.append(thread)
            thread.start()
        future: Future[T] = Future()
        self._queue.put((future, call))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Ends the threads as soon as each has done what it does; what still waits is given up."""
        for _ in self._started:
            self._queue.put(None)
        self._started.clear()

    def _serve(self) -> None:
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
