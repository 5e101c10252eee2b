"""Several processes behind one listening socket: started, watched and ended by a parent that serves nobody.

The parent has imported everything before it forks, so that the workers share what they only read. A worker that ends
unasked is started anew; a parent that ends, however it ends, takes its workers along.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from typing import NoReturn

import click

# Between two starts of the same worker.
PAUSE_SECONDS = 1.0
READY = b"."
ENDING = (signal.SIGTERM, signal.SIGINT)

Work = Callable[[Callable[[], None], int], None]
"""A worker's whole life: it calls the first argument when it is ready, and ends when the pipe (the second) ends."""


class Workers:
    """`count` processes, each of which does `work`. `ready` is called once, when the first start of each is done."""

    def __init__(self, count: int, work: Work, ready: Callable[[], None]) -> None:
        self._count, self._work, self._ready = count, work, ready
        self._running: dict[int, int] = {}
        self._alive, self._parent = os.pipe()
        self._told = False
        self._ending = False

    def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit code. The first worker must come up, or its own code is the answer."""
        for number in ENDING:
            signal.signal(number, self._end)
        gc.collect()
        gc.freeze()
        for at in range(self._count):
            if not self._start(at) and not self._ending:
                self._end()
                return self._last_code(1)
        if not self._ending:
            self._ready()
        while self._running:
            pid, status = os.wait()
            at = self._running.pop(pid)
            if not self._ending:
                code = os.waitstatus_to_exitcode(status)
                click.echo(f"authgw: worker {at + 1} ended with {code}; it is started anew", err=True)
                time.sleep(PAUSE_SECONDS)
                self._start(at)
        return 0

    def _start(self, at: int) -> bool:
        """Whether the worker has come up."""
        listen, tell = os.pipe()
        # A signal that came between the two would end all workers but this one, which nobody knows yet.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        pid = -1 if self._ending else os.fork()
        if not pid:
            os.close(listen)
            self._be_worker(tell)
        if pid > 0:
            self._running[pid] = at
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        os.close(tell)
        with _closing(listen):
            return _read(listen) == READY

    def _be_worker(self, tell: int) -> NoReturn:
        code = 1
        try:
            for number in ENDING:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
            os.close(self._parent)

            def ready() -> None:
                os.write(tell, READY)
                os.close(tell)

            self._work(ready, self._alive)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _end(self, *_: object) -> None:
        self._ending = True
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _last_code(self, otherwise: int) -> int:
        """The exit code of the worker that failed to come up; the others are waited for."""
        found = otherwise
        while self._running:
            pid, status = os.wait()
            code = os.waitstatus_to_exitcode(status)
            found = code if self._running.pop(pid) == len(self._running) and code > 0 else found
        return found


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> bytes:
    select.select([descriptor], [], [])
    return os.read(descriptor, 1)


def end_with(parent: int) -> None:
    """Inside a worker's loop: end in order when the parent, which holds the pipe's other end, is gone."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(parent)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(parent, gone)
