"""Claims as bytes, to be stored with a session.

Fields are only ever appended, with a default under which an older record means what it meant. A field that narrows
what a user may do raises `CLAIMS_VERSION`: a program that does not know it must not read the record.
"""

from __future__ import annotations

import msgspec

from authgw.rights.claims import CLAIMS_VERSION, Claims


class Unreadable(msgspec.Struct, frozen=True):
    """Bytes that are no claims of a version this program knows. Such a session does not exist."""

    detail: str


class _Head(msgspec.Struct):
    version: int


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_head = msgspec.msgpack.Decoder(_Head)
_decoder = msgspec.msgpack.Decoder(Claims)


def encode(claims: Claims) -> bytes:
    """The same claims are always the same bytes."""
    return _encoder.encode(claims)


def decode(stored: bytes) -> Claims | Unreadable:
    """What `encode` wrote, by this program or an older one."""
    try:
        version = _head.decode(stored).version
        if not 1 <= version <= CLAIMS_VERSION:
            return Unreadable(f"claims of version {version}; this program knows 1 to {CLAIMS_VERSION}")
        return _decoder.decode(stored)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Unreadable(f"no claims: {error}")
