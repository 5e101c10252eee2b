"""A security key in software, written from WebAuthn level 2: makes a key pair and signs challenges, or lies."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def spelt(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """Answers for one host and origin. `count`: how often it has signed; 0 for good where it keeps no count."""

    host: str = "voip.example.com"
    origin: str = "https://voip.example.com"
    id: bytes = b"credential-one"
    count: int = 0
    flags: int = PRESENT | VERIFIED
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, challenge: bytes, /, **lies: Any) -> str:
        """The answer to navigator.credentials.create as JSON, without attestation (6.5.1, 8.7)."""
        numbers = self.private.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(key)
        data = self._data(self.flags | ATTESTED) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"clientDataJSON": self._client("webauthn.create", challenge, lies)}
        return self._answer({**response, "attestationObject": statement})

    def get(self, challenge: bytes, /, **lies: Any) -> str:
        """The answer to navigator.credentials.get as JSON: a signature over data and client data (6.3.3)."""
        data = self._data(self.flags)
        client = self._client("webauthn.get", challenge, lies)
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({"clientDataJSON": client, "authenticatorData": data, "signature": signature})

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _client(self, type: str, challenge: bytes, lies: dict[str, Any]) -> bytes:
        said = {"type": type, "challenge": spelt(challenge), "origin": self.origin, "crossOrigin": False, **lies}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, bytes]) -> str:
        spelt_out = {name: spelt(value) for name, value in response.items()}
        return json.dumps({"id": spelt(self.id), "rawId": spelt(self.id), "type": "public-key", "response": spelt_out})
