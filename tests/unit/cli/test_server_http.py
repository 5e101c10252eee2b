"""The server's side of HTTP over real sockets: framing, order, bounds, and what becomes of clients that leave."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from authgw.cli import http
from authgw.cli.exchange import Gone
from kit.serving import LAST, Server, body, start

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    found = Server()
    listening = await found.open()
    yield found
    listening.close()


async def test_head_and_body_come_as_one_answer(server: Server) -> None:
    """A request is answered with exactly the head that was given, its length, and its body."""
    said = await server.ask(b"GET /a%20b?x=1 HTTP/1.1\r\n" + LAST)
    assert said == b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n/a%20b?x=1 "
    assert server.seen[0]["path"] == "/a b"


async def test_requests_in_a_row_are_answered_in_their_order(server: Server) -> None:
    """Pipelined requests: each gets its own answer, none is lost, none comes before an earlier one."""
    first = b"GET /1 HTTP/1.1\r\nHost: gw\r\n\r\nPOST /2 HTTP/1.1\r\nHost: gw\r\nContent-Length: 3\r\n\r\nabc"
    said = await server.ask(first + b"GET /3 HTTP/1.1\r\n" + LAST)
    assert said.count(b"HTTP/1.1 200 OK") == 3
    assert said.index(b"/1?") < said.index(b"/2? abc") < said.index(b"/3?")


async def test_who_asks_on_and_reads_nothing_is_answered_no_more(server: Server) -> None:
    """A client that pipelines and takes no answers: those that are not sent yet are few, then nothing more is done."""
    big, asked = bytes(1 << 20), 0

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        nonlocal asked
        asked += 1
        await send(start(200, (b"content-length", b"%d" % len(big))))
        await send(body(big))

    server.app = answer
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 10)
    writer.write(b"GET / HTTP/1.1\r\nHost: gw\r\n\r\n" * 200)
    seen = -1
    while asked != seen:
        seen = asked
        await asyncio.sleep(0.1)  # until nothing moves any more
    (connection,) = server.state.connections
    assert connection.transport.get_write_buffer_size() <= len(big)
    assert asked < 50  # the kernel's buffers hold a few
    writer.close()


async def test_a_body_without_a_length_is_chunked(server: Server) -> None:
    """To an HTTP/1.1 client by chunks, to an HTTP/1.0 client by the end of the connection."""

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        for piece in (b"ab", b"", b"cde"):
            await send(body(piece, more=True))
        await send(body())

    server.app = stream
    assert (await server.ask(b"GET / HTTP/1.1\r\n" + LAST)).endswith(b"\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")
    old = await server.ask(b"GET / HTTP/1.0\r\nHost: gw\r\n\r\n")
    assert old.endswith(b"\r\n\r\nabcde")
    assert b"chunked" not in old


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 304), (b"GET", 204)])
async def test_answers_without_body_have_none(server: Server, method: bytes, status: int) -> None:
    """HEAD, 204 and 304 are their head alone, whatever the application says."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(status, (b"content-length", b"5")) if status == 200 else start(status))
        await send(body(b"12345"))

    server.app = app
    said = await server.ask(method + b" / HTTP/1.1\r\n" + LAST)
    assert said.endswith(b"\r\n\r\n")
    assert b"12345" not in said
    assert b"chunked" not in said


@pytest.mark.parametrize("told", [3, 9])
async def test_a_body_of_another_length_never_looks_whole(server: Server, told: int) -> None:
    """Shorter or longer than announced: the connection breaks, and no later request is answered on it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(200, (b"content-length", b"%d" % told)))
        await send(body(b"12345"))

    server.app = app
    said = await server.ask(b"GET / HTTP/1.1\r\nHost: gw\r\n\r\nGET / HTTP/1.1\r\n" + LAST)
    assert said.count(b"HTTP/1.1") <= 1
    assert b"12345" not in said


@pytest.mark.parametrize("name", [b"x\r\ny", b"x y", b"transfer-encoding", b"X-Upper"])
async def test_a_malformed_header_is_not_sent(server: Server, name: bytes) -> None:
    """A name that is none, or framing that is not the application's: 500, and nothing of it on the wire."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(200, (name, b"chunked")))
        await send(body(b"12345"))

    server.app = app
    said = await server.ask(b"GET / HTTP/1.1\r\nHost: gw\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 500 ")
    assert b"12345" not in said


async def test_a_control_character_in_a_value_splits_no_answer(server: Server) -> None:
    """Line ends in a value are an error of the program, answered with 500."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(200, (b"location", b"/\r\nset-cookie: a=b")))
        await send(body())

    server.app = app
    said = await server.ask(b"GET / HTTP/1.1\r\nHost: gw\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in said


async def test_streaming_to_nobody_ends(server: Server) -> None:
    """Whoever streams to a client that has left is told so, also where a pipelined request waits behind."""
    ended = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        try:
            while True:
                await send(body(bytes(1 << 16), more=True))
                await asyncio.sleep(0)
        except Gone:
            ended.set()
            raise

    server.app = stream
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: gw\r\n\r\nGET /2 HTTP/1.1\r\nHost: gw\r\n\r\n")
    assert await reader.read(10)
    writer.transport.abort()
    await asyncio.wait_for(ended.wait(), 10)


async def test_overdue_connections_are_closed(server: Server) -> None:
    """A head that does not end, and a connection without a next request: each has its time, and no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /1 HTTP/1.1\r\nHost: gw\r\n\r\n")
    assert (await reader.readuntil(b"/1? ")).startswith(b"HTTP/1.1 200 ")
    loop, connections = asyncio.get_running_loop(), server.state.connections
    http.close_overdue(connections, loop.time() + http.KEEP_ALIVE_SECONDS - 1)
    writer.write(b"GET /2 HTTP/1.1\r\n")
    await server.in_a_head()
    http.close_overdue(connections, loop.time() + http.HEAD_SECONDS - 1)
    writer.write(b"Host: gw\r\n\r\n")
    assert await reader.readuntil(b"/2? ")
    writer.write(b"GET /3 HTTP/1.1\r\n")
    await server.in_a_head()
    http.close_overdue(connections, loop.time() + http.HEAD_SECONDS + 1)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /1 HTTP/1.1\r\nHost: gw\r\n\r\n")
    assert await reader.readuntil(b"/1? ")
    http.close_overdue(connections, loop.time() + http.KEEP_ALIVE_SECONDS + 1)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_a_connection_that_ended_is_gone(server: Server) -> None:
    """Nothing of a client that left waits for the garbage collector."""
    gc.disable()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /1 HTTP/1.1\r\nHost: gw\r\n\r\n")
        assert await reader.readuntil(b"/1? ")
        (found,) = map(weakref.ref, server.state.connections)
        writer.close()
        for _ in range(10_000):
            if found() is None:
                break
            await asyncio.sleep(0)
        assert found() is None
    finally:
        gc.enable()
