"""A WebSocket through every peer: `bench.echo` asks, `bench.tongue` answers."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Sequence

import msgspec

from bench.loads import PASSED, user
from bench.ours import authgw
from bench.place import OTHERS, Peer, on
from bench.process import cpu_ns, memory_mb
from bench.rows import Row
from bench.world import OURS, World
from bench.wrk import Wrong

CONNECTIONS = 32
LOAD = "WebSocket echo, 64 bytes"
TARGET = "/live/echo"
POLICY = f"""
[[call]]
name     = "echo"
path     = "{TARGET}"
needs    = ["can_cdr"]
unscoped = true
reply    = "websocket"
"""


def echoed(peer: Peer, seconds: int, turn: int) -> Row:
    """One turn of one peer: CPU microseconds a message, messages a second, latencies in milliseconds."""
    command = [sys.executable, "-m", "bench.echo", str(peer.port), str(CONNECTIONS), str(seconds), TARGET]
    command.append(peer.cookie(PASSED.user or ""))
    pipe = subprocess.PIPE
    with subprocess.Popen(on(OTHERS, command), stdin=pipe, stdout=pipe, stderr=pipe) as asking:
        assert asking.stdin is not None
        assert asking.stdout is not None
        assert asking.stderr is not None
        if asking.stdout.readline() != b"ready\n":
            asking.kill()
            raise Wrong((asking.stderr.read().decode().strip().splitlines() or ["not opened"])[-1])
        before = cpu_ns(peer.roots)
        asking.stdin.write(b"go\n")
        asking.stdin.flush()
        said = msgspec.json.decode(asking.stdout.readline(), type=dict[str, float])
        used = cpu_ns(peer.roots) - before
        pss, rss = memory_mb(peer.roots)
        asking.stdin.close()
    if not (messages := said.pop("messages")):
        raise Wrong("no message came back")
    values = {"cpu_us": used / 1e3 / messages, "rps": messages / seconds, "pss_mb": pss, "rss_mb": rss}
    return Row("sockets", peer.name, LOAD, turn, {**values, **said})


def echoes(here: World, peers: Sequence[Peer], rounds: int, seconds: int, wrong: dict[str, str]) -> Iterator[Row]:
    """Every peer in turn, and a gateway of its own, whose policy names the WebSocket. Who opens none is `wrong`."""
    room = here.place.room("authgw-sockets")
    (room / "sockets.toml").write_text(POLICY)
    people, policy = [user(PASSED.user)], {"files": ["voipmonitor", "sockets.toml"]}
    with authgw(here.place, room.name, "", people=people, policy=policy) as (ours, _):
        order = [*(peer for peer in peers if not peer.ours), dataclasses.replace(ours, name=OURS)]
        for turn in range(rounds):
            for peer in order if turn % 2 == 0 else order[::-1]:
                if (name := f"{peer.name}: {LOAD}") not in wrong:
                    try:
                        yield echoed(peer, seconds, turn)
                    except Wrong as reason:
                        wrong[name] = str(reason)
