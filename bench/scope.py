"""Does judging a row cost the same under a scope of 10,000 patterns as under one of ten?"""

from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from timing import in_turn, spread, table

from authgw.narrow.patterns import address_number
from authgw.narrow.scope import CompiledScope, Facts, compile_scope
from authgw.rights.claims import Scope

TITLE = "Judging a row: 10,000 patterns against ten"
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


def facts(kind: str, caller: str, called: str) -> Facts:
    if kind == "number":
        return Facts(caller=caller, called=called)
    return Facts(caller_ip=address_number(caller), called_ip=address_number(called))


def judged(scope: CompiledScope, rows: list[Facts]) -> int:
    judge = scope.judge
    return sum(judge(row) is True for row in rows)


def run(rounds: int, seed: int) -> tuple[str, list[dict[str, object]]]:
    """A table and its figures. Both scopes judge the same rows; every second row is visible under both."""
    shown: list[list[str]] = []
    kept: list[dict[str, object]] = []
    for name, (kind, pattern) in CASES.items():
        rng = random.Random(seed)
        few = [pattern(rng, at) for at in range(FEW)]
        many = few + [pattern(rng, at) for at in range(FEW, MANY)]
        callers = [inside(kind, rng.choice(few), rng) if at % 2 else stranger(kind, pattern, rng) for at in range(ROWS)]
        rows = [facts(kind, caller, stranger(kind, pattern, rng)) for caller in callers]
        scopes = {
            str(len(patterns)): compile_scope(Scope(**{kind: tuple(patterns)}))  # type: ignore[arg-type]
            for patterns in (few, many)
        }
        seen = {size: judged(scope, rows) for size, scope in scopes.items()}
        assert all(ROWS // 2 <= count < ROWS * 0.6 for count in seen.values()), f"{name}: {seen} of {ROWS} rows visible"
        works = {size: lambda s=scope, r=rows: judged(s, r) for size, scope in scopes.items()}
        taken = in_turn(works, rounds)
        small, large = ([seconds * 1e9 / ROWS for seconds in taken[str(size)]] for size in (FEW, MANY))
        ratio = spread([b / a for a, b in zip(small, large, strict=True)])
        verdict = "yes" if ratio.median <= TARGET else "NO"
        shown.append([name, spread(small).show(), spread(large).show(), ratio.show(".2f"), verdict])
        kept.append({"case": name, "ns_few": small, "ns_many": large, "ratio": ratio, "target": TARGET})
    heads = ["patterns", f"{FEW}: ns per row", f"{MANY:,}: ns per row", "ratio", f"≤ {TARGET}"]
    return table(heads, shown), kept
