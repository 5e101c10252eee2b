"""Captures: packets of a pcap file, which of them are SIP, and the file without the rest."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

import msgspec

# Magic numbers of pcap files: byte order and units of a second's fraction.
MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1), b"\xa1\xb2\xc3\xd4": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1000), b"\xa1\xb2\x3c\x4d": (">", 1000),
}  # fmt: skip
SIP_PORTS = frozenset({5060, 5061})
_SIP = re.compile(rb"(?:SIP/2\.0 \d|[A-Z]{3,16} \S+ SIP/2\.0)")
_VLANS = frozenset({0x8100, 0x88A8, 0x9100})
_IP = frozenset({0x0800, 0x86DD})
_EXTENSIONS = frozenset({0, 43, 60, 135})
_TCP, _UDP, _FRAGMENT, _SCTP = 6, 17, 44, 132


class Packet(msgspec.Struct, frozen=True):
    """One packet: microseconds since 1970, the captured frame, and both as they stand in the file."""

    time: int
    frame: bytes
    raw: bytes


class Transport(msgspec.Struct, frozen=True):
    """What IP carries. `fragment` names the datagram that a fragment belongs to; `first`: it has the ports."""

    protocol: int
    payload: bytes
    fragment: bytes = b""
    first: bool = True


def packets(data: bytes) -> Iterator[Packet]:
    """The packets of a pcap file; nothing for another format, and a packet cut short ends it."""
    order, unit = MAGIC.get(data[:4], ("", 0))
    at = 24
    while unit and at + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack_from(f"{order}4I", data, at)
        end = at + 16 + length
        if end > len(data):
            return
        yield Packet(seconds * 1_000_000 + fraction // unit, data[at + 16 : end], data[at:end])
        at = end


def link_type(data: bytes) -> int:
    """The link type of a pcap file's header (www.tcpdump.org/linktypes.html), -1 if it has none."""
    order, _ = MAGIC.get(data[:4], ("", 0))
    return struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF if order and len(data) >= 24 else -1


def transport(frame: bytes, link: int) -> Transport | None:
    """The transport layer of a frame, or None where there is no IP in it or it is cut short."""
    try:
        return _ip(frame[_network(frame, link) :])
    except (struct.error, IndexError):
        return None


def _network(frame: bytes, link: int) -> int:
    """Where the network layer begins; past the end if it is not IP."""
    if link == 1:
        at = 12
        (kind,) = struct.unpack_from("!H", frame, at)
        while kind in _VLANS:
            at += 4
            (kind,) = struct.unpack_from("!H", frame, at)
        return at + 2 if kind in _IP else len(frame)
    # Loopback (4 bytes of family), raw IP, and Linux's cooked captures.
    return {0: 4, 108: 4, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0, 113: 16, 276: 20}.get(link, len(frame))


def _ip(data: bytes) -> Transport | None:
    version = data[0] >> 4
    if version == 4:
        length = (data[0] & 15) * 4
        (flags,) = struct.unpack_from("!H", data, 6)
        (size,) = struct.unpack_from("!H", data, 2)
        key = data[12:20] + data[4:6] + data[9:10] if flags & 0x3FFF else b""
        return Transport(data[9], data[length : size or None], key, not flags & 0x1FFF)
    return _ip6(data) if version == 6 else None


def _ip6(data: bytes) -> Transport:
    protocol, at, key, first = data[6], 40, b"", True
    end = 40 + struct.unpack_from("!H", data, 4)[0]
    while protocol in _EXTENSIONS or protocol == _FRAGMENT:
        following = data[at]
        if protocol == _FRAGMENT:
            key, first = data[8:40] + data[at + 4 : at + 8], struct.unpack_from("!H", data, at + 2)[0] < 8
            at += 8
        else:
            at += (data[at + 1] + 1) * 8
        protocol = following
        if not first:
            break
    return Transport(protocol, data[at:end], key, first)


def is_signalling(layer: Transport) -> bool:
    """Whether a first or whole packet is SIP: it reads as SIP, or goes over SIP's port and is no RTP.

    TCP and SCTP carry signalling only. Everything else goes, ICMP too: it quotes the packets it answers.
    """
    if layer.protocol in (_TCP, _SCTP):
        return True
    if layer.protocol != _UDP or len(layer.payload) < 8:
        return False
    source, target = struct.unpack_from("!HH", layer.payload)
    content = layer.payload[8:]
    if _SIP.match(content):
        return True
    rtp = bool(content) and content[0] >> 6 == 2
    return not rtp and not SIP_PORTS.isdisjoint((source, target))


def without_rtp(data: bytes) -> bytes:
    """The file with its SIP packets only; later fragments go with the first one."""
    link, kept, out = link_type(data), set[bytes](), [data[:24]]
    for packet in packets(data):
        layer = transport(packet.frame, link)
        if layer is None or not (is_signalling(layer) if layer.first else layer.fragment in kept):
            continue
        if layer.fragment:
            kept.add(layer.fragment)
        out.append(packet.raw)
    return b"".join(out)


def merged(files: Sequence[bytes]) -> bytes | None:
    """One file with the packets of all, by time; None where their headers are not of one kind."""
    if len({(data[:4], data[16:24]) for data in files}) != 1 or files[0][:4] not in MAGIC:
        return None
    found = sorted((packet for data in files for packet in packets(data)), key=lambda packet: packet.time)
    return files[0][:24] + b"".join(packet.raw for packet in found)


def bodies_with_sdp(data: bytes) -> frozenset[int]:
    """The times (microseconds since 1970) of the SIP messages that carry a session description."""
    link, found = link_type(data), set[int]()
    for packet in packets(data):
        layer = transport(packet.frame, link)
        if layer and layer.protocol == _UDP and _SIP.match(layer.payload[8:]):
            head = layer.payload.partition(b"\r\n\r\n")[0].lower()
            if b"application/sdp" in head:
                found.add(packet.time)
    return frozenset(found)
