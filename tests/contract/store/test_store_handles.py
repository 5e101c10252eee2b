"""What every store promises about one-time handles."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from authgw.session.handles import MAX_BYTES, HandleKind, Handles
from authgw.session.model import Kind
from authgw.session.sessions import Sessions
from kit.sessions import Room, claims

pytestmark = pytest.mark.anyio
World = Any
ATTEMPT = HandleKind.LOGIN_ATTEMPT


async def test_a_handle_is_taken_once(world: World) -> None:
    """A token gives its value once, in whichever process it comes back."""
    one, other = world.room(), world.room()
    token = await one.handles.put(ATTEMPT, b"\x00value", 60)
    assert await other.handles.peek(ATTEMPT, token) == b"\x00value"
    assert await other.handles.take(ATTEMPT, token) == b"\x00value"
    assert await one.handles.take(ATTEMPT, token) is None
    assert await one.handles.peek(ATTEMPT, token) is None


async def test_of_many_takers_one_wins(world: World) -> None:
    """Fifty takers at the same moment: one gets the value."""
    rooms = [world.room() for _ in range(2)]
    token = await rooms[0].handles.put(ATTEMPT, b"once", 60)
    taken = await asyncio.gather(*(rooms[n % 2].handles.take(ATTEMPT, token) for n in range(50)))
    assert sorted(value for value in taken if value is not None) == [b"once"]


async def test_a_handle_ends_in_time(room: Room) -> None:
    """A handle is over when its time is, by the gateway's clock."""
    token = await room.handles.put(ATTEMPT, b"x", 60)
    room.clock.now += 59.5
    assert await room.handles.peek(ATTEMPT, token) == b"x"
    room.clock.now += 0.5
    assert await room.handles.peek(ATTEMPT, token) is None
    assert await room.handles.take(ATTEMPT, token) is None


async def test_a_handle_is_never_a_session_nor_a_session_a_handle(world: World, room: Room) -> None:
    """A login attempt's token used as a session id is nobody (CVE-2026-19349), and the other way round."""
    token = await room.handles.put(ATTEMPT, b"x", 60)
    sid, session = await room.start()
    assert await room.sessions.find(token) is None
    assert await room.sessions.rotate(token) is None
    assert await room.sessions.end(token) is None
    assert await room.handles.peek(ATTEMPT, sid) is None
    assert await room.handles.take(ATTEMPT, sid) is None
    [stored] = await world.redis.keys("authgw:attempt:*")
    hash = stored.decode().rsplit(":", 1)[1]
    await world.redis.copy(stored, f"authgw:session:{hash}")
    await world.redis.copy(f"authgw:session:{session.handle}", f"authgw:attempt:{session.handle}")
    assert await room.sessions.find(token) is None
    assert await room.handles.peek(ATTEMPT, sid) is None


async def test_types_are_apart_even_for_one_and_the_same_secret(world: World, room: Room) -> None:
    """Were a token and a session id the same text, neither record could be found or opened as the other."""
    same = lambda count: b"\x07" * count  # noqa: E731
    sessions = Sessions(room.redis, room.keys, room.epochs, room.limits, room.clock, same)
    sid, session = await sessions.start(claims(), Kind.API, address="", agent="", factors=())
    token = await Handles(room.redis, room.keys, room.clock, same).put(ATTEMPT, b"x", 60)
    assert token == sid
    [stored] = await world.redis.keys("authgw:attempt:*")
    hash = stored.decode().rsplit(":", 1)[1]
    assert hash != session.handle
    await world.redis.copy(f"authgw:session:{session.handle}", stored, replace=True)
    assert await room.handles.take(ATTEMPT, token) is None


async def test_a_changed_handle_is_nothing(world: World, room: Room) -> None:
    """A handle's record that was written by somebody else, or is no record at all, gives no value."""
    token = await room.handles.put(ATTEMPT, b"x", 60)
    [stored] = await world.redis.keys("authgw:attempt:*")
    for value in (b"", b"\x01" * 60):
        await world.redis.set(stored, value, px=60_000)
        assert await room.handles.peek(ATTEMPT, token) is None
    await world.redis.delete(stored)
    await world.redis.rpush(stored, "x")
    assert await room.handles.peek(ATTEMPT, token) is None


async def test_handles_are_bounded_in_size_and_time(world: World, room: Room) -> None:
    """No handle grows beyond 4 MiB or lasts beyond a day, and every one has a lifetime in the store."""
    for value, ttl in ((b"x" * (MAX_BYTES + 1), 60.0), (b"", 0.0), (b"", -1.0), (b"", 86_401.0), (b"", float("nan"))):
        with pytest.raises(ValueError):
            await room.handles.put(ATTEMPT, value, ttl)
    await room.handles.put(ATTEMPT, b"x" * MAX_BYTES, 86_400)
    [stored] = await world.redis.keys("*")
    assert 0 < await world.redis.pttl(stored) <= 86_400_000


@pytest.mark.parametrize("text", ["", "x", "*", "A" * 42, "A" * 44, "A" * 42 + "\n", "é" * 43])
async def test_text_that_is_no_token_is_nothing(room: Room, text: str) -> None:
    """Malformed tokens give nothing and raise nothing."""
    assert await room.handles.take(ATTEMPT, text) is None
    assert await room.handles.peek(ATTEMPT, text) is None
