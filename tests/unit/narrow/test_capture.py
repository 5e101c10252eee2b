"""Captures merged by time."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import pytest

from authgw.narrow.capture import NotACapture, Packet, mergeable, merged, packets, read_head

PCAPS = Path(__file__).parents[3] / "authgw" / "demo" / "data" / "voip" / "pcaps"


def write(times: list[tuple[int, int]], *, big: bool = False, nano: bool = False, link: int = 1) -> bytes:
    """A capture of packets that hold their own time, by an independent writer."""
    order = ">" if big else "<"
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for seconds, part in times:
        data = f"{seconds}.{part}".encode()
        out += struct.pack(order + "IIII", seconds, part, len(data), len(data) + 10) + data
    return out


def joined(*captures: bytes) -> list[Packet]:
    files = [io.BytesIO(capture) for capture in captures]
    heads = [read_head(file) for file in files]
    assert mergeable(heads)
    out = io.BytesIO(b"".join(merged(files, heads)))
    return list(packets(out, read_head(out)))


def test_packets_come_by_time_and_none_is_lost() -> None:
    """Merging sorted captures gives all packets, sorted, with their lengths and bytes."""
    rng = random.Random(7)
    sides = [sorted((rng.randrange(100), rng.randrange(10**6)) for _ in range(200)) for _ in range(3)]
    found = joined(*(write(side, big=n == 1) for n, side in enumerate(sides)))
    assert [(p.time, p.data) for p in found] == sorted(
        (s * 10**9 + u * 1000, f"{s}.{u}".encode()) for side in sides for s, u in side
    )
    assert all(p.length == len(p.data) + 10 for p in found)


def test_nanoseconds_survive() -> None:
    """One capture with nanoseconds makes the whole one so; nothing is rounded."""
    found = joined(write([(1, 5)]), write([(1, 4_999)], nano=True))
    assert [p.time for p in found] == [1_000_004_999, 1_000_005_000]


def test_real_captures_merge_with_themselves() -> None:
    """A real capture merged with itself holds each packet twice."""
    real = (PCAPS / "1.pcap").read_bytes()
    file = io.BytesIO(real)
    once = [p.data for p in packets(file, read_head(file))]
    assert sorted(p.data for p in joined(real, real)) == sorted(once * 2)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\xd4\xc3\xb2\xa1",
        b"PK\x03\x04" + b"x" * 40,
        write([(1, 1)])[:-1],
        write([(1, 1)])[:30],
        write([]) + struct.pack("<IIII", 1, 1, 1 << 30, 5),
    ],
)
def test_what_is_no_capture_is_told(broken: bytes) -> None:
    """A file that is no capture, breaks off, or claims a giant packet is never passed off as one."""
    file = io.BytesIO(broken)
    with pytest.raises(NotACapture):
        list(packets(file, read_head(file)))


def test_link_types_do_not_mix() -> None:
    """One capture has one link type."""
    heads = [read_head(io.BytesIO(write([], link=link))) for link in (1, 113)]
    assert not mergeable(heads)
