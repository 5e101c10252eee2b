"""getVoiceRecording and getPCAP: by id, Call-ID and header; merged by time, zipped, as Ogg, from the connect on."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import wave
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

API = "/php/api.php"
SET = "cdrId or callId or custom header must be set"
# Calls with audio in the folder that comes along.
HEARD = (4, 12, 23, 78)


def ask(client: TestClient, task: str, params: Any) -> Response:
    """The call as JSON body, under the session."""
    reply: Response = client.post(API, json={"task": task, "params": params})
    return reply


def error(reply: Response) -> str:
    """The product's refusal, status 200."""
    body = reply.json()
    assert (reply.status_code, body["success"]) == (200, False)
    return str(body["error"])


def call_id(records: list[dict[str, Any]], call: int) -> str:
    return str(next(record for record in records if record["ID"] == call)["callid"])


def frames(data: bytes) -> bytes:
    with wave.open(io.BytesIO(data)) as file:
        read: bytes = file.readframes(file.getnframes())
        return read


def unzipped(reply: Response) -> dict[str, bytes]:
    assert reply.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.content)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def packets(data: bytes) -> list[tuple[int, int, bytes]]:
    """(second, microsecond, frame) of a little-endian capture."""
    found, at = [], 24
    while at < len(data):
        second, micro, length, _ = struct.unpack_from("<4I", data, at)
        found.append((second, micro, data[at + 16 : at + 16 + length]))
        at += 16 + length
    return found


def test_recordings_by_id_are_the_recorded_bytes(client: TestClient, voip: Path) -> None:
    """By id, number or text, the recording is byte for byte the file, typed as WAV and offered as a download."""
    for call in HEARD:
        reply = ask(client, "getVoiceRecording", {"cdrId": str(call) if call % 2 else call})
        assert reply.content == (voip / "audio" / f"{call}.wav").read_bytes()
        assert reply.headers["content-type"] == "audio/x-wav"
        assert reply.headers["content-disposition"] == f'attachment; filename="voipmonitor-{call}.wav"'


def test_recordings_by_call_id_and_header(client: TestClient, voip: Path, records: list[dict[str, Any]]) -> None:
    """A Call-ID means its call; a header means the first call of that day, or from that time on, that carries it."""
    recorded = (voip / "audio" / "12.wav").read_bytes()
    assert ask(client, "getVoiceRecording", {"callId": call_id(records, 12)}).content == recorded
    row = next(record for record in records if record["ID"] == 12)
    tenant = row["custom_header__X-Tenant"]
    for name in ("X-Tenant", "x-tenant", "custom_header__X-Tenant"):
        header = {"customHeader": name, "customHeaderValue": tenant, "calldate": row["calldate"]}
        assert ask(client, "getVoiceRecording", header).content == recorded
    first = min((r for r in records if r["custom_header__X-Tenant"] == tenant), key=lambda r: (r["calldate"], r["ID"]))
    day = {"customHeader": "X-Tenant", "customHeaderValue": tenant, "calldate": "2026-11-23"}
    assert ask(client, "getPCAP", day).content == (voip / first["pcap"]).read_bytes()
    for other in ("2026-11-22", "2026-11-24", "never"):
        assert error(ask(client, "getVoiceRecording", {**day, "calldate": other})) == "no match cdr"


@pytest.mark.parametrize("task", ["getVoiceRecording", "getPCAP"])
@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, SET),
        ({"cdrId": "", "callId": ""}, SET),
        ({"customHeader": "X-Tenant", "customHeaderValue": "acme"}, SET),
        ({"customHeader": "X-Tenant", "calldate": "2026-11-23"}, SET),
        ({"customHeaderValue": "acme", "calldate": "2026-11-23"}, SET),
        ({"cdrId": 236}, "cdr id 236 does not exist"),
        ({"cdrId": "abc"}, "cdr id 0 does not exist"),
        ({"callId": "no such call"}, "no match cdr"),
        ({"callId": "4944a73d-0f14cffc%"}, "no match cdr"),
        ([{"cdrId": 4}, {"cdrId": 236}], "cdr id 236 does not exist"),
    ],
)
def test_errors_of_selectors(client: TestClient, task: str, params: Any, said: str) -> None:
    """What selects nothing is refused in the product's words, status 200; one bad element fails the whole."""
    assert error(ask(client, task, params)) == said


def test_calls_without_audio(client: TestClient) -> None:
    """A call that was not recorded is refused, whatever form is asked for."""
    for more in ({}, {"zip": True}, {"ogg": True}, {"saveaudio_afterconnect": "yes"}):
        assert error(ask(client, "getVoiceRecording", {"cdrId": 5, **more})) == "no audio for cdr id 5"


