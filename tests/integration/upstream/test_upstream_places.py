"""How many ask the GUI at a time, and whose turn it is: with a service account, and with a GUI that asks nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from authgw.reasons import Reason
from authgw.upstream.account import Account
from authgw.upstream.anonymous import Anonymous
from authgw.upstream.api import Call
from authgw.upstream.client import Base, Client
from authgw.upstream.turns import asker
from kit.asking import LIMITS, failure
from kit.loopback import Line, reply, serving, until

pytestmark = pytest.mark.anyio
POOL = 4  # for one user; five in all
SIDS = b'{"success":true,"SID":"%08d","cookie_name":"PHPSESSID"}'
KINDS = pytest.mark.parametrize("kind", ["account", "anonymous"])


class Gui:
    """Lets everybody in, and keeps every request until it is told to answer the oldest."""

    def __init__(self) -> None:
        self.kept: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()
        self.held = Counter[str]()
        self.order: list[str] = []

    async def talk(self, line: Line) -> None:
        while asked := await line.asked():
            if asked.form.get("module") == "bypass_login":
                await line.say(reply(SIDS % line.number))
                continue
            who = asked.query["who"]
            self.order.append(who)
            self.held[who] += 1
            answer = asyncio.get_running_loop().create_future()
            self.kept.put_nowait(answer)
            await answer
            self.held[who] -= 1
            await line.say(reply(b"[]"))

    async def answer(self) -> None:
        (await self.kept.get()).set_result(None)


@asynccontextmanager
async def between(kind: str, wait: float = 5) -> AsyncIterator[tuple[Account | Anonymous, Gui]]:
    gui = Gui()
    async with serving(gui.talk) as server:
        client = Client(Base("127.0.0.1", server.port), msgspec.structs.replace(LIMITS, pool=64))
        upstream: Account | Anonymous
        if kind == "account":
            upstream = Account(client, "authgw", "x", pool_size=POOL, wait=wait)
        else:
            upstream = Anonymous(client, pool_size=POOL, wait=wait)
        yield upstream, gui
        await upstream.close()


async def ask(upstream: Account | Anonymous, who: str) -> bytes:
    asker.set(who)
    found = await upstream.send(Call("GET", "/", (("who", who),)))
    try:
        return await found.read(100)
    finally:
        await found.close()


@KINDS
async def test_one_user_leaves_room_for_another(kind: str) -> None:
    """However much one user asks for at once, some places are left: another one is served while he waits."""
    async with between(kind) as (upstream, gui):
        many = [asyncio.create_task(ask(upstream, "a")) for _ in range(20)]
        await until(lambda: gui.held["a"] == POOL)
        other = asyncio.create_task(ask(upstream, "b"))
        await until(lambda: gui.held["b"] == 1)
        assert gui.held["a"] == POOL
        everybody = asyncio.gather(*many, other)
        for _ in range(21):
            assert gui.held["a"] <= POOL
            await gui.answer()
        assert await everybody == [b"[]"] * 21


@KINDS
async def test_users_take_turns(kind: str) -> None:
    """Two who wait are served alternately, though one came first with ten requests."""
    async with between(kind) as (upstream, gui):
        first = [asyncio.create_task(ask(upstream, "x")) for _ in range(POOL)]
        last = asyncio.create_task(ask(upstream, "y"))
        await until(lambda: gui.held.total() == POOL + 1)
        many = [asyncio.create_task(ask(upstream, "a")) for _ in range(10)]
        await asyncio.sleep(0)
        few = [asyncio.create_task(ask(upstream, "b")) for _ in range(2)]
        await asyncio.sleep(0)
        for asked in range(1, 6):
            await gui.answer()
            await until(lambda asked=asked: len(gui.order) == POOL + 1 + asked)  # type: ignore[misc]
        assert gui.order[POOL + 1 :] == ["a", "b", "a", "b", "a"]
        for _ in range(POOL + 13 - 5):
            await gui.answer()
        await asyncio.gather(*first, last, *many, *few)


@KINDS
async def test_open_sockets_take_places_too(kind: str) -> None:
    """A WebSocket holds a place as long as it is open; who finds none in time hears that it is busy."""
    async with between(kind, wait=0.05) as (upstream, gui):
        asker.set("a")
        async with upstream.cookie(), upstream.cookie(), upstream.cookie(), upstream.cookie():
            assert (await failure(ask(upstream, "a"))).reason is Reason.UPSTREAM_BUSY
            other = asyncio.create_task(ask(upstream, "b"))
            await gui.answer()
            assert await other == b"[]"
        again = asyncio.create_task(ask(upstream, "a"))
        await gui.answer()
        assert await again == b"[]"
