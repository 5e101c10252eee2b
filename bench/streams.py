"""Large replies and many connections: CPU per gigabyte, memory with 500 idle connections and with 500 streams."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

from bench.loads import LARGE, PASSED, Load
from bench.ours import authgw
from bench.place import Peer
from bench.process import cpu_ns, memory_mb
from bench.profile import mapped
from bench.rows import Row
from bench.world import World
from bench.wrk import Wrong, headers

MANY = 500
PATIENCE = 60.0


def request(peer: Peer, load: Load) -> bytes:
    lines = [f"GET {load.target} HTTP/1.1", f"Host: 127.0.0.1:{peer.port}"]
    lines += [f"{name}: {value}" for name, value in headers(peer, load).items()]
    return "\r\n".join([*lines, "", ""]).encode()


def drained(talk: socket.socket, size: int) -> int:
    """Read one answer with a body of `size` bytes; all its bytes."""
    buffer = memoryview(bytearray(1 << 20))
    got, head = 0, b""
    while True:
        count = talk.recv_into(buffer)
        if not count:
            raise Wrong(f"the answer ended after {got} bytes")
        got += count
        if not head.endswith(b"\r\n\r\n"):
            whole, mark, _ = (head + bytes(buffer[: min(count, 4096)])).partition(b"\r\n\r\n")
            head = whole + mark
        # A chunked body is a little longer than what it carries, and ends with an empty chunk.
        if got >= len(head) + size and (b"chunked" not in head.lower() or bytes(buffer[:count]).endswith(b"0\r\n\r\n")):
            return got


def streamed(peer: Peer, load: Load, times: int, turn: int) -> Row:
    """Some captures one after the other over one connection: seconds of CPU per gigabyte (10⁹ bytes)."""
    assert load.size is not None
    before, start, total = cpu_ns(peer.roots), time.perf_counter(), 0
    with socket.create_connection(("127.0.0.1", peer.port), timeout=PATIENCE) as talk:
        for _ in range(times):
            talk.sendall(request(peer, load))
            total += drained(talk, load.size)
    wall = time.perf_counter() - start
    used = (cpu_ns(peer.roots) - before) / 1e9
    pss, rss = memory_mb(peer.roots)
    values = {"cpu_s_gb": used / (total / 1e9), "mb_s": total / 1e6 / wall, "pss_mb": pss, "rss_mb": rss}
    return Row("streamed", peer.name, load.name, turn, values)


def crowd(here: World) -> Iterator[Row]:
    """Memory alone, with 500 connections that are kept open, and with 500 captures whose readers have stopped.

    Each is a fresh gateway, so that nothing measured before is in it.
    """
    load = LARGE
    with authgw(here.place, "authgw, crowd", "", pool=MANY) as (ours, _):
        yield Row("memory", "authgw", "idle", 0, _memory(ours))
        yield Row("mapped", "authgw", "idle", 0, mapped(ours.roots[0]))
        with _open(ours, PASSED, b"HTTP/1.1 200"):
            yield Row("memory", "authgw", f"{MANY} idle connections", 0, _memory(ours))
        with _open(ours, load, b"HTTP/1.1 200"):
            yield Row("memory", "authgw", f"{MANY} streams", 0, _memory(ours))
            yield Row("mapped", "authgw", f"{MANY} streams", 0, mapped(ours.roots[0]))
    for other in here.peers:
        if not other.ours:
            yield Row("memory", other.name, "after all loads", 0, _memory(other))


def _memory(peer: Peer) -> dict[str, float]:
    pss, rss = memory_mb(peer.roots)
    return {"pss_mb": pss, "rss_mb": rss}


@contextlib.contextmanager
def _open(peer: Peer, load: Load, begins: bytes) -> Iterator[None]:
    """So many connections, each with an answer that has begun; of a small one all is read, of a large one a little."""
    with contextlib.ExitStack() as stack:
        talks = []
        for _ in range(MANY):
            talk = stack.enter_context(socket.socket())
            # A small window, as of a client far away: what is not read waits in the gateway or before it.
            talk.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            talk.settimeout(PATIENCE)
            talk.connect(("127.0.0.1", peer.port))
            talk.sendall(request(peer, load))
            talks.append(talk)
        for talk in talks:
            if not talk.recv(4096).startswith(begins):
                raise Wrong(f"one of {MANY} connections was refused")
        time.sleep(0.5)
        yield
