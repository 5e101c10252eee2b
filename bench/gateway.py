"""authgw beside the gateways and proxies that people would otherwise pick: same upstream, same session, turn by turn.

Parts: `peers` (every peer at its limit), `own` (authgw's own loads), `steady` (a fixed rate), `streams` (captures of
100 MB), `sockets` (a WebSocket echo), `workers` (one and two), `memory`, `sessions` (a thousand in turn), `login`,
`storm` (calls while everybody logs in), `start`, and `profile`: where the time of a call goes, and of what missed its
target.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from bench import loads, report
from bench.loads import Load
from bench.logins import logins, starts
from bench.many import sessions
from bench.place import Peer
from bench.profile import held, imports, sampled
from bench.profile import shown as shown_profile
from bench.rows import Row, Rows
from bench.sockets import echoes
from bench.steady import steady
from bench.storm import storms
from bench.streams import crowd, streamed
from bench.targets import NGINX, Verdict, verdicts
from bench.workers import workers
from bench.world import OURS, World, world
from bench.wrk import Wrong, saturated, tried

PARTS = (
    "peers",
    "own",
    "steady",
    "streams",
    "sockets",
    "workers",
    "memory",
    "sessions",
    "login",
    "storm",
    "start",
    "profile",
)
ALL_PEERS = {"peers", "steady", "streams", "sockets"}
"""Parts in which everybody takes part; the others need nginx at most, to compare with."""
RATE = 1000.0
WORKERS = "Here they have all cores, which load and upstream share: on two cores that is no proof of two."


class Plan(msgspec.Struct, frozen=True):
    """How much is done: rounds, the seconds of one turn at the limit (whole ones) and at the fixed rate, captures of a
    turn, logins of a storm."""

    rounds: int = 3
    seconds: int = 2
    steady: float = 4.0
    captures: int = 3
    storm: int = 500
    quick: bool = False

    def chosen(self, given: Sequence[Load]) -> list[Load]:
        return [load for load in given if load.quick or not self.quick]


QUICK = Plan(2, 1, 1.0, 1, 20, quick=True)


class Measured(msgspec.Struct, frozen=True):
    """What one run gave. `wrong`: answers that were not as they should be, by peer; those have no figures."""

    rows: Rows
    verdicts: Sequence[Verdict]
    peers: Sequence[Peer]
    absent: dict[str, str]
    wrong: dict[str, str]
    profiles: Sequence[str]


def measure(parts: Sequence[str], plan: Plan, say: Callable[[str], None]) -> Measured:
    """Start everything, take every turn, end everything."""
    others = None if ALL_PEERS & set(parts) else ["nginx"]
    wrong: dict[str, str] = {}
    with world(others) as here:
        for name, reason in here.absent.items():
            say(f"absent: {name}: {reason}")
        taken = list(_rows(parts, plan, here, wrong, say))
        measured = Rows(taken)
        found = verdicts(measured)
        profiles: list[str] = []
        if "profile" in parts:
            for row, text in _profiles(measured, found, plan, here):
                taken += [] if row is None else [row]
                profiles.append(text)
    return Measured(Rows(taken), found, here.peers, here.absent, wrong, profiles)


def _profiles(rows: Rows, found: Sequence[Verdict], plan: Plan, here: World) -> Iterator[tuple[Row | None, str]]:
    """Of a call that passes, and of whatever missed its target: each part's share as a row, and the whole as text."""
    missed = [each for each in found if each.met is False]
    for load in dict.fromkeys([loads.PASSED, *(each.why for each in missed if each.why is not None)]):
        taken, cpu_us = sampled(here, load, plan.seconds * 2)
        shares = {name: count / taken.all for name, count in taken.part}
        yield Row("profile", OURS, load.name, 0, shares), shown_profile(load.name, taken, cpu_us)
    if any(each.unit == "s" for each in missed):
        yield None, f"## Profile: start\n\n{imports()}"
    if any(each.unit == "MB" for each in missed):
        yield None, f"## Profile: memory\n\n{held(rows)}"


