"""What every session store promises, judged through Sessions on the store inside the process and on a real Redis."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from authgw.session.model import Kind, SessionLimits
from kit.sessions import LIMITS, Room, claims

pytestmark = pytest.mark.anyio
World = Any


async def test_a_started_session_is_found_by_its_id_with_all_it_was_given(room: Room) -> None:
    """What went into a session comes out of the store unchanged."""
    sid, started = await room.start(kind=Kind.API)
    found = await room.sessions.find(sid)
    assert found == started
    assert found is not None
    assert found.claims == claims()
    assert (found.kind, found.address, found.agent, found.factors) == (
        Kind.API,
        "192.0.2.7",
        "Mozilla/5.0 (test)",
        ("pwd",),
    )
    assert found.started == found.seen == room.clock.now


async def test_ids_fit_where_php_ids_fit_and_never_repeat(room: Room) -> None:
    """An id is 256 bits in letters and digits, which PHP and a URL take as they are; each start makes another."""
    ids = [(await room.start(id=number))[0] for number in range(1, 40)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9]{43}", sid) for sid in ids)


async def test_another_process_finds_the_session(world: World) -> None:
    """A session started by one process is live in another one with the same key file and database."""
    one, other = world.room(), world.room()
    sid, session = await one.start()
    assert await other.sessions.find(sid) == session


async def test_unknown_and_malformed_ids_are_nobody(room: Room) -> None:
    """An id that was never given out, and text that cannot be one, name no session."""
    sid, _ = await room.start()
    wrong = ["", "x", sid[:-1], sid + "A", sid.swapcase(), "*" * 43, "0" * 43, "é" * 43, sid[:-1] + "\n", "\x00" * 43]
    for text in wrong:
        assert await room.sessions.find(text) is None
        assert await room.sessions.end(text) is None
        assert await room.sessions.rotate(text) is None


async def test_the_handle_opens_nothing(room: Room) -> None:
    """The name that lists and the audit trail show for a session cannot be used as its id."""
    _, session = await room.start()
    assert await room.sessions.find(session.handle) is None
    assert await room.sessions.find(session.handle.ljust(43, "0")) is None


async def test_an_unused_session_ends_at_its_idle_limit(room: Room) -> None:
    """Idle end comes by the gateway's clock, to the second, whatever the store's own clock says."""
    sid, _ = await room.start()
    other, _ = await room.start()
    room.clock.now += LIMITS.idle - 1
    assert await room.sessions.find(sid) is not None
    room.clock.now += 1
    assert await room.sessions.find(other) is None
    assert await room.sessions.find(sid) is not None
    room.clock.now += LIMITS.idle
    assert await room.sessions.find(sid) is None


async def test_use_does_not_move_the_absolute_end(room: Room) -> None:
    """A session in constant use ends at its absolute limit all the same."""
    sid, session = await room.start()
    end = session.started + LIMITS.absolute
    while room.clock.now + 300 < end:
        room.clock.now += 300
        assert await room.sessions.find(sid) is not None
    room.clock.now = end - 1
    assert await room.sessions.find(sid) is not None
    room.clock.now = end
    assert await room.sessions.find(sid) is None


async def test_a_use_is_noted_now_and_then_only(room: Room) -> None:
    """`seen` moves when half a minute has passed, not with each use, so that reading stays reading."""
    sid, session = await room.start()
    room.clock.now += 29
    found = await room.sessions.find(sid)
    assert found is not None
    assert found.seen == session.started
    room.clock.now += 1
    found = await room.sessions.find(sid)
    assert found is not None
    assert found.seen == room.clock.now
    [listed] = await room.sessions.listed()
    assert listed.seen == room.clock.now


async def test_shorter_limits_hold_for_sessions_that_already_run(world: World) -> None:
    """A limit lowered in the configuration ends running sessions, not only those to come."""
    before = world.room()
    sid, _ = await before.start()
    world.clock.now += 100
    after = world.room(limits=SessionLimits(idle=100, absolute=7200, per_user=5))
    assert await after.sessions.find(sid) is None


async def test_rotation_gives_a_new_id_and_kills_the_old_one_at_once(world: World) -> None:
    """After a gain of rights the old id is dead in every process, and the new one carries the session on."""
    room, other = world.room(), world.room()
    sid, session = await room.start()
    assert await other.sessions.find(sid) is not None
    room.clock.now += 5
    rotated = await room.sessions.rotate(sid, factors=("pwd", "otp"))
    assert rotated is not None
    new, after = rotated
    assert new != sid
    assert after.handle != session.handle
    assert after.factors == ("pwd", "otp")
    assert after.started == session.started
    for place in (room, other):
        assert await place.sessions.find(sid) is None
        assert await place.sessions.find(new) == after
    assert [one.handle for one in await room.sessions.listed()] == [after.handle]
    assert await room.sessions.rotate(sid) is None


async def test_rotation_moves_neither_the_absolute_end_nor_the_place_in_the_order(room: Room) -> None:
    """A session cannot be kept alive, nor spared by the cap, by rotating it."""
    sid, session = await room.start()
    for _ in range(LIMITS.per_user - 1):
        room.clock.now += 1
        await room.start()
    rotated = await room.sessions.rotate(sid)
    assert rotated is not None
    await room.start()
    assert await room.sessions.find(rotated[0]) is None
    again, _ = await room.start(user="bob", id=7)
    room.clock.now += LIMITS.idle - 1
    rotated = await room.sessions.rotate(again)
    assert rotated is not None
    assert rotated[1].started < room.clock.now
    assert session.started == 1_700_000_000.0


async def test_a_session_never_passes_to_another_user(room: Room) -> None:
    """Rotation takes new rights for the same user and tenant only."""
    sid, _ = await room.start()
    for changed in (claims(id=7), claims(user="bob"), claims(login="corp"), claims(tenant="other")):
        with pytest.raises(ValueError):
            await room.sessions.rotate(sid, claims=changed)


async def test_over_the_cap_the_oldest_ends_and_no_login_is_refused(room: Room) -> None:
    """One user has at most so many sessions; his newest always work, other users are not touched."""
    bob, _ = await room.start("bob", 7)
    mine = []
    for _ in range(LIMITS.per_user + 3):
        mine.append((await room.start())[0])
        room.clock.now += 0.001
    alive = [await room.sessions.find(sid) is not None for sid in mine]
    assert alive == [False] * 3 + [True] * LIMITS.per_user
    assert await room.sessions.find(bob) is not None
    assert len(await room.sessions.listed(user="alice")) == LIMITS.per_user


async def test_the_cap_goes_by_login_and_id_not_by_name(room: Room) -> None:
    """Two people of the same name in two login instances do not push each other out."""
    first, _ = await room.start(login="static")
    for _ in range(LIMITS.per_user):
        await room.start(login="corp")
    assert await room.sessions.find(first) is not None


async def test_starts_in_the_same_instant_still_end_in_order(room: Room) -> None:
    """Of sessions started without any time between them the first ones end first."""
    mine = [(await room.start())[0] for _ in range(LIMITS.per_user * 2)]
    alive = [await room.sessions.find(sid) is not None for sid in mine]
    assert alive == [False] * LIMITS.per_user + [True] * LIMITS.per_user


async def test_parallel_starts_never_exceed_the_cap(world: World) -> None:
    """However many logins of a user come at once, in however many processes, the cap holds."""
    rooms = [world.room() for _ in range(3)]
    started = await asyncio.gather(*(rooms[n % 3].start() for n in range(30)))
    alive = [sid for sid, _ in started if await rooms[0].sessions.find(sid) is not None]
    assert len(alive) == LIMITS.per_user
    assert len(await rooms[0].sessions.listed()) == LIMITS.per_user


async def test_the_list_tells_who_is_here(room: Room) -> None:
    """An operator sees every live session with its particulars, oldest first, and can narrow the list."""
    await room.start("alice", 1, tenant="acme")
    room.clock.now += 1
    _, bob = await room.start("bob", 2, kind=Kind.API, tenant="umbrella")
    assert [one.user for one in await room.sessions.listed()] == ["alice", "bob"]
    assert [one.user for one in await room.sessions.listed(user="alice")] == ["alice"]
    [listed] = await room.sessions.listed(tenant="umbrella")
    assert listed.handle == bob.handle
    assert (listed.user, listed.id, listed.login, listed.tenant) == ("bob", 2, "static", "umbrella")
    assert (listed.kind, listed.factors, listed.address) == (Kind.API, ("pwd",), "192.0.2.7")
    assert (listed.started, listed.seen, listed.claims) == (bob.started, bob.seen, bob.claims)
    room.clock.now += LIMITS.idle
    assert await room.sessions.listed() == []


async def test_what_the_client_sent_is_cut_to_size(room: Room) -> None:
    """A huge user agent or address takes no room in the store."""
    sid, _ = await room.sessions.start(claims(), Kind.API, address="9" * 9999, agent="x" * 99_999, factors=())
    found = await room.sessions.find(sid)
    assert found is not None
    assert (len(found.address), len(found.agent)) == (64, 256)


async def test_many_logins_at_once_keep_their_identities(world: World) -> None:
    """Under 200 parallel logins nobody ever reads somebody else's session (CVE-2021-35472)."""
    rooms = [world.room(limits=SessionLimits(600, 7200, 1000)) for _ in range(2)]

    async def login(n: int) -> None:
        user, id = ("alice", 101) if n % 2 else ("bob", 102)
        sid, session = await rooms[n % 2].start(user, id)
        for turn in range(4):
            found = await rooms[turn % 2].sessions.find(sid)
            assert found is not None
            assert (found.claims.user, found.claims.id, found.handle) == (user, id, session.handle)

    await asyncio.gather(*(login(n) for n in range(200)))


