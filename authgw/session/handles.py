"""Handles: short-lived typed records under random tokens, used once. A handle is never a session."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import StrEnum
from math import ceil

import msgspec
from redis.asyncio import Redis

from authgw.session.keys import Keys
from authgw.session.seal import SECRET_BYTES, Seal, is_secret, spell
from authgw.session.store import ask, read

# A login attempt holds the claims of its user, which may have thousands of patterns.
MAX_BYTES = 4 * 1024 * 1024
MAX_SECONDS = 86_400.0


class HandleKind(StrEnum):
    """What a handle is for: part of its key in the store, of its sealing and of its hash."""

    LOGIN_ATTEMPT = "attempt"
    REDIRECT = "redirect"
    PASSKEY = "passkey"
    AUDIT_REASON = "reason"


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: bytes
    until: float


_decoder = msgspec.msgpack.Decoder(_Record)


class Handles:
    """One-time records, sealed under the gateway's key and their token. StoreError: the store cannot be asked."""

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        clock: Callable[[], float],
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._entropy = entropy
        self._seals = {kind: tuple(Seal(key, f"handle/{kind}") for key in keys.all) for kind in HandleKind}

    def token(self) -> str:
        """A fresh token, for what has to be told before it is stored."""
        return spell(self._entropy(SECRET_BYTES))

    async def put(self, kind: HandleKind, value: bytes, ttl: float, token: str = "") -> str:
        """Store up to MAX_BYTES for `ttl` seconds (at most MAX_SECONDS); the token that takes them out again."""
        if not 0 < ttl <= MAX_SECONDS or len(value) > MAX_BYTES:
            raise ValueError("a handle lasts up to a day and holds up to 4 MiB")
        token = token or self.token()
        seal = self._seals[kind][0]
        hash = seal.hash(token)
        record = _Record(value, self._clock() + ttl)
        blob = seal.close(token, hash, msgspec.msgpack.encode(record))
        await ask(self._redis.set(_key(kind, hash), blob, px=max(1, ceil(ttl * 1000))))
        return token

    async def take(self, kind: HandleKind, token: str) -> bytes | None:
        """The value, once: of several takers at the same time one gets it. None: unknown, used or over."""
        return await self._get(kind, token, once=True)

    async def peek(self, kind: HandleKind, token: str) -> bytes | None:
        """The value, left in place."""
        return await self._get(kind, token, once=False)

    async def _get(self, kind: HandleKind, token: str, *, once: bool) -> bytes | None:
        if not is_secret(token):
            return None
        for seal in self._seals[kind]:
            hash = seal.hash(token)
            key = _key(kind, hash)
            blob = await read(self._redis.getdel(key) if once else self._redis.get(key))
            if blob is not None:
                return self._open(seal, token, hash, blob)
        return None

    def _open(self, seal: Seal, token: str, hash: str, blob: bytes) -> bytes | None:
        value = seal.open(token, hash, blob)
        if value is None:
            return None
        try:
            record = _decoder.decode(value)
        except msgspec.DecodeError:
            return None
        return record.value if self._clock() < record.until else None


def _key(kind: HandleKind, hash: str) -> str:
    return f"authgw:{kind.value}:{hash}"
