"""Other HTTP clients, written by others, and the gateway's own: what each makes of a server's reply."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import aiohttp
import aiohttp.client_proto
import h11
import pytest
from aiohttp.http_parser import HttpResponseParserPy

from authgw.errors import UpstreamError
from authgw.upstream.client import Base, Client, ClientLimits

LIMITS = ClientLimits(connect=5, reply=5, idle=5, whole=10, keep=5, pool=4)


class Got(NamedTuple):
    """Of a whole reply status and body; of a broken one why, and of what is compared nothing."""

    whole: bool
    status: int = 0
    body: bytes = b""


BROKEN = Got(False)
Asks = Callable[[int, str], Awaitable[Got]]
"""Ask the port by a method; the reply."""


async def by_us(port: int, method: str) -> Got:
    client = Client(Base("127.0.0.1", port), LIMITS)
    try:
        found = await client.exchange(method, b"/")
        try:
            return Got(True, found.status, await found.read(1 << 20))
        finally:
            await found.close()
    except UpstreamError:
        return BROKEN
    finally:
        await client.close()


async def by_aiohttp(port: int, method: str) -> Got:
    """With its parser in C, which is the one that httptools wraps."""
    timeout = aiohttp.ClientTimeout(total=10)
    try:
        async with (
            aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as session,
            session.request(method, f"http://127.0.0.1:{port}/", allow_redirects=False) as reply,
        ):
            return Got(True, reply.status, await reply.read())
    except (aiohttp.ClientError, ValueError):
        return BROKEN


async def by_aiohttp_python(port: int, method: str) -> Got:
    """With its parser in Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiohttp.client_proto, "HttpResponseParser", HttpResponseParserPy)
        return await by_aiohttp(port, method)


async def by_h11(port: int, method: str) -> Got:
    peer = h11.Connection(h11.CLIENT)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    status, body = 0, b""
    try:
        writer.write(peer.send(h11.Request(method=method, target="/", headers=[("host", "x")])) or b"")
        peer.send(h11.EndOfMessage())
        while True:
            event = peer.next_event()
            if event is h11.NEED_DATA:
                peer.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return Got(True, status, body)
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return BROKEN
    except (h11.RemoteProtocolError, ConnectionError):
        return BROKEN
    finally:
        writer.close()


OTHERS: dict[str, Asks] = {"aiohttp": by_aiohttp, "aiohttp in Python": by_aiohttp_python, "h11": by_h11}
