"""Challenges for passkeys outside of a login attempt: one for each form that is shown, kept sealed in the store.

The form carries a token alone. What it stands for is taken out once, by the session or browser that it was made for,
and for what it was made: an answer that was sent before, by somebody else, or from another page finds no challenge.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from enum import StrEnum

import msgspec

from authgw.login.browser import text
from authgw.login.passkeys import CHALLENGE_BYTES
from authgw.session.handles import HandleKind, Handles

SECONDS = 600.0


class Purpose(StrEnum):
    """What a challenge is for: to make a passkey, to prove one, or to prove one before an expired password changes."""

    MAKE = "make"
    PROVE = "prove"
    LAPSED = "lapsed"


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`whose`: hash of the secret of the session or browser whose page it is on."""

    whose: bytes
    purpose: Purpose
    challenge: bytes


class Challenges:
    """Every method raises StoreError where the store cannot be asked. `entropy` gives random bytes."""

    def __init__(self, handles: Handles, entropy: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._handles = handles
        self._entropy = entropy

    async def put(self, secret: str, purpose: Purpose) -> tuple[str, bytes]:
        """A new challenge: (the token for the form's field `asked`, the challenge itself).

        `secret`: what the cookie holds that it belongs to.
        """
        challenge = self._entropy(CHALLENGE_BYTES)
        record = msgspec.msgpack.encode(_Asked(_hash(secret), purpose, challenge))
        return await self._handles.put(HandleKind.PASSKEY, record, SECONDS), challenge

    async def take(self, secret: str, purpose: Purpose, token: object) -> bytes:
        """The challenge, once. Empty: there is none that its holder was asked for this purpose, or not any more."""
        value = await self._handles.take(HandleKind.PASSKEY, text(token))
        if value is None:
            return b""
        asked = msgspec.msgpack.decode(value, type=_Asked)
        mine = hmac.compare_digest(asked.whose, _hash(secret)) and asked.purpose is purpose
        return asked.challenge if mine else b""


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
