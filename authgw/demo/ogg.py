"""Audio as Ogg: FLAC in its Ogg mapping (RFC 9639, section 10.1), samples stored as they are, nothing lost.

No encoder has to be installed for it; what plays Ogg FLAC plays it, browsers among them.
"""

from __future__ import annotations

import array
import hashlib
import io
import struct
import sys
import wave
import zlib
from collections.abc import Iterator

BLOCK = 4096
SERIAL = 0x61756467
_FIRST, _LAST = 2, 4
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def encoded(wav: bytes) -> bytes:
    """The WAV as Ogg. Raises wave.Error or EOFError for what is no WAV, and for samples other than 16 bits."""
    with wave.open(io.BytesIO(wav)) as file:
        channels, rate = file.getnchannels(), file.getframerate()
        if file.getsampwidth() != 2 or channels > 8:
            raise wave.Error("not 16 bits, or more than eight channels")
        sound = file.readframes(file.getnframes())
    total = len(sound) // 2 // channels
    head = b"\x7fFLAC\x01\x00\x00\x01fLaC" + struct.pack(">I", 34) + stream_info(sound, channels, rate, total)
    comment = struct.pack("<I", 6) + b"authgw" + struct.pack("<I", 0)
    pages = [page(head, 0, 0, _FIRST), page(struct.pack(">I", 0x84000000 | len(comment)) + comment, 0, 1, 0)]
    for number, block in enumerate(blocks(sound, channels)):
        done = min((number + 1) * BLOCK, total)
        pages.append(page(frame(block, number, channels), done, number + 2, _LAST if done == total else 0))
    return b"".join(pages)


def stream_info(sound: bytes, channels: int, rate: int, total: int) -> bytes:
    """Sizes of blocks, unknown sizes of frames, rate, channels, 16 bits, number of samples, digest of the samples."""
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36 | total
    digest = hashlib.md5(sound, usedforsecurity=False).digest()
    return struct.pack(">HH", BLOCK, BLOCK) + bytes(6) + struct.pack(">Q", packed) + digest


def blocks(sound: bytes, channels: int) -> Iterator[array.array[int]]:
    """The samples of all channels, one after the other in turn, so many of each at a time."""
    samples = array.array("h", sound)
    if sys.byteorder == "little":
        samples.byteswap()
    for at in range(0, len(samples), BLOCK * channels):
        yield samples[at : at + BLOCK * channels]


def frame(block: array.array[int], number: int, channels: int) -> bytes:
    """One frame: every channel's samples, most significant byte first, between two checksums."""
    head = bytes([0xFF, 0xF8, 0x70, (channels - 1) << 4 | 0x08]) + coded(number)
    head += struct.pack(">H", len(block) // channels - 1)
    body = head + bytes([crc8(head)]) + b"".join(b"\x02" + block[at::channels].tobytes() for at in range(channels))
    return body + struct.pack(">H", crc16(body))


def coded(number: int) -> bytes:
    """A frame's number, written as UTF-8 writes a character."""
    return chr(number).encode("utf-8", "surrogatepass")


def page(packet: bytes, granule: int, number: int, kind: int) -> bytes:
    """One Ogg page with one packet (RFC 3533, section 6). `granule`: samples until its end."""
    lengths = bytes([255]) * (len(packet) // 255) + bytes([len(packet) % 255])
    start = b"OggS\x00" + struct.pack("<BqII", kind, granule, SERIAL, number)
    rest = bytes([len(lengths)]) + lengths + packet
    return start + struct.pack("<I", crc32(start + bytes(4) + rest)) + rest


def crc32(data: bytes) -> int:
    """Ogg's checksum: zlib's polynomial, most significant bit first, from 0 and without the last complement."""
    mirrored = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _table(polynomial: int, width: int) -> tuple[int, ...]:
    top, mask, found = 1 << (width - 1), (1 << width) - 1, []
    for byte in range(256):
        value = byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        found.append(value)
    return tuple(found)


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)


def crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = (value << 8 & 0xFF00) ^ _CRC16[value >> 8 ^ byte]
    return value
