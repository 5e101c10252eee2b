"""A proof of who one is: for minutes, for one session, and made by nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from authgw.account.stepup import SECONDS, Proof, StepUps
from authgw.rights.parse import Gates
from authgw.session import store
from authgw.session.cookie import Found
from kit.sessions import Clock, Room

pytestmark = pytest.mark.anyio
GATES = (Gates(enable_login_ip=("192.0.2.0/24",), secret="JBSWY3DPEHPK3PXP"),)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    made = Room(store.connect("memory://"), tmp_path, Clock())
    yield made
    await made.close()


async def test_for_minutes_and_one_session(room: Room) -> None:
    """It holds for five minutes in the session it was given in, and in no other of the same user."""
    steps = StepUps(room.redis, room.keys, room.clock)
    mine, other = Found(*await room.start()), Found(*await room.start())
    assert await steps.proof(mine) is None
    await steps.hold(mine, GATES)
    assert await steps.proof(mine) == Proof(room.clock.now, (Gates(enable_login_ip=("192.0.2.0/24",)),))
    assert await steps.proof(other) is None
    room.clock.now += SECONDS - 1
    assert await steps.proof(mine) is not None
    room.clock.now += 1
    assert await steps.proof(mine) is None


async def test_what_is_noted_besides_lasts_no_longer(room: Room) -> None:
    """The key of an app being set up lies beside the proof, unreadable in the store, and does not prolong it."""
    redis: Any = room.redis
    steps = StepUps(room.redis, room.keys, room.clock)
    found = Found(*await room.start())
    await steps.hold(found)
    room.clock.now += SECONDS - 10
    proof = await steps.proof(found)
    assert proof is not None
    await steps.keep(found, Proof(proof.at, proof.gates, "SECRETKEY"))
    values = [await redis.get(key) for key in await redis.keys("authgw:stepup:*")]
    assert values
    assert not any(b"SECRETKEY" in value for value in values)
    assert "SECRETKEY" not in repr(await steps.proof(found))
    room.clock.now += 10
    assert await steps.proof(found) is None


async def test_nobody_who_writes_the_store_makes_one(room: Room) -> None:
    """A proof moved to another session's place, cut or made up opens nothing; dropped, it is gone."""
    steps = StepUps(room.redis, room.keys, room.clock)
    redis: Any = room.redis
    mine, other = Found(*await room.start()), Found(*await room.start("bob", 102))
    await steps.hold(mine)
    (first,) = await redis.keys("authgw:stepup:*")
    await steps.hold(other)
    (second,) = set(await redis.keys("authgw:stepup:*")) - {first}
    blob = await redis.get(first)
    for value in (blob, blob[:-1], b"", b"\x01" * 40):
        await redis.set(second, value)
        assert await steps.proof(other) is None
    await steps.drop(mine)
    assert await steps.proof(mine) is None
