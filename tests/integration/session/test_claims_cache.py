"""Sessions remembered in process, and a real Redis that says what changes: nothing stale is ever let in for long."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from authgw.errors import StoreError
from authgw.session import cache, store
from authgw.session.lookup import SESSION
from kit.redis import RedisServer, real_redis, redis_server
from kit.sessions import Clock, Room

__all__ = ["real_redis"]
pytestmark = pytest.mark.anyio
Workers = Callable[[str], Awaitable[Room]]
SECONDS = 5.0


async def until(holds: Callable[[], Awaitable[bool]] | Callable[[], bool], what: str) -> float:
    """Seconds until something holds; a failure where it does not come to hold."""
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return time.monotonic() - began
        await asyncio.sleep(0.002)
    raise AssertionError(f"not within {SECONDS:g} s: {what}")


@pytest.fixture
async def workers(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Workers]:
    """Makes worker processes' views of one store, listening to it."""
    made: list[tuple[Room, cache.Alone | cache.Tracking]] = []
    clock = Clock()

    async def make(url: str) -> Room:
        room = Room(store.connect(url, seconds=0.5), tmp_path, clock)
        heard = cache.coherence(url, room.redis, room.sessions.memory)
        room.sessions.coherence = heard
        await heard.open()
        made.append((room, heard))
        return room

    yield make
    for room, heard in made:
        await heard.close()
        await room.close()
        await room.redis.aclose()


async def listening(room: Room) -> Room:
    await until(room.sessions.coherence.live, "the store tells of changes")
    return room


async def asked(redis: Redis) -> int:
    """How many questions for records the server has answered in all."""
    stats = await redis.info("commandstats")
    return int(stats.get("cmdstat_mget", {}).get("calls", 0))


@asynccontextmanager
async def quiet(redis: Redis) -> AsyncIterator[None]:
    """Fails if the store is asked for a record inside."""
    before = await asked(redis)
    yield
    assert await asked(redis) == before


async def settled(room: Room, sid: str) -> None:
    """What the session's own start changed has been heard of, and the record was read after it."""

    async def remembered() -> bool:
        await room.sessions.find(sid)
        before = await asked(room.redis)
        await room.sessions.find(sid)
        return await asked(room.redis) == before

    await until(remembered, "the session is remembered")


async def test_a_known_session_is_not_asked_for_again(workers: Workers, real_redis: RedisServer) -> None:
    """Found once, found without asking: in the worker that made it and in another."""
    first, second = await listening(await workers(real_redis.url)), await listening(await workers(real_redis.url))
    sid, session = await first.start()
    for room in (first, second):
        await settled(room, sid)
        async with quiet(room.redis):
            for _ in range(20):
                assert await room.sessions.find(sid) == session


async def test_an_end_elsewhere_is_felt_at_once(workers: Workers, real_redis: RedisServer) -> None:
    """One worker ends the session by its id, its handle or its user: the other one drops it within a second."""
    first, second = await listening(await workers(real_redis.url)), await listening(await workers(real_redis.url))
    for way in ("sid", "handle", "user"):
        sid, session = await first.start()
        await settled(second, sid)
        if way == "sid":
            assert await first.sessions.end(sid) is not None
        elif way == "handle":
            assert await first.sessions.end_handle(session.handle) == 1
        else:
            assert await first.sessions.end_user("alice") == 1

        async def gone(sid: str = sid) -> bool:
            return await second.sessions.find(sid) is None

        assert await until(gone, way) < 1.0


async def test_a_new_id_replaces_the_old_one_everywhere(workers: Workers, real_redis: RedisServer) -> None:
    """After a rotation the old id is dead on every worker, and the new one carries the session on."""
    first, second = await listening(await workers(real_redis.url)), await listening(await workers(real_redis.url))
    sid, _ = await first.start()
    await settled(second, sid)
    rotated = await first.sessions.rotate(sid)
    assert rotated is not None

    async def gone() -> bool:
        return await second.sessions.find(sid) is None

    assert await until(gone, "the old id is dead") < 1.0
    assert await second.sessions.find(rotated[0]) == rotated[1]


