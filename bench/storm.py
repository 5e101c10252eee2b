"""What others feel of a storm of logins: proxied calls at a fixed rate, alone and while everybody logs in at once.

    python -m bench.storm PID PORT SECONDS COUNT COOKIE

The passwords are hashed as `authgw hash-password` does; hashing and everything else share the gateway's one core.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import msgspec

from authgw_plugins.passwords import hashed
from bench import posts
from bench.loads import PASSED, PASSWORD, user
from bench.ours import authgw, session
from bench.place import OTHERS, on
from bench.process import cpu_ns
from bench.rows import Row
from bench.steady import asked, latencies, percentiles
from bench.world import OURS, World

RATE = 200.0
"""Proxied calls a second."""
ALONE, DURING = "without logins", "during the storm"
LONGEST = 600.0
"""Seconds after which a storm is given up."""


def storms(here: World, seconds: float, count: int) -> Iterator[Row]:
    """Latencies in milliseconds of another user's pass-through calls, alone for so many seconds and during `count`
    logins; the gateway's CPU in cores; of the storm its seconds, and how many logins were granted of those asked."""
    assert PASSED.user is not None
    strong = hashed(PASSWORD)
    people = [{**user(PASSED.user), "password": strong}]
    people += [{**people[0], "username": posts.name(at), "id": 10_000 + at} for at in range(count)]
    with authgw(here.place, "authgw-storm", "", people=people, enter=False) as (peer, _):
        cookie = session(peer.port, PASSED.user)
        command = [sys.executable, "-m", "bench.storm", str(peer.roots[0]), str(peer.port), str(seconds), str(count)]
        ran = subprocess.run(on(OTHERS, [*command, cookie]), stdout=subprocess.PIPE, check=True)
    for load, values in msgspec.json.decode(ran.stdout, type=dict[str, dict[str, float]]).items():
        yield Row("storm", OURS, load, 0, values)


def main(pid: str, port: str, seconds: str, count: str, cookie: str) -> None:
    roots, request = [int(pid)], asked(port, PASSED.target, cookie)
    before = cpu_ns(roots)
    alone = percentiles(latencies(int(port), RATE, float(seconds), request))
    alone["cores"] = (cpu_ns(roots) - before) / 1e9 / float(seconds)
    command = [sys.executable, "-m", "bench.posts", port, count]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as posting:
        assert posting.stdin is not None
        assert posting.stdout is not None
        posting.stdout.readline()
        before = cpu_ns(roots)
        posting.stdin.write(b"go\n")
        posting.stdin.flush()
        taken = latencies(int(port), RATE, LONGEST, request, warm=0, enough=lambda: posting.poll() is not None)
        used = (cpu_ns(roots) - before) / 1e9
        said = msgspec.json.decode(posting.stdout.read(), type=dict[str, float])
    during = {**percentiles(taken), **said, "cores": used / said["s"], "calls": len(taken)}
    sys.stdout.buffer.write(msgspec.json.encode({ALONE: alone, DURING: during}))


if __name__ == "__main__":
    main(*sys.argv[1:])
