"""The operator records beside the sessions: who is here, readable by the gateway alone and without any session id."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from redis.asyncio import Redis

from authgw.session.keys import Keys
from authgw.session.record import Record, decode, encode, for_operators
from authgw.session.seal import Seal, is_hash
from authgw.session.store import ask

OPERATOR = "authgw:operator:"
_BATCH = 500

log = logging.getLogger("authgw.session")


class Register:
    """Operator records, `authgw:operator:HANDLE`. `rejected` counts those that did not open."""

    def __init__(self, redis: Redis, keys: Keys, rejected: Counter[str]) -> None:
        self._redis = redis
        self._seals = tuple(Seal(key, "operator") for key in keys.all)
        self._rejected = rejected

    def close(self, handle: str, record: Record) -> bytes:
        """The sealed operator record of a session."""
        return self._seals[0].close(handle, handle, encode(for_operators(record)))

    async def records(self) -> AsyncIterator[tuple[str, Record]]:
        """Every (handle, record) in the store, in no order; one may come twice. StoreError passes through."""
        cursor = 0
        while True:
            position, keys = await ask(self._redis.scan(cursor, match=OPERATOR + "*", count=_BATCH))
            cursor = int(position)
            for found in await self.some(
                [bytes(key).decode("ascii", "replace").removeprefix(OPERATOR) for key in keys]
            ):
                yield found
            if cursor == 0:
                return

    async def some(self, handles: Sequence[str]) -> list[tuple[str, Record]]:
        """Those of these handles that have a record."""
        blobs = await ask(self._redis.mget([OPERATOR + handle for handle in handles])) if handles else []
        opened = [
            (handle, self._open(handle, blob))
            for handle, blob in zip(handles, blobs, strict=True)
            if isinstance(blob, bytes)
        ]
        return [(handle, record) for handle, record in opened if record is not None]

    async def delete(self, prefix: str, handles: Sequence[str]) -> int:
        """Delete `prefix`HANDLE and the operator record of each; how many of the former there were."""
        ended = 0
        for start in range(0, len(handles), _BATCH):
            batch = handles[start : start + _BATCH]
            ended += int(await ask(self._redis.delete(*(prefix + handle for handle in batch))))
            await ask(self._redis.delete(*(OPERATOR + handle for handle in batch)))
        return ended

    def _open(self, handle: str, blob: bytes) -> Record | None:
        if is_hash(handle):
            for seal in self._seals:
                value = seal.open(handle, handle, blob)
                if value is not None:
                    return decode(value)
        self._rejected["operator"] += 1
        log.warning("operator record %.64r refused: its seal is wrong", handle)
        return None
