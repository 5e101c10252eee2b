"""A store that answers what no Redis would: something else that listens on its port, or a connection cut in between."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from authgw.errors import StoreError
from authgw.login.throttle import Limits, Throttle, storage
from authgw.session.cache import Tracking
from authgw.session.memory import Memory
from authgw.session.store import ask, connect, read
from kit.loopback import Line, Server, serving, until

pytestmark = pytest.mark.anyio

# By the types of https://redis.io/docs/latest/develop/reference/protocol-spec/: lengths and numbers that are none, an
# aggregate as a map's key, a pushed message of nothing, lists without an end, and another protocol.
GARBAGE = {
    "number": b":x\r\n",
    "text's length": b"$x\r\n",
    "list's length": b"*x\r\n",
    "map's length": b"%x\r\n",
    "double": b",x\r\n",
    "big number": b"(x\r\n",
    "a list's member": b"*1\r\n:x\r\n",
    "length of 5,000 digits": b"*" + b"9" * 5000 + b"\r\n",
    "list as a key": b"%1\r\n*1\r\n+a\r\n+b\r\n",
    "push of nothing": b">0\r\n",
    "too deep": b"*1\r\n" * 5000,
    "no type": b"\x00\r\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "half": b"$9\r\nhalf",
}
STALE = b"$5\r\nstale\r\n"
GREETINGS = (b"HELLO", b"CLIENT", b"SELECT")


async def commands(line: Line) -> AsyncIterator[bytes]:
    """The name of each command that comes; its words are read, and not looked at."""
    while (head := await line.reader.readline()).startswith(b"*"):
        words = []
        for _ in range(int(head[1:])):
            size = int((await line.reader.readline())[1:])
            words.append((await line.reader.readexactly(size + 2))[:-2])
        yield words[0].upper()


def answering(data: bytes, *, greets: bool, mends: bool) -> Callable[[Line], Awaitable[None]]:
    """Every odd connection answers garbage with another answer behind it, at once or (`greets`) to the first question
    after a proper greeting. The even ones work, where it `mends`, and have one value for all."""

    async def talk(line: Line) -> None:
        async for command in commands(line):
            sound = (mends and line.number % 2 == 0) or (greets and command in GREETINGS)
            if not sound:
                await line.say(data + STALE)
                return
            hello = b"%1\r\n+proto\r\n:3\r\n"
            await line.say(
                {b"HELLO": hello, b"PING": b"+PONG\r\n", b"GET": b"$5\r\nfresh\r\n"}.get(command, b"+OK\r\n")
            )

    return talk


@asynccontextmanager
async def garbled(data: bytes, *, greets: bool = True, mends: bool = True) -> AsyncIterator[tuple[Server, str]]:
    async with serving(answering(data, greets=greets, mends=mends)) as server:
        yield server, f"redis://127.0.0.1:{server.port}/0"


@pytest.mark.parametrize("greets", [True, False], ids=["greets", "garbles at once"])
@pytest.mark.parametrize("way", [ask, read])
@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_is_an_error_and_ends_its_connection(
    data: bytes, way: Callable[[Awaitable[Any]], Awaitable[Any]], greets: bool
) -> None:
    """What cannot be read is StoreError, never another exception; and what came behind it is nobody's answer."""
    async with garbled(data, greets=greets) as (server, url):
        redis = connect(url, seconds=2)
        said = []
        for _ in range(4):
            with contextlib.suppress(StoreError):
                said.append(await way(redis.get("x")))
        assert server.lines > 1
        assert set(said) == {b"fresh"}
        await redis.aclose()


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_does_not_end_the_listening_for_changes(data: bytes) -> None:
    """Who hears garbage instead of changes asks anew, until the store speaks properly again."""
    async with garbled(data) as (server, url):
        redis = connect(url)
        tracking = Tracking(redis, Memory(lambda record: 0.0), "authgw:session:")
        await tracking.open()
        await until(tracking.live)
        assert server.lines == 2
        await tracking.close()
        await redis.aclose()


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_is_no_reason_to_let_somebody_try(data: bytes) -> None:
    """Where failures cannot be read a login is not judged: StoreError, whatever the client stumbles over."""
    async with garbled(data, mends=False) as (_, url):
        throttle = Throttle(storage(url, lambda: 0.0), bytes(32), Limits(), lambda: 0.0)
        with pytest.raises(StoreError):
            await throttle.check("alice", "192.0.2.7")
        await throttle.close()
