"""Captures and audio: byte-equal, without RTP on request, in ranges."""

from __future__ import annotations

import ipaddress
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from authgw.demo.capture import without_rtp

ETHERNET = 1


def capture(link: int, *frames: bytes, order: str = "<", magic: int = 0xA1B2C3D4) -> bytes:
    """A pcap file of these frames, one second apart."""
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    return head + b"".join(
        struct.pack(f"{order}IIII", at, 0, len(frame), len(frame)) + frame for at, frame in enumerate(frames)
    )


def ip4(content: bytes, protocol: int = 17, fragment: int = 0, ident: int = 1) -> bytes:
    """An IPv4 packet between two addresses."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(content), ident, fragment, 64, protocol, 0)
    return head + b"\x7f\x00\x0a\x01\x7f\x00\x0a\x02" + content


def udp(content: bytes, port: int = 5060) -> bytes:
    """A UDP datagram to and from a port."""
    return struct.pack("!HHHH", port, port, 8 + len(content), 0) + content


def ether(packet: bytes, *tags: int) -> bytes:
    """An Ethernet frame, VLAN tags in front of the packet."""
    kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return bytes(12) + b"".join(struct.pack("!HH", 0x8100, tag) for tag in tags) + kind + packet


INVITE = b"INVITE sip:1001@acme.example SIP/2.0\r\n\r\n"
RTP = b"\x80\x00\x00\x01" + bytes(20)


def test_captures_are_the_recorded_bytes(client: TestClient, voip: Path) -> None:
    """Every call's capture is byte for byte the file, typed and named as a capture."""
    for call in range(1, 236):
        reply = client.get("/php/pcap.php", params={"id": str(call)})
        assert reply.content == (voip / "pcaps" / f"{call}.pcap").read_bytes()
    assert reply.headers["content-type"] == "application/vnd.tcpdump.pcap"
    assert reply.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("folder", ["voip", "voip6"])
def test_without_rtp_the_sip_messages_stay(request: pytest.FixtureRequest, folder: str) -> None:
    """With disable_rtp=1 as many packets are left as the call has SIP messages, and not one byte of RTP."""
    client: TestClient = request.getfixturevalue("client" + folder[4:])
    data: Path = request.getfixturevalue(folder)
    lines = (data / "sip_history.jsonl").read_text().splitlines()
    messages = {each["cdr_id"]: len(each["messages"]) for each in map(json.loads, lines)}
    for call, expected in messages.items():
        kept = client.get("/php/pcap.php", params={"id": call, "disable_rtp": "1"}).content
        whole = (data / "pcaps" / f"{call}.pcap").read_bytes()
        count, at = 0, 24
        while at < len(kept):
            length = struct.unpack_from("<I", kept, at + 8)[0]
            frame = kept[at + 16 : at + 16 + length]
            assert b"SIP/2.0" in frame
            assert kept[at : at + 16 + length] in whole
            count, at = count + 1, at + 16 + length
        assert (kept[:24], count) == (whole[:24], expected)


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_disable_rtp_can_be_off(client: TestClient, voip: Path, value: str) -> None:
    """An empty or false disable_rtp leaves the capture whole."""
    reply = client.get("/php/pcap.php", params={"id": "14", "disable_rtp": value})
    assert reply.content == (voip / "pcaps" / "14.pcap").read_bytes()


@pytest.mark.parametrize(
    ("link", "wrap"),
    [
        (1, ether),
        (1, lambda packet: ether(packet, 100)),
        (1, lambda packet: ether(packet, 100, 200)),
        (101, lambda packet: packet),
        (113, lambda packet: bytes(16) + packet),
        (276, lambda packet: bytes(20) + packet),
        (0, lambda packet: bytes(4) + packet),
    ],
)
def test_rtp_is_found_under_every_link_layer(link: int, wrap: Any) -> None:
    """SIP stays and RTP goes under Ethernet, VLAN tags, raw IP, cooked and loopback captures."""
    sip, rtp = wrap(ip4(udp(INVITE))), wrap(ip4(udp(RTP, 16000)))
    assert without_rtp(capture(link, sip, rtp, sip)) == capture(link, sip, rtp, sip).replace(
        struct.pack("<IIII", 1, 0, len(rtp), len(rtp)) + rtp, b""
    )


def test_both_byte_orders_and_nanoseconds() -> None:
    """Captures of the other byte order and with nanoseconds are read alike."""
    frames = ether(ip4(udp(INVITE))), ether(ip4(udp(RTP, 16000)))
    for order, magic in ((">", 0xA1B2C3D4), ("<", 0xA1B23C4D), (">", 0xA1B23C4D)):
        kept = without_rtp(capture(ETHERNET, *frames, order=order, magic=magic))
        assert kept == capture(ETHERNET, frames[0], order=order, magic=magic)


