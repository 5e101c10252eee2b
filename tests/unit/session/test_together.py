"""What is asked for at the same time is asked at once, and each gets its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from authgw.errors import StoreError
from authgw.session.together import MOST, Together

pytestmark = pytest.mark.anyio


class Store:
    """Answers each question when it is let: twice the number. `asked` are the keys of each."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.broken = False
        self.go = asyncio.Semaphore(0)

    async def question(self, keys: Sequence[int]) -> list[int]:
        self.asked.append(list(keys))
        await self.go.acquire()
        if self.broken:
            raise StoreError("gone")
        return [2 * key for key in keys]


def start(together: Together[int, int], *wanted: tuple[int, ...]) -> list[asyncio.Task[list[int]]]:
    return [asyncio.ensure_future(together.get(*keys)) for keys in wanted]


async def settled() -> None:
    """Everything that could go on without the store has done so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_wanted_meanwhile_is_the_next_question() -> None:
    """One question is under way at a time; what comes later is asked for after it came, each thing once, even one that
    is being asked for already."""
    store = Store()
    together = Together(store.question)
    first = start(together, (1, 2))
    await settled()
    later = start(together, (3,), (1, 3), ())
    await settled()
    assert store.asked == [[1, 2]]
    store.go.release()
    store.go.release()
    assert await asyncio.gather(*first, *later) == [[2, 4], [6], [2, 6], []]
    assert store.asked[1:] == [[3, 1]]


async def test_a_question_is_bounded() -> None:
    """More than one question takes are several questions, and nobody is forgotten, also who wants too much at once."""
    store = Store()
    together = Together(store.question)
    tasks = start(together, *[(at,) for at in range(150)], tuple(range(200, 300)))
    for _ in range(4):
        store.go.release()
    found = await asyncio.gather(*tasks)
    assert found == [[2 * at] for at in range(150)] + [[2 * at for at in range(200, 300)]]
    assert [len(keys) for keys in store.asked] == [MOST, MOST, 150 - 2 * MOST, 100]


async def test_a_store_that_fails_is_told_to_all_who_wait() -> None:
    """Those of this question and those of the next; whoever comes after them is asked for anew."""
    store = Store()
    together = Together(store.question)
    store.broken = True
    first = start(together, (1,))
    await settled()
    later = start(together, (2,))
    await settled()
    store.go.release()
    for task in (*first, *later):
        with pytest.raises(StoreError, match="gone"):
            await task
    assert store.asked == [[1]]
    store.broken = False
    store.go.release()
    assert await together.get(3) == [6]


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    """A request that is given up while its question is under way."""
    store = Store()
    together = Together(store.question)
    gone, stays = start(together, (1,), (2,))
    await settled()
    gone.cancel()
    await settled()
    store.go.release()
    assert await stays == [4]
    assert gone.cancelled()
