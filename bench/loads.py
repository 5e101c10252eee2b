"""What is asked: the users, and each load as one request that is sent over and over."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import Any

import msgspec

PASSWORD = "bench-password"
COUNTRY = "4420%"
"""The pattern that shows every second row of the upstream's lists."""


KEPT = {"all": (COUNTRY, "1212%"), "half": (COUNTRY,), "none": ()}
"""What is left of the upstream's lists under the patterns that match their rows."""
PATTERNS = (10, 10_000)


def _patterns(kept: str, count: int) -> list[str]:
    """So many prefixes: those that matter, and others of numbers that no row has."""
    rng, matching = random.Random(count), KEPT[kept]
    return [*matching, *(f"9{rng.randrange(10**7):07}%" for _ in range(count - len(matching)))]


def scoped(kept: str, count: int) -> str:
    """The name of the user with so many patterns who keeps so much."""
    return f"{kept}-{count}"


def users() -> list[dict[str, Any]]:
    """One user for each way of seeing the lists; the numbers are the dictionary's ids."""
    flags = {"password": PASSWORD, "can_cdr": True}
    scopes: dict[str, dict[str, Any]] = {
        "unscoped": {"can_pcap": True},
        "every": {"number": list(KEPT["all"]), "can_pcap": True},
        "half": {"number": [COUNTRY]},
        "sensors": {"enable_sensors": [2]},
    }
    scopes |= {scoped(kept, count): {"number": _patterns(kept, count)} for kept in KEPT for count in PATTERNS}
    return [{"username": name, "id": at, **flags, **scope} for at, (name, scope) in enumerate(scopes.items(), 101)]


def user(name: str | None) -> dict[str, Any]:
    """One of them."""
    return next(each for each in users() if each["username"] == name)


def usual() -> list[dict[str, Any]]:
    """Those of a site with one large scope: start and memory are measured with them."""
    return [user for user in users() if len(user.get("number", ())) <= 10 or user["username"] == scoped("half", 10_000)]


class Load(msgspec.Struct, frozen=True):
    """A request, and what is expected of its answer.

    `user`: whose session it carries; None: no session. `peers`: the others are asked too. `size`: bytes of the body,
    where that is known. `lua`: where each request differs, the body of wrk's `request`, and `body` is for warming up.
    `quick`: a quick run has it. `stores`: asked with the sessions in each kind of store. `brief`: one of many like it,
    for which half of the rounds will do.
    """

    name: str
    target: str
    user: str | None = "unscoped"
    method: str = "GET"
    status: int = 200
    size: int | None = None
    body: str = ""
    lua: str = ""
    peers: bool = False
    connections: int = 32
    quick: bool = False
    stores: bool = False
    brief: bool = False

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Content-Type": "application/json"} if self.body or self.lua else {}


def listed(day: str, limit: int) -> str:
    dates = f"fdatefrom=2026-11-{day}T00:00:00&fdateto=2026-11-{int(day) + 1:02}T00:00:00"
    return f"/php/model/sql.php?task=LISTING&module=CDR&{dates}&limit={limit}"


_CALLS = '{"task":"getVoipCalls","user":"%s","password":"' + PASSWORD + '","params":{"startTime":"%s"}}'
# Another second with each request, so that no call is asked about twice while its facts are remembered.
_OTHER_CALLS = """
    counter = (counter or os.time() % 10000 * 10000) + 1
    local at = os.date("!%Y-%m-%d %H:%M:%S", 1793491200 + counter)
    return wrk.format("POST", nil, nil, 'BODY')
""".replace("BODY", _CALLS % ("sensors", "' .. at .. '"))

PASSED = Load("pass-through, 2 KB", "/php/apilicensecheck.php?task=licenseCheck", size=2048, peers=True, quick=True)
STRANGER = Load("no session", PASSED.target, user=None, status=401, peers=True)
REFUSED = Load("refused, right missing", "/php/pcap.php?id=1", user="half", status=403, quick=True, stores=True)
SMALL = Load("capture, 10 KB", "/php/pcap.php?id=1", size=10_000, peers=True)
LARGE = Load("capture, 100 MB", "/php/pcap.php?id=2", size=100_000_000, peers=True, quick=True)
LIST_460 = Load("list of 460 rows", listed("02", 460), peers=True, connections=8, quick=True)

SIZES = {10: ("01", 32), 460: ("02", 8), 5000: ("03", 4)}
"""Rows of a list to the day that has so many, and the connections that ask for it."""


def _list(rows: int, what: str, user: str = "unscoped", **more: Any) -> Load:
    day, connections = SIZES[rows]
    return Load(f"list of {rows:,} rows, {what}", listed(day, rows), user, connections=connections, **more)


def _matrix() -> list[Load]:
    """Every size, under every scope: what is kept of it, and by how many patterns."""
    found = []
    for rows, kept, count in itertools.product(SIZES, KEPT, PATTERNS):
        aimed = (rows, kept) == (460, "half")  # what the targets are about
        name = f"{kept} kept, {count:,} patterns"
        found.append(_list(rows, name, scoped(kept, count), quick=aimed, stores=aimed and count > 10, brief=not aimed))
    return found


LISTS = [
    _list(10, "unfiltered"),
    _list(10, "half kept", "half"),
    _list(460, "half kept", "half", quick=True, stores=True),
    _list(5000, "unfiltered"),
    _list(5000, "half kept", "half"),
    *_matrix(),
]
CALLS = [
    Load(
        "getVoipCalls, 30 rows, looked up before",
        "/php/api.php",
        None,
        "POST",
        body=_CALLS % ("sensors", "2026-11-05 00:00:00"),
    ),
    Load(
        "getVoipCalls, 30 rows, 30 look-ups",
        "/php/api.php",
        None,
        "POST",
        body=_CALLS % ("sensors", "2026-11-05 00:00:00"),
        lua=_OTHER_CALLS,
        connections=8,
        quick=True,
    ),
    Load("capture, 10 KB, with a scope", SMALL.target, "every", size=10_000),
]
SHARED = [PASSED, STRANGER, SMALL, LIST_460]
OWN = [REFUSED, *LISTS, *CALLS]


def named(name: str) -> Load:
    return next(load for load in [*SHARED, *OWN] if load.name == name)
