"""WebSocket frames as far as an echo needs them (RFC 6455): whole messages of at most 125 bytes, and what ends them."""

from __future__ import annotations

import base64
import hashlib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
LONGEST = 125


def accept(key: bytes) -> bytes:
    """The value of Sec-WebSocket-Accept (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())


def frame(opcode: int, payload: bytes, mask: bytes = b"") -> bytes:
    """One frame (section 5.2); with a mask of four bytes as clients send them."""
    head = bytes((0x80 | opcode, (0x80 if mask else 0) | len(payload)))
    return head + mask + (masked(payload, mask) if mask else payload)


def masked(payload: bytes, mask: bytes) -> bytes:
    """Section 5.3; twice is as before."""
    size = len(payload)
    long = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(long, "big")).to_bytes(size, "big")


class Frames:
    """Feed it bytes of either side; it gives the frames that are whole, unmasked, by opcode."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        held, at, found = self._held + data, 0, list[tuple[int, bytes]]()
        while len(held) - at >= 2:
            first, second = held[at], held[at + 1]
            size, keyed = second & 0x7F, second & 0x80
            if size > LONGEST or not first & 0x80:
                raise ValueError("a frame that no echo needs")
            start = at + 2 + (4 if keyed else 0)
            if len(held) < start + size:
                break
            payload = held[start : start + size]
            found.append((first & 0x0F, masked(payload, held[at + 2 : start]) if keyed else payload))
            at = start + size
        self._held = held[at:]
        return found