def test_audio_from_the_connect_on(client: TestClient, voip: Path, records: list[dict[str, Any]]) -> None:
    """saveaudio_afterconnect drops the seconds before the connect and nothing else; "false" and 0 leave all."""
    for call in HEARD:
        row = next(record for record in records if record["ID"] == call)
        whole = (voip / "audio" / f"{call}.wav").read_bytes()
        kept = frames(ask(client, "getVoiceRecording", {"cdrId": call, "saveaudio_afterconnect": "yes"}).content)
        # 8 kHz, two channels of 16 bits: 4 bytes a frame.
        before = round((row["duration"] - row["connect_duration"]) * 8000) * 4
        assert 0.4 * 32000 < before < 0.6 * 32000
        assert kept == frames(whole)[before:]
        for off in ("false", "0", 0, False):
            assert ask(client, "getVoiceRecording", {"cdrId": call, "saveaudio_afterconnect": off}).content == whole


def test_recordings_in_a_zip(client: TestClient, voip: Path) -> None:
    """zip wraps one recording; several elements come zipped in any case, each call once."""
    files = {f"{call}.wav": (voip / "audio" / f"{call}.wav").read_bytes() for call in (4, 78)}
    one = ask(client, "getVoiceRecording", {"cdrId": 4, "zip": True})
    assert unzipped(one) == {"4.wav": files["4.wav"]}
    several = ask(client, "getVoiceRecording", [{"cdrId": 4}, {"cdrId": 78}, {"cdrId": 4}])
    assert unzipped(several) == files


def test_both_legs_merged_by_time(client: TestClient, voip: Path, records: list[dict[str, Any]]) -> None:
    """With cidInterval a capture holds every packet of both sensors' records of the call, in the order of time."""
    for first, second in ((118, 181), (126, 192)):
        alone = [(voip / "pcaps" / f"{call}.pcap").read_bytes() for call in (first, second)]
        both = sorted(packets(alone[0]) + packets(alone[1]))
        selectors = ({"callId": call_id(records, first)}, {"cdrId": first}, {"cdrId": second})
        for selector in selectors:
            for more in ({"cidInterval": 60}, {"cidInterval": "1", "cidMerge": True}):
                data = ask(client, "getPCAP", {**selector, **more}).content
                assert data[:24] == alone[0][:24]
                assert sorted(packets(data)) == both
                times = [packet[:2] for packet in packets(data)]
                assert times == sorted(times)
        # Without an interval it is one call: the earlier, of two at once the smaller id.
        assert ask(client, "getPCAP", selectors[0]).content == alone[0]
        assert ask(client, "getPCAP", {"cdrId": second, "cidInterval": 0}).content == alone[1]


def test_legs_in_a_zip(client: TestClient, voip: Path) -> None:
    """zip holds each leg's capture as it is, under cidMerge one merged capture."""
    files = {f"{call}.pcap": (voip / "pcaps" / f"{call}.pcap").read_bytes() for call in (118, 181)}
    params = {"cdrId": 118, "cidInterval": 60}
    assert unzipped(ask(client, "getPCAP", {**params, "zip": True})) == files
    merged = ask(client, "getPCAP", params).content
    assert unzipped(ask(client, "getPCAP", {**params, "zip": True, "cidMerge": True})) == {"118.pcap": merged}
    assert unzipped(ask(client, "getPCAP", {"cdrId": 181, "zip": "1"})) == {"181.pcap": files["181.pcap"]}


def test_legs_of_ipv6_calls_and_of_calls_without_sensor(client6: TestClient, voip6: Path) -> None:
    """The calls seen twice in the second folder merge too, also where one record has no sensor number."""
    for first, second in ((14, 50), (10, 48), (46, 73)):
        data = ask(client6, "getPCAP", {"cdrId": second, "cidInterval": 5}).content
        both = [packet for c in (first, second) for packet in packets((voip6 / f"pcaps/{c}.pcap").read_bytes())]
        assert sorted(packets(data)) == sorted(both)


