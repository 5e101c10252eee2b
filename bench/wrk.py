"""A server at its limit: wrk keeps every connection busy for some seconds, and CPU is read before and after."""

from __future__ import annotations

import http.client
import subprocess
import time
from pathlib import Path

import msgspec

from bench.loads import Load
from bench.place import OTHERS, Peer, on, program
from bench.process import cpu_ns, memory_mb
from bench.rows import Row
from bench.world import World

LUA = """
wrk.method = "{method}"
{headers}
{body}
{request}
done = function(summary, latency, requests)
    local e = summary.errors
    io.stderr:write(string.format(
        '{{"requests":%d,"seconds":%.6f,"bytes":%d,"refused":%d,"broken":%d,"p50":%.3f,"p99":%.3f,"p999":%.3f}}\\n',
        summary.requests, summary.duration / 1e6, summary.bytes, e.status, e.connect + e.read + e.write + e.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3))
end
"""


WARM = 50


class Said(msgspec.Struct, frozen=True):
    """What wrk counted. `refused`: answers with a status of 400 or more; latencies in milliseconds."""

    requests: int
    seconds: float
    bytes: int
    refused: int
    broken: int
    p50: float
    p99: float
    p999: float


class Wrong(Exception):
    """A peer gave another answer than the load is about: its figures would mean nothing."""


def headers(peer: Peer, load: Load) -> dict[str, str]:
    cookie = peer.cookie(load.user) if load.user is not None else ""
    return {**load.headers, **({"Cookie": cookie} if cookie else {})}


def tried(peer: Peer, load: Load) -> None:
    """Ask some times over one connection, to warm up, and look at the answers."""
    connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=30)
    try:
        for _ in range(WARM):
            connection.request(load.method, load.target, load.body or None, headers(peer, load))
            answer = connection.getresponse()
            body = answer.read()
            fine = answer.status == load.status if peer.ours else (answer.status < 300) == (load.status < 300)
            if not fine or (load.size is not None and answer.status == 200 and len(body) != load.size):
                raise Wrong(f"{answer.status} with {len(body)} bytes: {body[:120]!r}")
    finally:
        connection.close()


def saturated(peer: Peer, load: Load, seconds: int, turn: int, here: World) -> Row:
    """One turn of `seconds`. CPU is per request; `busy` is the cores that the upstream used meanwhile."""
    command = [program("wrk"), "-t1", f"-c{load.connections}", f"-d{seconds}s", "--timeout", "30s"]
    command += ["-s", str(_script(peer, load, here.place.folder)), f"http://127.0.0.1:{peer.port}{load.target}"]
    watched = (peer.roots, here.upstream.roots, (here.redis,))
    before = [cpu_ns(roots) for roots in watched]
    start = time.perf_counter()
    ran = subprocess.run(on(OTHERS, command), capture_output=True, check=True)
    wall = time.perf_counter() - start
    own, upstream, store = (cpu_ns(roots) - then for roots, then in zip(watched, before, strict=True))
    said = msgspec.json.decode(ran.stderr.splitlines()[-1], type=Said)
    _judge(load, said)
    pss, rss = memory_mb(peer.roots)
    values = {
        "cpu_us": own / 1e3 / said.requests,
        "rps": said.requests / said.seconds,
        "p50_ms": said.p50,
        "p99_ms": said.p99,
        "p999_ms": said.p999,
        "bytes": said.bytes / said.requests,
        "pss_mb": pss,
        "rss_mb": rss,
        "store_us": store / 1e3 / said.requests,
        "busy": upstream / 1e9 / wall,
        "requests": said.requests,
    }
    return Row("saturated", peer.name, load.name, turn, values)


def _script(peer: Peer, load: Load, folder: Path) -> Path:
    script = folder / "load.lua"
    script.write_text(
        LUA.format(
            method=load.method,
            headers="\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers(peer, load).items()),
            body=f"wrk.body = {msgspec.json.encode(load.body).decode()}" if load.body else "",
            request=f"request = function() {load.lua} end" if load.lua else "",
        )
    )
    return script


def _judge(load: Load, said: Said) -> None:
    if not said.requests or said.broken > said.requests // 1000:
        raise Wrong(f"{said.requests} answers, {said.broken} broken connections")
    if load.status < 300 and said.refused:
        raise Wrong(f"{said.refused} of {said.requests} were refused")
