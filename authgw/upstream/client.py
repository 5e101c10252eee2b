"""The HTTP/1.1 client of the data path: one upstream, keep-alive, nothing lenient.

An exchange goes through these phases, each with a bound of its own (`[upstream]`) and a reason when it is over:

phase                            bound             reason
a place among the connections    reply_timeout     upstream_busy
a connection, TLS included       connect_timeout   upstream_connect_timeout
the request is taken             send_timeout      upstream_send_timeout
the reply's head is whole        reply_timeout     upstream_reply_timeout
between two pieces of its body   idle_timeout      upstream_idle_timeout
a reply that is read whole       whole_timeout     upstream_whole_timeout

A request is sent again, once, only where all of this holds: it is safe (nothing changes upstream), the connection had
served another request, it ended without a byte of the answer, and the request lay in one piece (`PIECE`). The second
one goes over a new connection. Interim replies (100, 103) are read over; nothing is expected of upstream before a body
is sent. A reply that comes before the body was taken is heard, and costs the connection.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream import wire
from authgw.upstream.coding import Inflate
from authgw.upstream.incoming import Incoming
from authgw.upstream.pool import ClientLimits, Pool
from authgw.upstream.protocol import PIECE, Connection
from authgw.upstream.wire import Base

__all__ = ["Base", "Client", "ClientLimits", "HttpReply"]


class HttpReply:
    """A reply whose head is in (see `authgw.upstream.api.Reply`)."""

    def __init__(self, connection: Connection, incoming: Incoming, shown: wire.Shown, limits: ClientLimits) -> None:
        assert incoming.head is not None
        self.status = incoming.head.status
        self.headers = shown.headers
        self.location = shown.location
        self._coding = shown.coding
        self._connection, self._incoming, self._limits = connection, incoming, limits
        self._used = False

    @property
    def complete(self) -> bool:
        """Upstream has sent all of it."""
        return self._incoming.done

    async def peek(self, limit: int) -> bytes | None:
        """The whole body, coding undone, if it is no longer than `limit` bytes, else None. Nothing is taken away."""
        raw = (
            self._incoming.rest(limit) if self._incoming.done else await self._incoming.ahead(limit, self._limits.idle)
        )
        if raw is None or not self._coding:
            return raw
        undone, size = [], 0
        for piece in Inflate(self._coding).pieces(raw, limit + 1):
            undone.append(piece)
            size += len(piece)
            if size > limit:
                return None
        return b"".join(undone)

    async def read(self, limit: int) -> bytes:
        """The whole body, coding undone; more than `limit` bytes: UPSTREAM_TOO_LARGE."""
        inflate = self._begin()
        if inflate is None and self._incoming.done and (rest := self._incoming.rest(limit)) is not None:
            self._incoming.discard()
            return rest
        pieces, size = [], 0
        while raw := await self._incoming.piece(self._limits.idle):
            for piece in inflate.pieces(raw, limit + 1) if inflate else (raw,):
                pieces.append(piece)
                size += len(piece)
                if size > limit:
                    raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, f"a reply of more than {limit} bytes")
        if inflate is not None:
            inflate.end()
        return b"".join(pieces)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes, coding undone. A body cut short raises UPSTREAM_CUT, so it never looks whole."""
        inflate = self._begin()
        self._incoming.unbounded()
        while raw := await self._incoming.piece(self._limits.idle):
            if inflate is None:
                yield raw
            else:
                for piece in inflate.pieces(raw):
                    yield piece
        if inflate is not None:
            inflate.end()

    def _begin(self) -> Inflate | None:
        if self._used:
            raise RuntimeError("a reply is read only once")
        self._used = True
        return Inflate(self._coding) if self._coding else None

    def drop_body(self) -> None:
        """What is still to come is not wanted: the reply reads as empty."""
        self.give_up()
        self._incoming.discard()
        self._incoming.done, self._incoming.error = True, None
        self._coding = ""

    async def close(self) -> None:
        self.give_up()

    def give_up(self) -> None:
        """A reply that is not whole yet costs its connection: the rest of it must never meet another request."""
        if self._connection.incoming is self._incoming:
            self._connection.fail(given_up())


class Client:
    """Must be made and used inside one event loop. `context`: for https; by default the system's trust, verified."""

    def __init__(
        self, base: Base, limits: ClientLimits | None = None, *, context: ssl.SSLContext | None = None
    ) -> None:
        if base.tls and context is None:
            context = ssl.create_default_context()
        self.base = base
        self.limits = limits or ClientLimits()
        self.pool = Pool(base, self.limits, context if base.tls else None)

    async def exchange(
        self,
        method: str,
        target: bytes,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        decode: bool = False,
        safe: bool | None = None,
    ) -> HttpReply:
        """One request and its reply's head. Every failure is an UpstreamError.

        `target`: path and query as they are sent. `headers`: lower-case names, framing and host excluded.
        `decode`: the body will be read whole, so gzip may be asked for. `safe`: nothing changes upstream (GET and HEAD
        unless told); then a kept connection may be used, and if it dies before a byte came, the request is sent once
        more on a new one. A request that is not safe goes out once, on a new connection.
        """
        bodiless = method == "HEAD"
        safe = method in ("GET", "HEAD") if safe is None else safe
        length = None if body is None else len(body)
        head = wire.request_head(self.base, method, target, headers, length, decode=decode)
        connection = await self.pool.take(fresh=not safe)
        incoming = connection.ask(bodiless, self.limits.whole)
        try:
            return await self._once(connection, incoming, head, body or b"", bodiless)
        except UpstreamError as error:
            died_unanswered = error.reason is Reason.UPSTREAM_CUT and connection.reused and not incoming.started
            if not (safe and died_unanswered and (length or 0) <= PIECE):
                raise
        connection = await self.pool.take(fresh=True)
        return await self._once(connection, connection.ask(bodiless, self.limits.whole), head, body or b"", bodiless)

    async def _once(
        self, connection: Connection, incoming: Incoming, head: bytes, body: bytes, bodiless: bool
    ) -> HttpReply:
        try:
            await connection.send(incoming, head, body, self.limits.send)
            shown = wire.shown(await incoming.when_head(self.limits.reply), bodiless)
        except BaseException:
            # Also when the caller goes away: a reply nobody waits for must not come to the next one.
            if connection.incoming is incoming:
                connection.fail(given_up())
            raise
        return HttpReply(connection, incoming, shown, self.limits)

    async def close(self) -> None:
        await self.pool.close()


def given_up() -> UpstreamError:
    return UpstreamError(Reason.UPSTREAM_CUT, "given up by its reader")
