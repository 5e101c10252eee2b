"""The state table of a connection: it is the one in its documentation, and every line of it is walked."""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import Callable

import pytest

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream import protocol
from authgw.upstream.incoming import Incoming
from authgw.upstream.landing import Landing
from authgw.upstream.protocol import NEXT, Connection, State

pytestmark = pytest.mark.anyio

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"
NONE = b"SSH-2.0-OpenSSH_9.2\r\n"


class Wire(asyncio.Transport):
    """Notes what is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.ended, self.paused = b"", "", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = self.ended or "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Line:
    """A connection on such a wire, its landing, and how often it was freed."""

    def __init__(self) -> None:
        self.freed = 0
        self.landing = Landing()
        self.wire = Wire()
        self.connection = Connection(65536, 100, self.landing, self._free)
        self.connection.connection_made(self.wire)

    def _free(self, connection: Connection) -> None:
        assert connection is self.connection
        self.freed += 1

    def comes(self, data: bytes) -> None:
        """Bytes from upstream, as a loop hands them over: none once the wire has ended."""
        while data and not self.wire.ended:
            room = self.connection.get_buffer(-1)
            count = min(len(room), len(data))
            room[:count] = data[:count]
            self.connection.buffer_updated(count)
            data = data[count:]

    def ends_behind(self, data: bytes) -> None:
        self.comes(data)
        self.connection.eof_received()

    def ask(self) -> Incoming:
        return self.connection.ask(False)

    def happens(self, what: str, data: bytes) -> None:
        match what:
            case "bytes":
                self.comes(data)
            case "end" if not self.wire.ended:
                self.connection.eof_received()
            case "late":
                self.connection.fail(UpstreamError(Reason.UPSTREAM_IDLE_TIMEOUT, "late"))

    def to(self, state: State) -> None:
        if state is State.BUSY:
            self.ask()
        elif state is State.CLOSED:
            self.connection.close()


WAYS: list[tuple[State, str, Callable[[Line], object]]] = [
    (State.IDLE, "ask", Line.ask),
    (State.BUSY, "end", lambda line: line.comes(WHOLE)),
    (State.BUSY, "last", lambda line: line.comes(LAST)),
    (State.BUSY, "last", lambda line: line.comes(WHOLE + b"x")),
    (State.BUSY, "fail", lambda line: line.comes(NONE)),
    (State.BUSY, "fail", lambda line: line.ends_behind(HALF)),
    (State.BUSY, "fail", lambda line: line.connection.eof_received()),
    (State.BUSY, "fail", lambda line: line.connection.connection_lost(ConnectionResetError())),
    (State.BUSY, "fail", lambda line: line.connection.fail(UpstreamError(Reason.UPSTREAM_REPLY_TIMEOUT, "late"))),
    (State.IDLE, "fail", lambda line: line.comes(WHOLE)),
    (State.IDLE, "fail", lambda line: line.connection.eof_received()),
    (State.IDLE, "fail", lambda line: line.connection.connection_lost(None)),
    (State.IDLE, "fail", lambda line: line.connection.close()),
    (State.CLOSED, "fail", lambda line: line.connection.connection_lost(None)),
    (State.CLOSED, "fail", lambda line: line.connection.eof_received()),
]


def test_the_table_is_the_documented_one() -> None:
    """What the module's first lines say is what the program does, line by line."""
    lines = re.findall(r"^(IDLE|BUSY|CLOSED) +(\w+) +(IDLE|BUSY|CLOSED) ", protocol.__doc__ or "", re.MULTILINE)
    assert {(State[at], event): State[then] for at, event, then in lines} == NEXT
    assert {(at, event) for at, event, _ in WAYS} == set(NEXT)


@pytest.mark.parametrize(("at", "event", "way"), WAYS)
async def test_every_line_is_walked(at: State, event: str, way: Callable[[Line], object]) -> None:
    """Each event by each cause leads where the table says; the wire is open exactly while the connection is."""
    line = Line()
    line.to(at)
    freed = line.freed
    way(line)
    assert line.connection.state is NEXT[at, event]
    assert bool(line.wire.ended) is (line.connection.state is State.CLOSED)
    assert (line.connection.incoming is not None) is (line.connection.state is State.BUSY)
    if at is State.BUSY:
        assert line.freed == freed + 1


@pytest.mark.parametrize("state", [State.BUSY, State.CLOSED])
async def test_what_the_table_lacks_is_an_error(state: State) -> None:
    """A second request on a busy connection, or one on a closed one, is a mistake of the program."""
    line = Line()
    line.to(state)
    with pytest.raises(KeyError):
        line.ask()


async def test_any_walk_keeps_the_promises() -> None:
    """Whatever happens in whatever order: every request hears exactly one end; a reply that counts as whole is made of
    bytes that came after it was asked for; a connection that is closed stays so. The seed is printed, `AUTHGW_SEED`
    repeats it."""
    seed = int(os.environ.get("AUTHGW_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"AUTHGW_SEED={seed}")
    rng = random.Random(seed)
    ends = 0
    for walk in range(500):
        line, asked = Line(), list[tuple[Incoming, bytearray]]()
        for _ in range(12):
            if line.connection.state is State.IDLE and rng.random() < 0.6:
                asked.append((line.ask(), bytearray()))
            what = rng.choices(["bytes", "nothing", "end", "late"], [12, 4, 1, 1])[0]
            data = rng.choice([WHOLE, WHOLE, LAST, HALF, NONE, WHOLE + WHOLE, b"H"])
            if what == "bytes" and asked:
                asked[-1][1].extend(data)
            line.happens(what, data)
        line.connection.connection_lost(None)
        assert line.connection.state is State.CLOSED, (seed, walk)
        for reply, came in asked:
            assert reply.done is (reply.error is None), (seed, walk)
            if reply.done:
                ends += 1
                body = b"".join([await reply.piece(1) for _ in range(3)])
                assert body == came.partition(b"\r\n\r\n")[2][:2], (seed, walk)
        assert line.freed >= len(asked), (seed, walk)
    assert ends > 100, seed