def _rows(
    parts: Sequence[str], plan: Plan, here: World, wrong: dict[str, str], say: Callable[[str], None]
) -> Iterator[Row]:
    few = 1 if plan.quick else plan.rounds
    works: dict[str, Callable[[], Iterable[Row]]] = {
        "peers": lambda: _limits(loads.SHARED, here.peers, plan, here, wrong),
        "own": lambda: _limits(loads.OWN, [peer for peer in here.peers if peer.ours], plan, here, wrong),
        "steady": lambda: _turns(
            [loads.PASSED],
            here.peers,
            msgspec.structs.replace(plan, rounds=few),
            wrong,
            lambda peer, load, turn: steady(peer, load, RATE, plan.steady, turn),
        ),
        "streams": lambda: _turns(
            [loads.LARGE], here.peers, plan, wrong, lambda peer, load, turn: streamed(peer, load, plan.captures, turn)
        ),
        "sockets": lambda: echoes(here, _few(here) if plan.quick else here.peers, few, plan.seconds, wrong),
        "workers": lambda: workers(here, few, plan.seconds),
        "memory": lambda: crowd(here),
        "sessions": lambda: sessions(here, plan.rounds, plan.seconds),
        "login": lambda: logins(here, plan.rounds),
        "storm": lambda: storms(here, plan.steady * 2, plan.storm),
        "start": lambda: starts(here, plan.rounds),
    }
    began = time.perf_counter()
    for part in PARTS:
        if part in parts and part in works:
            say(f"{time.perf_counter() - began:4.0f} s: measuring {part}")
            yield from works[part]()


def _few(here: World) -> list[Peer]:
    return [peer for peer in here.peers if peer.name == NGINX]


def _limits(
    given: Sequence[Load], peers: Sequence[Peer], plan: Plan, here: World, wrong: dict[str, str]
) -> Iterator[Row]:
    def turn(peer: Peer, load: Load, at: int) -> Row:
        if at == 0:
            tried(peer, load)
        return saturated(peer, load, plan.seconds, at, here)

    yield from _turns(given, peers, plan, wrong, turn)


def _turns(
    given: Sequence[Load],
    peers: Sequence[Peer],
    plan: Plan,
    wrong: dict[str, str],
    turn: Callable[[Peer, Load, int], Row],
) -> Iterator[Row]:
    """Each round asks every peer once, every second round in reverse order."""
    for load in plan.chosen(given):
        order = [peer for peer in peers if _takes_part(peer, load)]
        for at in range((plan.rounds + 1) // 2 if load.brief else plan.rounds):
            for peer in order if at % 2 == 0 else order[::-1]:
                if f"{peer.name}: {load.name}" not in wrong:
                    try:
                        yield turn(peer, load, at)
                    except Wrong as reason:
                        wrong[f"{peer.name}: {load.name}"] = str(reason)


def _takes_part(peer: Peer, load: Load) -> bool:
    """Where a session lies matters to few loads; a stranger is refused only by who judges."""
    if peer.ours and peer.name != OURS and not (load.peers or load.stores):
        return False
    return load.user is not None or load.status < 300 or peer.judges


def shown(measured: Measured) -> str:
    """The whole of it as Markdown."""
    rows, absent = measured.rows, measured.absent
    out = ["## Who takes part", report.peers(measured.peers, absent)]
    for load in loads.SHARED:
        if load.name in rows.loads("saturated") and len(rows.peers("saturated")) > 2:
            out += [f"## At the limit: {load.name}", report.shared(rows, load.name, absent)]
    if rows.peers("steady"):
        out += [f"## At {RATE:,.0f} requests a second: {loads.PASSED.name}", report.at_rate(rows)]
    if rows.peers("streamed"):
        out += ["## A capture of 100 MB", report.streams(rows)]
    if rows.peers("sockets"):
        out += ["## WebSocket: a message there and back", report.sockets(rows)]
    if rows.loads("saturated"):
        out += ["## authgw: every load", report.own(rows), "## authgw: lists", report.lists(rows)]
    if rows.loads("workers"):
        out += ["## authgw: processes", WORKERS, report.workers(rows)]
    if any(rows.peers(part) for part in ("memory", "sessions", "login", "start")):
        out += ["## Memory, logins, start", report.rest(rows)]
    if rows.loads("storm"):
        out += ["## A storm of logins", report.storm(rows)]
    if measured.wrong:
        out += ["## Wrong answers", report.wrong(measured.wrong)]
    return "\n\n".join([*out, "## Targets", report.targets(measured.verdicts), *measured.profiles])
