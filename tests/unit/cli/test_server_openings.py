"""Requests to open a WebSocket over real sockets: what is none is answered, and its connection ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from authgw.cli.websocket import BoundedSocket
from kit.serving import LAST, Server, body, start

pytestmark = pytest.mark.anyio

OPENING = (
    b"GET /ws HTTP/1.1\r\nHost: gw\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
NEXT = b"GET /next HTTP/1.1\r\n" + LAST
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n0\r\n"


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    found = Server()
    listening = await found.open(BoundedSocket)

    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        found.seen.append(scope)
        await receive()
        await send({"type": "websocket.close", "code": 1008})

    found.app = refuses
    yield found
    listening.close()


async def test_an_opening_reaches_the_application(server: Server) -> None:
    """RFC 6455, section 4.2.1: the example's head opens a WebSocket; this application refuses it."""
    assert (await server.ask(OPENING + b"\r\n")).startswith(b"HTTP/1.1 403 ")
    assert [scope["type"] for scope in server.seen] == ["websocket"]


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"Content-Length: %d\r\n\r\n%b" % (len(NEXT), NEXT), id="a body that reads like a request"),
        pytest.param(CHUNKED + b"\r\n", id="chunks"),
        pytest.param(CHUNKED + b"X-Remote-User: root\r\n\r\n", id="fields behind the body"),
        pytest.param(b"X-Many: 1\r\n" * 200 + b"\r\n", id="more fields than are taken"),
        pytest.param(b"Cookie: " + b"a" * 9000 + b"\r\n\r\n", id="a longer line than is taken"),
    ],
)
async def test_an_opening_that_cannot_be_read_is_refused(server: Server, rest: bytes) -> None:
    """What the WebSocket's side cannot read is 400 and the end: nobody holds a connection by it, and whatever stands
    behind the head is heard by no application."""
    said = await server.ask(OPENING + rest)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1
    assert server.seen == []


async def test_an_opening_waits_for_no_answer_before_it(server: Server) -> None:
    """Asked for behind a request that is still being answered, no WebSocket is opened, for its frames and that answer
    would go out among each other: the answer is whole, and the connection ends with it."""
    go = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        server.seen.append(scope)
        await go.wait()
        await send(start(200, (b"content-length", b"2")))
        await send(body(b"ab"))

    server.app = slow
    asking = asyncio.ensure_future(server.ask(b"GET /1 HTTP/1.1\r\nHost: gw\r\n\r\n" + OPENING + b"\r\n"))
    for _ in range(1000):
        await asyncio.sleep(0)  # until nothing comes any more
    go.set()
    said = await asking
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"\r\n\r\nab")
    assert [scope["type"] for scope in server.seen] == ["http"]
