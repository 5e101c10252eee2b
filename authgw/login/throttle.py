"""The throttle: failed logins of a name, and from an address, make the next one wait. One count for every way in.

A name waits 1, 2, 4, 8 … seconds, at most a minute, from its `user_failures`th failure on, and is locked out for a
whole window at its last allowed one. An address waits once it has `address_failures` within the window, until the
oldest is over; an IPv6 address stands for its /64, which is what one customer has. A name from one address has so many
failures in a day: whoever guesses slowly enough never to be locked out comes to an end there.

Only failures count. A success clears nothing: whoever owns one account, or waits for the owner's next login, would
otherwise get his tries back. Failures go by themselves when they are older than the window.
"""

from __future__ import annotations

import asyncio
import hmac
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

    async def close(self) -> None:
        """Give up the connections to the store."""
        if isinstance(self._storage, RedisStorage):
            bridge: Any = self._storage.bridge
            await bridge.get_connection().aclose()

    async def check(self, user: str, address: str) -> Wait | None:
        """Whether this name, from this address, has to wait. Asked before any plugin is."""
        name = self._name("user", same(user))
        for what, reason in (("lock", Reason.LOCKED_OUT), ("pause", Reason.THROTTLED)):
            if await self._ask(self._storage.get(f"{what}/{name}")):
                return Wait(reason, self._until(await self._ask(self._storage.get_expiry(f"{what}/{name}"))))
        return await self._wait(self._places(user, address))

    async def check_address(self, address: str) -> Wait | None:
        """Whether this address has to wait, whoever asks from there."""
        return await self._wait([self._place(address)])

    async def failed_from(self, address: str) -> None:
        """Count a failure that names nobody (a wrong token)."""
        await self._ask(self._limiter.hit(*self._place(address)))

    async def begun(self, address: str) -> bool:
        """Count a login that begins at a provider. False: too many of them come from this address."""
        return bool(await self._ask(self._limiter.hit(self._begun, self._name("begun", network(address)))))

    async def failed(self, user: str, address: str, max_attempts: int | None = None) -> int:
        """Count a failure; how many this name has now. `max_attempts`: the user's own, where it is known."""
        for item, key in self._places(user, address):
            await self._ask(self._limiter.hit(item, key))
        name = self._name("user", same(user))
        await self._ask(self._limiter.hit(self._user, name))
        count = await self.failures(user)
        if count >= (max_attempts or self._limits.max_attempts):
            await self._ask(self._storage.incr(f"lock/{name}", self._limits.window))
        elif count >= self._limits.user_failures:
            pause = 1 << min(count - self._limits.user_failures, 6)
            await self._ask(self._storage.incr(f"pause/{name}", min(pause, MAX_PAUSE)))
        return count

    async def failures(self, user: str) -> int:
        """Failures of this name within the window, at most MAX_ATTEMPTS."""
        stats = await self._ask(self._limiter.get_window_stats(self._user, self._name("user", same(user))))
        return MAX_ATTEMPTS - int(stats.remaining)

    async def locked(self, user: str, max_attempts: int | None = None) -> Wait | None:
        """Whether the right password comes too late: the name is locked, or past this user's own limit."""
        name = self._name("user", same(user))
        if await self._ask(self._storage.get(f"lock/{name}")):
            return Wait(Reason.LOCKED_OUT, self._until(await self._ask(self._storage.get_expiry(f"lock/{name}"))))
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
        except (StorageError, OSError, TimeoutError) as error:
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
