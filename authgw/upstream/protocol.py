"""One connection to the upstream: one request at a time, never pipelined.

state   event   next      meaning
IDLE    ask     BUSY      a request goes out
BUSY    end     IDLE      the reply is whole, nothing is left over, both sides keep the connection
BUSY    last    CLOSED    the reply is whole, the connection is not used again
BUSY    fail    CLOSED    cut, malformed, too late, or given up by its reader
IDLE    fail    CLOSED    bytes nobody asked for, the other side closed, or kept long enough
CLOSED  fail    CLOSED    further news of a closed connection
"""

from __future__ import annotations

import asyncio
import math
import select
from collections.abc import Callable
from enum import StrEnum
from typing import cast

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.incoming import Incoming
from authgw.upstream.landing import Landing
from authgw.upstream.reading import Reading

PIECE = 65536


class State(StrEnum):  # a text's hash is quicker than that of a plain Enum
    IDLE = "idle"
    BUSY = "busy"
    CLOSED = "closed"


NEXT = {
    (State.IDLE, "ask"): State.BUSY,
    (State.BUSY, "end"): State.IDLE,
    (State.BUSY, "last"): State.CLOSED,
    (State.BUSY, "fail"): State.CLOSED,
    (State.IDLE, "fail"): State.CLOSED,
    (State.CLOSED, "fail"): State.CLOSED,
}


class Connection(asyncio.BufferedProtocol):
    """`freed` is called once for every `ask`, when the connection is through with it (IDLE or CLOSED)."""

    def __init__(self, max_head: int, max_fields: int, landing: Landing, freed: Callable[[Connection], None]) -> None:
        self.state = State.IDLE
        self.reused = False
        self.idle_since = 0.0
        self.incoming: Incoming | None = None
        self._freed, self._landing = freed, landing
        self._max_head, self._max_fields = max_head, max_fields
        self._reading: Reading | None = None
        self._transport: asyncio.Transport
        self._poll: select.poll | None = None
        self._loop = asyncio.get_running_loop()
        self._sending = self._full = False

    # for the pool and the client

    def usable(self) -> bool:
        """Idle, and the socket silent: bytes or an end that the loop has not read yet must not meet a new request."""
        if self.state is not State.IDLE or self._transport.is_closing():
            return False
        return self._poll is None or not self._poll.poll(0)

    def ask(self, bodiless: bool, whole: float = math.inf) -> Incoming:
        """Begin a request. `bodiless`: it is a HEAD. `whole`: seconds for all of it, unless it is streamed."""
        self._move("ask")
        self._reading = Reading(bodiless, self._max_head, self._max_fields)
        transport = self._transport
        self.incoming = Incoming(self._loop, self._landing, transport.pause_reading, self._go_on_reading, whole)
        return self.incoming

    async def send(self, incoming: Incoming, head: bytes, body: bytes, seconds: float) -> None:
        """Write the request, waiting where the other side is slow. Ends early when the reply does."""
        if len(body) <= PIECE:
            self._transport.write(head + body)
            return
        self._sending = True
        self._transport.write(head)
        ends = self._loop.time() + seconds
        for start in range(0, len(body), PIECE):
            while self._full and self.incoming is incoming:
                await incoming.wait(Reason.UPSTREAM_SEND_TIMEOUT, seconds, ends)
            if self.incoming is not incoming:
                return
            self._transport.write(body[start : start + PIECE])
        self._sending = False

    def fail(self, error: UpstreamError) -> None:
        self._over("fail", error)

    def close(self) -> None:
        """Close an idle connection."""
        self._move("fail")
        self._transport.close()

    # from the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            self._poll = select.poll()
            self._poll.register(sock.fileno(), select.POLLIN)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._landing.view

    def buffer_updated(self, count: int) -> None:
        data = bytes(self._landing.whole[:count])
        incoming, reading = self.incoming, self._reading
        if incoming is None or reading is None:
            self.fail(UpstreamError(Reason.UPSTREAM_MALFORMED, "bytes behind the end of a reply"))
            return
        incoming.started = True
        try:
            reading.feed(data)
        except UpstreamError as error:
            self.fail(error)
            return
        self._hand_on(incoming, reading)

    def eof_received(self) -> None:
        incoming, reading = self.incoming, self._reading
        if incoming is None or reading is None:
            self.fail(UpstreamError(Reason.UPSTREAM_CUT, "the connection ended"))
            return
        try:
            reading.eof()
        except UpstreamError as error:
            self.fail(error)
            return
        self._hand_on(incoming, reading)

    def connection_lost(self, exc: Exception | None) -> None:
        self._full = False
        detail = f"the connection broke: {type(exc).__name__}" if exc else "the connection ended"
        self.fail(UpstreamError(Reason.UPSTREAM_CUT, detail))

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self.incoming is not None:
            self.incoming.wake()

    # inside

    def _hand_on(self, incoming: Incoming, reading: Reading) -> None:
        incoming.head = reading.head
        if reading.pieces:
            pieces, reading.pieces = reading.pieces, []
            incoming.put(pieces)
        elif incoming.head is not None:
            incoming.wake()
        if reading.done:
            self._over("end" if reading.keep and not self._sending else "last", None)

    def _over(self, event: str, error: UpstreamError | None) -> None:
        incoming, self.incoming, self._reading = self.incoming, None, None
        self._sending = False
        self._move(event)
        if self.state is State.CLOSED:
            self._transport.abort()
        if incoming is not None:
            incoming.end(error)
        self._freed(self)

    def _move(self, event: str) -> None:
        self.state = NEXT[self.state, event]

    def _go_on_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()
