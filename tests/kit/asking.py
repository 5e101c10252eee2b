"""Asking a loopback server with the upstream client, for tests of that client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from authgw.errors import UpstreamError
from authgw.upstream.client import Base, Client, ClientLimits, HttpReply
from kit.loopback import Line, Server, serving

LIMITS = ClientLimits(connect=5, reply=5, idle=5, whole=10, keep=5, pool=8)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MB = 1024 * 1024


@asynccontextmanager
async def between(
    talk: Callable[[Line], Awaitable[None]], limits: ClientLimits = LIMITS
) -> AsyncIterator[tuple[Client, Server]]:
    async with serving(talk) as server:
        client = Client(Base("127.0.0.1", server.port), limits)
        try:
            yield client, server
        finally:
            await client.close()


async def get(client: Client, where: bytes = b"/", limit: int = MB, **more: Any) -> tuple[HttpReply, bytes]:
    found = await client.exchange("GET", where, **more)
    try:
        return found, await found.read(limit)
    finally:
        await found.close()


async def failure(work: Awaitable[Any]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await work
    return caught.value


def always(data: bytes) -> Callable[[Line], Awaitable[None]]:
    async def talk(line: Line) -> None:
        while await line.asked():
            await line.say(data)

    return talk


def once(data: bytes) -> Callable[[Line], Awaitable[None]]:
    """One reply, and then the end of the connection."""

    async def talk(line: Line) -> None:
        if await line.asked():
            await line.say(data)

    return talk
