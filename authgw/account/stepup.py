"""Step-up: that somebody has just proved once more who he is, kept for a few minutes and for one session alone.

The record lies in the session store, sealed under the gateway's key and the session's id: nobody who writes the store
makes one, and a session under a new id has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from redis.asyncio import Redis

from authgw.rights.parse import Gates
from authgw.session.cookie import Found
from authgw.session.keys import Keys
from authgw.session.record import milliseconds
from authgw.session.seal import Seal
from authgw.session.store import ask, read

SECONDS = 300.0
_KEY = "authgw:stepup:"


class Proof(msgspec.Struct, frozen=True):
    """When he proved it, and what gates stand before his account, told by a password that was right; None: unknown.

    `secret`: of an authenticator app that he is setting up.
    """

    at: float
    gates: tuple[Gates, ...] | None
    secret: str = ""

    def __repr__(self) -> str:
        return f"Proof({self.at!r})"


class StepUps:
    """Every method raises StoreError where the store cannot be asked. `clock`: seconds since 1970."""

    def __init__(self, redis: Redis, keys: Keys, clock: Callable[[], float]) -> None:
        self._redis = redis
        self._seals = tuple(Seal(key, "stepup") for key in keys.all)
        self._clock = clock

    async def hold(self, found: Found, gates: Iterable[Gates] | None = None) -> None:
        """He has proved it now."""
        known = None if gates is None else tuple(msgspec.structs.replace(gate, secret=None) for gate in gates)
        await self.keep(found, Proof(self._clock(), known))

    async def keep(self, found: Found, proof: Proof) -> None:
        """What he has proved, with what is to be known besides; it lasts no longer for that."""
        seal = self._seals[0]
        hash = seal.hash(found.sid)
        blob = seal.close(found.sid, hash, msgspec.msgpack.encode(proof))
        left = SECONDS - (self._clock() - proof.at)
        await ask(self._redis.set(_KEY + hash, blob, px=milliseconds(max(left, 0.001))))

    async def proof(self, found: Found) -> Proof | None:
        """What he has proved within the last minutes and in this session."""
        for seal in self._seals:
            hash = seal.hash(found.sid)
            blob = await read(self._redis.get(_KEY + hash))
            value = None if blob is None else seal.open(found.sid, hash, blob)
            if value is not None:
                proof = msgspec.msgpack.decode(value, type=Proof)
                return proof if 0 <= self._clock() - proof.at < SECONDS else None
        return None

    async def drop(self, found: Found) -> None:
        """From now on he has to prove it again."""
        for seal in self._seals:
            await ask(self._redis.delete(_KEY + seal.hash(found.sid)))

    def is_fresh(self, found: Found) -> bool:
        """Whether the session itself has just begun."""
        return 0 <= self._clock() - found.session.started < SECONDS
