"""A session that ends while a request with it waits for the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from authgw.session import store
from authgw.session.cache import Alone
from authgw.session.epochs import Epochs, Name
from authgw.session.lookup import SESSION
from kit.sessions import Clock, Room

pytestmark = pytest.mark.anyio


class Slow(Epochs):
    """A database that answers when it is told to."""

    asked: asyncio.Event | None = None
    told: asyncio.Event

    async def total(self, names: Sequence[Name], *, fresh: bool = False) -> int:
        if self.asked is not None:
            self.asked.set()
            await self.told.wait()
        return await super().total(names, fresh=fresh)


@pytest.fixture
async def room(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Room]:
    room = Room(store.connect("memory://"), tmp_path, Clock(), make_epochs=Slow)
    room.sessions.coherence = Alone()
    yield room
    await room.close()


async def test_what_is_heard_to_be_gone_is_not_let_in(room: Room) -> None:
    """Another instance ends the session and the store tells of it, while the counters are asked: what was remembered
    counts no longer when they come."""
    sid, session = await room.start()
    assert await room.sessions.find(sid) is not None
    slow = room.epochs
    assert isinstance(slow, Slow)
    slow.asked, slow.told = asyncio.Event(), asyncio.Event()
    room.clock.now += 1  # the counters are not believed any longer
    found = asyncio.create_task(room.sessions.find(sid))
    await slow.asked.wait()
    await room.redis.delete(SESSION + session.handle)
    room.sessions.memory.changed(session.handle)
    slow.told.set()
    assert await found is None
