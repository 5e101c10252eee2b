"""What the client makes of replies, good and ill, on real sockets."""

from __future__ import annotations

import gzip
import random
import socket
import struct
import zlib
from collections.abc import Callable

import pytest

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from kit.asking import CHUNKED, MB, always, between, failure, get, once
from kit.loopback import Line, reply, until

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        CHUNKED + b"5\r\nab",
        CHUNKED + b"2\r\nab\r\n",
        CHUNKED + b"2\r\nab\r\n0\r\n",
    ],
)
async def test_cut(data: bytes) -> None:
    """A reply that stops early is an error whichever way it is read, after the bytes that came."""
    async with between(once(data)) as (client, _):
        assert (await failure(get(client))).reason is Reason.UPSTREAM_CUT
        got: list[bytes] = []

        async def stream() -> None:
            found = await client.exchange("GET", b"/")
            async for piece in found.stream():
                got.append(piece)

        assert (await failure(stream())).reason is Reason.UPSTREAM_CUT
        assert b"".join(got) in (b"", b"abc", b"ab")
        assert client.pool.busy == client.pool.idle == 0


@pytest.mark.parametrize(
    "data",
    [
        b"<html>no http</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        reply(b"ok", "Content-Type: a", "Content-Type: b"),
        reply(b"ok", "Content-Encoding: br"),
        CHUNKED + b"zz\r\n",
    ],
)
async def test_malformed(data: bytes) -> None:
    """What is not HTTP, or could be read in two ways, is refused."""
    async with between(always(data)) as (client, _):
        assert (await failure(get(client))).reason is Reason.UPSTREAM_MALFORMED
        assert client.pool.busy == 0


async def test_interim_replies() -> None:
    """100 and 103 are read over."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    async with between(always(interim + reply(b"ok"))) as (client, server):
        assert [(await get(client))[1] for _ in range(2)] == [b"ok", b"ok"]
        assert server.lines == 1


async def test_head() -> None:
    """HEAD ends at the head, names the length, and keeps the connection."""
    async with between(always(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")) as (client, server):
        for _ in range(2):
            found = await client.exchange("HEAD", b"/")
            assert (dict(found.headers)["content-length"], await found.read(10)) == ("99", b"")
            await found.close()
        assert server.lines == 1


async def test_no_content_with_a_body() -> None:
    """A 204 that is followed by bytes is empty, and its connection is not used again."""
    async with between(always(b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc")) as (client, server):
        for _ in range(2):
            found, body = await get(client)
            assert (found.status, body, dict(found.headers)) == (204, b"", {})
        assert server.lines == 2


async def test_body_until_the_end_of_the_connection() -> None:
    """Without framing the body ends with the connection, and there is no length to announce."""
    async with between(once(b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n" + b"x" * 100_000)) as (client, _):
        found, body = await get(client)
        assert (body, found.headers) == (b"x" * 100_000, (("content-type", "a/b"),))


async def test_reset_is_no_end_of_a_body() -> None:
    """A body that ends with the connection is whole only when the connection ended in order."""

    async def talk(line: Line) -> None:
        await line.asked()
        await line.say(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await until(lambda: taken)
        sock = line.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.writer.transport.abort()

    taken = False
    async with between(talk) as (client, _):
        found = await client.exchange("GET", b"/")
        stream = found.stream()
        assert await anext(stream) == b"abc"
        taken = True
        with pytest.raises(UpstreamError) as caught:
            await anext(stream)
        assert caught.value.reason is Reason.UPSTREAM_CUT


BODIES = {"empty": b"", "small": b"hello", "noise": random.Random(1).randbytes(300_000), "dense": b"a" * 900_000}


@pytest.mark.parametrize(
    ("name", "undo"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)]
)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_content_coding(name: str, undo: Callable[[bytes], bytes], body: bytes) -> None:
    """A compressed body is undone, read or streamed, and its length on the wire is not announced."""
    async with between(always(reply(undo(body), f"Content-Encoding: {name}"))) as (client, _):
        found, read = await get(client, decode=True)
        assert read == body
        assert found.headers == ()
        found = await client.exchange("GET", b"/")
        assert b"".join([piece async for piece in found.stream()]) == body


async def test_bomb() -> None:
    """A small reply that unfolds to a gigabyte is refused at the limit, having unfolded no more than that."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(MB)) for _ in range(256)) + packer.flush()
    async with between(always(reply(bomb, "Content-Encoding: gzip"))) as (client, _):
        assert (await failure(get(client, limit=MB))).reason is Reason.UPSTREAM_TOO_LARGE


@pytest.mark.parametrize("limit", [9, 10])
async def test_limit(limit: int) -> None:
    """The limit is the largest body that passes, compressed or not, length known or not."""
    body = b"0123456789"
    forms = (
        reply(body),
        reply(gzip.compress(body), "Content-Encoding: gzip"),
        CHUNKED + b"a\r\n" + body + b"\r\n0\r\n\r\n",
    )
    for data in forms:
        async with between(always(data)) as (client, _):
            if limit == 10:
                assert (await get(client, limit=limit))[1] == body
            else:
                assert (await failure(get(client, limit=limit))).reason is Reason.UPSTREAM_TOO_LARGE


HELLO = gzip.compress(b"hello", mtime=0)


@pytest.mark.parametrize(
    "data", [HELLO[:-3], HELLO + b"x", HELLO * 2, b"not gzip at all"], ids=["short", "surplus", "two members", "none"]
)
async def test_damaged_coding(data: bytes) -> None:
    """A compressed body that stops early, goes on behind its end, or is none, is never passed on as whole."""
    async with between(always(reply(data, "Content-Encoding: gzip"))) as (client, _):
        assert (await failure(get(client))).reason is Reason.UPSTREAM_MALFORMED
