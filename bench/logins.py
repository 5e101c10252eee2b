"""Logging in, with argon2 as `authgw hash-password` makes it, with the weakest there is, and argon2 alone.

And starting: from the command to the line that says the gateway is ready.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from authgw_plugins.passwords import check, hashed
from bench.loads import PASSWORD
from bench.ours import authgw, session
from bench.process import cpu_ns, memory_mb
from bench.rows import Row
from bench.world import World

TIMES = 10
STRONG, WEAK, AGAIN, ALONE = "login", "login, weakest argon2", "login again within a minute", "argon2 alone"


def logins(here: World, rounds: int) -> Iterator[Row]:
    """CPU milliseconds and time of a `bypass_login`, sessions in Redis.

    Everybody logs in once, for a password that was right is remembered for a minute; `AGAIN` is one who comes back.
    """
    # What `configure` hashes itself is made with the least that is still argon2.
    kinds = {STRONG: hashed(PASSWORD), WEAK: PASSWORD}
    each = [(load, turn, at) for load in kinds for turn in range(rounds) for at in range(TIMES)]
    people = [
        {"username": _name(*one), "password": kinds[one[0]], "id": count, "can_cdr": True}
        for count, one in enumerate(each, 1)
    ]
    with authgw(here.place, "authgw, logins", "", store=here.redis_url, people=people, enter=False) as (peer, _):
        for turn in range(rounds):
            for load in (STRONG, WEAK, AGAIN):
                before, start = cpu_ns(peer.roots), time.perf_counter()
                for at in range(TIMES):
                    session(peer.port, _name(WEAK, 0, 0) if load == AGAIN else _name(load, turn, at))
                wall, used = time.perf_counter() - start, cpu_ns(peer.roots) - before
                yield Row("login", "authgw", load, turn, {"cpu_ms": used / 1e6 / TIMES, "ms": wall * 1e3 / TIMES})
            begun, start = time.process_time(), time.perf_counter()
            for _ in range(TIMES):
                assert check(PASSWORD, kinds[STRONG]).right
            used_s, wall = time.process_time() - begun, time.perf_counter() - start
            yield Row("login", "authgw", ALONE, turn, {"cpu_ms": used_s * 1e3 / TIMES, "ms": wall * 1e3 / TIMES})


def _name(load: str, turn: int, at: int) -> str:
    return f"{'strong' if load == STRONG else 'weak'}-{turn}-{at}"


def starts(here: World, rounds: int) -> Iterator[Row]:
    """Seconds until ready, and the memory then. The users of the other loads are read, one with 10,000 patterns."""
    for turn in range(rounds):
        with authgw(here.place, "authgw, start", "", store=here.redis_url) as (peer, seconds):
            pss, rss = memory_mb(peer.roots)
            yield Row("start", "authgw", "ready", turn, {"s": seconds, "pss_mb": pss, "rss_mb": rss})
