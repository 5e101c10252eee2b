"""One ASGI app behind the server's side of HTTP, on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from authgw.cli import http

LAST = b"Host: gw\r\nConnection: close\r\n\r\n"

Message = dict[str, Any]
App = Callable[..., Any]


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(piece: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}


class Server:
    """One app behind the protocol; `ask` sends bytes and gives back all that comes until the connection ends."""

    def __init__(self) -> None:
        self.state = ServerState()
        self.port = 0
        self.seen: list[Message] = []
        self.whole: list[bytes] = []
        self.app: App = self.echo

    async def echo(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        said = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            said += message["body"]
            if not message["more_body"]:
                break
        self.whole.append(said)
        text = scope["raw_path"] + b"?" + scope["query_string"] + b" " + said
        await send(start(200, (b"content-length", b"%d" % len(text))))
        await send(body(text))

    async def open(self, ws: Any = "none") -> asyncio.Server:
        async def call(scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

        config = uvicorn.Config(call, log_config=None, access_log=False, ws=ws, lifespan="off")
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: http.BoundedHead(config, self.state, {}), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def in_a_head(self) -> None:
        """Return when some connection has begun to send a request's head."""
        for _ in range(10_000):
            if any(vars(one)["_in_head"] for one in self.state.connections if "_in_head" in vars(one)):
                return
            await asyncio.sleep(0)
        raise AssertionError("no head began")

    async def ask(self, *pieces: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()
