"""The throttle: failed logins of a name, and from an address, make the next one wait. One count for every way in.

A name waits 1, 2, 4, 8 … seconds, at most a minute, from its `user_failures`th failure on, and is locked out for a
whole window at its last allowed one. An address waits once it has `address_failures` within the window, until the
oldest is over; an IPv6 address stands for its /64, which is what one customer has. A name from one address has so many
failures in a day: whoever guesses slowly enough never to be locked out comes to an end there.

Tokens that open nothing make the address wait with tokens as failures make a name wait, without the lock-out. They fill
half of what an address may fail, at most, so that a broken script keeps no browser behind the same address out; and the
same token again is no new guess.

Only failures count. A success clears nothing: whoever owns one account, or waits for the owner's next login, would
otherwise get his tries back. Failures go by themselves when they are older than the window.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Any, TypeVar

import msgspec
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from authgw.errors import StoreError
from authgw.login.memory import Memory
from authgw.login.user import same
from authgw.reasons import Reason
from authgw.session.store import FAILURES

MAX_PAUSE = 60
# A dictionary may allow up to 100 failures; more are never counted.
MAX_ATTEMPTS = 100
# Seconds for which a failure of one name from one address counts.
PAIR_WINDOW = 86_400
# Logins that may begin at a provider, from one address in one minute: each is remembered for ten.
MAX_BEGUN = 300
_MINUTE = 60
# How many logins of one name wait in line while another of that name is checked.
MAX_LINE = 16
_STORE_SECONDS = 2.0
# Addresses that a process knows to be waiting with tokens.
_MAX_HELD = 10_000
T = TypeVar("T")
Place = tuple[RateLimitItemPerSecond, str]


class Limits(msgspec.Struct, frozen=True):
    """Failures before a name, an address, or a name from an address has to wait; failures that lock a name out; seconds
    they count for (those of a name from an address: a day)."""

    user_failures: int = 5
    address_failures: int = 50
    pair_failures: int = 50
    max_attempts: int = 10
    window: int = 900


class Wait(msgspec.Struct, frozen=True):
    """Not now: THROTTLED or LOCKED_OUT, and after how many seconds to try again."""

    reason: Reason
    seconds: int


def storage(url: str, clock: Callable[[], float]) -> Storage:
    """Where failures are counted: in this process for memory://, else in the session store's Redis."""
    if url.startswith("memory:"):
        return Memory(clock)
    return RedisStorage(
        f"async+{url}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="authgw:throttle",
        socket_timeout=_STORE_SECONDS,
        socket_connect_timeout=_STORE_SECONDS,
    )


