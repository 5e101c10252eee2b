"""Sessions that hang on a provider: found by its session and by its person, and ended when it says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from authgw.errors import StoreError
from authgw.session.model import Ending, Kind, Remote
from kit.sessions import Room, claims

pytestmark = pytest.mark.anyio
World = Any
LOGIN = "static"


async def begin(room: Room, remote: Remote | None, login: str = LOGIN, **more: Any) -> str:
    who = claims(login=login, **more)
    sid, _ = await room.sessions.start(
        who, Kind.BROWSER, address="192.0.2.7", agent="test", factors=("redirect",), remote=remote
    )
    return sid


def remote(room: Room, session: str = "sid-1", subject: str = "sub-1") -> Remote:
    return Remote(subject, session, issued=room.clock.now, kept=b"refresh")


def ending(room: Room, session: str = "", subject: str = "sub-1", once: str = "m1") -> Ending:
    return Ending(subject, session, room.clock.now, once, room.clock.now + 400)


async def alive(room: Room, *sids: str) -> list[bool]:
    return [await room.sessions.find(sid) is not None for sid in sids]


async def test_by_session(world: World) -> None:
    """Exactly the sessions that hang on that one, in every process; other logins and other sessions go on."""
    one, other = world.room(), world.room()
    mine, same = await begin(one, remote(one)), await begin(other, remote(one))
    second, foreign = await begin(one, remote(one, "sid-2")), await begin(one, remote(one), login="corp")
    local = await begin(one, None)
    assert await alive(other, mine, same, second, foreign, local) == [True] * 5
    assert await one.sessions.end_remote(LOGIN, ending(one, "sid-1")) == 2
    assert await alive(other, mine, same, second, foreign, local) == [False, False, True, True, True]


async def test_a_session_that_knows_no_name_of_its_own(world: World) -> None:
    """A provider that names the session only when it ends it ends those of the person that were never told a name."""
    one = world.room()
    lone, told = await begin(one, remote(one, "")), await begin(one, remote(one, "sid-2"))
    assert await one.sessions.end_remote(LOGIN, ending(one, "sid-1")) == 1
    assert await alive(one, lone, told) == [False, True]


async def test_by_person(world: World) -> None:
    """All sessions of the person at that provider, the newest too (CVE-2026-18569); somebody else's go on."""
    one, other = world.room(), world.room()
    mine = [await begin(one, remote(one, f"sid-{at}")) for at in range(3)]
    without = await begin(other, remote(one, ""))
    foreign = await begin(one, remote(one, "sid-9", "sub-2"), user="bob", id=102)
    assert await one.sessions.end_remote(LOGIN, ending(one)) == 4
    assert await alive(other, *mine, without, foreign) == [False] * 4 + [True]


async def test_a_message_counts_once(world: World) -> None:
    """The same message again ends nothing: a copy of it must not end who came in later."""
    one, other = world.room(), world.room()
    await begin(one, remote(one))
    assert await one.sessions.end_remote(LOGIN, ending(one)) == 1
    one.clock.now += 2
    later = await begin(one, remote(one))
    assert await other.sessions.end_remote(LOGIN, ending(one)) is None
    assert await alive(one, later) == [True]
    assert await one.sessions.end_remote("corp", ending(one)) == 0


@pytest.mark.parametrize("session", ["sid-1", ""], ids=["by session", "by person"])
async def test_a_login_under_way(world: World, session: str) -> None:
    """Who had his ID token before he was signed out over there, and comes in after, is out at once; the next is in."""
    one, other = world.room(), world.room()
    early = remote(one)
    assert await other.sessions.end_remote(LOGIN, ending(one, session)) == 0
    assert await alive(one, await begin(one, early)) == [False]
    one.clock.now += 1
    assert await alive(one, await begin(one, remote(one, "sid-new"))) == [True]


async def test_it_finds_a_rotated_session(world: World) -> None:
    """A session that has a new id hangs on the provider as before."""
    one, other = world.room(), world.room()
    rotated = await one.sessions.rotate(await begin(one, remote(one)), factors=("redirect", "totp"))
    assert rotated is not None
    assert rotated[1].remote == remote(one)
    assert await other.sessions.end_remote(LOGIN, ending(one, "sid-1")) == 1
    assert await alive(one, rotated[0]) == [False]


async def test_a_restored_session_is_dead(world: World) -> None:
    """A record brought back from before the person was signed out opens nothing."""
    one = world.room()
    sid = await begin(one, remote(one))
    key = (await world.redis.keys("authgw:session:*"))[0]
    blob = await world.redis.get(key)
    assert await one.sessions.end_remote(LOGIN, ending(one)) == 1
    await world.redis.set(key, blob)
    assert await alive(world.room(), sid) == [False]


async def test_operators_see_no_token(world: World) -> None:
    """What a provider gave for asking again lies under the session's own key only."""
    one = world.room()
    await begin(one, remote(one))
    (key,) = await world.redis.keys("authgw:operator:*")
    (record,) = [record async for _, record in one.sessions._register.records()]
    assert record.remote is not None
    assert record.remote.kept == b""
    assert key


async def test_what_could_not_be_obeyed_may_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that met a broken store is not taken for a copy when the provider sends it again."""
    one = world.room()
    sid = await begin(one, remote(one))

    async def broken(handles: list[str]) -> int:
        raise StoreError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(one.sessions, "_forget", broken)
        with pytest.raises(StoreError):
            await one.sessions.end_remote(LOGIN, ending(one, "sid-1"))
    assert await one.sessions.end_remote(LOGIN, ending(one, "sid-1")) == 1
    assert await alive(one, sid) == [False]


async def test_both_at_the_same_time(world: World) -> None:
    """Of a login and a logout that cross, none leaves a live session behind, in whatever order their steps come."""
    one, other = world.room(), world.room()
    for at in range(20):
        early = remote(one, f"sid-{at}")
        sid, _ = await asyncio.gather(
            begin(one, early), other.sessions.end_remote(LOGIN, ending(one, f"sid-{at}", once=f"m{at}"))
        )
        assert await alive(one, sid) == [False]