async def test_whoever_writes_to_the_store_is_heard(workers: Workers, real_redis: RedisServer) -> None:
    """A record overwritten with something else, and a store that is emptied: what was remembered does not hide it."""
    room = await listening(await workers(real_redis.url))
    sid, session = await room.start()
    await settled(room, sid)
    await room.redis.set(SESSION + session.handle, b"forged")

    async def gone() -> bool:
        return await room.sessions.find(sid) is None

    assert await until(gone, "a forged record") < 1.0
    sid, session = await room.start()
    await settled(room, sid)
    await room.redis.flushall()
    assert await until(gone, "an emptied store") < 1.0


async def test_without_the_channel_nothing_is_remembered(workers: Workers, real_redis: RedisServer) -> None:
    """The listening connection is cut: the store is asked again, until a new connection listens."""
    room = await listening(await workers(real_redis.url))
    sid, _ = await room.start()
    await settled(room, sid)
    listeners = [one["id"] for one in await room.redis.client_list() if "t" in one["flags"]]
    assert len(listeners) == 1
    await room.redis.client_kill_filter(_id=listeners[0])
    await until(lambda: not room.sessions.coherence.live(), "the loss is seen")
    before = await asked(room.redis)
    assert await room.sessions.find(sid) is not None
    assert await asked(room.redis) == before + 1
    await listening(room)
    await settled(room, sid)


async def test_a_silent_store_vouches_for_less_than_a_second(workers: Workers, tmp_path: Path) -> None:
    """A Redis that hangs, its connections open: what is remembered counts no longer, and the outage rules hold."""
    with redis_server(tmp_path / "redis") as server:
        room = await listening(await workers(server.url))
        sid, _ = await room.start()
        await settled(room, sid)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            assert await until(lambda: not room.sessions.coherence.live(), "the silence is seen") < 1.0
            with pytest.raises(StoreError):
                await room.sessions.find(sid)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        await listening(room)
        assert await room.sessions.find(sid) is not None


async def test_a_store_that_cannot_track_is_asked_each_time(workers: Workers, tmp_path: Path) -> None:
    """An account without the right to CLIENT TRACKING: sessions work, none is remembered."""
    with redis_server(tmp_path / "redis") as server:
        async with store.connect(server.url) as operator:
            await operator.acl_setuser(
                "gateway",
                enabled=True,
                passwords=["+secret"],
                keys=["*"],
                channels=["*"],
                categories=["+@all"],
                commands=["-client|tracking"],
            )
        room = await workers(f"redis://gateway:secret@127.0.0.1:{server.port}/0")
        sid, session = await room.start()
        for _ in range(3):
            before = await asked(room.redis)
            assert await room.sessions.find(sid) == session
            assert await asked(room.redis) == before + 1
        assert not room.sessions.coherence.live()


async def test_the_ends_of_time_stay_exact(workers: Workers, real_redis: RedisServer) -> None:
    """A remembered session ends to the second: unused for the idle time, and used or not at its absolute end."""
    room = await listening(await workers(real_redis.url))
    clock, limits = room.clock, room.limits
    sid, _ = await room.start()
    await settled(room, sid)
    clock.now += limits.idle - 1
    assert await room.sessions.find(sid) is not None, "one second before the idle end; the use is noted"
    clock.now += limits.idle - 1
    assert await room.sessions.find(sid) is not None, "counted from that use"
    clock.now += limits.idle
    assert await room.sessions.find(sid) is None
    sid, session = await room.start()
    while clock.now + limits.idle / 2 < session.started + limits.absolute:
        clock.now += limits.idle / 2
        assert await room.sessions.find(sid) is not None
    clock.now = session.started + limits.absolute
    assert await room.sessions.find(sid) is None


async def test_the_store_inside_the_process_needs_no_asking(workers: Workers) -> None:
    """Its only writer is this process: a session is found without the store, and gone when it is ended."""
    room = await workers("memory://")
    sid, session = await room.start()
    await room.redis.flushall()
    assert await room.sessions.find(sid) == session, "nobody but this process writes, so nobody is asked"
    await room.sessions.end(sid)
    assert await room.sessions.find(sid) is None
