"""Captures merged by time: several pcap files in, one out, in bounded memory.

The classic pcap format (draft-ietf-opsawg-pcap): a file header of 24 octets, then records of 16 octets and the packet.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import msgspec

HEADER = 24
RECORD = 16
# Larger than any packet that a sensor stores; what claims more is no capture.
MAX_PACKET = 1 << 20

_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}


class NotACapture(ValueError):
    """A file that is no pcap, or breaks off."""


class Head(msgspec.Struct, frozen=True):
    """`order`: of the octets, as `struct` writes it. `unit`: nanoseconds in one step of a record's sub-second field."""

    order: str
    unit: int
    snap_length: int
    link_type: int


class Packet(msgspec.Struct, frozen=True, order=True):
    """`time`: nanoseconds since 1970. `source` and `number` keep the order of packets of one time."""

    time: int
    source: int
    number: int
    length: int
    data: bytes


def read_head(file: BinaryIO) -> Head:
    """Raises `NotACapture`."""
    raw = file.read(HEADER)
    known = _MAGICS.get(raw[:4])
    if len(raw) != HEADER or known is None:
        raise NotACapture("no pcap file")
    order, unit = known
    snap_length, link_type = struct.unpack(order + "II", raw[16:])
    return Head(order, unit, snap_length, link_type)


def packets(file: BinaryIO, head: Head, source: int = 0) -> Iterator[Packet]:
    """The packets behind the head, one at a time. Raises `NotACapture` where the file breaks off."""
    number = 0
    while raw := file.read(RECORD):
        if len(raw) != RECORD:
            raise NotACapture("a record breaks off")
        seconds, part, kept, length = struct.unpack(head.order + "IIII", raw)
        if kept > MAX_PACKET:
            raise NotACapture("a packet larger than any packet")
        data = file.read(kept)
        if len(data) != kept:
            raise NotACapture("a packet breaks off")
        yield Packet(seconds * 1_000_000_000 + part * head.unit, source, number, length, data)
        number += 1


def mergeable(heads: Sequence[Head]) -> bool:
    """One pcap file has one link type."""
    return len({head.link_type for head in heads}) == 1


def merged(files: Sequence[BinaryIO], heads: Sequence[Head]) -> Iterator[bytes]:
    """One capture, piece by piece, of files that stand behind their heads; nanoseconds if any of them has those."""
    unit = min(head.unit for head in heads)
    snap_length = max(head.snap_length for head in heads)
    magic = b"\xd4\xc3\xb2\xa1" if unit == 1_000 else b"\x4d\x3c\xb2\xa1"
    yield magic + struct.pack("<HHiIII", 2, 4, 0, 0, snap_length, heads[0].link_type)
    streams: Iterable[Iterator[Packet]] = [
        packets(file, head, source) for source, (file, head) in enumerate(zip(files, heads, strict=True))
    ]
    for packet in heapq.merge(*streams):
        seconds, rest = divmod(packet.time, 1_000_000_000)
        yield struct.pack("<IIII", seconds, rest // unit, len(packet.data), packet.length) + packet.data
