"""The bounded threads behind the built-in logins."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from authgw_plugins.workers import Busy, Workers

pytestmark = pytest.mark.anyio


async def test_results_and_errors_come_back() -> None:
    """What a call returns or raises reaches whoever asked."""
    workers = Workers("t", 2, 4)
    assert await workers.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await workers.run(lambda: 1 // 0)
    workers.close()


@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt, StopIteration, GeneratorExit])
async def test_nothing_ends_the_server(raised: type[BaseException]) -> None:
    """A call that tries to end the program, or raises what cannot pass through a coroutine, is an ordinary error."""

    def call() -> None:
        raise raised

    workers = Workers("t", 1, 1)
    with pytest.raises(RuntimeError, match=raised.__name__):
        await asyncio.wait_for(workers.run(call), 5)
    assert await workers.run(lambda: "still serving") == "still serving"
    workers.close()


async def test_so_many_at_once_so_many_waiting() -> None:
    """Two work, three wait, the sixth is told that it is too much; when room comes, all goes on."""
    workers, go, working = Workers("t", 2, 3), threading.Event(), threading.Semaphore(0)
    names: set[str] = set()

    def call() -> None:
        working.release()
        go.wait(10)
        names.add(threading.current_thread().name)

    tasks = [asyncio.create_task(workers.run(call)) for _ in range(5)]
    for _ in range(2):
        await asyncio.to_thread(working.acquire, timeout=10)
    with pytest.raises(Busy):
        await workers.run(call)
    go.set()
    await asyncio.gather(*tasks)
    assert len(names) <= 2
    assert await workers.run(lambda: 1) == 1
    workers.close()


async def test_who_gave_up_is_not_served() -> None:
    """A call given up while it waited is never begun, and its place in the line is free again."""
    workers, go, begun = Workers("t", 1, 1), threading.Event(), []
    first = asyncio.create_task(workers.run(lambda: go.wait(10)))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(workers.run(lambda: begun.append(1)), 0.01)
    go.set()
    assert await first
    assert await workers.run(lambda: 2) == 2
    assert not begun
    workers.close()


async def test_patience_ends_in_line_and_not_at_work() -> None:
    """Who has stood in line for too long is told that it is too much, and his call is never begun; what has begun is
    waited for, however long it takes."""
    workers, go, begun = Workers("t", 1, 2, patience=0.01), threading.Event(), threading.Event()
    done: list[int] = []

    def first() -> str:
        begun.set()
        go.wait(10)
        return "done"

    working = asyncio.create_task(workers.run(first))
    await asyncio.to_thread(begun.wait, 10)
    with pytest.raises(Busy):
        await workers.run(lambda: done.append(1))
    assert not working.done()
    go.set()
    assert await working == "done"
    assert await workers.run(lambda: 2) == 2
    assert not done
    workers.close()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a nice value of their own on Linux alone")
async def test_threads_stand_back() -> None:
    """Threads that work hard are behind the others of the process, and so is what they start; the others stay."""

    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def child() -> int:
        with ThreadPoolExecutor(1) as own:
            return own.submit(nice).result()

    before = nice()
    workers, plain = Workers("t", 1, 1, nice=3), Workers("t", 1, 1)
    assert await workers.run(nice) == min(before + 3, 19)
    assert await workers.run(child) == min(before + 3, 19)
    assert await plain.run(nice) == nice() == before
    workers.close()
    plain.close()


async def test_one_place_is_enough_for_one_asker() -> None:
    """Whoever has his answer finds his place free again at once, however often he asks."""
    workers = Workers("t", 1, 0)
    for n in range(500):
        assert await workers.run(lambda n=n: n) == n  # type: ignore[misc]
    workers.close()


async def test_threads_are_no_reason_to_stay() -> None:
    """A thread that never comes back does not hold up the end of the program."""
    workers, go = Workers("t-daemon", 1, 1), threading.Event()
    task = asyncio.create_task(workers.run(lambda: go.wait(30)))
    await asyncio.sleep(0)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("t-daemon"))
    go.set()
    await task
    workers.close()
