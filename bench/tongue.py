"""The part of the upstream that has to read requests: the product's login, sensors, lists of calls and single calls.

    python -m bench.tongue PORT

Answers are made once and kept, so that an answer costs little more than its bytes. How many rows a list has is told
by the day it begins on (`SIZES`); which calls getVoipCalls finds, by the second.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from functools import cache, lru_cache
from typing import cast
from urllib.parse import parse_qsl

import msgspec
import uvloop

from bench.frames import CLOSE, PING, PONG, TEXT, Frames, accept, frame

SIZES = {"01": 10, "02": 460, "03": 5000}
"""Day of November 2026 to the rows of its list."""
FOUND = 30
"""Rows that getVoipCalls finds."""
COUNTRY = ("4420", "1212")
"""How callers' numbers begin, in turn: who may see the first sees every second row."""


def row(at: int) -> dict[str, object]:
    """A call of the list, about 456 bytes as JSON like the product's."""
    return {
        "ID": at,
        "calldate": f"2026-11-02 10:{at // 60 % 60:02}:{at % 60:02}",
        "callend": f"2026-11-02 11:{at // 60 % 60:02}:{at % 60:02}",
        "duration": 154,
        "connect_duration": 149,
        "caller": f"{COUNTRY[at % 2]}{at % 10_000_000:07}",
        "called": f"49302{at % 1_000_000:06}",
        "caller_domain": "sip.example.com",
        "called_domain": "pbx.example.net",
        "callername": "Example",
        "sipcallerip": f"192.0.2.{at % 250}",
        "sipcalledip": f"198.51.100.{at % 250}",
        "id_sensor": 2,
        "lastSIPresponseNum": 200,
        "lastSIPresponse": "200 OK",
        "whohanged": "caller",
        "fbasename": f"4b1c2d3e-{at:07}@192.0.2.10",
        "a_mos_f1": 44,
        "b_mos_f1": 43,
    }


@cache
def listing(size: int, start: int, limit: int) -> bytes:
    rows = [row(at) for at in range(start + 1, min(start + limit, size) + 1)]
    return msgspec.json.encode({"success": True, "total": str(size), "results": rows})


@lru_cache(20_000)
def single(at: int) -> bytes:
    return msgspec.json.encode({"success": True, "total": "1", "results": [row(at)]})


@lru_cache(1000)
def voip_calls(first: int) -> bytes:
    kept = ("calldate", "callend", "caller", "called", "duration", "connect_duration", "lastSIPresponseNum")
    rows = ((at, row(at)) for at in range(first, first + FOUND))
    return msgspec.json.encode([{"cdrId": str(at), **{name: str(found[name]) for name in kept}} for at, found in rows])


LOGIN = b'{"success":true,"SID":"bench0bench0bench0bench0","cookie_name":"PHPSESSID"}'
SENSORS = b'{"success":true,"total":"1","results":[{"id":"12","id_sensor":"2","name":"edge-2"}]}'
_BEGIN = datetime(2026, 11, 1)


def answer(fields: dict[str, str]) -> bytes:
    """The body for a request's fields, as the product would write it."""
    match fields:
        case {"module": "bypass_login"}:
            return LOGIN
        case {"task": "LISTING", "module": "sensors"}:
            return SENSORS
        case {"task": "LISTING", "module": "CDR", "fdatefrom": day}:
            return listing(SIZES[day[8:10]], int(fields.get("start", 0)), int(fields.get("limit", 30)))
        case {"task": "SINGLEROW", "ID": call_id}:
            return single(int(call_id))
        case {"task": "getVoipCalls", "params": params}:
            asked = datetime.fromisoformat(msgspec.json.decode(params, type=dict[str, str])["startTime"])
            return voip_calls(int((asked - _BEGIN).total_seconds()) * FOUND + 1)
    return b'{"success":false,"error":"unknown"}'


class Talk(asyncio.Protocol):
    """One connection: heads by their blank line, bodies by Content-Length, which is how gateways send them."""

    def __init__(self) -> None:
        self._held = b""
        self._frames: Frames | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._frames is not None:
            self._echo(self._frames, data)
            return
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            if b"\r\nupgrade: websocket" in head:
                self._open(self._held[:end], self._held[end + 4 :])
                return
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._held) < end + 4 + length:
                return
            target = self._held[: self._held.index(b"\r\n")].split(b" ")[1]
            body = self._held[end + 4 : end + 4 + length]
            self._held = self._held[end + 4 + length :]
            said = answer(dict(parse_qsl((target.partition(b"?")[2] + b"&" + body).decode())))
            self._transport.writelines(
                (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said), said)
            )

    def _open(self, head: bytes, rest: bytes) -> None:
        """From here on it is a WebSocket that repeats what it is told."""
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        told = accept(key.partition(b":")[2].strip())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % told
        )
        self._frames = Frames()
        self._echo(self._frames, rest)

    def _echo(self, frames: Frames, data: bytes) -> None:
        for opcode, payload in frames.feed(data):
            if opcode in (TEXT, CLOSE):
                self._transport.write(frame(opcode, payload))
            elif opcode == PING:
                self._transport.write(frame(PONG, payload))
            if opcode == CLOSE:
                self._transport.close()


async def main(port: int) -> None:
    listener = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", port, backlog=1024)
    await listener.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
