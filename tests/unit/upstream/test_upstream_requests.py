"""What goes upstream, made of anything: h11 and aiohttp's server read one request, the one that was meant.

Each run's seed is printed; `AUTHGW_SEED=…` repeats it.
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import NamedTuple

import h11
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParserPy

from authgw.upstream.wire import OWN, Base, form, request_head, target

CASES = int(os.environ.get("AUTHGW_FUZZ_REQUESTS", "3000"))
BASE = Base("gui.example", 8081, path="/demo")
HOST = "gui.example:8081"
# What an attacker would put there: ends of lines, of heads, framing, other letters of the same byte.
ODD = ["\r\n", "\n", "\r", "\0", " ", "\t", ":", "#", "?", "%0d%0a", "/../", "//"]
ODD += ["\x7f", "é", "č", "Ċ", "\u2028", "&", "="]
NAMES = ["accept", "user-agent", "range", "cookie", "x-a", "if-none-match", "Accept", "x a", "x:a", "", *sorted(OWN)]
METHODS = ["GET", "POST", "HEAD", "DELETE", "get", "G T", "GET\r\n", ""]


class Read(NamedTuple):
    """A request as a server reads it; headers in their order, names in lower case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def words(rng: random.Random) -> str:
    return "".join(rng.choices([*"abcXYZ019-_.~/", *ODD], k=rng.choice([0, 1, 4, 12])))


def by_h11(data: bytes) -> list[Read]:
    server, found = h11.Connection(h11.SERVER), list[Read]()
    server.receive_data(data)
    while True:
        event = server.next_event()
        if isinstance(event, h11.Request):
            headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers)
            found.append(Read(event.method.decode(), event.target.decode("latin-1"), headers, b""))
        elif isinstance(event, h11.Data):
            found[-1] = found[-1]._replace(body=found[-1].body + bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            server.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            server.send(h11.EndOfMessage())
            if not server.trailing_data[0]:
                return found
            server.start_next_cycle()
        else:
            raise AssertionError(f"not whole: {data!r}")


def by_aiohttp(data: bytes) -> list[Read]:
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParserPy(BaseProtocol(loop), loop, 2**16)
        found = []
        messages, _, tail = parser.feed_data(data)
        assert not tail
        for message, payload in messages:
            headers = tuple((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in message.raw_headers)
            body = b"".join(bytes(part) for part in getattr(payload, "_buffer", ()))
            found.append(Read(message.method, message.path, headers, body))
        return found
    finally:
        loop.close()


def test_one_request_and_the_one_that_was_meant() -> None:
    """Whatever method, path, fields and headers are made of: it is refused here, or both servers read exactly one
    request with that method, a target that is the path, those headers, our own framing, and that body."""
    seed = int(os.environ.get("AUTHGW_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"AUTHGW_SEED={seed}")
    rng, sent, refused = random.Random(seed), 0, 0
    for case in range(CASES):
        method = rng.choice(METHODS[:4] * 3 + METHODS)
        fields = [(words(rng), words(rng)) for _ in range(rng.randrange(3))]
        body = form(fields) if method == "POST" else None
        where = target(BASE.path, "/" + words(rng), form(fields) if body is None else b"")
        named = rng.sample(NAMES[:6] * 4 + NAMES, rng.randrange(3))
        headers = [(name, rng.choice(["", "a b", "x/y", words(rng)])) for name in dict.fromkeys(named)]
        try:
            head = request_head(BASE, method, where, headers, None if body is None else len(body))
        except ValueError:
            refused += 1
            continue
        sent += 1
        own = [("host", HOST), ("accept-encoding", "identity")]
        meant = [*own, *((name, value.strip(" ")) for name, value in headers)]
        meant += [] if body is None else [("content-length", str(len(body)))]
        wanted = [Read(method, where.decode("ascii"), tuple(meant), body or b"")]
        data = head + (body or b"")
        about = f"case {case} of seed {seed}: {data!r}"
        assert by_h11(data) == wanted, about
        assert by_aiohttp(data) == wanted, about
    assert min(sent, refused) > CASES / 10, (seed, sent, refused)
