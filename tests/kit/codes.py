"""An authenticator app, written from RFC 4226 and RFC 6238 alone: the oracle for every code in tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct


def code_at(secret: str, seconds: float) -> str:
    """The six digits that an app shows at this time for a base32 secret."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(seconds) // 30), hashlib.sha1).digest()
    at = digest[-1] & 0xF
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
