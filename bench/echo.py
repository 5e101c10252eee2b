"""A WebSocket at its limit: each of some connections has one message on its way, and sends the next when it is back.

    python -m bench.echo PORT CONNECTIONS SECONDS TARGET [COOKIE]

Prints `ready` when all are open, begins at a line on its standard input, says in JSON what it counted, and keeps all
open until its input ends: so whoever reads CPU before and after reads that of messages alone.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import cast

import msgspec
import uvloop

from bench.frames import TEXT, Frames, accept, frame
from bench.rows import percentile

MESSAGE, MASK, KEY = b"m" * 64, b"\x01\x02\x03\x04", b"YmVuY2hiZW5jaGJlbmNoYg=="
OPEN_SECONDS = 5.0


class Talk(asyncio.Protocol):
    """One connection. `opened` is called when the handshake is through; it then waits for `ask`."""

    def __init__(self, head: bytes, opened: Callable[[], None]) -> None:
        self._head, self._opened = head, opened
        self._held, self._open = b"", False
        self._frames = Frames()
        self.taken: list[float] = []
        self.ends = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._held += data
            head, gap, rest = self._held.partition(b"\r\n\r\n")
            if not gap:
                return
            if not head.startswith(b"HTTP/1.1 101 ") or accept(KEY) not in head:
                sys.exit(f"not opened: {head[:100]!r}")
            self._open, data = True, rest
            self._opened()
        for opcode, payload in self._frames.feed(data):
            if opcode == TEXT:
                now = time.perf_counter()
                self.taken.append(now - self._asked)
                if payload != MESSAGE:
                    sys.exit("another message came back")
                if now < self.ends:
                    self.ask()

    def ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(frame(TEXT, MESSAGE, MASK))


async def main(port: str, connections: str, seconds: str, target: str, cookie: str = "") -> None:
    loop = asyncio.get_running_loop()
    lines = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade", "Upgrade: websocket"]
    lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY.decode()}"]
    lines += [f"Cookie: {cookie}"] if cookie else []
    head = "\r\n".join([*lines, "", ""]).encode()
    left, all_open = int(connections), loop.create_future()

    def opened() -> None:
        nonlocal left
        left -= 1
        if not left:
            all_open.set_result(None)

    talks = [
        (await loop.create_connection(lambda: Talk(head, opened), "127.0.0.1", int(port)))[1]
        for _ in range(int(connections))
    ]
    try:
        await asyncio.wait_for(all_open, OPEN_SECONDS)
    except TimeoutError:
        sys.exit(f"{left} of {connections} were not opened within {OPEN_SECONDS:g} s")
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    start = time.perf_counter()
    for talk in talks:
        talk.ends = start + float(seconds)
        talk.ask()
    await asyncio.sleep(float(seconds) + 0.05)
    taken = sorted(each for talk in talks for each in talk.taken)
    shares = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999}
    said = {name: percentile(taken, share) * 1e3 for name, share in shares.items()} if taken else {}
    print(msgspec.json.encode({**said, "messages": float(len(taken))}).decode(), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
