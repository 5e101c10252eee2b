"""When a request is sent a second time, on real sockets: hardly ever, and never where it could be done twice."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
import pytest

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.client import Client
from authgw.upstream.protocol import PIECE
from kit.asking import LIMITS, between, get
from kit.loopback import Asked, Line, reply

pytestmark = pytest.mark.anyio


class Sent(NamedTuple):
    """A request of a client. `safe` as in `Client.exchange`."""

    method: str = "GET"
    body: bytes | None = None
    safe: bool | None = None


async def closes(line: Line) -> None:
    """The connection ends in order, without a byte."""


async def resets(line: Line) -> None:
    sock = line.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.writer.transport.abort()


def says(data: bytes) -> Callable[[Line], Awaitable[None]]:
    async def said(line: Line) -> None:
        await line.say(data)

    return said


async def is_silent(line: Line) -> None:
    await line.gone()


Dies = Callable[[Line], Awaitable[None]]


async def asked_for(sent: Sent, dies: Dies, *, pooled: bool = True, for_good: bool = False) -> tuple[int, int, object]:
    """A server that dies in this way under this request, `for_good` on every connection and else on the first one.

    How often the server got the request, over how many connections in all, and the reply's body or the reason of the
    failure. `pooled`: the connection had served another request before.
    """
    got: list[Asked] = []

    async def talk(line: Line) -> None:
        while asked := await line.asked():
            if asked.path == "/it":
                got.append(asked)
                if for_good or len(got) == 1:
                    await dies(line)
                    return
            await line.say(reply(b"" if asked.method == "HEAD" else b"ok"))

    async with between(talk, msgspec.structs.replace(LIMITS, reply=0.5)) as (client, server):
        if pooled:
            await get(client)
        outcome = await _outcome(client, sent)
        assert client.pool.busy == 0
        return len(got), server.lines, outcome


async def _outcome(client: Client, sent: Sent) -> object:
    try:
        found = await client.exchange(sent.method, b"/it", (), sent.body, safe=sent.safe)
        try:
            return await found.read(100)
        finally:
            await found.close()
    except UpstreamError as error:
        return error.reason


READING = Sent("POST", b"task=LISTING", True)
LARGE = Sent("POST", bytes(PIECE + 1), True)


@pytest.mark.parametrize("sent", [Sent(), Sent("HEAD"), READING, Sent("POST", bytes(PIECE), True)])
@pytest.mark.parametrize("dies", [closes, resets])
async def test_a_kept_connection_that_dies_unanswered_costs_a_new_one(sent: Sent, dies: Dies) -> None:
    """Safe, on a connection that served before, not a byte came back: sent once more, over a new connection."""
    assert await asked_for(sent, dies) == (2, 2, b"" if sent.method == "HEAD" else b"ok")


@pytest.mark.parametrize("sent", [Sent(), READING])
async def test_it_is_sent_twice_at_most(sent: Sent) -> None:
    """If the new connection dies as well, that is the answer."""
    assert await asked_for(sent, closes, for_good=True) == (2, 2, Reason.UPSTREAM_CUT)


@pytest.mark.parametrize("sent", [Sent(), READING])
async def test_a_new_connection_that_dies_is_no_stale_one(sent: Sent) -> None:
    """A connection that had served nobody did not just grow old: nothing is sent again."""
    assert await asked_for(sent, closes, pooled=False) == (1, 1, Reason.UPSTREAM_CUT)


@pytest.mark.parametrize(
    ("dies", "reason"),
    [
        (says(b"H"), Reason.UPSTREAM_CUT),
        (says(b"HTTP/1.1 100 Continue\r\n\r\n"), Reason.UPSTREAM_CUT),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), Reason.UPSTREAM_CUT),
        (says(b"nonsense\r\n\r\n"), Reason.UPSTREAM_MALFORMED),
        (is_silent, Reason.UPSTREAM_REPLY_TIMEOUT),
    ],
)
async def test_an_answer_that_began_or_did_not_come_is_final(dies: Dies, reason: Reason) -> None:
    """A byte of an answer, or none for too long: the request was heard, and is not sent again."""
    assert await asked_for(Sent(), dies) == (1, 1, reason)


@pytest.mark.parametrize("sent", [Sent("POST", b"task=delete"), Sent("GET", None, False), Sent("DELETE")])
async def test_what_changes_something_is_sent_once(sent: Sent) -> None:
    """It goes out on a new connection, so that it meets none that is about to end, and never a second time."""
    assert await asked_for(sent, closes) == (1, 2, Reason.UPSTREAM_CUT)


async def test_a_body_that_went_out_in_pieces_is_sent_once() -> None:
    """How much of it was taken nobody knows."""
    assert await asked_for(LARGE, closes) == (1, 1, Reason.UPSTREAM_CUT)


async def test_who_went_away_asks_no_second_time() -> None:
    """A client that leaves while its request is under way: that request is not sent again on its behalf."""
    got = 0
    heard = asyncio.Event()

    async def talk(line: Line) -> None:
        nonlocal got
        while asked := await line.asked():
            got += asked.path == "/it"
            if asked.path == "/it":
                heard.set()
                await line.gone()
                return
            await line.say(reply(b"ok"))

    async with between(talk) as (client, server):
        await get(client)
        task = asyncio.create_task(client.exchange("GET", b"/it"))
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await get(client))[1] == b"ok"
        assert (got, server.lines) == (1, 2)
