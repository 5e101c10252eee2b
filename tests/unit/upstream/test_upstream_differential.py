"""Replies made at random, read here and by h11 and aiohttp: what all understand is understood alike.

Each run's seed is printed; `AUTHGW_SEED=…` repeats it.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator

import h11
import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpResponseParserPy

from authgw.errors import UpstreamError
from authgw.upstream.reading import Reading

SEED = int(os.environ.get("AUTHGW_SEED") or random.SystemRandom().randrange(1 << 32))
CASES = 3000
STATUS = ["200 OK", "206 Partial Content", "304 Not Modified", "204 No Content", "404 Nope", "200", "302 Found"]
HEADS = [
    b"Content-Type: application/json", b"Server: x", b"X-A: b c", b"Set-Cookie: a=b", b"ETag: \"1\"", b"X-Empty:",
    b"Connection: close", b"Connection: keep-alive", b"Date: Thu, 26 Nov 2026 10:00:00 GMT",
]  # fmt: skip
Outcome = tuple[int, bytes] | None
"""Status and body of the one reply; None: not understood, cut short, or not alone."""


def reply(rng: random.Random) -> bytes:
    """One reply: mostly as servers write them, sometimes bent."""
    body = bytes(rng.choices(b"ab\r\n{}0", k=rng.choice([0, 1, 5, 300])))
    lines = [f"HTTP/1.1 {rng.choice(STATUS)}".encode(), *rng.sample(HEADS, rng.randrange(4))]
    framing = rng.random()
    if framing < 0.4:
        lines.append(b"Content-Length: %d" % len(body))
    elif framing < 0.8:
        lines.append(b"Transfer-Encoding: chunked")
        body = _chunked(rng, body)
    bent = rng.random()
    if bent < 0.25:
        at = rng.randrange(len(lines))
        lines[at] = _bent(rng, lines[at])
    if bent > 0.95:
        lines.append(rng.choice([b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip"]))
    data = b"\r\n".join(lines) + b"\r\n\r\n" + body
    if rng.random() < 0.1:
        data = data[: rng.randrange(len(data))]
    return data + (b"HTTP/1.1 200 OK\r\n\r\n" if rng.random() < 0.05 else b"")


def _chunked(rng: random.Random, body: bytes) -> bytes:
    out, at = b"", 0
    while at < len(body):
        size = min(rng.choice([1, 3, 100]), len(body) - at)
        out += b"%x\r\n%b\r\n" % (size, body[at : at + size])
        at += size
    return out + b"0\r\n" + (b"X-Trailer: 1\r\n" if rng.random() < 0.1 else b"") + b"\r\n"


def _bent(rng: random.Random, line: bytes) -> bytes:
    at = rng.randrange(len(line) + 1)
    return line[:at] + rng.choice([b"\x00", b" ", b"\t", b"\r", b"\n", b":", b"\xff", b"+", b"1", b"-"]) + line[at:]


def pieces(rng: random.Random, data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = rng.choice([1, 2, 7, 50, 1000])
        yield data[at : at + size]
        at += size


def ours(parts: list[bytes]) -> Outcome:
    reading, body = Reading(False, 65536, 100), b""
    try:
        for part in parts:
            reading.feed(part)
        if not reading.done:
            reading.eof()
    except UpstreamError:
        return None
    body = b"".join(reading.pieces)
    return None if reading.surplus or reading.head is None else (reading.head.status, body)


def by_h11(data: bytes) -> Outcome:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    status, body = 0, b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            elif event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return None
    except h11.RemoteProtocolError:
        return None
    return None if connection.trailing_data[0] else (status, body)


def by_aiohttp(data: bytes) -> Outcome:
    loop = asyncio.new_event_loop()
    try:
        parser = HttpResponseParserPy(
            BaseProtocol(loop), loop, 2**16, response_with_body=True, read_until_eof=True, auto_decompress=False
        )
        messages, _, tail = parser.feed_data(data)
        parser.feed_eof()
        if len(messages) != 1 or tail:
            return None
        message, payload = messages[0]
        return None if payload.exception() else (message.code, b"".join(chunk for chunk, _ in _buffer(payload)))
    except Exception:
        return None
    finally:
        loop.close()


def _buffer(payload: object) -> list[tuple[bytes, int]]:
    return [(bytes(part), 0) for part in getattr(payload, "_buffer", ())]


def test_what_is_read_is_what_others_read() -> None:
    """A reply that this reader takes for whole and alone, h11 takes for the same status and body, or not at all; where
    h11 and aiohttp agree on one, nothing else is read here. Wherever the bytes are cut."""
    rng, taken, agreed, all_three = random.Random(SEED), 0, 0, 0
    print(f"AUTHGW_SEED={SEED}")
    for number in range(CASES):
        data = reply(rng)
        found = ours(list(pieces(rng, data)))
        assert found == ours([data]), f"seed {SEED}, case {number}: cut elsewhere, {data!r} is read otherwise"
        other, third = by_h11(data), by_aiohttp(data)
        taken += found is not None
        if found is not None and other is not None:
            agreed += 1
            assert found == other, f"seed {SEED}, case {number}: {data!r}: {found} here, {other} by h11"
        if found is not None and third is not None:
            all_three += 1
            assert found == third, f"seed {SEED}, case {number}: {data!r}: {found} here, {third} by aiohttp"
    assert min(agreed, all_three) > CASES / 3, f"seed {SEED}: {agreed} of {taken}; too odd to tell anything"


@pytest.mark.parametrize("junk", range(20))
def test_no_bytes_do_anything_but_be_refused(junk: int) -> None:
    """Random bytes, and random bytes behind a good beginning: an `UpstreamError` or a reply, never another error."""
    rng = random.Random(SEED + junk)
    for _ in range(200):
        start = rng.choice([b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: "])
        ours(list(pieces(rng, start + rng.randbytes(rng.randrange(400)))))
