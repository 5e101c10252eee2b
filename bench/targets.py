"""The targets, each computed from one run: ratios are taken inside a round, so that a busy machine moves both sides."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bench import loads
from bench.rows import Rows
from bench.timing import Spread
from bench.world import OURS, OURS_COLD, OURS_REDIS

NGINX = "nginx"


class Target(msgspec.Struct, frozen=True):
    """`value`: None where the run did not measure it. At most `bound` is wanted, and `stretch` hoped for.

    `why`: the load whose profile says why it is missed, None where no profile of a load would.
    """

    what: str
    unit: str
    bound: float
    stretch: float | None
    value: Callable[[Rows], Spread | None]
    why: loads.Load | None = None


class Verdict(msgspec.Struct, frozen=True):
    what: str
    unit: str
    bound: float
    stretch: float | None
    value: Spread | None
    why: loads.Load | None = None

    @property
    def met(self) -> bool | None:
        return None if self.value is None else self.value.median <= self.bound

    @property
    def stretched(self) -> bool | None:
        return None if self.value is None or self.stretch is None else self.value.median <= self.stretch


def _cpu(one: tuple[str, str], other: tuple[str, str]) -> Callable[[Rows], Spread | None]:
    return lambda rows: rows.ratio("saturated", "cpu_us", one, other)


def _value(part: str, peer: str, load: str, name: str) -> Callable[[Rows], Spread | None]:
    return lambda rows: rows.spread(part, peer, load, name)


def _added(rows: Rows) -> Spread | None:
    at = loads.PASSED.name
    return rows.difference("steady", "p99_ms", (OURS, at), (NGINX, at))


_PASSED, _LISTED = loads.PASSED.name, loads.LIST_460.name
_HALF = "list of 460 rows, half kept"
_BESIDE = _cpu((OURS, _PASSED), (NGINX, _PASSED))
_FEW, _MANY = f"{_HALF}, 10 patterns", f"{_HALF}, 10,000 patterns"

TARGETS = [
    Target(
        "pass-through, everything on, against nginx",
        "×",
        4.0,
        3.0,
        _cpu((OURS, _PASSED), (NGINX, _PASSED)),
        loads.PASSED,
    ),
    Target("the same, sessions in Redis", "×", 4.0, 3.0, _cpu((OURS_REDIS, _PASSED), (NGINX, _PASSED)), loads.PASSED),
    Target("the same, session read from Redis each time", "×", 5.5, 4.5, _cpu((OURS_COLD, _PASSED), (NGINX, _PASSED))),
    Target(
        "refused call against an allowed one",
        "×",
        0.8,
        None,
        _cpu((OURS, loads.REFUSED.name), (OURS, _PASSED)),
        loads.REFUSED,
    ),
    Target(
        "list of 460 rows, half dropped, against unfiltered",
        "×",
        1.5,
        1.2,
        _cpu((OURS, _HALF), (OURS, _LISTED)),
        loads.named(_HALF),
    ),
    Target(
        "the same under 10,000 patterns against ten",
        "×",
        1.1,
        1.0,
        _cpu((OURS, _MANY), (OURS, _FEW)),
        loads.named(_MANY),
    ),
    Target(
        "capture of 100 MB, CPU per GB against nginx",
        "×",
        1.0,
        None,
        lambda rows: rows.ratio("streamed", "cpu_s_gb", (OURS, loads.LARGE.name), (NGINX, loads.LARGE.name)),
    ),
    Target("memory of a worker, idle", "MB", 60, 45, _value("memory", OURS, "idle", "pss_mb")),
    Target("memory of a worker, 500 streams", "MB", 90, 70, _value("memory", OURS, "500 streams", "pss_mb")),
    Target("p99 at 1,000 requests a second, over nginx", "ms", 3.0, 1.5, _added, loads.PASSED),
    Target("ready after start", "s", 2.0, 1.0, _value("start", OURS, "ready", "s")),
]


def verdicts(rows: Rows) -> list[Verdict]:
    return [Verdict(each.what, each.unit, each.bound, each.stretch, each.value(rows), each.why) for each in TARGETS]
