"""The vault: values of the database sealed under the gateway's key file, each in its own place.

AES-256-GCM under a key derived by HKDF for one purpose. What a value is for and which row it belongs to are associated
data: one moved to another row, or read as something else, does not open. The id of the key lies in front, so that
keys can be rotated: what an older key of the file sealed still opens, and `is_current` tells what to seal anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from authgw.session.keys import Keys

_VERSION = b"\x01"
_NONCE = 12
_TAG = 16


def key_id(blob: bytes) -> str | None:
    """The id of the key that a sealed value names. None: it is no sealed value."""
    if blob[:1] != _VERSION or len(blob) < 2 or len(blob) < 2 + blob[1] + _NONCE + _TAG:
        return None
    return blob[2 : 2 + blob[1]].decode("ascii", "replace")


class Vault:
    """Seals and opens values of one purpose (a word such as "totp")."""

    def __init__(self, keys: Keys, purpose: str, entropy: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._purpose = purpose.encode()
        self._entropy = entropy
        self._ciphers = {key.id.encode(): AESGCM(key.derive(f"vault/{purpose}")) for key in keys.all}
        self._current = keys.current.id.encode()

    def close(self, row: str, value: bytes) -> bytes:
        """The sealed value, for this row alone: version, key id with its length, nonce, ciphertext and tag."""
        nonce = self._entropy(_NONCE)
        head = _VERSION + len(self._current).to_bytes(1, "big") + self._current
        return head + nonce + self._ciphers[self._current].encrypt(nonce, value, self._about(head, row))

    def open(self, row: str, blob: bytes) -> bytes | None:
        """The value, or None: it was not sealed for this row and purpose, or by a key that the file no longer has."""
        head, cipher = self._head(blob)
        if cipher is None or len(blob) < len(head) + _NONCE + _TAG:
            return None
        nonce, sealed = blob[len(head) : len(head) + _NONCE], blob[len(head) + _NONCE :]
        try:
            return cipher.decrypt(nonce, sealed, self._about(head, row))
        except InvalidTag:
            return None

    def is_current(self, blob: bytes) -> bool:
        """Whether the current key sealed it. False: open it and close it again."""
        head, _ = self._head(blob)
        return head[2:] == self._current

    def _head(self, blob: bytes) -> tuple[bytes, AESGCM | None]:
        if blob[:1] != _VERSION:
            return b"", None
        head = blob[: 2 + (blob[1] if len(blob) > 1 else 0)]
        return head, self._ciphers.get(head[2:])

    def _about(self, head: bytes, row: str) -> bytes:
        return b"\x00".join((b"authgw vault", head, self._purpose, row.encode()))
