"""Sessions in the store: start, find, rotate, end, list.

Three records a session: `authgw:session:HANDLE`, sealed under the gateway's key and the session id;
`authgw:operator:HANDLE`, the same under the gateway's key alone, for listing; and its handle in `authgw:user:…`, the
user's sessions in order of their start. The handle is the keyed hash of the id: it names a session, and opens nothing.
Every key has a lifetime in the store, and every end is judged here again by `clock`.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec
from redis.asyncio import Redis

from authgw.errors import StoreError
from authgw.rights.claims import Claims
from authgw.session import scripts
from authgw.session.cache import Coherence, Unheard
from authgw.session.epochs import Epochs
from authgw.session.keys import Keys
from authgw.session.lookup import SESSION, Lookup
from authgw.session.memory import Memory
from authgw.session.model import Kind, Listed, Session, SessionLimits
from authgw.session.record import (
    ADDRESS_LENGTH,
    AGENT_LENGTH,
    Name,
    Record,
    as_listed,
    as_session,
    by_id,
    by_tenant,
    by_user,
    encode,
    milliseconds,
    remaining,
    subject,
)
from authgw.session.register import OPERATOR, Register
from authgw.session.seal import SECRET_BYTES, Seal, is_hash, is_secret, spell
from authgw.session.store import ask, read

__all__ = ["SESSION", "SessionLimits", "Sessions"]

USER = "authgw:user:"
TOUCH_SECONDS = 30.0


class Sessions:
    """The sessions of all users. Every async method raises StoreError where store or database cannot be asked.

    `clock`: seconds since 1970. `grace`: seconds for which `grace()` repeats the last good answer of this process; 0:
    never. `rejected` counts records that did not open, by what was wrong with them. `coherence` is set by whoever tells
    `memory` of changes; until then the store is asked each time.
    """

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        epochs: Epochs,
        limits: SessionLimits,
        clock: Callable[[], float],
        entropy: Callable[[int], bytes] = secrets.token_bytes,
        *,
        grace: float = 0.0,
    ) -> None:
        self._redis = redis
        self._epochs = epochs
        self._limits = limits
        self._clock = clock
        self._entropy = entropy
        self._grace = grace
        self._touch_after = min(TOUCH_SECONDS, limits.idle / 10)
        self._seals = tuple(Seal(key, "session") for key in keys.all)
        self._user_seals = tuple(Seal(key, "user") for key in keys.all)
        self.memory = Memory()
        self.coherence: Coherence = Unheard()
        self.rejected: Counter[str] = Counter()
        self._lookup = Lookup(redis, self._seals, self.memory, self.rejected)
        self._register = Register(redis, keys, self.rejected)
        self._start = redis.register_script(scripts.START)
        self._rotate = redis.register_script(scripts.ROTATE)
        self._touch = redis.register_script(scripts.TOUCH)

    async def ping(self) -> None:
        """Store and database both answer, or StoreError."""
        await ask(self._redis.ping())
        await self._epochs.current("", "", fresh=True)

    async def start(
        self, claims: Claims, kind: Kind, *, address: str, agent: str, factors: Iterable[str]
    ) -> tuple[str, Session]:
        """A new session under a new id: (session id, session). Over the user's limit his oldest ones end."""
        now = self._clock()
        record = Record(
            kind=kind,
            claims=claims,
            started=now,
            seen=now,
            address=address[:ADDRESS_LENGTH],
            agent=agent[:AGENT_LENGTH],
            factors=tuple(factors),
            epoch=await self._epochs.total(subject(claims), fresh=True),
        )
        sid, handle = self._new_id()
        blob, beside = self._sealed(sid, handle, record)
        lifetime = milliseconds(remaining(record, self._limits, now))
        index_lifetime = milliseconds(self._limits.absolute)
        arguments: list[bytes | str | int] = [blob, beside, lifetime, index_lifetime, handle, milliseconds(now)]
        arguments += [self._limits.per_user, SESSION, OPERATOR]
        keys = [SESSION + handle, OPERATOR + handle, *self._indexes(claims)]
        moment = self.memory.moment
        ended = await ask(self._start(keys=keys, args=arguments))
        if not isinstance(ended, list):
            raise StoreError("a new session id was already taken: the source of randomness is broken")
        for old in ended:
            self.memory.end(old.decode())
        self.memory.keep(handle, blob, record, self._seals[0], now, moment)
        return sid, as_session(handle, record)

    async def find(self, sid: str, kinds: frozenset[Kind] = frozenset(Kind)) -> Session | None:
        """The live session of this id and of one of these kinds, else None. A use is noted now and then."""
        now = self._clock()
        if self.coherence.live() and (found := self._lookup.remembered(sid, now)) is not None:
            handle, known = found
            record = known.record
            if now - record.seen < self._touch_after and record.kind in kinds:
                # The epochs may have been asked meanwhile: what ended by then is not confirmed.
                held = await self._holds(record, known.names, now)
                if held and (session := self.memory.confirm(handle, known, now)) is not None:
                    return session
        return await self._found(sid, kinds)

    async def _found(self, sid: str, kinds: frozenset[Kind]) -> Session | None:
        """As `find`, by asking the store."""
        loaded = await self._lookup.load(sid)
        if loaded is None or loaded.record.kind not in kinds:
            return None
        handle, blob, record, moment = loaded.handle, loaded.blob, loaded.record, loaded.moment
        now = self._clock()
        if not await self._holds(record, subject(record.claims), now):
            self.memory.drop(handle)
            return None
        if now - record.seen >= self._touch_after:
            record = msgspec.structs.replace(record, seen=now)
            blob = loaded.seal.close(sid, handle, encode(record))
            beside = self._register.close(handle, record)
            lifetime = milliseconds(remaining(record, self._limits, now))
            keys = [SESSION + handle, OPERATOR + handle]
            if not await ask(self._touch(keys=keys, args=[blob, beside, lifetime])):
                self.memory.drop(handle)
                return None
        return self.memory.keep(handle, blob, record, loaded.seal, now, moment)

    async def _holds(self, record: Record, names: Sequence[Name], now: float) -> bool:
        """Is the session neither over nor ended for good?"""
        return remaining(record, self._limits, now) > 0 and await self._epochs.holds(names, record.epoch)

    def grace(self, sid: str) -> Session | None:
        """The last good answer for this id, no older than the grace, its ends still judged. Asks nobody."""
        if not self._grace or not is_secret(sid):
            return None
        now = self._clock()
        for seal in self._seals:
            known = self.memory.get(seal.hash(sid))
            if known is None or remaining(known.record, self._limits, now) <= 0:
                continue
            if 0 <= now - known.at <= self._grace:
                return known.session
        return None

    async def rotate(
        self, sid: str, *, claims: Claims | None = None, factors: Iterable[str] | None = None
    ) -> tuple[str, Session] | None:
        """The same session under a new id (and with what it has gained); the old id is dead at once.

        None: there is no such session. The absolute end stays where it was.
        """
        if await self.find(sid) is None or (found := await self._lookup.load(sid)) is None:
            return None
        old, record = found.handle, found.record
        if claims is not None and subject(claims) != subject(record.claims):
            raise ValueError("a session never passes to another user or tenant")
        now = self._clock()
        record = msgspec.structs.replace(
            record,
            claims=record.claims if claims is None else claims,
            factors=record.factors if factors is None else tuple(factors),
            seen=now,
        )
        new, handle = self._new_id()
        blob, beside = self._sealed(new, handle, record)
        lifetime = milliseconds(remaining(record, self._limits, now))
        index_lifetime = milliseconds(record.started + self._limits.absolute - now)
        arguments: list[bytes | str | int] = [blob, beside, lifetime, index_lifetime, old, handle]
        arguments.append(milliseconds(record.started))
        keys = [SESSION + old, OPERATOR + old, SESSION + handle, OPERATOR + handle, *self._indexes(record.claims)]
        self.memory.end(old)
        moment = self.memory.moment
        if not await ask(self._rotate(keys=keys, args=arguments)):
            return None
        self.memory.keep(handle, blob, record, self._seals[0], now, moment)
        return new, as_session(handle, record)

    async def end(self, sid: str) -> Session | None:
        """End the session of this id; what it was, or None where there was none alive."""
        if not is_secret(sid):
            return None
        for seal in self._seals:
            handle = seal.hash(sid)
            self.memory.end(handle)
            blob = await read(self._redis.getdel(SESSION + handle))
            if blob is None:
                continue
            await self._forget([handle])
            record = self._lookup.open(seal, sid, handle, blob)
            if record is None or remaining(record, self._limits, self._clock()) <= 0:
                return None
            return as_session(handle, record)
        return None

    async def end_handle(self, handle: str) -> int:
        """End the session of this handle; how many ended, 0 or 1."""
        return await self._forget([handle]) if is_hash(handle) else 0

    async def end_user(self, user: str, login: str | None = None) -> int:
        """End all sessions of this canonical user name, in one login instance or in any; how many ended."""
        await self._epochs.bump(login or "", by_user(user))
        return await self._forget_where(
            lambda claims: claims.user == user and (login is None or claims.login == login),
        )

    async def end_all_of(self, login: str, id: int) -> int:
        """End all sessions of the user with this id in this login instance; how many ended. ValueError: id 0."""
        if not id:
            raise ValueError("id 0 names nobody: end by user name")
        await self._epochs.bump(login, by_id(id))
        return await self._forget_where(lambda claims: (claims.login, claims.id) == (login, id))

    async def end_tenant(self, tenant: str) -> int:
        """End all sessions of a tenant; how many ended. The empty name is no tenant and ends nothing."""
        if not tenant:
            return 0
        await self._epochs.bump("", by_tenant(tenant))
        return await self._forget_where(lambda claims: claims.tenant == tenant)

    async def listed(self, *, user: str | None = None, tenant: str | None = None) -> list[Listed]:
        """The live sessions, oldest first; of one user or one tenant where that is given."""
        now = self._clock()
        found: dict[str, Listed] = {}
        async for handle, record in self._register.records():
            if user is not None and record.claims.user != user:
                continue
            if tenant is not None and record.claims.tenant != tenant:
                continue
            if remaining(record, self._limits, now) > 0 and await self._epochs.holds(
                subject(record.claims), record.epoch
            ):
                found[handle] = as_listed(handle, record)
        return sorted(found.values(), key=lambda one: (one.started, one.handle))

    def _new_id(self) -> tuple[str, str]:
        sid = spell(self._entropy(SECRET_BYTES))
        return sid, self._seals[0].hash(sid)

    def _sealed(self, sid: str, handle: str, record: Record) -> tuple[bytes, bytes]:
        return self._seals[0].close(sid, handle, encode(record)), self._register.close(handle, record)

    def _indexes(self, claims: Claims) -> list[str]:
        who = f"{claims.login}\x00{by_id(claims.id) if claims.id else by_user(claims.user)}"
        return [USER + seal.hash(who) for seal in self._user_seals]

    async def _forget_where(self, matches: Callable[[Claims], bool]) -> int:
        self.memory.end_where(matches)
        handles = [handle async for handle, record in self._register.records() if matches(record.claims)]
        return await self._forget(handles)

    async def _forget(self, handles: list[str]) -> int:
        """Delete sessions' records; how many sessions there were. An index drops what is gone by itself."""
        for handle in handles:
            self.memory.end(handle)
        return await self._register.delete(SESSION, handles)
