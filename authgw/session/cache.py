"""May what this process remembers of sessions stand in for asking the store? Only while every change is heard of.

Redis tells of changes itself: one connection of each process says `CLIENT TRACKING ON BCAST PREFIX authgw:session:`
and is told the name of every key that changes (https://redis.io/docs/latest/develop/reference/client-side-caching/).
Without that connection, or without an answer to its last PINGs, nothing remembered counts. The store inside the
process has this process as its only writer, which tells its memory itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from authgw.session.lookup import SESSION
from authgw.session.memory import Memory
from authgw.session.store import FAILURES, is_shared

# A PING goes out so often, and an answered one vouches so long: what was changed before it went out has been heard of
# when its answer comes. Together with the epochs' 0.9 s this keeps a revocation within one second.
BEAT_SECONDS = 0.2
VOUCHED_SECONDS = 0.9
# A connection that leaves a PING unanswered for so long is given up, and a new one is tried after a pause.
SILENT_SECONDS = 2.0
PAUSE_SECONDS = 0.5

log = logging.getLogger("authgw.session")


class Coherence(Protocol):
    """Tells a memory of changes made elsewhere. `live`: everything that changed until just now has been told."""

    def live(self) -> bool: ...


class Unheard:
    """Nobody tells: the store is asked each time."""

    def live(self) -> bool:
        return False


class Alone:
    """The store is inside this process: nobody else writes."""

    def live(self) -> bool:
        return True

    async def open(self) -> None:
        """There is nothing to listen to."""

    async def close(self) -> None:
        """Nor to end."""


def coherence(url: str, redis: Redis, memory: Memory) -> Alone | Tracking:
    """What keeps a memory in step with the store at this URL; a `Tracking` is to be opened and closed."""
    return Tracking(redis, memory, SESSION) if is_shared(url) else Alone()


class Tracking:
    """Hears of changes from Redis on a connection of its own, from `open` to `close`. `now`: seconds that never go
    back."""

    def __init__(self, redis: Redis, memory: Memory, prefix: str, now: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._memory = memory
        self._prefix = prefix
        self._now = now
        self._vouched_until = 0.0
        self._unanswered: deque[float] = deque()
        self._task: asyncio.Task[None] | None = None
        self._told = ""

    def live(self) -> bool:
        return self._now() < self._vouched_until

    async def open(self) -> None:
        """Begin to listen. A Redis that is not there, or that cannot track, is tried again and again."""
        self._task = asyncio.create_task(self._forever())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _forever(self) -> None:
        while True:
            try:
                await self._once()
            except (RedisConnectionError, OSError, TimeoutError) as error:
                self._tell(f"the session store cannot be reached: {str(error).rstrip('.')}; see sessions.store")
            except FAILURES as error:
                cause = f"{type(error).__name__}: {error}"
                self._tell(f"sessions are read from the store each time, for it tells of no changes: {cause}")
            finally:
                self._lost()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _once(self) -> None:
        """One connection, until it fails."""
        connection = self._connection()
        try:
            await connection.connect()
            connection._parser.set_invalidation_push_handler(self._heard)
            await connection.send_command("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._prefix)
            await connection.read_response(disable_decoding=True)
            self._told = ""
            beat = asyncio.create_task(self._beat(connection))
            try:
                while True:
                    said = await connection.read_response(disable_decoding=True, push_request=True)
                    if said == b"PONG":
                        self._vouched_until = self._unanswered.popleft() + VOUCHED_SECONDS
            finally:
                beat.cancel()
                await asyncio.gather(beat, return_exceptions=True)
        finally:
            with contextlib.suppress(*FAILURES):
                await connection.disconnect(nowait=True)

    def _connection(self) -> Any:
        """As the pool would make it, but on RESP3, and with nobody else's PINGs on it (`redis.asyncio.Connection`,
        whose types leave out how pushed messages are heard)."""
        pool = self._redis.connection_pool
        own = {"protocol": 3, "health_check_interval": 0, "socket_timeout": SILENT_SECONDS}
        return pool.connection_class(**{**pool.connection_kwargs, **own})

    async def _beat(self, connection: Any) -> None:
        while True:
            self._unanswered.append(self._now())
            await connection.send_command("PING")
            await asyncio.sleep(BEAT_SECONDS)

    async def _heard(self, message: list[Any]) -> None:
        """`[invalidate, keys]`; no keys: everything, as after FLUSHALL."""
        keys = message[1]
        if keys is None:
            self._memory.lost()
            return
        for key in keys:
            name = key.decode("ascii", "replace") if isinstance(key, bytes) else str(key)
            self._memory.changed(name.removeprefix(self._prefix))

    def _lost(self) -> None:
        self._vouched_until = 0.0
        self._unanswered.clear()
        self._memory.lost()

    def _tell(self, trouble: str) -> None:
        """Once for each kind of trouble: it is tried again twice a second."""
        if trouble != self._told:
            log.warning(trouble)
        self._told = trouble
