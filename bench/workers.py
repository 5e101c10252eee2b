"""One process that serves, and two: sessions in Redis, on all cores, which load and upstream share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bench.loads import PASSED, user
from bench.ours import authgw
from bench.place import CORES
from bench.rows import Row
from bench.world import OURS, World
from bench.wrk import saturated, tried

COUNTS = (1, 2)


def named(count: int) -> str:
    return f"{count} worker{'s' if count > 1 else ''}"


def workers(here: World, rounds: int, seconds: int) -> Iterator[Row]:
    """A pass-through call: CPU of all processes together, rate, latencies, memory."""
    cores, people = ",".join(map(str, CORES)), [user(PASSED.user)]
    with contextlib.ExitStack() as stack:
        peers = {}
        for count in COUNTS:
            name, serving = f"authgw-{count}-workers", {"workers": count}
            ours = authgw(here.place, name, "", store=here.redis_url, cores=cores, people=people, gateway=serving)
            peers[count], _ = stack.enter_context(ours)
            tried(peers[count], PASSED)
        for turn in range(rounds):
            for count in COUNTS if turn % 2 == 0 else COUNTS[::-1]:
                row = saturated(peers[count], PASSED, seconds, turn, here)
                yield Row("workers", OURS, named(count), turn, row.values)
