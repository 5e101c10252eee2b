"""Asking a session's login again: does it still stand, and with which rights? One request asks, for all of them.

Once a session was confirmed longer ago than `refresh`, the next request that uses it asks; a lock in the store keeps
the others, of every instance, from asking too, so that a refresh token is used once. Requests meanwhile go on with what
is known for PATIENCE seconds, then wait. What is learnt is written in place: the id stays, and nobody is logged out by
asking. Whoever no longer stands is ended; where nobody can be asked, or the login cannot tell, the session ends
`unconfirmed` seconds after it was last confirmed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable

import msgspec
from redis.asyncio import Redis

from authgw.errors import StoreError
from authgw.session import scripts
from authgw.session.lookup import Loaded
from authgw.session.model import Confirmed, Over, Remote, Session, SessionLimits, Unanswered, Untold
from authgw.session.record import Record, as_session, subject
from authgw.session.records import Records
from authgw.session.store import ask, read

LOCK = "authgw:renewing:"
LOCK_SECONDS = 20
# For so long beyond `refresh` a request goes on with what is known while another one asks.
PATIENCE = 30.0
# Where nobody could be asked, the next question comes no sooner.
RETRY_SECONDS = 30.0
_PAUSE = 0.05

Question = Callable[[Session], Awaitable[Confirmed | Over | Unanswered | Untold]]
log = logging.getLogger("authgw.session")


class Renewal:
    """`question` asks the login; `end` ends a session by its handle. StoreError passes through."""

    def __init__(
        self,
        redis: Redis,
        records: Records,
        limits: SessionLimits,
        clock: Callable[[], float],
        question: Question,
        end: Callable[[str], Awaitable[object]],
    ) -> None:
        self._redis = redis
        self._records = records
        self._limits = limits
        self._clock = clock
        self._question = question
        self._end = end
        self._unlock = redis.register_script(scripts.UNLOCK)
        self._asking: dict[str, asyncio.Task[Loaded | None]] = {}
        self._soon: dict[str, asyncio.Task[None]] = {}

    async def renewed(self, sid: str, loaded: Loaded) -> Loaded | None:
        """The record, confirmed where that was due. None: the session is over."""
        if not self.is_due(loaded.record):
            return loaded
        task = self._asking.get(loaded.handle)
        if task is not None and self._is_fresh_enough(loaded.record):
            return loaded
        if task is None:
            # A task of its own: a client that leaves must not tear a refresh token's exchange apart.
            task = asyncio.create_task(self._ask(sid, loaded))
            self._asking[loaded.handle] = task
            task.add_done_callback(lambda _: self._asking.pop(loaded.handle, None))
        return await asyncio.shield(task)

    def soon(self, sid: str) -> None:
        """Ask for what goes on without requests, such as a stream. Nobody waits: whoever is over is ended."""
        if sid not in self._soon:
            self._soon[sid] = task = asyncio.create_task(self._unwatched(sid))
            task.add_done_callback(lambda _: self._soon.pop(sid, None))

    async def _unwatched(self, sid: str) -> None:
        try:
            loaded = await self._records.load(sid)
            if loaded is not None:
                await self.renewed(sid, loaded)
        except StoreError as error:
            log.warning("a session could not be asked for again: %s", error)

    def _age(self, record: Record) -> float:
        return self._clock() - record.confirmed

    def due_at(self, record: Record) -> float:
        """From when on the next request with it has to ask."""
        limits = self._limits
        rested = min(record.tried + min(RETRY_SECONDS, limits.refresh), record.confirmed + limits.unconfirmed)
        return max(record.confirmed + limits.refresh, rested)

    def is_due(self, record: Record) -> bool:
        return self._clock() >= self.due_at(record)

    def _is_fresh_enough(self, record: Record) -> bool:
        return self._age(record) < min(self._limits.refresh + PATIENCE, self._limits.unconfirmed)

    async def _unless_forgotten(self, loaded: Loaded) -> Loaded | None:
        if self._age(loaded.record) < self._limits.unconfirmed:
            return loaded
        log.warning("session %s of %s ends: its login could not be asked", loaded.handle, loaded.record.claims.login)
        await self._end(loaded.handle)
        return None

    async def _ask(self, sid: str, loaded: Loaded) -> Loaded | None:
        lock, mark = LOCK + loaded.handle, secrets.token_bytes(16)
        if not await ask(self._redis.set(lock, mark, nx=True, ex=LOCK_SECONDS)):
            return loaded if self._is_fresh_enough(loaded.record) else await self._wait(sid, lock)
        try:
            current = await self._records.load(sid)
            if current is None or not self.is_due(current.record):
                return current
            return await self._learn(sid, current)
        finally:
            await ask(self._unlock(keys=[lock], args=[mark]))

    async def _wait(self, sid: str, lock: str) -> Loaded | None:
        """What another instance has learnt, as soon as it lets go."""
        for _ in range(round(LOCK_SECONDS / _PAUSE)):
            if await read(self._redis.get(lock)) is None:
                break
            await asyncio.sleep(_PAUSE)
        current = await self._records.load(sid)
        return None if current is None else await self._unless_forgotten(current)

    async def _learn(self, sid: str, current: Loaded) -> Loaded | None:
        session = as_session(current.handle, current.record)
        answer = await self._question(session)
        now = self._clock()
        if isinstance(answer, Confirmed) and subject(answer.claims) != subject(session.claims):
            answer = Over("is another user now")
        if isinstance(answer, Over):
            log.info("session %s of %s ends: %s", current.handle, session.claims.login, answer.reason)
            await self._end(current.handle)
            return None
        if isinstance(answer, Unanswered):
            log.warning("session %s: %s could not be asked: %s", current.handle, session.claims.login, answer.reason)
            remote = answer.remote
            written = await self._records.write(sid, current, lambda record: _tried(record, remote, now), now)
            return None if written is None else await self._unless_forgotten(written)
        if isinstance(answer, Untold):
            end = current.record.confirmed + self._limits.unconfirmed  # not asked again before
            written = await self._records.write(sid, current, lambda record: _tried(record, None, end), now)
            return None if written is None else await self._unless_forgotten(written)
        confirmed = answer
        return await self._records.write(sid, current, lambda record: _confirmed(record, confirmed, now), now)


def _tried(record: Record, remote: Remote | None, at: float) -> Record:
    return msgspec.structs.replace(record, tried=at, remote=remote or record.remote)


def _confirmed(record: Record, answer: Confirmed, now: float) -> Record:
    return msgspec.structs.replace(record, claims=answer.claims, remote=answer.remote, confirmed=now, tried=now)
