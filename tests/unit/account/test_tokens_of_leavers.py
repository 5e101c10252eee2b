"""Tokens of somebody who signs in at a provider: what a logout over there leaves, and when they end without him."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from authgw.rights.claims import Claims
from authgw.session import store
from authgw.session.model import Ending, Kind, Remote
from authgw.session.sessions import Sessions
from kit.sessions import LIMITS
from kit.tokens import AT, Booth, People

pytestmark = pytest.mark.anyio
DAY = 86_400.0


@pytest.fixture
async def booth(tmp_path: Path) -> AsyncIterator[Booth]:
    """Its login cannot tell about people who are not there, as that of a provider."""
    people = People(alice={"password": "right", "id": 101, "can_cdr": True})
    people.tells = False
    made = Booth(tmp_path, people)
    yield made
    await made.close()


async def signed_in(booth: Booth) -> tuple[Sessions, str]:
    """A session of hers that began at the provider."""
    sessions = Sessions(store.connect("memory://"), booth.keys, booth.epochs, LIMITS, booth.clock)
    reading = await booth.owner()
    remote = Remote("sub-alice", "sid-1", booth.clock.now)
    sid, _ = await sessions.start(
        reading.claims, Kind.BROWSER, address=AT, agent="", factors=("redirect",), remote=remote
    )
    return sessions, sid


async def test_a_logout_over_there_leaves_tokens(booth: Booth) -> None:
    """The provider ends a person's sessions, not the account: his tokens go on. An administrator ends both at once."""
    sessions, sid = await signed_in(booth)
    text, _ = await booth.make()
    assert await sessions.find(sid) is not None
    now = booth.clock.now
    assert await sessions.end_remote("corp", Ending("sub-alice", "", now, "message-1", now + 300)) == 1
    booth.clock.now += 1
    assert await sessions.find(sid) is None
    assert isinstance(await booth.claims(text), Claims)
    await sessions.end_user("alice")
    booth.clock.now += 1
    assert await booth.claims(text) == "token_invalid"


async def test_no_token_outlives_its_owner_for_long(booth: Booth) -> None:
    """Used every day, it ends thirty days after his last login all the same: its use is no sign of him."""
    text, _ = await booth.make(days=365)
    for _ in range(30):
        assert isinstance(await booth.claims(text), Claims)
        booth.clock.now += DAY
    booth.clock.now += 61
    assert await booth.claims(text) == "token_rights_old"