@pytest.mark.parametrize(
    ("packet", "stays"),
    [
        (ip4(udp(INVITE, 7777)), True),
        (ip4(udp(b"SIP/2.0 200 OK\r\n\r\n", 7777)), True),
        (ip4(udp(b"\r\n\r\n", 5060)), True),
        (ip4(udp(RTP, 5060)), False),
        (ip4(udp(b"\x81\xc8" + bytes(20), 16001)), False),
        (ip4(udp(b"", 16000)), False),
        (ip4(b"\x03\x03" + bytes(6) + ip4(udp(RTP, 16000)), protocol=1), False),
        (ip4(bytes(20), protocol=6), True),
        (b"\x00" * 30, False),
        (ip4(b"\x00", protocol=17), False),
    ],
)
def test_which_packets_stay(packet: bytes, stays: bool) -> None:
    """SIP by its text or its port stays, also over TCP; RTP, RTCP, ICMP that quotes it, and the unreadable go."""
    whole = capture(ETHERNET, ether(packet))
    assert without_rtp(whole) == (whole if stays else whole[:24])


def test_fragments_go_with_their_first() -> None:
    """A later fragment of a SIP message stays, one of RTP goes, in IPv4 and IPv6."""
    more, later = 0x2000, 0x0005

    def ip6(content: bytes, offset: int, ident: int) -> bytes:
        fragment = struct.pack("!BBHI", 17, 0, offset, ident) + content
        ends = ipaddress.ip_address("fd00:a::1").packed + ipaddress.ip_address("fd00:a::2").packed
        return struct.pack("!IHBB", 0x60000000, len(fragment), 44, 64) + ends + fragment

    sip = [ip4(udp(INVITE), fragment=more, ident=7), ip4(b"rest", fragment=later, ident=7)]
    sip6 = [ip6(udp(INVITE), 1, 7), ip6(b"rest", 48, 7)]
    rtp = [ip4(udp(RTP, 16000), fragment=more, ident=8), ip4(RTP, fragment=later, ident=8)]
    rtp6 = [ip6(udp(RTP, 16000), 1, 8), ip6(RTP, 48, 8)]
    kept = without_rtp(capture(ETHERNET, *map(ether, [*sip, *sip6, *rtp, *rtp6])))
    assert kept == capture(ETHERNET, *map(ether, [*sip, *sip6]))


def test_a_capture_cut_short_or_of_another_kind() -> None:
    """What cannot be read is left out; nothing unread gets through."""
    frame = ether(ip4(udp(INVITE)))
    whole = capture(ETHERNET, frame, frame)
    assert without_rtp(whole[:-1]) == capture(ETHERNET, frame)
    assert without_rtp(b"\x0a\x0d\x0d\x0a" + bytes(200)) == b"\x0a\x0d\x0d\x0a" + bytes(20)
    assert without_rtp(b"") == b""


def test_audio_where_there_is_some(client: TestClient, voip: Path) -> None:
    """The four recorded calls play and download; all others and unknown ids are refused with status 200."""
    for call in (4, 12, 23, 78):
        wav = (voip / "audio" / f"{call}.wav").read_bytes()
        assert client.get(f"/php/{call}.wav").content == wav
        reply = client.get("/php/pcap2wav.php", params={"id": call, "action": "wav"})
        assert reply.content == wav
        assert reply.headers["content-disposition"].startswith("attachment")
    for url in ("/php/5.wav", "/php/999.wav", "/php/pcap2wav.php?id=5&action=wav", "/php/pcap2wav.php?id=4&action=mp3"):
        reply = client.get(url)
        assert (reply.status_code, reply.json()["success"]) == (200, False)


def test_audio_in_ranges(client: TestClient, voip: Path) -> None:
    """A Range of a WAV is answered with 206 and exactly those bytes."""
    wav = (voip / "audio" / "12.wav").read_bytes()
    reply = client.get("/php/12.wav", headers={"range": "bytes=100-199"})
    assert (reply.status_code, reply.content) == (206, wav[100:200])
    assert reply.headers["content-range"] == f"bytes 100-199/{len(wav)}"
    assert client.get("/php/12.wav", headers={"range": f"bytes={len(wav)}-"}).status_code == 416


def test_unknown_captures(client: TestClient) -> None:
    """An unknown id is refused in the product's words, status 200."""
    reply = client.get("/php/pcap.php?id=236")
    assert (reply.status_code, reply.json()["error"]) == (200, "cdr id 236 does not exist")


def test_records_cannot_name_files_outside_their_folder(
    tmp_path: Path, start: Any, records: list[dict[str, Any]]
) -> None:
    """A path in a record that leads out of the folder finds nothing."""
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "cdr.jsonl").write_text(json.dumps({**records[0], "ID": 1, "pcap": "../secret"}))
    assert b"secret" not in start(folder).get("/php/pcap.php?id=1").content
