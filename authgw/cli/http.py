"""The server's side of HTTP: uvicorn's httptools protocol, with bounds on a request's head."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Far over what intake takes, which refuses with a reason; this is what may pile up before intake sees anything.
MAX_HEAD = 128 * 1024
HEAD_SECONDS = 20.0


class BoundedHead(HttpToolsProtocol):
    """Closes connections whose request head grows too large or takes too long, idle new connections among them."""

    _head = 0
    _in_head = True
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settled()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._wait()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._settled()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > MAX_HEAD:
            self.send_400_response("Request head too large.")

    def _wait(self) -> None:
        if self._late is None:
            self._late = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.transport.close)

    def _settled(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
