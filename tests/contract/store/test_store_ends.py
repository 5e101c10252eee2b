"""How sessions end, in every store: by logout, by an operator, for good, and how grace ends with them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from authgw.session.epochs import Epochs
from kit.sessions import LIMITS, Room

pytestmark = pytest.mark.anyio
World = Any


async def test_ended_sessions_do_not_count(room: Room) -> None:
    """A place freed by a logout is free: nobody else ends for the next login."""
    mine = [(await room.start())[0] for _ in range(LIMITS.per_user)]
    assert await room.sessions.end(mine[-1]) is not None
    await room.start()
    assert await room.sessions.find(mine[0]) is not None


async def test_an_ended_session_is_dead_in_every_process(world: World) -> None:
    """A logout in one process is felt by the very next request in another; it ends once."""
    one, other = world.room(), world.room()
    sid, session = await one.start()
    assert await other.sessions.find(sid) is not None
    assert await one.sessions.end(sid) == session
    assert await other.sessions.find(sid) is None
    assert await other.sessions.end(sid) is None
    assert await other.sessions.listed() == []


async def test_ending_by_handle(world: World) -> None:
    """An operator ends exactly the session that he named, and hears how many that were."""
    one, other = world.room(), world.room()
    sid, session = await one.start()
    kept, _ = await one.start()
    assert await other.sessions.end_handle(session.handle) == 1
    assert await one.sessions.find(sid) is None
    assert await one.sessions.find(kept) is not None
    for nothing in (session.handle, "", "*", "0" * 32, session.handle.upper(), "../" + session.handle):
        assert await other.sessions.end_handle(nothing) == 0


async def test_ending_a_user_a_tenant_an_id(world: World) -> None:
    """Each way of ending takes all sessions that it names and none else."""
    one, other = world.room(), world.room()
    people = {
        "alice": await one.start("alice", 1, login="static", tenant="acme"),
        "alice at corp": await one.start("alice", 5, login="corp", tenant="umbrella"),
        "bob": await one.start("bob", 2, login="static", tenant="acme"),
        "carol": await one.start("carol", 3, login="static", tenant=""),
        "dave": await one.start("dave", 4, login="static", tenant="umbrella"),
    }

    async def alive() -> set[str]:
        return {name for name, (sid, _) in people.items() if await one.sessions.find(sid) is not None}

    assert await other.sessions.end_user("alice", "corp") == 1
    assert await alive() == {"alice", "bob", "carol", "dave"}
    assert await other.sessions.end_user("alic") == 0
    assert await other.sessions.end_user("Alice") == 0
    assert await other.sessions.end_tenant("acme") == 2
    assert await alive() == {"carol", "dave"}
    assert await other.sessions.end_tenant("") == 0
    assert await other.sessions.end_all_of("static", 3) == 1
    assert await alive() == {"dave"}
    assert await other.sessions.end_user("dave") == 1
    assert await alive() == set()


async def test_a_user_who_was_ended_can_log_in_again_at_once_everywhere(world: World) -> None:
    """Ending sessions bars nobody: the next login works in every process, also in one with an old epoch in mind."""
    one, other = world.room(), world.room()
    before, _ = await one.start()
    assert await other.sessions.find(before) is not None
    await one.sessions.end_user("alice")
    sid, _ = await one.start()
    assert await other.sessions.find(sid) is not None
    assert await one.sessions.find(sid) is not None


@pytest.mark.parametrize("way", ["user", "login and user", "id", "tenant"])
async def test_a_restored_record_is_useless(world: World, way: str) -> None:
    """Records copied before an end and put back after it open nothing, in any process, within a second."""
    one, other = world.room(), world.room()
    sid, session = await one.start()
    assert await other.sessions.find(sid) is not None
    copied = {key: await world.redis.dump(key) for key in await world.redis.keys("*")}
    if way == "user":
        await one.sessions.end_user("alice")
    elif way == "login and user":
        await one.sessions.end_user("alice", "static")
    elif way == "id":
        await one.sessions.end_all_of("static", session.claims.id)
    else:
        await one.sessions.end_tenant("acme")
    for key, value in copied.items():
        await world.redis.restore(key, 60_000, value, replace=True)
    assert await one.sessions.find(sid) is None
    world.clock.now += 1
    assert await other.sessions.find(sid) is None
    assert await other.sessions.listed() == []
    assert await world.room().sessions.find(sid) is None


class Interrupted(Epochs):
    """Epochs that let something happen between the reading of a record and the answer about it."""

    meanwhile: Any = None

    async def holds(self, names: Any, epoch: int) -> bool:
        if self.meanwhile is not None:
            await self.meanwhile()
        return await super().holds(names, epoch)


@pytest.mark.parametrize("same_process", [True, False])
async def test_a_use_under_way_never_revives_an_ended_session(world: World, same_process: bool) -> None:
    """A request that read the record just before the logout and notes its use just after it brings nothing back."""
    room = world.room(make_epochs=Interrupted, grace=60.0)
    ender = room if same_process else world.room()
    sid, _ = await room.start()
    room.clock.now += 60
    assert isinstance(room.epochs, Interrupted)
    room.epochs.meanwhile = lambda: ender.sessions.end(sid)
    assert await room.sessions.find(sid) is None
    room.epochs.meanwhile = None
    assert await room.sessions.find(sid) is None
    assert room.sessions.grace(sid) is None
    assert [key for key in await world.redis.keys("*") if b":user:" not in key] == []


async def test_of_a_rotation_and_a_logout_at_once_exactly_one_wins(world: World) -> None:
    """A session is either rotated or ended, never ended and alive under a new id."""
    one, other = world.room(), world.room()
    for n in range(1, 16):
        sid, _ = await one.start(id=n)
        rotated, ended = await asyncio.gather(one.sessions.rotate(sid), other.sessions.end(sid))
        assert (rotated is None) != (ended is None)
        if rotated is not None:
            assert await other.sessions.find(rotated[0]) is not None
        assert len(await one.sessions.listed()) == (1 if rotated else 0)
        await one.sessions.end_all_of("static", n)


async def test_grace_repeats_this_process_s_last_good_answer_for_so_long(world: World) -> None:
    """With a grace of 60 s a session seen by this process is repeated for 60 s, and an unseen one never."""
    room, other = world.room(grace=60.0), world.room(grace=60.0)
    sid, _ = await room.start()
    assert other.sessions.grace(sid) is None
    session = await other.sessions.find(sid)
    assert other.sessions.grace(sid) == session
    world.clock.now += 60
    assert other.sessions.grace(sid) == session
    world.clock.now += 0.5
    assert other.sessions.grace(sid) is None
    assert world.room().sessions.grace(sid) is None


async def test_grace_ends_with_the_session(world: World) -> None:
    """What this process saw end, or what ran out of time, has no grace; without the setting nothing has."""
    room = world.room(grace=1e9)
    for way in ("end", "handle", "user", "rotate"):
        sid, session = await room.start()
        assert room.sessions.grace(sid) is not None
        if way == "end":
            await room.sessions.end(sid)
        elif way == "handle":
            await room.sessions.end_handle(session.handle)
        elif way == "user":
            await room.sessions.end_user("alice")
        else:
            await room.sessions.rotate(sid)
        assert room.sessions.grace(sid) is None
    sid, _ = await room.start()
    world.clock.now += LIMITS.idle
    assert room.sessions.grace(sid) is None
    none = world.room()
    sid, _ = await none.start()
    assert none.sessions.grace(sid) is None
