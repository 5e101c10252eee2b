"""Challenges on the account pages: for one session, one purpose, one answer; and what a passkey is called."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from authgw.account.challenges import SECONDS, Challenges, Purpose
from authgw.account.passkeys import distinct
from authgw.durable.factors import NAME_LENGTH
from authgw.session import store
from authgw.session.cookie import Found
from authgw.session.handles import HandleKind
from kit.sessions import Clock, Room

pytestmark = pytest.mark.anyio


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    made = Room(store.connect("memory://"), tmp_path, Clock())
    yield made
    await made.close()


async def test_once_and_not_for_long(room: Room) -> None:
    """Each is another 32 bytes, is taken out once, disturbs no other, and is over in time."""
    challenges, mine = Challenges(room.handles), Found(*await room.start())
    first, second, third = [await challenges.put(mine.sid, Purpose.MAKE) for _ in range(3)]
    assert len({challenge for _, challenge in (first, second, third)}) == 3
    assert len(first[1]) == 32
    assert await challenges.take(mine.sid, Purpose.MAKE, second[0]) == second[1]
    assert await challenges.take(mine.sid, Purpose.MAKE, second[0]) == b""
    room.clock.now += SECONDS - 1
    assert await challenges.take(mine.sid, Purpose.MAKE, first[0]) == first[1]
    room.clock.now += 1
    assert await challenges.take(mine.sid, Purpose.MAKE, third[0]) == b""


async def test_for_its_session_and_purpose(room: Room) -> None:
    """Another session finds none, the same user's neither; nor does another page. What was tried is gone."""
    challenges, mine = Challenges(room.handles), Found(*await room.start())
    strangers = [Found(*await room.start("bob", 102)), Found(*await room.start())]
    for other, purpose in [(stranger, Purpose.PROVE) for stranger in strangers] + [(mine, Purpose.MAKE)]:
        token, _ = await challenges.put(mine.sid, Purpose.PROVE)
        assert await challenges.take(other.sid, purpose, token) == b""
        assert await challenges.take(mine.sid, Purpose.PROVE, token) == b""


@pytest.mark.parametrize("token", [None, "", "x", 7, ["a"], "A" * 43, "\ud800"])
async def test_what_is_no_token(room: Room, token: Any) -> None:
    """Whatever stands in the field, nothing comes of it."""
    assert await Challenges(room.handles).take(Found(*await room.start()).sid, Purpose.MAKE, token) == b""


async def test_the_store_shows_none(room: Room) -> None:
    """Neither challenge nor token can be read in the store, and a login attempt's record is none."""
    redis: Any = room.redis
    challenges, mine = Challenges(room.handles), Found(*await room.start())
    token, challenge = await challenges.put(mine.sid, Purpose.MAKE)
    [key] = await redis.keys("authgw:passkey:*")
    assert token.encode() not in key
    assert challenge not in await redis.get(key)
    attempt = await room.handles.put(HandleKind.LOGIN_ATTEMPT, b"x", 60)
    assert await challenges.take(mine.sid, Purpose.MAKE, attempt) == b""


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("My phone", (), "My phone"),
        ("", (), "Passkey"),
        (" \t\u200b ", (), "Passkey"),
        ("two\r\nlines", (), "two lines"),
        ("", ("Passkey", "Passkey 2"), "Passkey 3"),
        ("key", ("key",), "key 2"),
        ("x" * 99, (), "x" * NAME_LENGTH),
        ("x" * 99, ("x" * NAME_LENGTH,), "x" * (NAME_LENGTH - 2) + " 2"),
    ],
)
def test_each_has_a_name_of_its_own(wanted: str, taken: tuple[str, ...], name: str) -> None:
    """A name can be shown, fits its column, and is no other factor's; it is never a reason to refuse."""
    assert distinct(wanted, "Passkey", taken) == name
