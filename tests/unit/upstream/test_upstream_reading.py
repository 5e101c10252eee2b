"""The reply reader against hand-made streams and against h11, which was written by others."""

from __future__ import annotations

import os
import random
from typing import NamedTuple

import h11
import pytest

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.reading import Reading
from kit.replies import OK, REFUSED, WHOLE, mutate, reply

CASES = int(os.environ.get("AUTHGW_FUZZ_UPSTREAM", "4000"))


class Result(NamedTuple):
    """What a reader made of a stream of bytes that was followed by the end of the connection."""

    verdict: str  # whole, cut, refused
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    keep: bool = False


def ours(stream: bytes, splits: list[int], bodiless: bool = False) -> Result:
    reading = Reading(bodiless, 65536, 100)
    body = b""
    keep = False
    try:
        for start, end in zip([0, *splits], [*splits, len(stream)], strict=True):
            reading.feed(stream[start:end])
            body += b"".join(reading.pieces)
            reading.pieces.clear()
        keep = reading.done and reading.keep
        reading.eof()
    except UpstreamError as error:
        return Result("cut" if error.reason is Reason.UPSTREAM_CUT else "refused")
    assert reading.head is not None
    return Result("whole", reading.head.status, reading.head.headers, body, keep)


def theirs(stream: bytes, splits: list[int], bodiless: bool = False) -> Result:
    peer = h11.Connection(h11.CLIENT, max_incomplete_event_size=65536)
    peer.send(h11.Request(method="HEAD" if bodiless else "GET", target="/", headers=[("host", "x")]))
    peer.send(h11.EndOfMessage())
    head: h11.Response | None = None
    body = b""
    keep = False
    pieces = [stream[a:b] for a, b in zip([0, *splits], [*splits, len(stream)], strict=True)]
    try:
        pieces = [*[piece for piece in pieces if piece], b""]
        for number, piece in enumerate(pieces):
            peer.receive_data(piece)
            while True:
                event = peer.next_event()
                if isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    assert head is not None
                    rest = b"".join(pieces[number + 1 :])
                    keep = peer.their_state is h11.DONE and not peer.trailing_data[0] and not rest
                    fields = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in head.headers)
                    return Result("whole", head.status_code, fields, body, keep)
                elif event in (h11.NEED_DATA, h11.PAUSED):
                    break
                elif isinstance(event, h11.ConnectionClosed):
                    return Result("cut")
    except h11.RemoteProtocolError as error:
        return Result("cut" if "closed connection" in str(error) or "incomplete" in str(error) else "refused")
    return Result("cut")


@pytest.mark.parametrize(("stream", "body", "keep"), WHOLE)
def test_whole(stream: bytes, body: bytes, keep: bool) -> None:
    """A proper reply gives its body, and the connection is kept only when nothing is left over."""
    found = ours(stream, [])
    assert (found.verdict, found.body, found.keep) == ("whole", body, keep)


@pytest.mark.parametrize(("stream", "body", "keep"), WHOLE)
def test_every_split(stream: bytes, body: bytes, keep: bool) -> None:
    """Where the network cuts a stream into pieces changes nothing about what is read."""
    whole = ours(stream, [])
    for cut in range(1, len(stream)):
        assert ours(stream, [cut]) == whole, cut
    assert ours(stream, list(range(1, len(stream)))) == whole


@pytest.mark.parametrize("stream", REFUSED.values(), ids=REFUSED.keys())
def test_refused(stream: bytes) -> None:
    """Framing that could be read in two ways is refused, at once or split in the middle."""
    assert ours(stream, []).verdict == "refused"
    assert ours(stream, [len(stream) // 2]).verdict == "refused"


def test_endless_parts_in_small_pieces() -> None:
    """Trailers and chunk extensions that drip in endlessly are refused like a head that does."""
    for name in ("a head without end", "a trailer without end", "a chunk extension without end"):
        stream = REFUSED[name]
        assert ours(stream, list(range(1000, len(stream), 1000))).verdict == "refused", name


def test_many_small_chunks() -> None:
    """A body of a hundred thousand tiny chunks is no overhead without end."""
    stream = OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 100_000 + b"0\r\n\r\n"
    assert len(ours(stream, list(range(65536, len(stream), 65536))).body) == 100_000


def test_head_request() -> None:
    """The reply to HEAD ends at its head whatever length it names; a body that follows costs the connection."""
    head = OK + b"Content-Length: 3\r\n\r\n"
    assert ours(head, [], bodiless=True)[3:] == (b"", True)
    assert ours(head + b"abc", [], bodiless=True)[3:] == (b"", False)


@pytest.mark.parametrize("stream", [stream for stream, _, keep in WHOLE if keep])
def test_cut_anywhere(stream: bytes) -> None:
    """A framed reply that stops early is never taken for a whole one."""
    for end in range(1, len(stream)):
        assert ours(stream[:end], []).verdict == "cut", end


def test_against_h11() -> None:
    """Where this reader accepts a reply, h11 reads the same status, headers and body, and would keep it no less."""
    seed = int(os.environ.get("AUTHGW_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    both = refused = 0
    for number in range(CASES):
        stream = mutate(rng, reply(rng))
        if not stream:
            continue
        splits = sorted(rng.randrange(len(stream) + 1) for _ in range(rng.choice([0, 1, 3])))
        bodiless = rng.random() < 0.1
        we, they = ours(stream, splits, bodiless), theirs(stream, splits, bodiless)
        refused += we.verdict == "refused"
        if we.verdict != "whole":
            continue
        both += 1
        # h11 hands on the name of the transfer coding in lower case.
        same = [(n, v.lower() if n == "transfer-encoding" else v) for n, v in we.headers]
        assert (we.verdict, we.status, same, we.body) == (they.verdict, they.status, list(they.headers), they.body), (
            f"case {number} of seed {seed}: {stream!r}"
        )
        assert they.keep or not we.keep, f"case {number} of seed {seed}: kept, h11 would not: {stream!r}"
    # The comparison is worth something only if both outcomes are common.
    assert both > CASES // 4
    assert refused > CASES // 10
