"""Logging in, with argon2 as `authgw hash-password` makes it, by a script without any hash, and argon2 alone.

And starting: from the command to the line that says the gateway is ready.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from authgw_plugins.passwords import check, hashed
from bench.loads import PASSWORD
from bench.ours import authgw, session
from bench.place import Peer
from bench.process import cpu_ns, memory_mb
from bench.rows import Row
from bench.world import World

TIMES = 10
STRONG, SCRIPT, ALONE = "login", "login by a script, no hash", "argon2 alone"
ANYBODY = 'def custom_login(user, password):\n    return {"id": 7, "username": user, "can_cdr": 1}\n'


def logins(here: World, rounds: int) -> Iterator[Row]:
    """CPU milliseconds and time of a `bypass_login`, sessions in Redis: by `users.toml`, and by a script that knows
    everybody. Argon2 alone is run in this process."""
    strong = hashed(PASSWORD)
    people = [{"username": "alice", "password": strong, "id": 1, "can_cdr": True}]
    script = here.place.room("authgw-script") / "custom_login.py"
    script.write_text(ANYBODY)
    script.chmod(0o600)
    login: dict[str, Any] = {"login": {"chain": ["script", "static"]}, "login_script": {"script": script.name}}
    common: dict[str, Any] = {"people": people, "enter": False, "store": here.redis_url}
    with (
        authgw(here.place, "authgw-users", "", **common) as (users, _),
        authgw(here.place, "authgw-script", "", **common, **login) as (other, _),
    ):
        for turn in range(rounds):
            yield _entered(users, STRONG, turn)
            yield _entered(other, SCRIPT, turn)
            begun, start = time.process_time(), time.perf_counter()
            for _ in range(TIMES):
                assert check(PASSWORD, strong).right
            used, wall = time.process_time() - begun, time.perf_counter() - start
            yield Row("login", "authgw", ALONE, turn, {"cpu_ms": used * 1e3 / TIMES, "ms": wall * 1e3 / TIMES})


def _entered(peer: Peer, load: str, turn: int) -> Row:
    before, start = cpu_ns(peer.roots), time.perf_counter()
    for _ in range(TIMES):
        session(peer.port, "alice")
    wall, used = time.perf_counter() - start, cpu_ns(peer.roots) - before
    return Row("login", "authgw", load, turn, {"cpu_ms": used / 1e6 / TIMES, "ms": wall * 1e3 / TIMES})


def starts(here: World, rounds: int) -> Iterator[Row]:
    """Seconds until ready, and the memory then. Users are read, one of them with 10,000 patterns."""
    for turn in range(rounds):
        with authgw(here.place, "authgw, start", "", store=here.redis_url) as (peer, seconds):
            pss, rss = memory_mb(peer.roots)
            yield Row("start", "authgw", "ready", turn, {"s": seconds, "pss_mb": pss, "rss_mb": rss})
