"""Does filtering a row cost the same under a scope of 10,000 patterns as under one of ten?

A row is filtered by reading the fields that decide from its JSON and judging them; judging alone is shown beside it.
All addresses and numbers are different, which is the worst case for the caches of the processor.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import msgspec
from msgspec import Raw

from authgw.catalogue.load import load
from authgw.narrow.rows import Reader, Row
from authgw.narrow.scope import CompiledScope, Facts, compile_scope
from authgw.rights.claims import Scope
from bench.timing import in_turn, spread, table

TITLE = "Filtering a row: 10,000 patterns against ten"
FEW, MANY = 10, 10_000
ROWS = 4_000
TARGET = 1.1

Pattern = Callable[[random.Random, int], str]
"""The pattern at a place of the list. Shape and length follow from the place, so both scopes have them all alike."""


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def number(rng: random.Random, at: int = 0) -> str:
    return digits(rng, 11 + at % 3)


def prefix(rng: random.Random, at: int) -> str:
    return digits(rng, 7 + at % 3) + "%"


def suffix(rng: random.Random, at: int) -> str:
    return "%" + digits(rng, 7 + at % 3)


def infix(rng: random.Random, at: int) -> str:
    return "%" + digits(rng, 7 + at % 3) + "%"


def general(rng: random.Random, at: int) -> str:
    """A pattern with a blank in the middle, which no set can hold."""
    return digits(rng, 6) + "_" + digits(rng, 1 + at % 3) + "%"


def mixed(rng: random.Random, at: int) -> str:
    return (prefix, suffix, infix, number)[at % 4](rng, at // 4 % 2)


def v4(rng: random.Random, at: int) -> str:
    return f"{IPv4Address(rng.getrandbits(32))}/{(32, 24, 29, 28, 30)[at % 5]}"


def v6(rng: random.Random, at: int) -> str:
    return f"{IPv6Address(0x2001 << 112 | rng.getrandbits(112))}/{(64, 128, 56, 48, 60)[at % 5]}"


def stranger(kind: str, pattern: Pattern, rng: random.Random) -> str:
    """A number or address that almost certainly no pattern matches."""
    return number(rng, rng.randrange(3)) if kind == "number" else pattern(rng, 0).partition("/")[0]


CASES: dict[str, tuple[str, Pattern]] = {
    "numbers, exact": ("number", number),
    "numbers, prefixes": ("number", prefix),
    "numbers, suffixes": ("number", suffix),
    "numbers, infixes": ("number", infix),
    "numbers, the four mixed": ("number", mixed),
    "numbers, `_` in the middle": ("number", general),
    "networks, IPv4": ("ip", v4),
    "networks, IPv6": ("ip", v6),
}


def inside(kind: str, pattern: str, rng: random.Random) -> str:
    """A number or address that the pattern matches."""
    if kind == "number":
        front, back = pattern.startswith("%"), pattern.endswith("%")
        core = pattern.strip("%").replace("_", digits(rng, 1))
        return (digits(rng, 3) if front else "") + core + (digits(rng, 3) if back else "")
    return pattern.partition("/")[0]


def listed(kind: str, caller: str, called: str) -> Raw:
    """A row of the call list, as the GUI writes it."""
    row: dict[str, object] = {
        "ID": 104112,
        "cdr_ID": 104112,
        "calldate": "2026-11-02 10:14:07",
        "callend": "2026-11-02 10:16:41",
        "duration": "02:34",
        "_duration": 154,
        "connect_duration": 149,
        "caller": "442079460123",
        "called": "442079460999",
        "caller_domain": "sip.example.com",
        "called_domain": "pbx.example.net",
        "callername": "Example",
        "sipcallerip": "192.0.2.10",
        "sipcalledip": "198.51.100.20",
        "id_sensor": 2,
        "sensorname": "edge-2",
        "lastSIPresponseNum": 200,
        "lastSIPresponse": "200 OK",
        "bye": 3,
        "whohanged": "caller",
        "fbasename": "4b1c2d3e-77aa@192.0.2.10",
        "a_ua": "Example Phone 4.2",
        "b_ua": "Example PBX 18.4",
        "a_mos_f1": 44,
        "b_mos_f1": 43,
    }
    row |= {"caller": caller, "called": called} if kind == "number" else {"sipcallerip": caller, "sipcalledip": called}
    return Raw(msgspec.json.encode(row))


def reader() -> Reader:
    entry = next(entry for entry in load(["voipmonitor"], Path()).entries if entry.name == "cdr-listing")
    assert entry.rows is not None
    return Reader(entry.rows)


def judged(scope: CompiledScope, rows: list[Facts]) -> int:
    judge = scope.judge
    return sum(judge(row) is True for row in rows)


def filtered(scope: CompiledScope, read: Callable[[Raw], Row], rows: list[Raw]) -> int:
    judge = scope.judge
    return sum(judge(read(row).facts) is True for row in rows)


def run(rounds: int, seed: int) -> tuple[str, list[dict[str, object]]]:
    """A table and its figures. Both scopes filter the same rows; every second row is visible under both."""
    shown: list[list[str]] = []
    kept: list[dict[str, object]] = []
    read = reader().read_row
    for name, (kind, pattern) in CASES.items():
        rng = random.Random(seed)
        few = [pattern(rng, at) for at in range(FEW)]
        many = few + [pattern(rng, at) for at in range(FEW, MANY)]
        callers = [inside(kind, rng.choice(few), rng) if at % 2 else stranger(kind, pattern, rng) for at in range(ROWS)]
        raws = [listed(kind, caller, stranger(kind, pattern, rng)) for caller in callers]
        rows = [read(raw).facts for raw in raws]
        scopes = [
            compile_scope(Scope(**{kind: tuple(patterns)}))  # type: ignore[arg-type]
            for patterns in (few, many)
        ]
        seen = [judged(scope, rows) for scope in scopes]
        assert all(ROWS // 2 <= count < ROWS * 0.6 for count in seen), f"{name}: {seen} of {ROWS} rows are visible"
        works: dict[str, Callable[[], int]] = {}
        for size, scope in zip(("few", "many"), scopes, strict=True):
            works["judge " + size] = partial(judged, scope, rows)
            works["filter " + size] = partial(filtered, scope, read, raws)
        taken = {what: [s * 1e9 / ROWS for s in times] for what, times in in_turn(works, rounds).items()}
        alone, whole = (
            spread([b / a for a, b in zip(taken[what + " few"], taken[what + " many"], strict=True)])
            for what in ("judge", "filter")
        )
        figures = [spread(taken[what]).show() for what in ("judge few", "judge many", "filter few", "filter many")]
        verdict = "yes" if whole.median <= TARGET else "NO"
        shown.append([name, *figures[:2], alone.show(".2f"), *figures[2:], whole.show(".2f"), verdict])
        kept.append({"case": name, "ns": taken, "judge": alone, "filter": whole, "target": TARGET})
    heads = ["patterns", f"judge, {FEW}: ns", f"judge, {MANY:,}: ns", "ratio"]
    heads += [f"filter, {FEW}: ns", f"filter, {MANY:,}: ns", "ratio", f"≤ {TARGET}"]
    return table(heads, shown), kept
