"""One HTTP/1.1 request and its answer on the server's side, as ASGI sees them.

Takes the place of uvicorn's own cycle, which writes an answer's head and body apart and makes an event for each
request: measured at 2 KB, 1 system call less of 3 and 15 µs less of 75.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol

from authgw.edge import App, Scope

log = logging.getLogger("uvicorn.error")

LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
PIECE = 8192
_NAME = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BODILESS = frozenset({204, 304})

# Names seen to be fit for an answer: they are few.
_may_be_set: set[bytes] = set()


def _is_settable(name: bytes) -> bool:
    if name == b"transfer-encoding" or not _NAME.fullmatch(name):
        return False
    if len(_may_be_set) < 256:
        _may_be_set.add(name)
    return True


class Gone(ConnectionError):
    """The client has left: said to whoever goes on streaming to it."""


class Line(Protocol):
    """The connection, as an exchange needs it."""

    transport: Any
    flow: Any

    def on_response_complete(self) -> None: ...


class Exchange:
    """Made when a request's head is in. The connection adds to `body` and tells by `set` that something happened."""

    # How each begins; most never change.
    disconnected = response_complete = False
    body = b""
    more_body = True
    _happened = _started = _chunked = False
    _waiter: asyncio.Future[None] | None = None
    _head: bytes | None = None
    _left = 0

    def __init__(
        self, line: Line, scope: Scope, standing: Sequence[tuple[bytes, bytes]], *, keep_alive: bool, expects: bool
    ) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self._line = line
        self._standing = standing
        self._expects = expects
        self._bodiless = scope["method"] == "HEAD"

    @property
    def message_event(self) -> Exchange:
        """Where the connection of uvicorn has an asyncio.Event. Not an attribute: an exchange that knows itself would
        be there until it is collected."""
        return self

    @property
    def in_the_middle(self) -> bool:
        """The answer has begun, and there is more of it to come."""
        return self._started and not self.response_complete

    def set(self) -> None:
        """Something happened: more of the body, its end, or the client's leaving."""
        self._happened = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def run_asgi(self, app: App) -> None:
        try:
            await app(self.scope, self.receive, self.send)
        except Gone:
            return
        except BaseException as error:
            log.error("Exception in ASGI application\n", exc_info=error)
            await self._broken()
        else:
            if not self.response_complete and not self.disconnected:
                log.error("the application ended without completing its answer")
                await self._broken()

    async def _broken(self) -> None:
        """An answer that has not begun is a plain 500; one that has is broken off: nobody takes it for whole."""
        if self._started or self.disconnected:
            self._line.transport.close()
            return
        text, self._head, self.keep_alive = b"Internal Server Error", None, False
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text))]
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": text})

    async def receive(self) -> dict[str, Any]:
        if self._expects and not self.disconnected and not self._started:
            self._line.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._expects = False
        if not self.disconnected and not self.response_complete:
            if self._line.flow.read_paused:
                self._line.flow.resume_reading()
            if not self._happened:
                self._waiter = asyncio.get_running_loop().create_future()
                try:
                    await self._waiter
                finally:
                    self._waiter = None
            self._happened = False
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = self.body, b""
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: dict[str, Any]) -> None:
        """Raises `Gone` for a piece of a stream that nobody takes any more."""
        kind, more = message["type"], message.get("more_body", False)
        flow = self._line.flow
        if flow.write_paused and kind == "http.response.start" and not self.disconnected:
            await flow.drain()  # of answers before this one, for a client that asks on and on and reads none
        if self.disconnected:
            if more:
                raise Gone
            return
        if kind == "http.response.start" and self._head is None and not self._started:
            self._head = self._begin(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and not self.response_complete and (self._head is not None or self._started):
            self._write(message.get("body", b""), more)
            # Waits with nothing in hand: what is not sent yet lies in the transport alone.
            if more and flow.write_paused:
                await flow.drain()
        else:
            raise RuntimeError(f"an ASGI message out of turn: {kind}")

    def _begin(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """The head's bytes; how the body is framed follows from its fields."""
        self._bodiless = self._bodiless or status in _BODILESS
        length: bytes | None = None
        closes = False
        lines = [LINES[status]]
        for name, value in (*self._standing, *headers):
            if name == b"content-length":
                length = value
            elif name == b"connection":
                closes = closes or value.lower() == b"close"
            elif name not in _may_be_set and not _is_settable(name):
                raise RuntimeError("a header that an application does not set")
            lines += (name, b": ", value, b"\r\n")
        if _CONTROL.search(b"".join(lines[3::4])):
            raise RuntimeError("a control character in a header")
        # Answered before the expected 100 was said: the client may send its body now or not, so the bytes that come
        # could be that body or another request (RFC 9110, section 10.1.1).
        self.keep_alive = self.keep_alive and not closes and not self._expects
        if length is not None:
            self._left = int(length)
        elif not self._bodiless and self.scope["http_version"] == "1.0":
            # Such a client knows no chunks: the body ends with the connection.
            self._left, self.keep_alive = -1, False
        elif not self._bodiless:
            self._chunked = True
            lines.append(b"transfer-encoding: chunked\r\n")
        if not self.keep_alive and not closes:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        return b"".join(lines)

    def _write(self, body: bytes, more: bool) -> None:
        pieces = [] if self._head is None else [self._head]
        self._head, self._started = None, True
        if self._bodiless:
            pass
        elif self._chunked:
            if body:
                pieces += (b"%x\r\n" % len(body), body, b"\r\n")
            if not more:
                pieces.append(b"0\r\n\r\n")
        else:
            if self._left >= 0:
                self._left -= len(body)
                if self._left < 0 or (self._left and not more):
                    self._line.transport.close()
                    raise RuntimeError("a body of another length than was announced")
            pieces.append(body)
        if len(body) > PIECE:
            self._line.transport.writelines(pieces)  # without another copy of much
        else:
            self._line.transport.write(b"".join(pieces))
        if not more:
            self.response_complete = True
            self.set()
            if not self.keep_alive:
                self._line.transport.close()
            self._line.on_response_complete()
