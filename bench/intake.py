"""What it costs to read requests into their canonical form."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from authgw.intake.limits import Limits
from authgw.intake.read import read
from authgw.intake.request import Raw, Refused
from bench.timing import in_turn, spread, table

TITLE = "Reading a request: microseconds of CPU"
TIMES = 300

HEADERS = (
    (b"host", b"voip.example.com"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"*/*"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"cookie", b"PHPSESSID=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; lang=en"),
)
LISTING = b"task=LISTING&module=CDR&fdatefrom=2026-11-01T00%3A00%3A00&fdateto=2026-11-02T00%3A00%3A00&fcaller=4420%25"
FORM = (b"content-type", b"application/x-www-form-urlencoded")
JSON = (b"content-type", b"application/json")
API = b'{"task":"getVoipCalls","user":"alice","password":"secret","params":{"startTime":"2026-11-01 00:00:00"}}'

CASES = {
    "GET pcap.php?id=": Raw("GET", b"/php/pcap.php", b"id=104112", HEADERS, b"", "192.0.2.1"),
    "GET of a list, 5 fields": Raw("GET", b"/php/model/sql.php", LISTING, HEADERS, b"", "192.0.2.1"),
    "POST of a list, urlencoded": Raw("POST", b"/php/model/sql.php", b"", (*HEADERS, FORM), LISTING, "192.0.2.1"),
    "POST of api.php, JSON": Raw("POST", b"/php/api.php", b"", (*HEADERS, JSON), API, "192.0.2.1"),
    "refused: a field twice": Raw("GET", b"/php/pcap.php", b"id=1&id=2", HEADERS, b"", "192.0.2.1"),
}


def many(raw: Raw, limits: Limits) -> None:
    for _ in range(TIMES):
        read(raw, limits)


def run(rounds: int, seed: int) -> tuple[str, list[dict[str, object]]]:
    """A table and its figures; `seed` is not needed, the requests are fixed."""
    limits = Limits()
    for name, raw in CASES.items():
        assert isinstance(read(raw, limits), Refused) is name.startswith("refused"), f"{name}: {read(raw, limits)}"
    works: dict[str, Callable[[], object]] = {name: partial(many, raw, limits) for name, raw in CASES.items()}
    taken = {name: [s * 1e6 / TIMES for s in times] for name, times in in_turn(works, rounds).items()}
    shown = [[name, spread(times).show(".1f")] for name, times in taken.items()]
    kept: list[dict[str, object]] = [{"case": name, "us": times} for name, times in taken.items()]
    return table(["request", "µs"], shown), kept
