"""Where failed logins are counted when there is no Redis: in this process, in bounded memory.

The storage that ships with `limits` keeps every key for its whole window and walks all of them at every entry; this
one keeps the names touched last, and each call costs the same however many there are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from limits.aio.storage import MovingWindowSupport, Storage

MAX_NAMES = 50_000


class Memory(Storage, MovingWindowSupport):
    """At most `max_names` counters and as many windows; over it, those untouched for longest are forgotten.

    To push a name out on purpose takes `max_names` failed logins of others, each of which costs a password check.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float], max_names: int = MAX_NAMES) -> None:
        super().__init__()
        self._clock = clock
        self._max = max_names
        self._counters: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._windows: OrderedDict[str, tuple[float, ...]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def __len__(self) -> int:
        return len(self._counters) + len(self._windows)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock()
        count, until = self._counters.pop(key, (0, 0.0))
        if until <= now:
            count, until = 0, now + expiry
        self._counters[key] = (count + amount, until)
        if len(self._counters) > self._max:
            self._counters.popitem(last=False)
        return count + amount

    async def get(self, key: str) -> int:
        count, until = self._counters.get(key, (0, 0.0))
        if until <= self._clock():
            self._counters.pop(key, None)
            return 0
        return count

    async def get_expiry(self, key: str) -> float:
        now = self._clock()
        return max(now, self._counters.get(key, (0, now))[1])

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """The newest `limit` entries count; each lasts `expiry` seconds. False: the window is full."""
        now = self._clock()
        times = self._within(key, expiry)
        fits = len(times) + amount <= limit
        if fits:
            times = (now,) * amount + times
            self._windows[key] = times
            self._windows.move_to_end(key)
            if len(self._windows) > self._max:
                self._windows.popitem(last=False)
        return fits

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The time of the oldest entry that still counts (now where there is none), and how many do."""
        times = self._within(key, expiry)[:limit]
        return (times[-1], len(times)) if times else (self._clock(), 0)

    def _within(self, key: str, expiry: int) -> tuple[float, ...]:
        oldest = self._clock() - expiry
        times = tuple(time for time in self._windows.get(key, ()) if time > oldest)
        if times:
            self._windows[key] = times
        else:
            self._windows.pop(key, None)
        return times

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        forgotten = len(self)
        self._counters.clear()
        self._windows.clear()
        return forgotten

    async def clear(self, key: str) -> None:
        self._counters.pop(key, None)
        self._windows.pop(key, None)
