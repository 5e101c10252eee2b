"""Sealing of records: pure functions of a key, a secret, a record type and bytes.

A record lies in the store under a keyed hash of the secret that opens it (a session id, a handle's token) and is
encrypted with AES-256-GCM under a key derived by HKDF-SHA256 from the gateway's key *and* that secret. Format version,
record type and hash are associated data: a record moved under another key, or read as another type, does not open.
Nobody who reads the store can read a record or find the secret; nobody who writes it can make one.
"""

from __future__ import annotations

import hmac
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from authgw.session.keys import Key

SECRET_BYTES = 32
SECRET_LENGTH = 43
HASH_LENGTH = 32
_VERSION = b"\x01"
_NONCE = 12
_TAG = 16
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET = re.compile(rf"[0-9A-Za-z]{{{SECRET_LENGTH}}}", re.ASCII)
_HASH = re.compile(rf"[0-9a-f]{{{HASH_LENGTH}}}", re.ASCII)


def spell(entropy: bytes) -> str:
    """256 random bits as 43 letters and digits: safe in a URL, and within PHP's session id alphabet ([A-Za-z0-9,-])."""
    if len(entropy) != SECRET_BYTES:
        raise ValueError(f"{SECRET_BYTES} random bytes are needed")
    number = int.from_bytes(entropy, "big")
    letters = []
    for _ in range(SECRET_LENGTH):
        number, digit = divmod(number, 62)
        letters.append(_ALPHABET[digit])
    return "".join(letters)


def is_secret(text: str) -> bool:
    """Could this text be a session id or a token at all?"""
    return _SECRET.fullmatch(text) is not None


def is_hash(text: str) -> bool:
    """Could this text be a session's handle (the keyed hash of its id)?"""
    return _HASH.fullmatch(text) is not None


class Seal:
    """Seals and opens records of one type under one key of the key file."""

    __slots__ = ("_id_key", "_record_key", "_type")

    def __init__(self, key: Key, type: str) -> None:
        self._type = type.encode()
        self._id_key = key.derive(f"{type}/id-hash")
        self._record_key = key.derive(f"{type}/record")

    def hash(self, secret: str) -> str:
        """HMAC-SHA256 of the secret, cut to 128 bits, in hex: names the record and opens nothing."""
        return hmac.digest(self._id_key, secret.encode(), "sha256").hex()[:HASH_LENGTH]

    def close(self, secret: str, hash: str, value: bytes) -> bytes:
        """The sealed record: version, fresh nonce, ciphertext and tag."""
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._cipher(secret).encrypt(nonce, value, self._about(hash))

    def open(self, secret: str, hash: str, blob: bytes) -> bytes | None:
        """The value, or None where the blob is not what `close` made for this very secret, type and hash."""
        if len(blob) < 1 + _NONCE + _TAG or blob[:1] != _VERSION:
            return None
        try:
            return self._cipher(secret).decrypt(blob[1 : 1 + _NONCE], blob[1 + _NONCE :], self._about(hash))
        except InvalidTag:
            return None

    def _cipher(self, secret: str) -> AESGCM:
        return AESGCM(HKDF(hashes.SHA256(), 32, self._record_key, self._type).derive(secret.encode()))

    def _about(self, hash: str) -> bytes:
        return b"\x00".join((b"authgw", _VERSION, self._type, hash.encode()))
