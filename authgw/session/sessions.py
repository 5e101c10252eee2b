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

from msgspec.structs import replace
from redis.asyncio import Redis

from authgw.rights.claims import Claims
from authgw.session.cache import Coherence, Unheard
from authgw.session.epochs import Epochs
from authgw.session.keys import Keys
from authgw.session.listing import Listing
from authgw.session.lookup import SESSION, Lookup
from authgw.session.memory import Memory
from authgw.session.model import Ending, Kind, Listed, Remote, Session, SessionLimits
from authgw.session.providers import Providers
from authgw.session.record import (
    ADDRESS_LENGTH,
    AGENT_LENGTH,
    Name,
    Record,
    as_session,
    by_id,
    by_subject,
    by_tenant,
    by_user,
    remaining,
    subject,
    subject_of,
)
from authgw.session.records import TRIES, Records
from authgw.session.register import Register
from authgw.session.renewal import Question, Renewal
from authgw.session.seal import Seal, is_hash, is_secret
from authgw.session.store import ask, read

__all__ = ["SESSION", "SessionLimits", "Sessions"]

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
        self._grace = grace
        self._touch_after = min(TOUCH_SECONDS, limits.idle / 10)
        self._seals = tuple(Seal(key, "session") for key in keys.all)
        self.memory = Memory(self._settled)
        self.coherence: Coherence = Unheard()
        self.rejected: Counter[str] = Counter()
        self._lookup = Lookup(redis, self._seals, self.memory, self.rejected)
        self._register = Register(redis, keys, self.rejected)
        self._providers = Providers(redis, keys, clock)
        self._records = Records(
            redis, keys, self._seals, limits, self._lookup, self._register, self._providers, self.memory, entropy
        )
        self._listing = Listing(self._register, self._records, epochs, limits, clock)
        self._renewal: Renewal | None = None

    def renew_by(self, question: Question) -> None:
        """Ask the logins of sessions again from now on."""
        end = lambda handle: self._forget([handle])  # noqa: E731
        self._renewal = Renewal(self._redis, self._records, self._limits, self._clock, question, end)

    async def ping(self) -> None:
        """The store answers, or StoreError."""
        await ask(self._redis.ping())

    async def start(
        self,
        claims: Claims,
        kind: Kind,
        *,
        address: str,
        agent: str,
        factors: Iterable[str],
        remote: Remote | None = None,
        kept: bool = False,
    ) -> tuple[str, Session]:
        """A new session under a new id: (session id, session). Over the user's limit his oldest ones end.

        `remote`: where it hangs on a provider. One that the provider has ended meanwhile is over before it is used.
        `kept`: its owner asked to be kept signed in.
        """
        now = self._clock()
        record = Record(
            kind=kind,
            claims=claims,
            started=now,
            seen=now,
            address=address[:ADDRESS_LENGTH],
            agent=agent[:AGENT_LENGTH],
            factors=tuple(factors),
            epoch=0,
            confirmed=now,
            tried=now,
            remote=remote,
            kept=kept,
        )
        record = replace(record, epoch=await self._epochs.total(subject_of(record), fresh=True))
        sid, handle = await self._records.begin(record, now)
        await self._unless_ended(handle, record)
        return sid, as_session(handle, record)

    async def find(self, sid: str, kinds: frozenset[Kind] = frozenset(Kind)) -> Session | None:
        """The live session of this id and of one of these kinds, else None. A use is noted now and then."""
        now = self._clock()
        if self.coherence.live() and (found := self._lookup.remembered(sid, now)) is not None:
            handle, known = found
            if now < known.settled and known.record.kind in kinds:
                names, epoch = known.names, known.record.epoch
                # Where the epochs are asked, what ended or changed meanwhile is not confirmed.
                held = self._epochs.holds_by_cache(names, epoch, now)
                held = held or (await self._epochs.holds(names, epoch) and self.memory.current(handle, now) is known)
                if held and (session := self.memory.confirm(handle, known, now)) is not None:
                    return session
        return await self._found(sid, kinds)

    def _settled(self, record: Record) -> float:
        """Until when a record stands as it is: neither over, nor touched or confirmed again."""
        ends = record.seen + min(self._touch_after, remaining(record, self._limits, record.seen))
        return ends if self._renewal is None else min(ends, self._renewal.due_at(record))

    async def alive(self, sid: str) -> bool:
        """Whether there is a live session of this id. No use is noted; nobody waits for its login to be asked again."""
        now = self._clock()
        known = self._lookup.remembered(sid, now) if self.coherence.live() else None
        found = known[1] if known is not None else await self._lookup.load(sid)
        if found is not None and self._renewal is not None and self._renewal.is_due(found.record):
            self._renewal.soon(sid)
        return found is not None and await self._holds(found.record, subject_of(found.record), now)

    async def _found(self, sid: str, kinds: frozenset[Kind]) -> Session | None:
        """As `find`, by asking the store."""
        loaded = await self._lookup.load(sid)
        if loaded is None or loaded.record.kind not in kinds:
            return None
        now = self._clock()
        if not await self._holds(loaded.record, subject_of(loaded.record), now):
            self.memory.drop(loaded.handle)
            return None
        if self._renewal is not None and (loaded := await self._renewal.renewed(sid, loaded)) is None:
            return None
        if now - loaded.record.seen >= self._touch_after:
            loaded = await self._records.write(sid, loaded, lambda record: replace(record, seen=now), now)
            if loaded is None:
                return None
        return self.memory.keep(loaded.handle, loaded.blob, loaded.record, loaded.seal, now, loaded.moment)

    async def _holds(self, record: Record, names: Sequence[Name], now: float) -> bool:
        """Is the session neither over nor ended for good?"""
        if remaining(record, self._limits, now) <= 0:
            return False
        return await self._epochs.holds(names, record.epoch)

    def grace(self, sid: str) -> Session | None:
        """The last good answer for this id, no older than the grace, its ends still judged. Asks nobody."""
        if not self._grace or not is_secret(sid):
            return None
        now = self._clock()
        for seal in self._seals:
            known = self.memory.get(seal.hash(sid))
            if known is not None and remaining(known.record, self._limits, now) > 0:
                return known.session if 0 <= now - known.at <= self._grace else None
        return None

    async def rotate(
        self, sid: str, *, claims: Claims | None = None, factors: Iterable[str] | None = None
    ) -> tuple[str, Session] | None:
        """The same session under a new id (and with what it has gained); the old id is dead at once.

        None: there is no such session. The absolute end stays where it was.
        """
        for _ in range(TRIES):
            if await self.find(sid) is None or (found := await self._lookup.load(sid)) is None:
                return None
            record = found.record
            if claims is not None and subject(claims) != subject(record.claims):
                raise ValueError("a session never passes to another user or tenant")
            now = self._clock()
            record = replace(
                record,
                claims=record.claims if claims is None else claims,
                factors=record.factors if factors is None else tuple(factors),
                seen=now,
            )
            moved = await self._records.move(found, record, now)
            if isinstance(moved, tuple):
                await self._unless_ended(moved[1], record)
                return moved[0], as_session(moved[1], record)
            if not moved:
                return None
        return None

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

    async def end_remote(self, login: str, ending: Ending) -> int | None:
        """End what a provider has ended; how many sessions that were. None: this message was obeyed before."""

        async def end(handles: list[str]) -> int:
            if not ending.session:
                await self._epochs.bump(login, by_subject(ending.subject))
            return await self._forget(handles)

        return await self._providers.end(login, ending, end)

    async def listed(self, *, user: str | None = None, tenant: str | None = None) -> list[Listed]:
        """The live sessions, oldest first; of one user or one tenant where that is given."""
        return await self._listing.listed(user=user, tenant=tenant)

    async def of(self, claims: Claims) -> list[Listed]:
        """The live sessions of this very user, oldest first; nobody else's are looked at."""
        return await self._listing.of(claims)

    async def _unless_ended(self, handle: str, record: Record) -> None:
        """A session that its provider ended while it was made is over."""
        if record.remote is not None and await self._providers.is_ended(record.claims.login, record.remote):
            await self._forget([handle])

    async def _forget_where(self, matches: Callable[[Claims], bool]) -> int:
        self.memory.end_where(matches)
        handles = [handle async for handle, record in self._register.records() if matches(record.claims)]
        return await self._forget(handles)

    async def _forget(self, handles: list[str]) -> int:
        """Delete sessions' records; how many sessions there were. An index drops what is gone by itself."""
        for handle in handles:
            self.memory.end(handle)
        return await self._register.delete(SESSION, handles)
