"""Replies of an upstream as bytes: whole ones, ones that must be refused, and ones made at random."""

from __future__ import annotations

import random

OK = b"HTTP/1.1 200 OK\r\n"

WHOLE = [
    (OK + b"Content-Length: 3\r\n\r\nabc", b"abc", True),
    (OK + b"Content-Length: 0\r\n\r\n", b"", True),
    (OK + b"Content-Length: 3 \r\n\r\nabc", b"abc", True),
    (OK + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    (OK + b"\r\nabc\r\n\r\n", b"abc\r\n\r\n", False),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde", True),
    (OK + b"Transfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n", b"abc", True),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n", True),
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
        b"a",
        True,
    ),
    (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"", True),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    (b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", b"abc", True),
    # whole, but followed by bytes that nobody asked for: read, and never reused
    (OK + b"Content-Length: 3\r\n\r\nabcd", b"abc", False),
    (OK + b"Content-Length: 3\r\n\r\nabc\r\n", b"abc", False),
    (OK + b"Content-Length: 3\r\n\r\nabc" + OK + b"Content-Length: 1\r\n\r\nz", b"abc", False),
    (b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", b"", False),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n", b"", False),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\n", b"", False),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\n\r\n\r\n", b"", False),
    (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", b"", False),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nz", b"a", False),
]
REFUSED = {
    "length and chunked": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunked and length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "two equal lengths": OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a length beyond 64 bits": OK + b"Content-Length: 18446744073709551616\r\n\r\nabc",
    "a length of 5,000 digits": OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc",
    "a list of lengths": OK + b"Content-Length: 3, 3\r\n\r\nabc",
    "a tab behind a length": OK + b"Content-Length: 3\t\r\n\r\nabc",
    "a tab behind chunked": OK + b"Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n",
    "a signed length": OK + b"Content-Length: +3\r\n\r\nabc",
    "a folded header": OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "one bare line feed": OK + b"X: a\nContent-Length: 0\r\n\r\n",
    "space before the colon": OK + b"Content-Length : 0\r\n\r\n",
    "a zero byte": OK + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "a control byte in the phrase": b"HTTP/1.1 200 O\x0bK\r\nContent-Length: 0\r\n\r\n",
    "a lone carriage return": OK + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
    "gzip then chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another transfer coding": OK + b"Transfer-Encoding: xchunked\r\n\r\nabc",
    "identity": OK + b"Transfer-Encoding: identity\r\n\r\nabc",
    "chunked in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "101 without upgrade": b"HTTP/1.1 101 Switching\r\n\r\nabc",
    "an interim reply with a body": b"HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\nabc" + OK + b"\r\n",
    "204 with chunks": b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "interim replies without end": b"HTTP/1.1 103 Hints\r\n\r\n" * 9,
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>",
    "an empty line first": b"\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "status 99": b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
    "status 600": b"HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n",
    "a chunk with a bare line feed": OK + b"Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n",
    "a chunk longer than it says": OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "a chunk size that overflows": OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nab\r\n0\r\n\r\n",
    "a trailer": OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n",
    "a length in the trailer": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\n",
    "a coding in the trailer": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "101 fields": OK + b"X: y\r\n" * 101 + b"Content-Length: 0\r\n\r\n",
    "a head without end": OK + b"X: " + b"y" * 70000,
    "a trailer without end": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * 140000,
    "a chunk extension without end": OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"y" * 140000,
}


NAMES = [b"Content-Type", b"X-Y", b"Server", b"ETag", b"Date", b"a", b"Set-Cookie", b"Content-Disposition"]
VALUES = [b"text/html", b"", b"a b", b"\xe9t\xe9", b'attachment; filename="x.pcap"', b"a\tb", b"  padded\t "]
FRAMES = [
    (b"Content-Length: %d\r\n", False),
    (b"content-length:%d\r\n", False),
    (b"Transfer-Encoding: chunked\r\n", True),
    (b"transfer-encoding: CHUNKED\r\n", True),
    (b"", False),
]
ODD = [
    b"\r",
    b"\n",
    b"\r\n",
    b" ",
    b"\t",
    b"\0",
    b":",
    b";",
    b",",
    b"0",
    b"1",
    b"a",
    b"\x7f",
    b"\x80",
    b"\x0b",
    b"-",
    b"+",
]
ODD_LINES = [
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: close, keep-alive\r\n",
    b" folded\r\n",
    b"Content-Length: 3, 3\r\n",
]
STATUS = [
    b"200 OK",
    b"404 Not Found",
    b"200 ",
    b"200",
    b"204 No Content",
    b"304 Not Modified",
    b"500 \xe9",
    b"206 Part",
]


def chunked(rng: random.Random, body: bytes) -> bytes:
    out = b""
    while body:
        size = rng.randint(1, len(body))
        out += b"%x" % size + rng.choice([b"", b"", b";a=b", b";x"]) + b"\r\n" + body[:size] + b"\r\n"
        body = body[size:]
    return out + b"0\r\n" + rng.choice([b"", b"", b"", b"X-T: 1\r\n"]) + b"\r\n"


def reply(rng: random.Random) -> bytes:
    body = rng.randbytes(rng.choice([0, 1, 3, 40]))
    frame, in_chunks = rng.choice(FRAMES)
    fields = [rng.choice(NAMES) + b":" + rng.choice([b" ", b"", b"\t"]) + rng.choice(VALUES) + b"\r\n"]
    fields += [rng.choice(NAMES) + b": " + rng.choice(VALUES) + b"\r\n" for _ in range(rng.randint(0, 3))]
    fields.append(frame % len(body) if b"%" in frame else frame)
    if rng.random() < 0.25:
        fields.append(rng.choice(ODD_LINES))
    rng.shuffle(fields)
    start = rng.choice([b"HTTP/1.1 ", b"HTTP/1.1 ", b"HTTP/1.1 ", b"HTTP/1.0 "]) + rng.choice(STATUS) + b"\r\n"
    interim = rng.choice([b""] * 6 + [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"])
    return interim + start + b"".join(fields) + b"\r\n" + (chunked(rng, body) if in_chunks else body)


def mutate(rng: random.Random, stream: bytes) -> bytes:
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 4])):
        at = rng.randrange(len(stream) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            stream = stream[:at] + rng.choice(ODD) + stream[at:]
        elif kind == 1:
            stream = stream[:at] + stream[at + 1 :]
        elif kind == 2:
            stream = stream[:at] + rng.choice(ODD) + stream[at + 1 :]
        else:
            stream = stream[:at] if rng.random() < 0.5 else stream + rng.choice([b"\r\n", b"\n", b"x", stream])
    return stream
