"""What is asked: the users, and each load as one request that is sent over and over."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import msgspec

PASSWORD = "bench-password"
COUNTRY = "4420%"
"""The pattern that shows every second row of the upstream's lists."""


def _patterns(count: int) -> list[str]:
    """So many prefixes: the one that matters, and others of numbers that no row has."""
    rng = random.Random(count)
    return [COUNTRY, *(f"9{rng.randrange(10**7):07}%" for _ in range(count - 1))]


def users() -> list[dict[str, Any]]:
    """One user for each way of seeing the lists; the numbers are the dictionary's ids."""
    flags = {"password": PASSWORD, "can_cdr": True}
    scopes: dict[str, dict[str, Any]] = {
        "unscoped": {"can_pcap": True},
        "every": {"number": [COUNTRY, "1212%"], "can_pcap": True},
        "half": {"number": [COUNTRY]},
        "none": {"number": ["999%"]},
        "few": {"number": _patterns(10)},
        "many": {"number": _patterns(10_000)},
        "sensors": {"enable_sensors": [2]},
    }
    return [{"username": name, "id": at, **flags, **scope} for at, (name, scope) in enumerate(scopes.items(), 101)]


class Load(msgspec.Struct, frozen=True):
    """A request, and what is expected of its answer.

    `user`: whose session it carries; None: no session. `peers`: the others are asked too. `size`: bytes of the body,
    where that is known. `lua`: where each request differs, the body of wrk's `request`, and `body` is for warming up.
    `quick`: a quick run has it. `stores`: asked with the sessions in each kind of store.
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

LISTS = [
    Load("list of 10 rows, unfiltered", listed("01", 10)),
    Load("list of 10 rows, all kept", listed("01", 10), "every"),
    Load("list of 10 rows, half kept", listed("01", 10), "half"),
    Load("list of 10 rows, none kept", listed("01", 10), "none"),
    Load("list of 460 rows, all kept", listed("02", 460), "every", connections=8),
    Load("list of 460 rows, half kept", listed("02", 460), "half", connections=8, quick=True, stores=True),
    Load("list of 460 rows, none kept", listed("02", 460), "none", connections=8),
    Load("list of 460 rows, half kept, 10 patterns", listed("02", 460), "few", connections=8, quick=True),
    Load(
        "list of 460 rows, half kept, 10,000 patterns",
        listed("02", 460),
        "many",
        connections=8,
        quick=True,
        stores=True,
    ),
    Load("list of 5,000 rows, unfiltered", listed("03", 5000), connections=4),
    Load("list of 5,000 rows, half kept", listed("03", 5000), "half", connections=4),
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
