"""The verified-credential cache: without it every api.php call would ask the directory again.

In the memory of this process only, positives only, for a minute at most. An entry is found by an HMAC, under a key
that this process alone has, of the chain's version, the canonical user and the password: none of them is kept.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from authgw.contract import Identity
from authgw.rights.claims import Claims
from authgw.rights.parse import Gates

MAX_SECONDS = 60.0
MAX_ENTRIES = 10_000


class Verified(msgspec.Struct, frozen=True):
    """What a right password or token opened, and what has to hold at every use. `epoch`: the user's at that time."""

    claims: Claims
    factors: tuple[str, ...]
    identity: Identity
    gates: tuple[Gates, ...]
    max_attempts: int | None
    epoch: int
    at: float = 0.0


class Cache:
    """At most `size` entries, the least used ones go first. `clock` gives seconds that never go back."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        seconds: float = MAX_SECONDS,
        size: int = MAX_ENTRIES,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._clock = clock
        self._seconds = min(seconds, MAX_SECONDS)
        self._size = size
        self._key = entropy(32)
        self._entries: OrderedDict[bytes, Verified] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, version: str, user: str, password: str) -> Verified | None:
        name = self._name(version, user, password)
        entry = self._entries.get(name)
        if entry is None:
            return None
        if not 0 <= self._clock() - entry.at < self._seconds:
            del self._entries[name]
            return None
        self._entries.move_to_end(name)
        return entry

    def keep(self, version: str, user: str, password: str, entry: Verified) -> None:
        """Remember from now on; `entry.at` is set here."""
        name = self._name(version, user, password)
        self._entries.pop(name, None)
        self._entries[name] = msgspec.structs.replace(entry, at=self._clock())
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, version: str, user: str, password: str) -> None:
        self._entries.pop(self._name(version, user, password), None)

    def _name(self, version: str, user: str, password: str) -> bytes:
        """Each part with its length before it, so that no two triples read the same."""
        parts = [part.encode() for part in (version, user, password)]
        return hmac.digest(self._key, b"".join(len(part).to_bytes(4, "big") + part for part in parts), "sha256")