async def test_a_session_keeps_its_claims_object_while_its_record_stays(room: Room) -> None:
    """What is compiled from claims once can be kept: the same record gives the same object."""
    sid, _ = await room.start()
    first, second = await room.sessions.find(sid), await room.sessions.find(sid)
    assert first is second


async def test_ping(room: Room) -> None:
    """A store that answers is ready."""
    await room.sessions.ping()


async def test_everything_ends_by_itself_in_the_store(world: World, tmp_path: Path) -> None:
    """Every key has a lifetime, and sessions' keys none beyond their idle limit: what is forgotten disappears."""
    room = world.room()
    sid, _ = await room.start()
    await room.sessions.rotate(sid)
    await room.start()
    keys = await world.redis.keys("*")
    assert len(keys) == 5
    for key in keys:
        limit = LIMITS.absolute if b":user:" in key else LIMITS.idle
        assert 0 < await world.redis.pttl(key) <= limit * 1000


async def test_a_session_is_found_as_its_own_kind_only(room: Room) -> None:
    """Asked for among browser sessions an API session is nobody, and is not kept alive by the asking."""
    sid, session = await room.start(kind=Kind.API)
    room.clock.now += 60
    assert await room.sessions.find(sid, frozenset({Kind.BROWSER})) is None
    [listed] = await room.sessions.listed()
    assert listed.seen == session.seen
    assert await room.sessions.find(sid, frozenset({Kind.API, Kind.BROWSER})) is not None


async def test_rotated_sessions_keep_their_place_among_those_of_the_same_instant(room: Room) -> None:
    """Rotating makes a session neither older nor younger than the ones it was started with."""
    first, *others = [(await room.start())[0] for _ in range(LIMITS.per_user)]
    rotated = [await room.sessions.rotate(sid) for sid in others]
    await room.start()
    assert await room.sessions.find(first) is None
    for pair in rotated:
        assert pair is not None
        assert await room.sessions.find(pair[0]) is not None


async def test_the_sessions_of_one_user(room: Room) -> None:
    """A user's own sessions are found without looking at others', a namesake's of another login not among them."""
    _, first = await room.start()
    room.clock.now += 1
    _, second = await room.start(kind=Kind.API)
    await room.start(login="corp")
    await room.start("bob", 102)
    ended, _ = await room.start()
    await room.sessions.end(ended)
    found = await room.sessions.of(claims())
    assert [one.handle for one in found] == [first.handle, second.handle]
    room.clock.now += room.limits.idle
    assert await room.sessions.of(claims()) == []
