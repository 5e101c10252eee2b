"""A session's login is asked again: by one request, under a lock, with what it learns written in place."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from authgw.session.model import Confirmed, Kind, Over, Remote, Session, SessionLimits, Unanswered, Untold
from kit.sessions import Room, claims

pytestmark = pytest.mark.anyio
World = Any
LIMITS = SessionLimits(idle=7200.0, absolute=40_000.0, per_user=5, refresh=300.0, unconfirmed=3600.0)


class Login:
    """A login that is asked again: answers what the test says, when it says so."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.asked: list[Session] = []
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, session: Session) -> Any:
        self.asked.append(session)
        self.was_asked.set()
        await self.may_answer.wait()
        return self.answer or Confirmed(session.claims, session.remote)


def room(world: World, login: Login) -> Room:
    """A process that asks this login."""
    made: Room = world.room(limits=LIMITS)
    made.sessions.renew_by(login)
    return made


async def begin(made: Room, remote: Remote | None = None) -> str:
    sid, _ = await made.sessions.start(
        claims(), Kind.BROWSER, address="192.0.2.7", agent="test", factors=("redirect",), remote=remote
    )
    return sid


async def test_asked_when_due(world: World) -> None:
    """Not before five minutes, then once, then not for another five; what is new is seen at once."""
    login = Login()
    made = room(world, login)
    sid = await begin(made)
    world.clock.now += 299
    await made.sessions.find(sid)
    assert login.asked == []
    world.clock.now += 1
    login.answer = Confirmed(replace(claims(), name="Alice B."), None)
    found = await made.sessions.find(sid)
    assert found is not None
    assert found.claims.name == "Alice B."
    world.clock.now += 299
    assert (await made.sessions.find(sid)) is not None
    assert len(login.asked) == 1


async def test_a_refusal_ends_the_session(world: World) -> None:
    """Who is no longer allowed in has no session, here and for every other process."""
    login = Login(Over("left"))
    made = room(world, login)
    sid = await begin(made)
    world.clock.now += 300
    assert await made.sessions.find(sid) is None
    assert await room(world, Login()).sessions.find(sid) is None


async def test_nobody_to_ask(world: World) -> None:
    """A login that cannot be asked leaves the session alone for an hour, asked every half minute; then it is over."""
    login = Login(Unanswered("down"))
    made = room(world, login)
    sid = await begin(made)
    world.clock.now += 300
    assert await made.sessions.find(sid) is not None
    world.clock.now += 29
    assert await made.sessions.find(sid) is not None
    assert len(login.asked) == 1
    world.clock.now += 1
    assert await made.sessions.find(sid) is not None
    assert len(login.asked) == 2
    world.clock.now += 3600 - 330 - 1
    assert await made.sessions.find(sid) is not None
    world.clock.now += 1
    assert await made.sessions.find(sid) is None


async def test_parallel_requests_ask_once(world: World) -> None:
    """Of fifty requests over two processes one asks, and all of them find the session."""
    login, other = Login(), Login()
    one, two = room(world, login), room(world, other)
    sid = await begin(one, Remote("sub-1", "sid-1", kept=b"token 1"))
    world.clock.now += 300
    login.may_answer.clear()
    first = asyncio.create_task(one.sessions.find(sid))
    await login.was_asked.wait()
    others = [await made.sessions.find(sid) for made in (one, two) for _ in range(25)]
    login.answer = Confirmed(claims(), Remote("sub-1", "sid-1", kept=b"token 2"))
    login.may_answer.set()
    assert all(others)
    found = await first
    assert found is not None
    assert found.remote is not None
    assert found.remote.kept == b"token 2"
    assert (len(login.asked), len(other.asked)) == (1, 0)
    again = await two.sessions.find(sid)
    assert again is not None
    assert again.remote is not None
    assert again.remote.kept == b"token 2"


