"""Challenges for passkeys on the account pages: one for each form that is shown, kept sealed in the session store.

The form carries a token alone. What it stands for is taken out once, by the session that it was made for, and for what
it was made: an answer that was sent before, that belongs to another session, or to another page finds no challenge.
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
from authgw.session.cookie import Found
from authgw.session.handles import HandleKind, Handles

SECONDS = 600.0


class Purpose(StrEnum):
    """What a challenge is for: to make a passkey, or to prove one."""

    MAKE = "make"
    PROVE = "prove"


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`session`: hash of the id of the session whose page it is on."""

    session: bytes
    purpose: Purpose
    challenge: bytes


class Challenges:
    """Every method raises StoreError where the store cannot be asked. `entropy` gives random bytes."""

    def __init__(self, handles: Handles, entropy: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._handles = handles
        self._entropy = entropy

    async def put(self, found: Found, purpose: Purpose) -> tuple[str, bytes]:
        """A new challenge: (the token for the form's field `asked`, the challenge itself)."""
        challenge = self._entropy(CHALLENGE_BYTES)
        record = msgspec.msgpack.encode(_Asked(_hash(found), purpose, challenge))
        return await self._handles.put(HandleKind.PASSKEY, record, SECONDS), challenge

    async def take(self, found: Found, purpose: Purpose, token: object) -> bytes:
        """The challenge, once. Empty: there is none that this session was asked for this purpose, or not any more."""
        value = await self._handles.take(HandleKind.PASSKEY, text(token))
        if value is None:
            return b""
        asked = msgspec.msgpack.decode(value, type=_Asked)
        mine = hmac.compare_digest(asked.session, _hash(found)) and asked.purpose is purpose
        return asked.challenge if mine else b""


def _hash(found: Found) -> bytes:
    return hashlib.sha256(found.sid.encode()).digest()
