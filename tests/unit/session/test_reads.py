"""What is read of the store at the same time is read at once, and each gets its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError

from authgw.errors import StoreError
from authgw.session import reads
from authgw.session.reads import Reads

pytestmark = pytest.mark.anyio


class Store:
    """Answers each question when it is let; `asked` are the keys of each."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.records: dict[str, Any] = {f"k{at}": b"v%d" % at for at in range(200)}
        self.broken = False
        self.go = asyncio.Semaphore(0)

    async def mget(self, keys: list[str]) -> list[Any]:
        self.asked.append(list(keys))
        await self.go.acquire()
        if self.broken:
            raise ConnectionError("gone")
        return [self.records.get(key) for key in keys]


def start(reads: Reads, *keys: str) -> list[asyncio.Task[bytes | None]]:
    return [asyncio.ensure_future(reads.get(key)) for key in keys]


async def settled() -> None:
    """Everything that could go on without the store has done so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_wanted_meanwhile_is_the_next_question() -> None:
    """One question is under way at a time; each key that comes later is asked for after it came, and gets its own."""
    store = Store()
    many = Reads(store)  # type: ignore[arg-type]
    first = start(many, "k1", "k2")
    await settled()
    later = start(many, "k3", "absent", "k1")
    await settled()
    assert store.asked == [["k1", "k2"]]
    store.go.release()
    store.go.release()
    assert await asyncio.gather(*first, *later) == [b"v1", b"v2", b"v3", None, b"v1"]
    assert store.asked[1:] == [["k3", "absent", "k1"]]


async def test_a_question_is_bounded() -> None:
    """More keys than one question takes are several questions, and nobody is forgotten."""
    store = Store()
    many = Reads(store)  # type: ignore[arg-type]
    tasks = start(many, *(f"k{at}" for at in range(150)))
    for _ in range(3):
        store.go.release()
    assert await asyncio.gather(*tasks) == [b"v%d" % at for at in range(150)]
    assert [len(keys) for keys in store.asked] == [reads.MOST, reads.MOST, 150 - 2 * reads.MOST]


async def test_a_store_that_fails_is_told_to_all_who_wait() -> None:
    """Those of this question and those of the next; whoever comes after them is asked for anew."""
    store = Store()
    many = Reads(store)  # type: ignore[arg-type]
    store.broken = True
    first = start(many, "k1")
    await settled()
    later = start(many, "k2")
    await settled()
    store.go.release()
    for task in (*first, *later):
        with pytest.raises(StoreError, match="gone"):
            await task
    assert store.asked == [["k1"]]
    store.broken = False
    store.go.release()
    assert await many.get("k3") == b"v3"


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    """A request that is given up while its question is under way; a record that is no text is none."""
    store = Store()
    store.records["odd"] = ["a list"]
    many = Reads(store)  # type: ignore[arg-type]
    gone, stays, odd = start(many, "k1", "k2", "odd")
    await settled()
    gone.cancel()
    await settled()
    store.go.release()
    assert await stays == b"v2"
    assert await odd is None
    assert gone.cancelled()
