"""The two stores that make the same promises: inside the process, and a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from authgw.session import store
from kit.redis import RedisServer, real_redis
from kit.sessions import Clock, Room

__all__ = ["real_redis"]


@dataclass
class World:
    """A store, and the processes (rooms) that share it."""

    redis: Redis
    url: str
    folder: Path
    clock: Clock = field(default_factory=Clock)
    rooms: list[Room] = field(default_factory=list)
    clients: list[Redis] = field(default_factory=list)

    def room(self, **settings: Any) -> Room:
        """Another process on the same store, key file and database: a client of its own where the store is shared."""
        client = self.redis
        if store.is_shared(self.url):
            client = store.connect(self.url)
            self.clients.append(client)
        room = Room(client, **{"folder": self.folder, "clock": self.clock, **settings})
        self.rooms.append(room)
        return room


@pytest.fixture(params=["memory", "redis"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    if request.param == "memory":
        url = "memory://"
    else:
        server: RedisServer = request.getfixturevalue("real_redis")
        url = server.url
    client = store.connect(url)
    await client.flushall()
    world = World(client, url, tmp_path)
    yield world
    for room in world.rooms:
        await room.close()
    for other in world.clients:
        await other.aclose()
    await client.aclose()


@pytest.fixture
async def room(world: World) -> Room:
    return world.room()
