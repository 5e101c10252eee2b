"""A TCP server on the loopback address whose every byte is the test's own: for clients that must cope with anything."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    """One HTTP request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Line:
    """One connection, seen from the server. `number` counts connections from 1."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def asked(self) -> Asked | None:
        """The next request, or None when the client has gone."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        try:
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return Asked(method, target, headers, body)

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    async def gone(self) -> None:
        """Return when the client has closed or reset the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass


@dataclass
class Server:
    port: int = 0
    lines: int = 0
    open: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


@contextlib.asynccontextmanager
async def serving(talk: Callable[[Line], Awaitable[None]], tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that runs `talk` for every connection and closes it afterwards. An exception in it fails the test."""
    found = Server()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.lines += 1
        found.open += 1
        try:
            await talk(Line(found.lines, reader, writer))
        finally:
            found.open -= 1
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.tasks.add(asyncio.ensure_future(run(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for task in found.tasks:
            if not task.done():
                task.cancel()
        results = await asyncio.gather(*found.tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Return as soon as it is true; fail when it is not in time."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while not true():
        assert loop.time() < ends, "it did not come true in time"
        await asyncio.sleep(0.005)


def reply(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """A well-formed reply with a content length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
