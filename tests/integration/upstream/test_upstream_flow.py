"""Slow readers, large requests and going away: the client on real sockets when both sides are busy."""

from __future__ import annotations

import asyncio
import random

import pytest

from kit.asking import CHUNKED, MB, between, get
from kit.loopback import Line, reply, until

pytestmark = pytest.mark.anyio


async def test_back_pressure() -> None:
    """While the reader rests the upstream's writes stall, and no more than half a megabyte waits in the gateway."""
    total = 48 * MB
    sent = 0

    async def talk(line: Line) -> None:
        nonlocal sent
        await line.asked()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        for _ in range(total // 65536):
            await line.say(bytes(65536))
            sent += 65536

    async with between(talk) as (client, _):
        found = await client.exchange("GET", b"/")
        still = -1
        while still != sent:
            still = sent
            await asyncio.sleep(0.1)  # until nothing moves any more
        # What the kernel's own buffers hold on both sides comes on top; far from everything.
        assert sent < 24 * MB
        assert found._incoming.size <= MB // 2
        assert sum([len(piece) async for piece in found.stream()]) == total
        assert client.pool.idle == 1


async def test_cancelled_request_closes_its_connection() -> None:
    """When the client of a request goes away, upstream learns it at once, and nobody else gets that reply."""

    async def talk(line: Line) -> None:
        while asked := await line.asked():
            if asked.path == "/never":
                await line.gone()
                return
            await line.say(reply(b"ok"))

    async with between(talk) as (client, server):
        task = asyncio.ensure_future(client.exchange("GET", b"/never"))
        await until(lambda: server.open == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.open == 0)
        assert client.pool.busy == 0
        assert (await get(client))[1] == b"ok"


async def test_reply_closed_in_the_middle() -> None:
    """A reply that is closed before its end costs its connection, once."""

    async def talk(line: Line) -> None:
        await line.asked()
        await line.say(CHUNKED + b"1\r\na\r\n")
        await line.gone()

    async with between(talk) as (client, server):
        found = await client.exchange("GET", b"/")
        assert await anext(found.stream()) == b"a"
        await found.close()
        await found.close()
        await until(lambda: server.open == 0)
        assert client.pool.busy == client.pool.idle == 0


async def test_large_request() -> None:
    """A large body arrives whole, also where the other side takes it slowly."""
    body = random.Random(2).randbytes(6 * MB)

    async def talk(line: Line) -> None:
        asked = await line.asked()
        assert asked is not None
        await line.say(reply(b"same" if asked.body == body else b"other"))

    async with between(talk) as (client, _):
        found = await client.exchange("POST", b"/", (), body)
        assert await found.read(10) == b"same"


@pytest.mark.parametrize("status", ["413 Content Too Large", "417 Expectation Failed", "200 OK"])
@pytest.mark.parametrize("reads_on", [True, False])
async def test_answer_before_the_request_was_taken(status: str, reads_on: bool) -> None:
    """An early answer to a large body is heard, whether the rest is still read or not; the rest is not sent, and the
    half-used connection is not kept: the next request cannot be taken for more of that body."""
    took = 0

    async def talk(line: Line) -> None:
        nonlocal took
        head = await line.reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET"):
            await line.say(reply(b"next"))
            return
        await line.say(reply(b"no", status=status))
        while reads_on and (data := await line.reader.read(65536)):
            took += len(data)
        await line.gone()

    async with between(talk) as (client, server):
        found = await client.exchange("POST", b"/", (), bytes(32 * MB))
        assert (found.status, await found.read(10)) == (int(status[:3]), b"no")
        await found.close()
        assert client.pool.idle == client.pool.busy == 0
        assert (await get(client))[1] == b"next"
        await until(lambda: server.open <= 1)
        assert took < 32 * MB
