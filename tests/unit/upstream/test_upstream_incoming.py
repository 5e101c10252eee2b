"""The buffer between a connection and a reader."""

from __future__ import annotations

import asyncio

import pytest

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.incoming import Incoming
from authgw.upstream.landing import ALL, LEAST, MOST, Landing
from authgw.upstream.wire import Head

pytestmark = pytest.mark.anyio
CUT = UpstreamError(Reason.UPSTREAM_CUT, "cut")


def incoming() -> tuple[Incoming, list[str]]:
    said: list[str] = []
    loop = asyncio.get_running_loop()
    return Incoming(loop, Landing(), lambda: said.append("pause"), lambda: said.append("resume")), said


async def test_reading_goes_on_when_the_reader_waits_for_more() -> None:
    """Reading stops once when the buffer is full, and goes on once, when all of it was taken and more is wanted."""
    found, said = incoming()
    step = MOST // 16
    for _ in range(10):
        found.put([bytes(step)])
    assert said == ["pause"]
    for _ in range(10):
        await found.piece(1)
    assert (found.size, said) == (0, ["pause"])
    task = asyncio.ensure_future(found.piece(1))
    await asyncio.sleep(0)
    assert said == ["pause", "resume"]
    found.put([b"more"])
    assert await task == b"more"
    assert said == ["pause", "resume"]


async def test_looking_ahead_reads_on_as_far_as_it_looks() -> None:
    """A body that is longer than what is read at once, and still short enough to be seen whole, comes in whole."""
    found, said = incoming()
    task = asyncio.ensure_future(found.ahead(2 * MOST, 1))
    await asyncio.sleep(0)
    found.put([bytes(MOST)])
    await asyncio.sleep(0)
    assert said == ["pause", "resume"]
    found.put([b"end"])
    found.end()
    assert await task == bytes(MOST) + b"end"


async def test_many_connections_hold_little_each() -> None:
    """What is read at once, and so held back, is large for a few connections and small for each of many."""
    landing = Landing()
    sizes = []
    for count in (0, 1, 8, 32, 64, 128, 500):
        landing.fit(count)
        assert len(landing.view) == landing.size
        sizes.append(landing.size)
    assert sizes == [MOST, MOST, MOST, ALL // 32, ALL // 64, LEAST, LEAST]


async def test_connection_reads_on_after_a_large_last_piece() -> None:
    """A reply whose last piece fills the buffer leaves its connection reading, for the next request or its end."""
    found, said = incoming()
    found.put([bytes(MOST + 1)])
    found.end()
    assert said == ["pause", "resume"]
    assert len(await found.piece(1)) == MOST + 1
    assert await found.piece(1) == b""
    assert said == ["pause", "resume"]


async def test_what_came_before_a_failure_is_read_first() -> None:
    """A failure comes after the bytes that came before it, and then every time."""
    found, _ = incoming()
    found.put([b"a", b"b"])
    found.end(CUT)
    assert [await found.piece(1), await found.piece(1)] == [b"a", b"b"]
    for _ in range(2):
        with pytest.raises(UpstreamError, match="cut"):
            await found.piece(1)


async def test_failure_before_the_head() -> None:
    """Whoever waits for the head hears of the failure."""
    found, _ = incoming()
    task = asyncio.ensure_future(found.when_head(1))
    await asyncio.sleep(0)
    found.end(CUT)
    with pytest.raises(UpstreamError, match="cut"):
        await task


async def test_looking_ahead_takes_nothing_away() -> None:
    """A small body is seen whole beforehand and can still be read; of a long one nothing is shown."""
    found, _ = incoming()
    found.head = Head(200, ())
    task = asyncio.ensure_future(found.ahead(4, 1))
    await asyncio.sleep(0)
    found.put([b"ab"])
    await asyncio.sleep(0)
    assert not task.done()
    found.put([b"cd"])
    found.end()
    assert await task == b"abcd"
    assert [await found.piece(1), await found.piece(1), await found.piece(1)] == [b"ab", b"cd", b""]

    found, _ = incoming()
    found.put([b"abcde"])
    assert await found.ahead(4, 1) is None
    assert await found.piece(1) == b"abcde"
