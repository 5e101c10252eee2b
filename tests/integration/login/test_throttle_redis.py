"""Failed logins counted in a real Redis, as several instances share it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from authgw.errors import StoreError
from authgw.login.throttle import Limits, Throttle, storage
from authgw.reasons import Reason
from kit.redis import RedisServer, real_redis, redis_server

__all__ = ["real_redis"]
pytestmark = pytest.mark.anyio
HERE = "192.0.2.7"


@pytest.fixture
async def redis(real_redis: RedisServer) -> AsyncIterator[Redis]:
    client = Redis.from_url(real_redis.url)
    await client.flushall()
    yield client
    await client.aclose()


def made(url: str, **limits: int) -> Throttle:
    return Throttle(storage(url, time.time), b"k" * 32, Limits(**limits), time.time)


async def test_two_instances_count_together(redis: Redis, real_redis: RedisServer) -> None:
    """Failures at one instance make the other one wait and lock, for as long as it says."""
    one, other = made(real_redis.url, user_failures=3, max_attempts=4), made(real_redis.url, user_failures=3)
    for _ in range(2):
        await one.failed("alice", HERE)
    assert await other.check("alice", HERE) is None
    await other.failed("Alice", HERE)
    paused = await one.check("ALICE", HERE)
    assert paused is not None
    assert (paused.reason, paused.seconds) == (Reason.THROTTLED, 1)
    assert await one.failures("alice") == await other.failures("alice") == 3
    await one.failed("alice", HERE)
    locked = await other.check("alice", "198.51.100.1")
    assert locked is not None
    assert locked.reason is Reason.LOCKED_OUT
    assert 895 <= locked.seconds <= 901
    assert await other.check("bob", HERE) is None
    await one.close()
    await other.close()


async def test_guessed_tokens_count_together(redis: Redis, real_redis: RedisServer) -> None:
    """Tokens guessed at two instances are counted as at one, the same one once; then both make the address wait."""
    one, other = made(real_redis.url, user_failures=3), made(real_redis.url, user_failures=3)
    for at, guess in ((one, b"1"), (other, b"1"), (other, b"2"), (one, b"2")):
        assert await at.refused(HERE, guess) is None
    assert one.held(HERE) is None
    assert await other.refused(HERE, b"3") is None
    assert other.held(HERE) is not None
    waits = await one.refused(HERE, b"4")
    assert waits is not None
    assert (waits.reason, waits.seconds) == (Reason.THROTTLED, 1)
    await one.close()
    await other.close()


async def test_addresses_count_together(redis: Redis, real_redis: RedisServer) -> None:
    """An address that failed often enough at one instance waits at all of them."""
    one, other = made(real_redis.url, address_failures=3), made(real_redis.url, address_failures=3)
    for n in range(3):
        await one.failed(f"user{n}", "2001:db8:1:2::1")
    waits = await other.check("someone", "2001:db8:1:2:ffff::9")
    assert waits is not None
    assert waits.reason is Reason.THROTTLED
    assert 890 <= waits.seconds <= 901
    await one.close()
    await other.close()


async def test_what_lies_in_the_store(redis: Redis, real_redis: RedisServer) -> None:
    """Every key has an end, a day at most, and our prefix; neither keys nor values hold a name or an address."""
    throttle = made(real_redis.url, user_failures=2, max_attempts=4, window=60)
    for _ in range(4):
        await throttle.failed("alice", HERE)
    keys = [key async for key in redis.scan_iter("*")]
    assert len(keys) >= 3
    for key in keys:
        assert key.startswith(b"authgw:throttle")
        assert 0 < await redis.ttl(key) <= 86_401
        assert b"alice" not in key
        assert HERE.encode() not in key
    await throttle.close()


async def test_no_store_no_answer(tmp_path: Path) -> None:
    """With the server gone every question is a StoreError, never a silent yes."""
    with redis_server(tmp_path) as server:
        throttle = made(server.url)
        await throttle.failed("alice", HERE)
    with pytest.raises(StoreError):
        await throttle.check("alice", HERE)
    with pytest.raises(StoreError):
        await throttle.failed("alice", HERE)
    with pytest.raises(StoreError):
        await throttle.locked("alice")
    await throttle.close()