class Throttle:
    """`key` makes the names of counters: neither user names nor addresses lie in the store.

    Every async method raises StoreError where the store cannot be asked. `clock`: seconds since 1970.
    """

    def __init__(self, storage: Storage, key: bytes, limits: Limits, clock: Callable[[], float]) -> None:
        self._storage = storage
        self._limiter = MovingWindowRateLimiter(storage)
        self._key = key
        self._limits = limits
        self._clock = clock
        self._user = RateLimitItemPerSecond(MAX_ATTEMPTS, limits.window, "user")
        self._address = RateLimitItemPerSecond(limits.address_failures, limits.window, "address")
        self._pair = RateLimitItemPerSecond(limits.pair_failures, max(PAIR_WINDOW, limits.window), "pair")
        self._begun = RateLimitItemPerSecond(MAX_BEGUN, _MINUTE, "begun")
        self._lines: dict[str, _Line] = {}
        self._held: OrderedDict[str, float] = OrderedDict()

    async def close(self) -> None:
        """Give up the connections to the store."""
        if isinstance(self._storage, RedisStorage):
            bridge: Any = self._storage.bridge
            await bridge.get_connection().aclose()

    async def check(self, user: str, address: str) -> Wait | None:
        """Whether this name, from this address, has to wait. Asked before any plugin is."""
        name = self._name("user", same(user))
        for what, reason in (("lock", Reason.LOCKED_OUT), ("pause", Reason.THROTTLED)):
            if (waits := await self._marked(what, name, reason)) is not None:
                return waits
        return await self._wait(self._places(user, address))

    async def check_tokens(self, address: str) -> Wait | None:
        """Whether this address has to wait with tokens that nobody has seen yet."""
        return self.held(address) or await self._wait([self._place(address)])

    def held(self, address: str) -> Wait | None:
        """The same as far as this process knows, without asking the store. Another process lets one token more by."""
        until = self._held.get(network(address), 0.0)
        return Wait(Reason.THROTTLED, self._until(until)) if until > self._clock() else None

    async def refused(self, address: str, token: bytes) -> Wait | None:
        """Count a token (its digest) that opens nothing. A wait: it is not even counted, this address has to wait."""
        place = network(address)
        async with self.line(f"\0{place}") as admitted:
            if not admitted:
                return Wait(Reason.THROTTLED, 1)
            name = self._name("tokens", place)
            waits = await self._marked("pause", name, Reason.THROTTLED) or await self._wait([self._place(address)])
            if waits is not None:
                self._hold(place, waits.seconds)
                return waits
            seen = self._name("token", f"{place}\x00{token.hex()}")
            if await self._ask(self._storage.incr(f"seen/{seen}", self._limits.window)) > 1:
                return None
            count = await self._hit(name)
            if count <= max(1, self._limits.address_failures // 2):
                await self._ask(self._limiter.hit(*self._place(address)))
            if count >= self._limits.user_failures:
                self._hold(place, await self._pause(name, count))
        return None

    async def begun(self, address: str) -> bool:
        """Count a login that begins at a provider. False: too many of them come from this address."""
        return bool(await self._ask(self._limiter.hit(self._begun, self._name("begun", network(address)))))

    async def failed(self, user: str, address: str, max_attempts: int | None = None) -> int:
        """Count a failure; how many this name has now. `max_attempts`: the user's own, where it is known."""
        for item, key in self._places(user, address):
            await self._ask(self._limiter.hit(item, key))
        name = self._name("user", same(user))
        count = await self._hit(name)
        if count >= (max_attempts or self._limits.max_attempts):
            await self._ask(self._storage.incr(f"lock/{name}", self._limits.window))
        elif count >= self._limits.user_failures:
            await self._pause(name, count)
        return count

    async def failures(self, user: str) -> int:
        """Failures of this name within the window, at most MAX_ATTEMPTS."""
        return await self._count(self._name("user", same(user)))

    async def locked(self, user: str, max_attempts: int | None = None) -> Wait | None:
        """Whether the right password comes too late: the name is locked, or past this user's own limit."""
        name = self._name("user", same(user))
        if (waits := await self._marked("lock", name, Reason.LOCKED_OUT)) is not None:
            return waits
        if max_attempts and await self.failures(user) >= max_attempts:
            return Wait(Reason.LOCKED_OUT, self._limits.window)
        return None

    @asynccontextmanager
    async def line(self, user: str) -> AsyncIterator[bool]:
        """One login of a name at a time, so that guesses sent at once are counted one by one. False: line too long."""
        name = same(user)
        line = self._lines.setdefault(name, _Line())
        if line.people > MAX_LINE:
            yield False
            return
        line.people += 1
        try:
            async with line.lock:
                yield True
        finally:
            line.people -= 1
            if not line.people:
                self._lines.pop(name, None)

    async def _hit(self, name: str) -> int:
        await self._ask(self._limiter.hit(self._user, name))
        return await self._count(name)

    async def _count(self, name: str) -> int:
        stats = await self._ask(self._limiter.get_window_stats(self._user, name))
        return MAX_ATTEMPTS - int(stats.remaining)

    async def _pause(self, name: str, count: int) -> int:
        """From now on this name waits; for how many seconds, after so many failures."""
        seconds = min(1 << min(count - self._limits.user_failures, 6), MAX_PAUSE)
        await self._ask(self._storage.incr(f"pause/{name}", seconds))
        return seconds

    async def _marked(self, what: str, name: str, reason: Reason) -> Wait | None:
        if await self._ask(self._storage.get(f"{what}/{name}")):
            return Wait(reason, self._until(await self._ask(self._storage.get_expiry(f"{what}/{name}"))))
        return None

    def _hold(self, place: str, seconds: int) -> None:
        self._held[place] = self._clock() + seconds
        self._held.move_to_end(place)
        if len(self._held) > _MAX_HELD:
            self._held.popitem(last=False)

    async def _wait(self, places: Sequence[Place]) -> Wait | None:
        for item, key in places:
            reset, left = await self._ask(self._limiter.get_window_stats(item, key))
            if left <= 0:
                return Wait(Reason.THROTTLED, self._until(reset))
        return None

    def _places(self, user: str, address: str) -> tuple[Place, ...]:
        """What is counted by where it came from: the address, and the name from there."""
        pair = self._name("pair", f"{same(user)}\x00{network(address)}")
        return self._place(address), (self._pair, pair)

    def _place(self, address: str) -> Place:
        return self._address, self._name("address", network(address))

    def _name(self, kind: str, what: str) -> str:
        return hmac.digest(self._key, f"{kind}\x00{what}".encode("utf-8", "surrogatepass"), "sha256").hex()[:32]

    def _until(self, time: float) -> int:
        return max(1, ceil(time - self._clock()))

    async def _ask(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except (StorageError, *FAILURES) as error:
            raise StoreError(f"throttle: {type(error).__name__}: {error}") from error


class _Line:
    """Who is in line for one name; gone with the last of them."""

    __slots__ = ("lock", "people")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.people = 0


def network(address: str) -> str:
    """What an address stands for: itself for IPv4, its /64 for IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
