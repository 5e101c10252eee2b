"""One folder of records with all that the comparison knows about it, read from the files and from the look-alike."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from oracle.data import Record, histories_of, records_of, sensors_of
from oracle.formula import Call, call_of

DAY = {"fdatefrom": "2026-11-01T00:00:00", "fdateto": "2026-11-30T00:00:00"}
VLAN_TAG, UDP, SIP_PORT = 0x8100, 17, 5060


@dataclass(frozen=True)
class Site:
    """`rows`: LISTING's row of each call as the product writes it; `voip`: its row in getVoipCalls; `active`: the
    rows of listActiveCalls."""

    folder: Path
    records: Sequence[Record]
    calls: Mapping[int, Call]
    sensors: Mapping[int, int]
    histories: Mapping[int, Sequence[Mapping[str, Any]]]
    rows: Mapping[int, Mapping[str, Any]]
    voip: Mapping[int, Mapping[str, Any]]
    active: Sequence[Mapping[str, Any]]

    def capture(self, id: int) -> bytes:
        """The call's capture file."""
        record = next(record for record in self.records if record["ID"] == id)
        return (self.folder / str(record["pcap"])).read_bytes()

    def never_used(self) -> int:
        """An id that no call has, with as many digits as the longest that one has."""
        return next(id for id in range(10 ** len(str(max(self.calls))) - 1, 0, -1) if id not in self.calls)


async def visit(folder: Path, upstream: httpx2.AsyncClient) -> Site:
    """Read the folder, and the look-alike's rows with its own account's client."""
    records = records_of(folder)
    listed = (await upstream.post("/php/model/sql.php", data={**LISTING, **DAY, "limit": "9999"})).text
    rows = json.loads(listed[listed.index("{") :])["results"]
    params = {"task": "getVoipCalls", "params": '{"startTime":"2026-11-01"}'}
    voip = (await upstream.post("/php/api.php", data=params)).json()
    active = (await upstream.post("/php/api.php", data={"task": "listActiveCalls", "params": "{}"})).json()
    site = Site(
        folder=folder,
        records=records,
        calls={record["ID"]: call_of(record) for record in records},
        sensors=sensors_of(folder),
        histories=histories_of(folder),
        rows={int(row["ID"]): row for row in rows},
        voip={int(row["cdrId"]): row for row in voip},
        active=active,
    )
    assert site.rows.keys() == site.voip.keys() == site.calls.keys()
    return site


LISTING = {"task": "LISTING", "module": "CDR"}


async def logged_in(url: str) -> httpx2.AsyncClient:
    """A client of the look-alike with the service account's session."""
    from kit.gateway import SERVICE_PASSWORD

    client = httpx2.AsyncClient(base_url=url, timeout=30)
    login = {"module": "bypass_login", "user": "authgw", "pass": SERVICE_PASSWORD}
    answer = (await client.post("/php/model/sql.php", data=login)).json()
    client.cookies.clear()
    client.headers["cookie"] = f"{answer['cookie_name']}={answer['SID']}"
    return client


def signalling(capture: bytes) -> bytes:
    """The capture (Ethernet, little-endian, UDP only, as the records' are) with the packets of SIP's port alone."""
    kept, at = [capture[:24]], 24
    while at < len(capture):
        (length,) = struct.unpack_from("<I", capture, at + 8)
        packet = capture[at : at + 16 + length]
        if SIP_PORT in ports(packet[16:]):
            kept.append(packet)
        at += 16 + length
    return b"".join(kept)


def ports(frame: bytes) -> tuple[int, ...]:
    """Source and target port of an Ethernet frame's UDP datagram."""
    at = 12
    while struct.unpack_from("!H", frame, at)[0] == VLAN_TAG:
        at += 4
    ip = at + 2
    six = frame[ip] >> 4 == 6
    assert frame[ip + (6 if six else 9)] == UDP
    start = ip + (40 if six else (frame[ip] & 15) * 4)
    return struct.unpack_from("!HH", frame, start)
