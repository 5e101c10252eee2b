"""One gateway in this process, its GUI a few lines beside it: for counting what a request costs, without a clock."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from authgw.app import create
from authgw.cli.http import BoundedHead
from authgw.settings import load
from kit.gateway import User, configure

LOGIN = json.dumps({"SID": "a" * 26, "cookie_name": "PHPSESSID", "success": True}).encode()


class Gui(asyncio.Protocol):
    """Answers every request with the same body, logins with a session."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, gap, rest = self._seen.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not gap or len(rest) < int(length or 0):
            return
        self._seen = b""
        body = LOGIN if b"bypass_login" in rest else self._body
        start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(start + body)


class Hot:
    """A running gateway and one keep-alive connection to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._cookie = b""
        self.gui = 0

    async def login(self, user: str, password: str) -> None:
        self._cookie = b""
        said = await self.ask(f"/php/model/sql.php?module=bypass_login&user={user}&pass={password}".encode())
        session = json.loads(said)
        self._cookie = f"Cookie: {session['cookie_name']}={session['SID']}\r\n".encode()

    async def ask(self, target: bytes) -> bytes:
        """The body of the answer."""
        self._writer.write(
            b"GET " + target + b" HTTP/1.1\r\nHost: gw\r\nAccept: */*\r\nUser-Agent: x\r\n" + self._cookie + b"\r\n"
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await self._reader.readexactly(length)


@contextlib.asynccontextmanager
async def hot(folder: Path, users: Sequence[User], body: bytes, **sections: Any) -> AsyncIterator[Hot]:
    """`body`: what the GUI answers with. `sections`: see `kit.gateway.configure`."""
    loop = asyncio.get_running_loop()
    gui = await loop.create_server(lambda: Gui(body), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{gui.sockets[0].getsockname()[1]}"
    gateway = await create(load(configure(folder, url, port=8080, users=users, **sections), {}))
    await gateway.open()
    config = uvicorn.Config(
        gateway.app,
        interface="asgi3",
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="off",
        proxy_headers=False,
    )
    config.load()
    state = ServerState()
    server = await loop.create_server(lambda: BoundedHead(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        found = Hot(reader, writer)
        found.gui = gui.sockets[0].getsockname()[1]
        yield found
    finally:
        writer.close()
        server.close()
        gui.close()
        await gateway.close()


class Calls:
    """Counts calls of Python functions while it is entered, but for those of the test's own code."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()

    def __enter__(self) -> Calls:
        own = str(Path(__file__).parents[1])

        def note(frame: FrameType, event: str, _argument: Any) -> None:
            code = frame.f_code
            if event == "call" and not code.co_filename.startswith(own) and "streams.py" not in code.co_filename:
                self.made[f"{code.co_filename.rpartition('site-packages/')[2]}:{code.co_qualname}"] += 1

        note_: Callable[..., Any] = note
        sys.setprofile(note_)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
