"""Which sessions hang on which session, and which person, of a provider: found and ended when the provider says so.

The index is written before the session and read after the mark that it has ended: however the two interleave, no
session of somebody who was signed out over there stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from authgw.session.keys import Keys
from authgw.session.model import Ending, Remote
from authgw.session.seal import Seal
from authgw.session.store import ask, read

INDEX = "authgw:provider:"
ENDED = "authgw:provider-ended:"
ONCE = "authgw:provider-once:"
# As long as a login may be under way when the provider ends what it rests on.
ENDED_SECONDS = 3600.0


class Providers:
    """Every method raises StoreError where the store cannot be asked. `clock`: seconds since 1970."""

    def __init__(self, redis: Redis, keys: Keys, clock: Callable[[], float]) -> None:
        self._redis = redis
        self._clock = clock
        self._seals = tuple(Seal(key, "provider") for key in keys.all)

    async def add(self, login: str, remote: Remote, handle: str, seconds: float) -> None:
        """Remember for `seconds` that this session hangs on that login at a provider."""
        now = self._clock()
        for name in _hangs_on(login, remote):
            key = INDEX + self._seals[0].hash(name)
            await ask(self._redis.zremrangebyscore(key, "-inf", now))
            await ask(self._redis.zadd(key, {handle: now + seconds}))
            await ask(self._redis.expire(key, int(seconds) + 1))

    async def is_ended(self, login: str, remote: Remote) -> bool:
        """Whether the provider has ended this one since it was issued."""
        for name in _hangs_on(login, remote):
            for seal in self._seals:
                at = await read(self._redis.get(ENDED + seal.hash(name)))
                # Of one second nobody can tell which came first.
                if at is not None and remote.issued <= float(at):
                    return True
        return False

    async def end(self, login: str, ending: Ending, end: Callable[[list[str]], Awaitable[int]]) -> int | None:
        """Mark it as ended, and `end` the sessions that hang on it, by their handles; how many that were.

        None: this very message was obeyed before. One that could not be obeyed may come again.
        """
        once = ONCE + self._seals[0].hash(f"{login}\0{ending.once}")
        seconds = max(1, int(ending.until - self._clock()) + 1)
        if not await ask(self._redis.set(once, b"1", nx=True, ex=seconds)):
            return None
        try:
            return await end(await self._mark(login, ending))
        except BaseException:
            await ask(self._redis.delete(once))
            raise

    async def _mark(self, login: str, ending: Ending) -> list[str]:
        found: list[str] = []
        for name in _ended(login, ending):
            await ask(self._redis.set(ENDED + self._seals[0].hash(name), repr(ending.issued), ex=int(ENDED_SECONDS)))
            for seal in self._seals:
                found += [one.decode() for one in await ask(self._redis.zrange(INDEX + seal.hash(name), 0, -1))]
        return list(dict.fromkeys(found))


def _hangs_on(login: str, remote: Remote) -> list[str]:
    """Under which names a session is found: its session there, else as one whose session there nobody told, and its
    person."""
    own = f"{login}\0sid\0{remote.session}" if remote.session else f"{login}\0lone\0{remote.subject}"
    return [own, f"{login}\0sub\0{remote.subject}"]


def _ended(login: str, ending: Ending) -> list[str]:
    """Under which names those are found that end. A session of a person ends those of his that were never told one."""
    if not ending.session:
        return [f"{login}\0sub\0{ending.subject}"]
    lone = [f"{login}\0lone\0{ending.subject}"] if ending.subject else []
    return [f"{login}\0sid\0{ending.session}", *lone]
