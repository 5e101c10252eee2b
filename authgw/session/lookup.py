"""One session by its id: from what is remembered where that may be, else from the store. No end is judged here."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import msgspec
from redis.asyncio import Redis

from authgw.session.memory import ENTRIES, Known, Memory
from authgw.session.record import Record, decode
from authgw.session.seal import Seal, is_secret
from authgw.session.store import ask
from authgw.session.together import Together

SESSION = "authgw:session:"

log = logging.getLogger("authgw.session")


class Loaded(msgspec.Struct, frozen=True):
    """A record, its sealed bytes and the seal that opened it. `moment`: the memory's when the store was asked."""

    handle: str
    blob: bytes
    record: Record
    seal: Seal
    moment: int


class Lookup:
    """`rejected` counts records that did not open, by what was wrong with them."""

    def __init__(self, redis: Redis, seals: Sequence[Seal], memory: Memory, rejected: Counter[str]) -> None:
        self._redis = redis
        self._records: Together[str, bytes | None] = Together(self._read)
        self._seals = tuple(seals)
        self._memory = memory
        self._rejected = rejected
        self._hashes: dict[str, str] = {}

    def remembered(self, sid: str, now: float) -> tuple[str, Known] | None:
        """Handle and answer that stand for the store's; to be asked only while changes are heard of."""
        if (handle := self._hashes.get(sid)) is not None and (known := self._memory.current(handle, now)) is not None:
            return handle, known
        if not is_secret(sid):
            return None
        for seal in self._seals:
            handle = seal.hash(sid)
            if (known := self._memory.current(handle, now)) is not None:
                if len(self._hashes) >= ENTRIES:
                    self._hashes.clear()
                self._hashes[sid] = handle
                return handle, known
        return None

    async def load(self, sid: str) -> Loaded | None:
        """From the store. Raises StoreError."""
        if not is_secret(sid):
            return None
        moment = self._memory.moment
        for seal in self._seals:
            handle = seal.hash(sid)
            (blob,) = await self._records.get(handle)
            if blob is None:
                self._memory.drop(handle)
                continue
            known = self._memory.get(handle)
            record = known.record if known is not None and known.blob == blob else self.open(seal, sid, handle, blob)
            if record is None:
                self._memory.drop(handle)
                return None
            return Loaded(handle, blob, record, seal, moment)
        return None

    async def _read(self, handles: Sequence[str]) -> list[bytes | None]:
        """The sealed bytes of each. What lies there in another data type is no record of ours."""
        found = await ask(self._redis.mget([SESSION + handle for handle in handles]))
        return [blob if isinstance(blob, bytes) else None for blob in found]

    def open(self, seal: Seal, secret: str, handle: str, blob: bytes) -> Record | None:
        value = seal.open(secret, handle, blob)
        record = None if value is None else decode(value)
        if record is None:
            fault = "seal" if value is None else "content"
            self._rejected[fault] += 1
            log.warning("session record %s refused: its %s is wrong", handle, fault)
        return record
