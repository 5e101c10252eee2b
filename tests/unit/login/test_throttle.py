"""Failures make the next login wait."""

from __future__ import annotations

import asyncio

import pytest

from authgw.login.memory import Memory
from authgw.login.throttle import MAX_LINE, Limits, Throttle, network
from authgw.reasons import Reason
from kit.sessions import Clock

pytestmark = pytest.mark.anyio
HERE = "192.0.2.7"


def made(clock: Clock, **limits: int) -> tuple[Throttle, Memory]:
    store = Memory(clock)
    return Throttle(store, b"k" * 32, Limits(**limits), clock), store


async def test_the_wait_doubles_and_ends_in_a_lock() -> None:
    """Nothing for four failures, then 1, 2, 4, 8, 16 seconds, and the tenth locks the name for a quarter of an hour."""
    clock = Clock()
    throttle, _ = made(clock)
    waits = []
    for _ in range(10):
        assert await throttle.check("alice", HERE) is None
        await throttle.failed("alice", HERE)
        wait = await throttle.check("alice", HERE)
        waits.append(wait.seconds if wait else 0)
        clock.now += waits[-1] if waits[-1] < 900 else 0
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 900]
    locked = await throttle.check("alice", HERE)
    assert locked is not None
    assert locked.reason is Reason.LOCKED_OUT
    clock.now += 899
    assert await throttle.check("alice", HERE) is not None
    clock.now += 2
    assert await throttle.check("alice", HERE) is None


async def test_a_pause_is_a_minute_at_most() -> None:
    """A user who may fail a hundred times waits a minute each, not a day."""
    clock = Clock()
    throttle, _ = made(clock, window=100_000)
    for _ in range(20):
        await throttle.failed("alice", HERE, 100)
        wait = await throttle.check("alice", HERE)
        clock.now += wait.seconds if wait else 0
    assert wait is not None
    assert (wait.reason, wait.seconds) == (Reason.THROTTLED, 60)


async def test_slow_guesses_from_one_address_come_to_an_end() -> None:
    """One guess every ten minutes is never locked out; the fiftieth of a day from one address is the last one there."""
    clock = Clock()
    throttle, _ = made(clock)
    for _ in range(50):
        assert await throttle.check("alice", HERE) is None
        await throttle.failed("ALICE", HERE)
        clock.now += 600
    wait = await throttle.check("alice", HERE)
    assert wait is not None
    assert (wait.reason, wait.seconds) == (Reason.THROTTLED, 86_400 - 50 * 600)
    assert await throttle.check("bob", HERE) is None
    assert await throttle.check("alice", "192.0.2.8") is None
    clock.now += wait.seconds + 1
    assert await throttle.check("alice", HERE) is None


@pytest.mark.parametrize(("own", "allowed"), [(1, 1), (3, 3), (10, 10), (30, 30), (None, 10)])
async def test_a_users_own_limit(own: int | None, allowed: int) -> None:
    """max_bad_login_attempt of the user's dictionary locks at exactly that many failures, else the default does."""
    clock = Clock()
    throttle, _ = made(clock, window=100_000, address_failures=10_000)
    for n in range(1, allowed + 1):
        await throttle.failed("alice", HERE, own)
        wait = await throttle.check("alice", HERE)
        assert (wait is not None and wait.reason is Reason.LOCKED_OUT) is (n == allowed)
        clock.now += wait.seconds if wait else 0


async def test_failures_grow_old() -> None:
    """What failed a window ago counts no more."""
    clock = Clock()
    throttle, _ = made(clock)
    for _ in range(4):
        await throttle.failed("alice", HERE)
        clock.now += 200
    assert await throttle.failures("alice") == 4
    clock.now += 101
    assert await throttle.failures("alice") == 3
    clock.now += 900
    assert await throttle.failures("alice") == 0


async def test_one_count_for_all_spellings() -> None:
    """A name in another case, composed or full-width, gets no tries of its own."""
    throttle, _ = made(Clock(), max_attempts=3)
    for name in ("alice", "ALICE", "Alice"):
        await throttle.failed(name, HERE)
    wait = await throttle.check("aLiCe", "203.0.113.9")
    assert wait is not None
    assert wait.reason is Reason.LOCKED_OUT


