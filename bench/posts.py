"""Many logins at once, each by a user and on a connection of its own.

    python -m bench.posts PORT COUNT

Says `ready` when all connections are open, posts when told `go`. Who is told to come again later does so after the
seconds of `Retry-After`. Ends with what became of all of them, as JSON.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from contextlib import closing

import msgspec

from bench.loads import PASSWORD

_WAITS = re.compile(rb"(?im)^retry-after: (\d+)\r$")
Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def name(number: int) -> str:
    return f"stormer{number}"


async def _login(port: int, opened: Opened, number: int) -> int:
    """How often it was asked until it was granted. Raises `ConnectionError` for what is neither yes nor later."""
    body = f"module=bypass_login&user={name(number)}&pass={PASSWORD}".encode()
    asked = (
        b"POST /php/model/sql.php HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    times = 0
    while True:
        times += 1
        reader, writer = opened
        with closing(writer):
            writer.write(asked)
            answer = await reader.read()
        if answer.startswith(b"HTTP/1.1 200") and b'"SID"' in answer:
            return times
        if not answer.startswith(b"HTTP/1.1 503") or (waits := _WAITS.search(answer)) is None:
            raise ConnectionError(answer[:400])
        await asyncio.sleep(int(waits[1]))
        opened = await asyncio.open_connection("127.0.0.1", port)


async def main(port: int, count: int) -> None:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    asked = await asyncio.gather(*(_login(port, each, number) for number, each in enumerate(opened)))
    said = {"granted": len(asked), "later": sum(asked) - len(asked), "s": time.perf_counter() - start}
    sys.stdout.buffer.write(msgspec.json.encode(said))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
