"""Session records as they are written: begun, moved to another id, changed only from what the store holds just then."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from redis.asyncio import Redis

from authgw.errors import StoreError
from authgw.rights.claims import Claims
from authgw.session import scripts
from authgw.session.keys import Keys
from authgw.session.lookup import SESSION, Loaded, Lookup
from authgw.session.memory import Memory
from authgw.session.model import SessionLimits
from authgw.session.providers import Providers
from authgw.session.record import Record, by_id, by_user, encode, milliseconds, remaining
from authgw.session.register import OPERATOR, Register
from authgw.session.seal import SECRET_BYTES, Seal, spell
from authgw.session.store import ask

USER = "authgw:user:"
# How often a change is made anew because another request was quicker.
TRIES = 5


class Records:
    """Every async method raises StoreError where the store cannot be asked."""

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        seals: Sequence[Seal],
        limits: SessionLimits,
        lookup: Lookup,
        register: Register,
        providers: Providers,
        memory: Memory,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._seal = seals[0]
        self._user_seals = tuple(Seal(key, "user") for key in keys.all)
        self._redis = redis
        self._limits = limits
        self._lookup = lookup
        self._register = register
        self._providers = providers
        self._memory = memory
        self._entropy = entropy
        self._start = redis.register_script(scripts.START)
        self._rotate = redis.register_script(scripts.ROTATE)
        self._touch = redis.register_script(scripts.TOUCH)

    async def begin(self, record: Record, now: float) -> tuple[str, str]:
        """Write a new session: its id and handle. Over the user's limit his oldest ones end."""
        sid, handle = self._new_id()
        await self._hang(record, handle)
        blob, beside = self._sealed(sid, handle, record)
        lifetime = milliseconds(remaining(record, self._limits, now))
        arguments: list[bytes | str | int] = [blob, beside, lifetime, milliseconds(self._limits.longest), handle]
        arguments += [milliseconds(now), self._limits.per_user, SESSION, OPERATOR]
        keys = [SESSION + handle, OPERATOR + handle, *self._indexes(record.claims)]
        moment = self._memory.moment
        ended = await ask(self._start(keys=keys, args=arguments))
        if not isinstance(ended, list):
            raise StoreError("a new session id was already taken: the source of randomness is broken")
        for old in ended:
            self._memory.end(old.decode())
        self._memory.keep(handle, blob, record, self._seal, now, moment)
        return sid, handle

    async def move(self, found: Loaded, record: Record, now: float) -> tuple[str, str] | int:
        """Write a session under a new id, the old one dead at once: the new id and handle; 0: it has ended meanwhile;
        2: another request has changed it, and nothing was written."""
        sid, handle = self._new_id()
        await self._hang(record, handle)
        blob, beside = self._sealed(sid, handle, record)
        old = found.handle
        index_lifetime = milliseconds(record.started + self._limits.longest - now)
        arguments: list[bytes | str | int] = [blob, beside, milliseconds(remaining(record, self._limits, now))]
        arguments += [index_lifetime, old, handle, milliseconds(record.started), found.blob]
        keys = [SESSION + old, OPERATOR + old, SESSION + handle, OPERATOR + handle, *self._indexes(record.claims)]
        moment = self._memory.moment
        done = int(await ask(self._rotate(keys=keys, args=arguments)))
        if done != 2:
            self._memory.end(old)
        if done != 1:
            return done
        self._memory.keep(handle, blob, record, self._seal, now, moment)
        return sid, handle

    async def load(self, sid: str) -> Loaded | None:
        return await self._lookup.load(sid)

    async def write(self, sid: str, loaded: Loaded, change: Callable[[Record], Record], now: float) -> Loaded | None:
        """The record with a change, made to what the store holds now. None: it has ended."""
        current: Loaded | None = loaded
        for _ in range(TRIES):
            if current is None:
                return None
            record = change(current.record)
            blob = current.seal.close(sid, current.handle, encode(record))
            beside = self._register.close(current.handle, record)
            lifetime = milliseconds(remaining(record, self._limits, now))
            arguments: list[bytes | int] = [blob, beside, lifetime, current.blob]
            done = await ask(self._touch(keys=[SESSION + current.handle, OPERATOR + current.handle], args=arguments))
            if done == 0:
                self._memory.drop(current.handle)
                return None
            if done == 1:
                return Loaded(current.handle, blob, record, current.seal, current.moment)
            current = await self._lookup.load(sid)
        return current

    def _new_id(self) -> tuple[str, str]:
        sid = spell(self._entropy(SECRET_BYTES))
        return sid, self._seal.hash(sid)

    def _sealed(self, sid: str, handle: str, record: Record) -> tuple[bytes, bytes]:
        return self._seal.close(sid, handle, encode(record)), self._register.close(handle, record)

    def _indexes(self, claims: Claims) -> list[str]:
        who = f"{claims.login}\x00{by_id(claims.id) if claims.id else by_user(claims.user)}"
        return [USER + seal.hash(who) for seal in self._user_seals]

    async def handles_of(self, claims: Claims) -> list[str]:
        """The handles of a user's sessions, over ones among them."""
        found = [await ask(self._redis.zrange(index, 0, -1)) for index in self._indexes(claims)]
        return list(dict.fromkeys(bytes(handle).decode("ascii", "replace") for some in found for handle in some))

    async def _hang(self, record: Record, handle: str) -> None:
        """Into the provider's index, before there is a session."""
        if record.remote is not None:
            await self._providers.add(record.claims.login, record.remote, handle, self._limits.longest)
