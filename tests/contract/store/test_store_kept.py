"""Sessions whose owners asked to be kept signed in, on the store inside the process and on a real Redis."""

from __future__ import annotations

from typing import Any

import pytest

from authgw.session.model import Confirmed, Kind, Session, SessionLimits, Unanswered
from kit.sessions import Room, claims

pytestmark = pytest.mark.anyio
World = Any
DAY = 86_400.0
LIMITS = SessionLimits(idle=600.0, absolute=7200.0, per_user=5, remember=30 * DAY)


async def start(room: Room, *, kept: bool = True) -> tuple[str, Session]:
    return await room.sessions.start(
        claims(), Kind.BROWSER, address="192.0.2.7", agent="test", factors=("pwd",), kept=kept
    )


async def test_it_lasts_unused_until_its_end_and_no_longer(world: World) -> None:
    """Unused for 29 days it is there in every process, and known as kept; after 30 it is over, used or not."""
    one, other = world.room(limits=LIMITS), world.room(limits=LIMITS)
    sid, _ = await start(one)
    usual, _ = await start(one, kept=False)
    world.clock.now += 29 * DAY
    found = await other.sessions.find(sid)
    assert found is not None
    assert found.kept
    assert await other.sessions.find(usual) is None
    assert [one.kept for one in await other.sessions.listed()] == [True]
    world.clock.now += DAY
    assert await other.sessions.find(sid) is None
    assert await one.sessions.listed() == []


async def test_the_store_keeps_it_and_the_index_as_long(world: World) -> None:
    """Record and index live for 30 days in the store, and a usual session after it takes nothing of that away."""
    room = world.room(limits=LIMITS)
    await start(room)
    await start(room, kept=False)
    left = {key.decode().split(":")[1]: await room.redis.pttl(key) for key in await room.redis.keys("authgw:user:*")}
    assert left["user"] > 29 * DAY * 1000
    ends = sorted([await room.redis.pttl(key) for key in await room.redis.keys("authgw:session:*")])
    assert ends[0] <= 600_000
    assert ends[1] > 29 * DAY * 1000


async def test_it_stays_kept_under_a_new_id(world: World) -> None:
    """Rotated, it is kept until the end that it had."""
    room = world.room(limits=LIMITS)
    sid, _ = await start(room)
    world.clock.now += DAY
    rotated = await room.sessions.rotate(sid, factors=("pwd", "totp"))
    assert rotated is not None
    world.clock.now += 28 * DAY
    found = await room.sessions.find(rotated[0])
    assert found is not None
    assert found.kept
    world.clock.now += DAY
    assert await room.sessions.find(rotated[0]) is None


async def test_it_ends_as_every_other(world: World) -> None:
    """Days later it is found and ended: alone, with its user, and by a gateway that keeps nobody any more."""
    room, other = world.room(limits=LIMITS), world.room(limits=LIMITS)
    sid, session = await start(room)
    second, _ = await start(room)
    third, _ = await start(room)
    world.clock.now += 10 * DAY
    assert len(await other.sessions.of(session.claims)) == 3
    assert await other.sessions.end_handle(session.handle) == 1
    assert await room.sessions.find(sid) is None
    without = world.room(limits=SessionLimits(idle=600.0, absolute=7200.0, per_user=5))
    assert await without.sessions.find(second) is None
    assert await other.sessions.end_user("alice") == 2
    assert await room.sessions.find(third) is None


async def test_over_the_limit_of_a_user_the_oldest_ends(world: World) -> None:
    """Kept sessions count among the sessions of their user."""
    room = world.room(limits=LIMITS)
    first, _ = await start(room)
    for _ in range(5):
        await start(room, kept=False)
    assert await room.sessions.find(first) is None


async def test_its_login_is_asked_as_ever(world: World) -> None:
    """After days unused the login is asked at the next use: confirmed it goes on; where nobody can be asked it ends, an
    hour after it was last confirmed."""
    room = world.room(limits=LIMITS)
    answers: list[Confirmed | Unanswered] = []

    async def question(session: Session) -> Confirmed | Unanswered:
        answers.append(Confirmed(session.claims, None) if not answers else Unanswered("no answer"))
        return answers[-1]

    room.sessions.renew_by(question)
    sid, _ = await start(room)
    world.clock.now += 10 * DAY
    assert await room.sessions.find(sid) is not None
    assert len(answers) == 1
    world.clock.now += LIMITS.unconfirmed
    assert await room.sessions.find(sid) is None
    assert len(answers) == 2