async def test_an_address_waits_from_the_fiftieth() -> None:
    """Fifty failures with fifty names from one address make that address wait, and no other."""
    clock = Clock()
    throttle, _ = made(clock)
    for n in range(50):
        assert await throttle.check(f"user{n}", HERE) is None
        await throttle.failed(f"user{n}", HERE)
        clock.now += 1
    wait = await throttle.check("someone", HERE)
    assert wait is not None
    assert (wait.reason, wait.seconds) == (Reason.THROTTLED, 850)
    assert await throttle.check("someone", "192.0.2.8") is None
    clock.now += 851
    assert await throttle.check("someone", HERE) is None


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("nonsense" * 100, "nonsense" * 8),
    ],
)
def test_what_an_address_stands_for(address: str, place: str) -> None:
    """All addresses of one customer's /64 are one place; IPv4-mapped is IPv4; what is none stays bounded."""
    assert network(address) == place


async def test_no_names_in_the_store() -> None:
    """The store holds keyed hashes: neither names nor addresses can be read from it."""
    throttle, store = made(Clock(), max_attempts=2)
    for _ in range(2):
        await throttle.failed("alice", HERE)
    held = repr(store._windows) + repr(store._counters)
    assert len(store) >= 3
    assert "alice" not in held
    assert HERE not in held


async def test_a_million_names_take_bounded_memory() -> None:
    """However many names fail, only so many are remembered, and the busy one among them is not forgotten."""
    clock = Clock()
    store = Memory(clock, max_names=1000)
    throttle = Throttle(store, b"k" * 32, Limits(), clock)
    for n in range(20_000):
        await throttle.failed(f"user{n}", f"2001:db8:{n % 65536:x}::1")
        if n % 300 == 0:
            await throttle.failed("alice", HERE, 100)
    assert len(store) <= 2000
    assert await throttle.failures("alice") == 67


async def test_guesses_at_once_stand_in_line() -> None:
    """Of many guesses sent together each sees the failures of those before it; too long a line is turned away."""
    clock = Clock()
    throttle, _ = made(clock, max_attempts=5)
    judged: list[bool] = []

    async def guess() -> None:
        async with throttle.line("alice") as admitted:
            if admitted and await throttle.check("alice", HERE) is None:
                judged.append(True)
                await asyncio.sleep(0)
                await throttle.failed("alice", HERE)
            elif not admitted:
                judged.append(False)

    await asyncio.gather(*(guess() for _ in range(100)))
    assert judged.count(True) == 5
    assert judged.count(False) == 100 - MAX_LINE - 1
    assert not throttle._lines


async def test_guessed_tokens_wait_as_names_do() -> None:
    """Four are free, then 1, 2, 4 … 60 seconds, never a lock; what comes meanwhile is not counted."""
    clock = Clock()
    throttle, _ = made(clock)
    waits = []
    for n in range(13):
        assert await throttle.refused(HERE, b"%d" % n) is None
        wait = throttle.held(HERE)
        waits.append(wait.seconds if wait else 0)
        assert not waits[-1] or await throttle.refused(HERE, b"meanwhile") is not None
        clock.now += waits[-1]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_guessed_tokens_keep_no_password_waiting() -> None:
    """Minutes of tokens that are another each time fill half of what the address may fail; failed
    passwords can fill the rest, and then new tokens wait too."""
    clock = Clock()
    throttle, _ = made(clock, address_failures=20)
    for n in range(800):
        await throttle.refused(HERE, b"%d" % n)
        clock.now += 1
    assert await throttle.check("alice", HERE) is None
    for n in range(10):
        assert await throttle.check(f"user{n}", HERE) is None
        await throttle.failed(f"user{n}", HERE)
    assert await throttle.check("alice", HERE) is not None
    clock.now += 61
    assert throttle.held(HERE) is None
    assert await throttle.check_tokens(HERE) is not None


async def test_tokens_guessed_at_once_are_counted_one_by_one() -> None:
    """Of fifty sent in one moment only as many are judged as of fifty sent in turn; the others are told to wait."""
    throttle, _ = made(Clock())
    found = await asyncio.gather(*(throttle.refused(HERE, b"%d" % n) for n in range(50)))
    assert sum(each is None for each in found) == 5
    assert all(each is None or each.reason is Reason.THROTTLED for each in found)


async def test_another_process_hears_of_a_wait() -> None:
    """What one process counts makes the others' guesses wait, and from then on they know it themselves."""
    clock = Clock()
    one, store = made(clock)
    other = Throttle(store, b"k" * 32, Limits(), clock)
    for n in range(6):
        await one.refused("2001:db8::1", b"%d" % n)
        clock.now += n == 4
    assert other.held("2001:db8::2") is None
    assert await other.refused("2001:db8::2", b"7") is not None
    assert other.held("2001:db8::3") is not None
