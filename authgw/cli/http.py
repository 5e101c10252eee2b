"""The server's side of HTTP: uvicorn's httptools protocol, with bounds on a request's head and on idle connections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from authgw.cli.exchange import Exchange
from authgw.cli.taken import TakenInTime

# Far over what intake takes, which refuses with a reason; this is what may pile up before intake sees anything.
MAX_HEAD = 128 * 1024
HEAD_SECONDS = 20.0
# Longer than the usual keep-alive of proxies in front, so that it is they who close and no request meets a reset.
KEEP_ALIVE_SECONDS = 75
BEHIND_BODY = "There are fields behind the body (trailers); none are accepted."
NO_OPENING = "This opens no WebSocket: it has a body, or more or longer fields than are accepted."
_ASGI = {"version": "3.0", "spec_version": "2.3"}


class _Closed(list[tuple[bytes, bytes]]):
    """Takes the place of the head's fields once the head is over: one more is `tried`, and ends the parsing."""

    tried = False

    def append(self, field: tuple[bytes, bytes]) -> None:
        self.tried = True
        raise ValueError("a field behind the body")


class BoundedHead(TakenInTime, HttpToolsProtocol):
    """Closes connections whose request head grows too large or takes too long, idle new connections among them.

    `due`: when the connection is closed unless something happens, in the loop's seconds; 0: not at all. One round of
    `close_overdue` looks at all of them: a timer for each request costs more than the rest of this class.
    """

    due = 0.0
    answered: Exchange | None = None
    _head = 0
    _in_head = True
    # What came was no request, and neither is what comes.
    _spoilt = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._closed = _Closed()
        # What the kernel does not take at once is waited for: one piece of a stream is held for a client who rests.
        transport.set_write_buffer_limits(0)
        self.due = self.loop.time() + HEAD_SECONDS

    def connection_lost(self, exc: Exception | None) -> None:
        # The one that is being answered is not the newest where requests are pipelined.
        answered, self.answered = self.answered, None
        super().connection_lost(exc)
        if answered is not None and not answered.response_complete:
            answered.disconnected = True
            answered.set()
        # It knows this connection: without it both go at once, not with some later collection.
        self.cycle = None  # type: ignore[assignment]

    @property
    def streams(self) -> bool:
        """In the middle of an answer that comes in pieces: whoever sends it knows how long its client may take."""
        return self.answered is not None and self.answered.in_the_middle

    def _owed(self) -> Exchange | None:
        """The answer that a request which is whole waits for, or that has begun."""
        before = self.answered
        if before is None or before.response_complete:
            return None
        return before if before.in_the_middle or not before.more_body else None

    def data_received(self, data: bytes) -> None:
        if self._spoilt:
            return
        super().data_received(data)
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > MAX_HEAD:
            self.send_400_response("Request head too large.")

    def send_400_response(self, msg: str) -> None:
        if (owed := self._owed()) is not None:
            # A refusal would be taken for that answer, or for a part of it: behind it is the end.
            owed.keep_alive = False
            self._spoilt, self.due = True, 0.0
            return
        super().send_400_response(BEHIND_BODY if self._closed.tried else msg)

    def handle_websocket_upgrade(self) -> None:
        if self._owed() is not None:
            self.send_400_response(NO_OPENING)
            return
        super().handle_websocket_upgrade()
        protocol: Any = self.transport.get_protocol()
        if not protocol.handshake_initiated:
            # It could not read the head, and says nothing: the connection would wait for ever.
            self.send_400_response(NO_OPENING)

    def on_message_begin(self) -> None:
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._in_head = True
        self.due = self.loop.time() + HEAD_SECONDS

    def on_headers_complete(self) -> None:
        self._in_head = False
        self.due = 0.0
        parser = self.parser
        version = parser.get_http_version()
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": parser.get_method().decode("ascii"),
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
            "headers": self.headers,
            "state": self.app_state,
        }
        self.scope = scope  # type: ignore[assignment]
        if parser.should_upgrade() and self._should_upgrade():
            return  # the WebSocket protocol reads the head again
        # Fields behind a chunked body would be added to those of the head: a proxy in front looks for what it must
        # take out (`X-Remote-User`) in the head alone.
        self.headers = self._closed
        url = httptools.parse_url(self.url)
        path = url.path
        text = path.decode("ascii")
        scope["raw_path"], scope["query_string"] = path, url.query or b""
        scope["path"] = unquote(text) if "%" in text else text
        before, self.cycle = (
            self.cycle,
            Exchange(  # type: ignore[assignment]
                self,
                scope,
                self.server_state.default_headers,
                keep_alive=version != "1.0" and bool(parser.should_keep_alive()),
                expects=self.expect_100_continue and version != "1.0",
            ),
        )
        if before is None or before.response_complete:
            self._begin(self.cycle)
        else:
            # Pipelined: its turn comes when the answers before it are out.
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            self._begin(self.pipeline.pop()[0])
        elif not self.due:
            self.due = self.loop.time() + KEEP_ALIVE_SECONDS

    def _begin(self, exchange: Any) -> None:
        self.answered = exchange
        self._start_asgi_task(exchange, self.app)


def close_overdue(connections: Iterable[Any], now: float) -> None:
    """Close the connections whose time is over. `now`: the loop's seconds."""
    for connection in tuple(connections):
        transport = connection.transport
        if 0 < getattr(connection, "taken_by", 0.0) <= now and (transport.is_closing() or not connection.streams):
            transport.abort()  # to close it would wait for the client to take the rest
        elif 0 < getattr(connection, "due", 0.0) <= now and not transport.is_closing():
            transport.close()
