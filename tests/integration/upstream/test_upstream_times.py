"""Each phase of asking the GUI has a bound and a reason of its own: the client against servers that stop in it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from authgw.reasons import UPSTREAM_TIMEOUTS, Reason
from authgw.settings import load
from authgw.upstream.assemble import upstream_of
from authgw.upstream.client import Base, Client, ClientLimits
from kit.asking import CHUNKED, LIMITS, MB, between, failure, get
from kit.loopback import Line, serving, until

pytestmark = pytest.mark.anyio
SHORT = 0.1
Talk = Callable[[Line], Awaitable[None]]


def only(name: str) -> ClientLimits:
    """One phase has little time, the others have plenty: whatever ends in time was ended by that one."""
    return msgspec.structs.replace(LIMITS, **{name: SHORT})


def saying(data: bytes) -> Talk:
    """A server that takes the request, says so much, and then nothing any more."""

    async def talk(line: Line) -> None:
        await line.asked()
        await line.say(data)
        await line.gone()

    return talk


async def takes_nothing(line: Line) -> None:
    line.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.Event().wait()


async def drips(line: Line) -> None:
    """A body that comes byte by byte, without end."""
    await line.asked()
    await line.say(CHUNKED)
    while not line.writer.is_closing():
        await line.say(b"1\r\na\r\n")
        await asyncio.sleep(SHORT / 10)  # the pace of this server


@pytest.mark.parametrize(
    ("phase", "talk", "reason", "says"),
    [
        ("send", takes_nothing, Reason.UPSTREAM_SEND_TIMEOUT, "the request was not taken"),
        ("reply", saying(b""), Reason.UPSTREAM_REPLY_TIMEOUT, "no reply"),
        ("reply", saying(b"HTTP/1.1 200 OK\r\nContent-"), Reason.UPSTREAM_REPLY_TIMEOUT, "no reply"),
        ("reply", saying(b"HTTP/1.1 100 Continue\r\n\r\n"), Reason.UPSTREAM_REPLY_TIMEOUT, "no reply"),
        ("idle", saying(CHUNKED + b"1\r\na\r\n"), Reason.UPSTREAM_IDLE_TIMEOUT, "no more of the reply"),
        ("idle", saying(CHUNKED), Reason.UPSTREAM_IDLE_TIMEOUT, "no more of the reply"),
        ("whole", drips, Reason.UPSTREAM_WHOLE_TIMEOUT, "the reply was not whole"),
        ("whole", saying(b""), Reason.UPSTREAM_WHOLE_TIMEOUT, "the reply was not whole"),
    ],
)
async def test_a_phase_ends_in_its_own_time(phase: str, talk: Talk, reason: Reason, says: str) -> None:
    """A server that stops there costs the time of that phase, is told apart by its reason, and its connection ends."""
    async with between(talk, only(phase)) as (client, server):

        async def asked() -> None:
            found = await client.exchange("POST", b"/", (), bytes(32 * MB if phase == "send" else 1))
            await found.read(MB)

        error = await failure(asked())
        assert (error.reason, error.detail) == (reason, f"{says} within {SHORT:g} s")
        assert client.pool.busy == client.pool.idle == 0
        if talk is not takes_nothing:
            await until(lambda: server.open == 0)


async def test_a_connection_that_nobody_takes() -> None:
    """A server with a full queue, and one that takes the connection but not the TLS: both are the connection's time."""
    with closing(socket.socket()) as full, closing(socket.socket()) as first:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())  # the queue has one place
        client = Client(Base("127.0.0.1", full.getsockname()[1]), only("connect"))
        assert (await failure(get(client))).reason is Reason.UPSTREAM_CONNECT_TIMEOUT
    async with serving(Line.gone) as mute:
        client = Client(Base("127.0.0.1", mute.port, tls=True), only("connect"))
        error = await failure(get(client))
        assert error.reason is Reason.UPSTREAM_CONNECT_TIMEOUT
        assert error.detail.endswith(f" within {SHORT:g} s")
        assert client.pool.busy == 0


async def test_a_stream_has_no_bound_on_the_whole() -> None:
    """A download that goes on is not ended by its length, only by a pause."""
    async with between(drips, only("whole")) as (client, _):
        found = await client.exchange("GET", b"/")
        stream, loop = found.stream(), asyncio.get_running_loop()
        ends = loop.time() + 5 * SHORT
        while loop.time() < ends:
            assert set(await anext(stream)) == {ord("a")}
        await found.close()


async def test_a_slow_reader_is_no_slow_upstream() -> None:
    """The time-out between pieces runs only while the reader waits."""
    limits = msgspec.structs.replace(LIMITS, idle=0.05)
    waiting = asyncio.Event()

    async def talk(line: Line) -> None:
        await line.asked()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * MB))
        await waiting.wait()
        await line.say(b"x" * 2 * MB)

    async with between(talk, limits) as (client, _):
        found = await client.exchange("GET", b"/")
        stream = found.stream()
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        waiting.set()
        size = len(await first)
        await asyncio.sleep(0.2)  # the point of this test is time that passes
        async for piece in stream:
            size += len(piece)
        assert size == 2 * MB


async def test_each_phase_has_a_setting_of_its_own(tmp_path: Path) -> None:
    """What the configuration says reaches the client, phase by phase."""
    seconds = {"connect": 1.0, "send": 2.0, "reply": 3.0, "idle": 4.0, "whole": 5.0}
    lines = "".join(f'{name}_timeout = "{value:g}s"\n' for name, value in seconds.items())
    (tmp_path / "authgw.toml").write_text(
        '[gateway]\npublic_url = "http://127.0.0.1:8080"\n'
        f'[upstream]\nurl = "http://127.0.0.1:1"\nidentity = "none"\n{lines}[login]\nchain = ["static"]\n'
    )
    upstream = upstream_of(load(tmp_path / "authgw.toml", {}))
    assert {name: getattr(upstream._client.limits, name) for name in seconds} == seconds
    await upstream.close()


def test_a_reason_says_which_phase() -> None:
    """Every phase with a bound has a reason that other phases do not share, and each is a time-out for the gateway."""
    assert {reason.removeprefix("upstream_") for reason in UPSTREAM_TIMEOUTS} == {
        f"{name}_timeout" for name in ("connect", "send", "reply", "idle", "whole")
    }
