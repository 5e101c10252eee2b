"""The session store's client: one place that knows its URL, its time limits and its exceptions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from authgw.errors import ConfigError, Problem, StoreError

MEMORY = "memory://"
CONNECTIONS = 64
MEMORY_CONNECTIONS = 100_000  # no sockets: one for each request under way
SECONDS = 2.0
HEALTH_CHECK_SECONDS = 30
PROBE_MILLISECONDS = 100
# What the client raises when it has no answer: its own, the system's, and what its parser stumbles over where an answer
# is no RESP at all. It has closed the connection then, so that nobody else reads the rest.
FAILURES = (RedisError, OSError, TimeoutError, ValueError, TypeError, LookupError, RecursionError)


def is_shared(url: str) -> bool:
    """Does another process see what this one stores? Not in the store inside the process. ConfigError: unusable URL."""
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        return False
    if scheme in ("redis", "rediss"):
        return True
    message = f"{scheme or 'no'}:// is not a store; memory://, redis:// and rediss:// are"
    raise ConfigError([Problem("sessions.store", "", message)])


def connect(url: str, *, connections: int = CONNECTIONS, seconds: float = SECONDS) -> Redis:
    """A client. Nothing is asked yet; with memory:// every call makes a store of its own.

    At most `connections` at once; connecting, reading and waiting for a free connection end after `seconds`.
    A broken connection is tried once more. rediss:// verifies certificate and host name against the system's
    authorities, or those of `?ssl_ca_certs=FILE`. ConfigError: unusable URL.
    """
    if not is_shared(url):
        from fakeredis import FakeAsyncRedis, FakeServer

        return FakeAsyncRedis(server=FakeServer(), max_connections=MEMORY_CONNECTIONS)
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=seconds,
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            socket_keepalive=True,
            health_check_interval=HEALTH_CHECK_SECONDS,
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
    except ValueError as error:
        raise ConfigError([Problem("sessions.store", "", str(error))]) from error
    return Redis.from_pool(pool)


async def ask(call: Awaitable[Any]) -> Any:
    """The store's answer. StoreError: it could not be asked or refused to answer; never a silent None."""
    try:
        return await call
    except FAILURES as error:
        raise StoreError(f"session store: {type(error).__name__}: {error}") from error


async def read(call: Awaitable[Any]) -> bytes | None:
    """A stored record, None where there is none. What lies there in another data type is no record of ours."""
    try:
        answer = await call
    except ResponseError as error:
        if str(error).startswith("WRONGTYPE"):
            return None
        raise StoreError(f"session store: {error}") from error
    except FAILURES as error:
        raise StoreError(f"session store: {type(error).__name__}: {error}") from error
    return answer if isinstance(answer, bytes) else None


async def probe(redis: Redis, name: bytes) -> str:
    """Write, read back and see expire a value under `name`, which nothing else uses. What was seen, in words.

    StoreError: it could not be asked, or does not do what sessions need.
    """
    key = b"authgw:probe:" + name
    await ask(redis.set(key, name, px=PROBE_MILLISECONDS))
    try:
        if await ask(redis.get(key)) != name:
            raise StoreError("what was written is not what is read")
        for _ in range(20):
            await asyncio.sleep(PROBE_MILLISECONDS / 1000)
            if await ask(redis.get(key)) is None:
                return "written, read back, expired"
        raise StoreError("what should have expired is still there")
    finally:
        await ask(redis.delete(key))
