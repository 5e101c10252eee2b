"""Connections kept for the next request: last in, first out, so that those nobody needs grow old and are closed."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque

import msgspec

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.landing import Landing
from authgw.upstream.protocol import Connection, State
from authgw.upstream.turns import Turns
from authgw.upstream.wire import Base


class ClientLimits(msgspec.Struct, frozen=True):
    """Seconds: `connect` for a new connection, TLS included; `send` for a request to be taken; `reply` from then to the
    reply's head, and for a free connection; `idle` between two pieces of a body; `whole` for all of a reply that is
    not streamed; `keep` for a connection without work (shorter than the usual 5 s of web servers, which close theirs
    without asking).
    `head` bytes and `fields` bound a reply's head. `pool` is the number of connections.
    """

    connect: float = 5.0
    send: float = 60.0
    reply: float = 60.0
    idle: float = 60.0
    whole: float = 120.0
    keep: float = 4.0
    head: int = 65536
    fields: int = 100
    pool: int = 64


class Pool:
    """At most `limits.pool` connections; whoever comes too late waits in line."""

    def __init__(self, base: Base, limits: ClientLimits, context: ssl.SSLContext | None) -> None:
        self._base, self._limits, self._context = base, limits, context
        self._turns = Turns(limits.pool)
        self._idle: deque[Connection] = deque()
        self._busy: set[Connection] = set()
        self._landing = Landing()
        shortest = min(limits.send, limits.reply, limits.idle, limits.whole, limits.keep)
        self._sweep_seconds = min(1.0, max(0.02, shortest / 4))
        self._sweeper: asyncio.TimerHandle | None = None
        self.opened = 0

    @property
    def idle(self) -> int:
        return len(self._idle)

    @property
    def busy(self) -> int:
        return len(self._busy)

    async def take(self, fresh: bool = False) -> Connection:
        """A connection for one `ask`. `fresh`: not one that was used before. It comes back by itself."""
        if not self._turns.at_once(""):
            await self._turns.take("", self._limits.reply, "connection")
        try:
            connection = None if fresh else self._kept()
            if connection is None:
                connection = await self._connect()
        except BaseException:
            self._turns.give("")
            raise
        self._busy.add(connection)
        if self._sweeper is None:
            self._sweep()
        return connection

    async def close(self) -> None:
        for connection in (*self._busy, *self._idle):
            connection.fail(UpstreamError(Reason.UPSTREAM_CUT, "the gateway is stopping"))
        self._idle.clear()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    def _kept(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable():
                connection.reused = True
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        while self._idle and len(self._idle) + len(self._busy) >= self._limits.pool:
            self._idle.popleft().close()
        loop, limits, base = asyncio.get_running_loop(), self._limits, self._base
        where = base.authority
        try:
            async with asyncio.timeout(limits.connect):
                _, connection = await loop.create_connection(
                    lambda: Connection(limits.head, limits.fields, self._landing, self._freed),
                    base.host,
                    base.port,
                    ssl=self._context,
                    server_hostname=base.host if self._context else None,
                )
        except TimeoutError:
            detail = f"no connection to {where} within {limits.connect:g} s"
            raise UpstreamError(Reason.UPSTREAM_CONNECT_TIMEOUT, detail) from None
        except OSError as error:
            raise UpstreamError(Reason.UPSTREAM_UNREACHABLE, f"no connection to {where}: {_why(error)}") from None
        self.opened += 1
        self._landing.fit(len(self._idle) + len(self._busy) + 1)
        return connection

    def _freed(self, connection: Connection) -> None:
        if connection in self._busy:
            self._busy.remove(connection)
            self._turns.give("")
            if connection.state is State.IDLE:
                connection.idle_since = asyncio.get_running_loop().time()
                self._idle.append(connection)
        elif connection in self._idle:
            self._idle.remove(connection)

    def _sweep(self) -> None:
        """Ends what is overdue. One timer for all: a deadline is late by one round at most."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._busy):
            if connection.incoming is not None and (late := connection.incoming.overdue(now)) is not None:
                connection.fail(late)
        while self._idle and self._idle[0].idle_since + self._limits.keep <= now:
            self._idle.popleft().close()
        running = len(self._busy) + len(self._idle)
        self._landing.fit(running)
        self._sweeper = loop.call_later(self._sweep_seconds, self._sweep) if running else None


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return error.strerror or type(error).__name__