def test_legs_outside_the_interval(start: Any, tmp_path: Path, voip: Path, records: list[dict[str, Any]]) -> None:
    """A leg that began later than the interval is left out, one exactly as late is in."""
    rows = [dict(next(r for r in records if r["ID"] == call)) for call in (118, 181)]
    rows[1]["calldate"] = "2026-11-23 15:02:32.212"
    (tmp_path / "pcaps").mkdir()
    for call in (118, 181):
        (tmp_path / f"pcaps/{call}.pcap").write_bytes((voip / f"pcaps/{call}.pcap").read_bytes())
    (tmp_path / "cdr.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    client = start(tmp_path)
    for interval, files in ((9, 1), (10, 2), (1e300, 2)):
        got = unzipped(ask(client, "getPCAP", {"cdrId": 118, "cidInterval": interval, "zip": 1}))
        assert len(got) == files


def test_captures_of_different_kinds_do_not_merge(
    start: Any, tmp_path: Path, voip: Path, records: list[dict[str, Any]]
) -> None:
    """Legs whose captures have different link types are refused as one file, and still come in a zip."""
    rows = [r for r in records if r["ID"] in (118, 181)]
    (tmp_path / "cdr.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "pcaps").mkdir()
    whole = (voip / "pcaps/118.pcap").read_bytes()
    (tmp_path / "pcaps/118.pcap").write_bytes(whole)
    (tmp_path / "pcaps/181.pcap").write_bytes(whole[:20] + b"\x71\x00\x00\x00" + whole[24:])
    client = start(tmp_path)
    assert "cannot be merged" in error(ask(client, "getPCAP", {"cdrId": 118, "cidInterval": 5}))
    assert len(unzipped(ask(client, "getPCAP", {"cdrId": 118, "cidInterval": 5, "zip": 1}))) == 2


def pages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(kind, granule, packet) of the pages of an Ogg file with one packet a page, checksums looked at bit by bit."""
    at = 0
    while at < len(data):
        assert data[at : at + 5] == b"OggS\x00"
        kind, granule = struct.unpack_from("<Bq", data, at + 5)
        lengths = data[at + 27 : at + 27 + data[at + 26]]
        begin, end = at + 27 + len(lengths), at + 27 + len(lengths) + sum(lengths)
        blank = data[at : at + 22] + bytes(4) + data[at + 26 : end]
        assert struct.unpack_from("<I", data, at + 22)[0] == remainder(blank, 0x04C11DB7, 32)
        yield kind, granule, data[begin:end]
        at = end


def remainder(data: bytes, polynomial: int, width: int) -> int:
    """A checksum as its definition has it, one bit after the other."""
    value = 0
    for byte in data:
        value ^= byte << (width - 8)
        for _ in range(8):
            value <<= 1
            if value >> width:
                value ^= 1 << width | polynomial
    return value


def samples(packet: bytes, number: int) -> bytes:
    """The samples of a FLAC frame of two channels, 16 bits, stored verbatim, in a WAV's order."""
    assert packet[:4] == b"\xff\xf8\x70\x18"
    assert packet[4] == number
    size = struct.unpack_from(">H", packet, 5)[0] + 1
    assert packet[7] == remainder(packet[:7], 0x07, 8)
    assert struct.unpack_from(">H", packet, len(packet) - 2)[0] == remainder(packet[:-2], 0x8005, 16)
    left, right = packet[8 : 9 + 2 * size], packet[9 + 2 * size : -2]
    assert (left[:1], right[:1]) == (b"\x02", b"\x02")
    sides = (struct.unpack(f">{size}h", side[1:]) for side in (left, right))
    return b"".join(struct.pack("<hh", *pair) for pair in zip(*sides, strict=True))


def test_audio_as_ogg(client: TestClient, voip: Path) -> None:
    """ogg is a real Ogg file: its checksums hold, its header names rate and digest, its samples are the WAV's."""
    reply = ask(client, "getVoiceRecording", {"cdrId": 12, "ogg": True})
    assert reply.headers["content-type"] == "audio/ogg"
    assert reply.headers["content-disposition"].endswith('.ogg"')
    sound = frames((voip / "audio" / "12.wav").read_bytes())
    (kind, _, head), _, *rest = pages(reply.content)
    assert (kind, head[:9], head[9:13]) == (2, b"\x7fFLAC\x01\x00\x00\x01", b"fLaC")
    (packed,) = struct.unpack_from(">Q", head, 27)
    assert (packed >> 44, packed >> 41 & 7, packed >> 36 & 31, packed & (1 << 36) - 1) == (8000, 1, 15, len(sound) // 4)
    assert head[35:51] == hashlib.md5(sound, usedforsecurity=False).digest()
    assert b"".join(samples(packet, number) for number, (_, _, packet) in enumerate(rest)) == sound
    assert (rest[-1][0], rest[-1][1]) == (4, len(sound) // 4)
    assert client.get("/php/pcap2wav.php?id=12&action=ogg").content == reply.content
    assert client.get("/php/pcap2wav.php?id=999&action=ogg").json()["error"] == "cdr id 999 does not exist"
    assert client.get("/php/pcap2wav.php?id=5&action=ogg").json()["success"] is False


def test_a_recording_that_is_none(start: Any, tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """A file that is no WAV is passed as it is, and refused where it would have to be converted."""
    row = next(record for record in records if record["ID"] == 4)
    (tmp_path / "cdr.jsonl").write_text(json.dumps({**row, "wav": "4.wav"}))
    (tmp_path / "4.wav").write_bytes(b"noise")
    client = start(tmp_path)
    assert ask(client, "getVoiceRecording", {"cdrId": 4}).content == b"noise"
    for form in ("ogg", "saveaudio_afterconnect"):
        assert "cannot be converted" in error(ask(client, "getVoiceRecording", {"cdrId": 4, form: 1}))