async def test_long_overdue_requests_wait(world: World) -> None:
    """Of a session that was last confirmed long ago, no request goes on with what was known then."""
    login, other = Login(), Login()
    one, two = room(world, login), room(world, other)
    sid = await begin(one)
    world.clock.now += 5000
    login.may_answer.clear()
    asked = [asyncio.create_task(made.sessions.find(sid)) for made in (one, two, one, two)]
    waits = [asyncio.create_task(each.was_asked.wait()) for each in (login, other)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    login.answer = other.answer = Confirmed(replace(claims(), name="New"), None)
    assert not any(task.done() for task in asked)
    login.may_answer.set()
    other.may_answer.set()
    found = await asyncio.gather(*asked)
    other.was_asked.set()
    login.was_asked.set()
    await asyncio.gather(*waits)
    assert [session and session.claims.name for session in found] == ["New"] * 4
    assert len(login.asked) + len(other.asked) == 1


async def test_a_client_that_leaves_tears_nothing_apart(world: World) -> None:
    """What a provider gave in exchange for a refresh token is kept although the request that asked is gone."""
    login = Login()
    made = room(world, login)
    sid = await begin(made, Remote("sub-1", kept=b"token 1"))
    world.clock.now += 300
    login.may_answer.clear()
    gone = asyncio.create_task(made.sessions.find(sid))
    await login.was_asked.wait()
    gone.cancel()
    login.answer = Confirmed(claims(), Remote("sub-1", kept=b"token 2"))
    login.may_answer.set()
    found = None
    while found is None or found.remote is None or found.remote.kept != b"token 2":
        found = await made.sessions.find(sid)
    assert len(login.asked) == 1


async def test_another_user_is_no_answer(world: World) -> None:
    """A session never passes to another user, id or tenant."""
    login = Login(Confirmed(claims("mallory"), None))
    made = room(world, login)
    sid = await begin(made)
    world.clock.now += 300
    assert await made.sessions.find(sid) is None


async def test_a_use_noted_meanwhile_takes_nothing_back(world: World) -> None:
    """A request that read the session before it was renewed, and notes its use after, does not write the old rights."""
    login = Login()
    one, two = room(world, login), world.room(limits=LIMITS)
    sid = await begin(one, Remote("sub-1", kept=b"token 1"))
    world.clock.now += 300
    loaded = await two.sessions._records.load(sid)
    login.answer = Confirmed(claims(), Remote("sub-1", kept=b"token 2"))
    await one.sessions.find(sid)
    assert loaded is not None
    written = await two.sessions._records.write(
        sid, loaded, lambda record: replace(record, seen=world.clock.now), world.clock.now
    )
    assert written is not None
    assert written.record.remote is not None
    assert written.record.remote.kept == b"token 2"


async def test_what_was_learnt_on_the_way_is_kept(world: World) -> None:
    """Where nobody could say whether the login stands, a token that took another's place is kept all the same."""
    login = Login(Unanswered("down", Remote("sub-1", kept=b"token 2")))
    one = room(world, login)
    sid = await begin(one, Remote("sub-1", kept=b"token 1"))
    world.clock.now += 300
    found = await one.sessions.find(sid)
    assert found is not None
    assert found.remote == Remote("sub-1", kept=b"token 2")


async def until_over(made: Room, sid: str) -> bool:
    """Whether something long that goes on with this session comes to an end."""
    for _ in range(1000):
        if not await made.sessions.alive(sid):
            return True
        await asyncio.sleep(0.001)  # what was asked is answered in between
    return False


@pytest.mark.parametrize("answer", [Over("left"), Unanswered("directory down")])
async def test_what_goes_on_without_requests_is_asked_for_too(world: World, answer: Any) -> None:
    """A stream or a WebSocket with no request beside it: its login is asked every five minutes too, nobody waits for
    that, and no use is noted. Who is no longer let in is out; where nobody can be asked, after an hour."""
    login = Login()
    made = room(world, login)
    sid = await begin(made)
    seen = (await made.sessions.listed())[0].seen
    world.clock.now += 301
    login.may_answer.clear()
    assert await made.sessions.alive(sid)
    await asyncio.wait_for(login.was_asked.wait(), 10)
    assert await made.sessions.alive(sid)
    login.may_answer.set()
    for _ in range(100):
        assert await made.sessions.alive(sid)
        await asyncio.sleep(0.001)  # what was learnt is written in between
    assert len(login.asked) == 1
    assert (await made.sessions.listed())[0].seen == seen
    login.answer = answer
    world.clock.now += 301 if isinstance(answer, Over) else 3601
    assert await until_over(made, sid)
    assert await made.sessions.find(sid) is None


async def test_a_login_that_cannot_tell(world: World) -> None:
    """It is asked once, and once more at the end; in use or not, the session ends an hour after its login, whether its
    owner asked to be kept signed in or not."""
    login = Login(Untold())
    made: Room = world.room(limits=replace(LIMITS, remember=30 * 86_400.0))
    made.sessions.renew_by(login)
    sids = [await begin(made), (await made.start())[0]]
    kept, _ = await made.sessions.start(claims("bob", 7), Kind.BROWSER, address="", agent="", factors=(), kept=True)
    for _ in range(11):
        world.clock.now += 300
        for sid in (*sids, kept):
            assert await made.sessions.find(sid) is not None
    assert len(login.asked) == 3
    world.clock.now += 300
    for sid in (*sids, kept):
        assert await made.sessions.find(sid) is None
    assert await made.sessions.listed() == []
