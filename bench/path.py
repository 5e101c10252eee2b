"""The whole path: a request through `authgw serve` to the look-alike, beside the same request sent there directly.

CPU is that of the gateway's process alone (user and system time of /proc), so it holds whatever the look-alike costs.
"""

from __future__ import annotations

import http.client
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from timing import spread, table

from kit.gateway import SERVICE_PASSWORD
from kit.world import world

TITLE = "A request through the gateway, one connection"
TIMES = 50
WARM = 10
TICK = os.sysconf("SC_CLK_TCK")

ALICE = {
    "username": "alice",
    "password": "alice-bench",
    "id": 101,
    "can_cdr": True,
    "can_pcap": True,
    "domain": ["acme.example"],
}
LISTING = "/php/model/sql.php?task=LISTING&module=CDR&fdatefrom=2026-11-01T00:00:00&fdateto=2026-12-01T00:00:00"
CASES = {
    "licence check, passed on": "/php/apilicensecheck.php?task=licenseCheck",
    "capture by id, looked up and streamed": "/php/pcap.php?id={id}",
    "list of 30 calls, scanned and filtered": LISTING + "&limit=30",
}


class Client:
    """One keep-alive connection with a session of its own."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
        login = f"/php/model/sql.php?module=bypass_login&user={user}&pass={password}"
        said = json.loads(self.get(login))
        self._cookie = f"{said['cookie_name']}={said['SID']}"

    _cookie = ""

    def get(self, target: str) -> bytes:
        self._connection.request("GET", target, headers={"Cookie": self._cookie} if self._cookie else {})
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"{target}: {answer.status} {body[:200]!r}"
        return body


def cpu(pid: int) -> float:
    """Seconds of user and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def timed(ask: Callable[[], object]) -> float:
    """Milliseconds of one request, median of TIMES."""
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - start) * 1000)
    return median(taken)


def run(rounds: int, seed: int) -> tuple[str, list[dict[str, object]]]:
    """A table and its figures; `seed` is not needed, the requests are fixed."""
    shown: list[list[str]] = []
    kept: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="authgw-bench-") as folder, world(Path(folder), users=[ALICE]) as place:
        ours = Client(place.url, "alice", "alice-bench")
        direct = Client(place.upstream, "authgw", SERVICE_PASSWORD)
        first = json.loads(ours.get(LISTING + "&limit=1"))["results"][0]["ID"]
        for name, pattern in CASES.items():
            target = pattern.format(id=first)
            for _ in range(WARM):
                ours.get(target)
                direct.get(target)
            through, straight, used = [], [], []
            for _ in range(rounds):
                before = cpu(place.gateway.process.pid)
                through.append(timed(partial(ours.get, target)))
                used.append((cpu(place.gateway.process.pid) - before) * 1e6 / TIMES)
                straight.append(timed(partial(direct.get, target)))
            mean = sum(used) / len(used)
            shown.append([name, f"{mean:.0f}", spread(through).show(".2f"), spread(straight).show(".2f")])
            kept.append({"case": name, "gateway_cpu_us": used, "through_ms": through, "direct_ms": straight})
    return table(["call", "CPU of the gateway, µs", "through it, ms", "directly, ms"], shown), kept
