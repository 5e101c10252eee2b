"""Answers that nobody takes, over real sockets: the connection ends, and what lies on it is given up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from authgw.cli import http, taken
from authgw.cli.websocket import BoundedSocket
from authgw.watch import SLOWEST
from kit.serving import Server, body, start

pytestmark = pytest.mark.anyio

BIG = bytes(8 << 20)
ASK = b"GET / HTTP/1.1\r\nHost: gw\r\n\r\n"
OPENING = (
    b"GET /ws HTTP/1.1\r\nHost: gw\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PATIENCE = taken.ANSWER_SECONDS + len(BIG) / SLOWEST


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    found = Server()
    listening = await found.open()

    async def big(scope: Any, receive: Any, send: Any) -> None:
        await send(start(200, (b"content-length", b"%d" % len(BIG))))
        await send(body(BIG))

    found.app = big
    yield found
    listening.close()


def resting(server: Server, sent: bytes) -> socket.socket:
    """A client who asks and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    client.sendall(sent)
    return client


async def stuck(server: Server) -> Any:
    """The connection, once there is something on it that its client does not take."""
    for _ in range(10_000):
        for one in server.state.connections:
            if getattr(one, "taken_by", 0.0):
                return one
        await asyncio.sleep(0)
    raise AssertionError("everything was taken")


async def ended(server: Server) -> bool:
    for _ in range(100):
        if not server.state.connections:
            return True
        await asyncio.sleep(0)
    return False


@pytest.mark.parametrize("asked", [1, 5])
async def test_an_answer_that_nobody_takes_is_given_up(server: Server, asked: int) -> None:
    """One answer, or several that were asked for at once: not as long as the client may still be slow, but then, also
    where the connection was to be closed before."""
    with resting(server, ASK * asked):
        connection = await stuck(server)
        now = asyncio.get_running_loop().time()
        http.close_overdue(server.state.connections, now + http.KEEP_ALIVE_SECONDS + 1)
        assert not await ended(server)
        assert connection.transport.get_write_buffer_size()
        http.close_overdue(server.state.connections, now + PATIENCE + 1)
        assert await ended(server)


async def test_whoever_takes_it_keeps_his_connection(server: Server) -> None:
    """A slow client who takes all in the end is as any other."""
    with resting(server, ASK) as client:
        connection = await stuck(server)
        client.setblocking(False)
        loop, left = asyncio.get_running_loop(), len(BIG)
        while left > 0:
            left -= len(await loop.sock_recv(client, 1 << 20))
        http.close_overdue(server.state.connections, loop.time() + http.KEEP_ALIVE_SECONDS - 1)
        assert (connection.taken_by, connection.transport.is_closing()) == (0.0, False)


async def test_a_stream_is_left_to_whoever_sends_it(server: Server) -> None:
    """In the middle of a stream the connection stays, for its sender gives it up; once it has, the connection goes."""
    gone = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        sending = asyncio.ensure_future(send(body(BIG, more=True)))
        await gone.wait()
        sending.cancel()

    server.app = stream
    with resting(server, ASK):
        connection = await stuck(server)
        later = connection.taken_by + 1
        http.close_overdue(server.state.connections, later)
        assert not await ended(server)
        gone.set()
        for _ in range(100):
            if connection.transport.is_closing():
                break
            await asyncio.sleep(0)
        http.close_overdue(server.state.connections, later)
        assert await ended(server)


async def test_a_websocket_that_nobody_reads_is_given_up(anyio_backend: str) -> None:
    """Whoever sends to it is stopped, and hears that the client has gone; a closing handshake would wait for ever."""
    server, heard = Server(), asyncio.Event()

    async def floods(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "bytes": BIG})
        except OSError:
            heard.set()

    server.app = floods
    listening = await server.open(BoundedSocket)
    with resting(server, OPENING):
        connection = await stuck(server)
        now = asyncio.get_running_loop().time()
        connection.keepalive_timeout()  # its client answers no ping either
        http.close_overdue(server.state.connections, now + taken.ANSWER_SECONDS)
        assert not await ended(server)
        http.close_overdue(server.state.connections, now + PATIENCE + 1)
        assert await ended(server)
        await asyncio.wait_for(heard.wait(), 10)
    listening.close()
