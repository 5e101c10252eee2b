"""Many cases: four folders of records, a gateway and a look-alike before and behind each, one Redis for all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx2

from authgw.session.sessions import Sessions
from kit.call_tables import fill
from kit.claims_in import put, sessions_of
from kit.mariadb import MariaDb
from kit.redis import redis_server
from kit.world import World, world
from oracle import claims
from oracle.case import Case, Differs, Tally
from oracle.compare import whole_case
from oracle.data import VOIP, VOIP_V6, derive
from oracle.site import Site, logged_in, visit

NAMES = ("voip", "voip-v6", "odd", "odd-v6")
# Users who ask the same gateway at the same time: what one is told must never depend on the others.
AT_ONCE = 4
# Shorter than a server's patience with idle connections: none is closed while it is being used again.
LIMITS = httpx2.Limits(keepalive_expiry=1.0)
# No bound on the days of a scan: what is compared is which rows come, not how many days may be asked for.
POLICY = {"files": ["voipmonitor"], "scan_days": 0}


@dataclass(frozen=True)
class Place:
    """One gateway with all that is needed to put a user into it and to know what he should see."""

    name: str
    world: World
    site: Site
    sessions: Sessions
    http: httpx2.AsyncClient


def chosen_seed() -> str:
    """AUTHGW_SEED, or a new one."""
    return os.environ.get("AUTHGW_SEED") or str(secrets.randbelow(10**9))


def folder(name: str, root: Path, seed: str) -> Path:
    """One of the two folders of real records, or one derived from it."""
    source = VOIP_V6 if name.endswith("v6") else VOIP
    return derive(source, root / f"{name}-data", Random(f"{seed} {name}")) if name.startswith("odd") else source


@contextlib.contextmanager
def worlds(
    root: Path, seed: str, names: Sequence[str], database: MariaDb | None = None
) -> Iterator[dict[str, tuple[World, Path]]]:
    """The processes, by folder name. `database`: where the gateways read facts, filled from the same folders."""
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(redis_server(root)).url
        found = {}
        for at, name in enumerate(names):
            data = folder(name, root, seed)
            url = f"{store.rpartition('/')[0]}/{at}"
            facts = {}
            if database is not None:
                facts = {"url": fill(database, f"oracle_{name}", data, ipv6=name != "voip", charset="utf8mb4")}
            started = world(root / name, data, store=url, policy=POLICY, facts=facts)
            found[name] = (stack.enter_context(started), data)
        yield found


@contextlib.asynccontextmanager
async def places(started: dict[str, tuple[World, Path]]) -> AsyncIterator[list[Place]]:
    """What is asked and compared with, for each of the processes."""
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for name, (each, data) in started.items():
            upstream = await logged_in(each.upstream)
            stack.push_async_callback(upstream.aclose)
            client = httpx2.AsyncClient(base_url=each.url, timeout=60, limits=LIMITS)
            http = await stack.enter_async_context(client)
            sessions = await stack.enter_async_context(sessions_of(each))
            found.append(Place(name, each, await visit(data, upstream), sessions, http))
        yield found


async def run(
    root: Path,
    seed: str,
    cases: int,
    failures: int = 1,
    names: Sequence[str] = NAMES,
    database: MariaDb | None = None,
) -> tuple[Tally, list[str]]:
    """So many cases, taken in turn from the folders, a few users at once; stops after so many failures.

    What was looked at, and the failures.
    """
    tally, problems = Tally(), list[str]()
    with worlds(root, seed, names, database) as started:
        async with places(started) as found:
            for first in range(0, cases, AT_ONCE):
                numbers = range(first, min(first + AT_ONCE, cases))
                problems += filter(None, await asyncio.gather(*(one(found, seed, n, tally) for n in numbers)))
                if len(problems) >= failures:
                    break
    return tally, problems


async def one(found: Sequence[Place], seed: str, number: int, tally: Tally) -> str:
    """One case: "" or what is wrong. Its chance depends on seed, folder and number alone."""
    place = found[number // AT_ONCE % len(found)]
    random = Random(f"{seed} {place.name} {number}")
    user = claims.claims(random, place.site.records, number + 1)
    sid = await put(place.sessions, user)
    try:
        await whole_case(Case(place.site, user, place.http, f"PHPSESSID={sid}", random, tally))
    except Differs as difference:
        return f"case {number} on {place.name}, seed {seed}: {difference}"
    return ""
