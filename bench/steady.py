"""Requests at a fixed rate, whatever becomes of the answers: latency counts from when each was due.

    python -m bench.steady PORT RATE SECONDS TARGET [COOKIE]

A request whose connection is still busy waits and its wait counts, so a server that stalls cannot hide it (no
"coordinated omission"). One thread on `select`, which wakes to the microsecond where event loops round to milliseconds.
"""

from __future__ import annotations

import ctypes
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from bench.loads import Load
from bench.place import OTHERS, Peer, on
from bench.process import cpu_ns
from bench.rows import Row, percentile

CONNECTIONS = 64
WARM = 0.2
"""Share of the time that does not count."""
SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995)
_PR_SET_TIMERSLACK = 29


class Talk:
    """One connection with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._held = bytearray()

    def ask(self, request: bytes, due: float) -> None:
        self.due = due
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Take what came; is the answer whole? Raises `ConnectionError` for another answer than 200."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the connection was closed")
        self._held += part
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not self._held.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(bytes(self._held[:200]))
        head = bytes(self._held[:end]).lower()
        at = head.find(b"content-length:")
        if at < 0:
            whole = self._held.endswith(b"\r\n0\r\n\r\n")
        else:
            whole = len(self._held) >= end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
        if whole:
            self._held.clear()
        return whole


def latencies(
    port: int,
    rate: float,
    seconds: float,
    request: bytes,
    warm: float = WARM,
    enough: Callable[[], bool] = lambda: False,
) -> list[float]:
    """Seconds from due to answered of every request that was due after the warm-up, before it was `enough`."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    talks = {talk.socket: talk for talk in (Talk(port) for _ in range(CONNECTIONS))}
    idle, waiting = deque(talks.values()), deque[float]()
    taken: list[float] = []
    start = time.perf_counter()
    counts_from, ends = start + seconds * warm, start + seconds
    due, busy = start, 0
    while True:
        now = time.perf_counter()
        ends = min(ends, now) if enough() else ends
        while due <= now and due < ends:
            waiting.append(due)
            due += 1 / rate
        while waiting and idle:
            idle.popleft().ask(request, waiting.popleft())
            busy += 1
        if due >= ends and not busy and not waiting:
            return taken
        patience = max(0.0, due - time.perf_counter()) if due < ends else 10.0
        readable, _, _ = select.select(list(talks), [], [], patience)
        for found in readable:
            talk = talks[found]
            if talk.answered():
                if talk.due >= counts_from:
                    taken.append(time.perf_counter() - talk.due)
                idle.append(talk)
                busy -= 1


def steady(peer: Peer, load: Load, rate: float, seconds: float, turn: int) -> Row:
    """One turn of one peer at a fixed rate: latencies in milliseconds, CPU per request."""
    command = [sys.executable, "-m", "bench.steady", str(peer.port), str(rate), str(seconds), load.target]
    before = cpu_ns(peer.roots)
    ran = subprocess.run(on(OTHERS, [*command, peer.cookie(load.user or "")]), capture_output=True, check=True)
    used = cpu_ns(peer.roots) - before
    said = msgspec.json.decode(ran.stdout, type=dict[str, float])
    return Row("steady", peer.name, load.name, turn, {**said, "cpu_us": used / 1e3 / (rate * seconds)})


def asked(port: str, target: str, cookie: str) -> bytes:
    """The request, byte by byte."""
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n" + (f"Cookie: {cookie}\r\n" if cookie else "")
    return (request + "\r\n").encode()


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Latencies in milliseconds by what a row calls them."""
    taken = sorted(seconds)
    named: Sequence[tuple[str, float]] = [("p50_ms", 0.5), ("p99_ms", 0.99), ("p999_ms", 0.999)]
    return {name: percentile(taken, share) * 1e3 for name, share in named}


def main(port: str, rate: str, seconds: str, target: str, cookie: str = "") -> None:
    taken = latencies(int(port), float(rate), float(seconds), asked(port, target, cookie))
    said = percentiles(taken) | {f"at_{share}": percentile(sorted(taken), share) * 1e3 for share in SHARES}
    sys.stdout.buffer.write(msgspec.json.encode(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
