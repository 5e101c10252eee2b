"""A scan takes no more at once than it can hold, and tells upstream's total only where that is the user's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow import scan as scanning
from authgw.narrow.facts import CallFacts
from authgw.narrow.judge import Judge
from authgw.narrow.listing import Listing
from authgw.narrow.scan import Scanned, Window
from authgw.narrow.scope import compile_scope
from authgw.reasons import Reason
from authgw.rights.claims import Scope

pytestmark = pytest.mark.anyio
LISTING = Rows(at="results", total="total", id="ID", pages="start", sensor="id_sensor", number=("caller", "called"))


class Upstream:
    """Lists `count` rows of so many bytes each, every third on sensor 1, and says how many there are."""

    facts: CallFacts

    def __init__(self, count: int, size: int = 10, sensor: int | None = None) -> None:
        self.rows = [
            {
                "ID": n,
                "id_sensor": n % 3 if sensor is None else sensor,
                "caller": str(n),
                "called": "1",
                "pad": "x" * size,
            }
            for n in range(1, count + 1)
        ]
        self.total = count
        self.asked: list[tuple[int, int]] = []
        self.broken_at: int | None = None

    async def fetch(self, fields: Mapping[str, str], most: int | None = None) -> bytes:
        start, limit = int(fields["start"]), int(fields["limit"])
        self.asked.append((start, limit))
        if self.broken_at is not None and start >= self.broken_at:
            raise TimeoutError
        found = self.rows[start : start + limit]
        body = json.dumps({"success": True, "total": str(self.total), "results": found}).encode()
        if most is not None and len(body) > most:
            raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, "too large")
        return body


def listing(upstream: Upstream, sensor: int) -> Listing:
    judge = Judge([compile_scope(Scope(sensors=(sensor,)))], [frozenset()])
    return Listing(LISTING, judge, upstream)


async def test_large_rows_are_asked_for_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that are too large shrink until they fit, and stay so; no row is lost or doubled by that."""
    monkeypatch.setattr(scanning, "PAGE", 30_000)
    upstream = Upstream(300, size=1000)
    found = await listing(upstream, 1).scan({}, Window(0, 5000), 30)
    assert [json.loads(row)["ID"] for row in found.rows] == [n for n in range(1, 301) if n % 3 == 1]
    assert (found.total, found.dropped) == (100, 200)
    assert upstream.asked[:4] == [(0, 1000), (0, 125), (0, 15), (15, 15)]


async def test_a_row_that_never_fits_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row alone is asked for in the end, and then it is said."""
    monkeypatch.setattr(scanning, "PAGE", 500)
    upstream = Upstream(3, size=1000)
    with pytest.raises(UpstreamError) as error:
        await listing(upstream, 1).scan({}, Window(0, 5000), 30)
    assert error.value.reason is Reason.UPSTREAM_TOO_LARGE
    assert upstream.asked[-1] == (0, 1)


async def drained(scan: scanning.Scan) -> list[int]:
    return [json.loads(row)["ID"] for part in [part async for part in scan.parts()] for row in part]


async def test_a_trusted_total_saves_the_rest_of_the_scan() -> None:
    """Where every row that came was the user's, the scan ends with his page and upstream's total stands."""
    upstream = Upstream(5000, sensor=2)
    scan = listing(upstream, 2).scanning({}, Window(1200, 300), 30, trusts_total=True)
    assert await drained(scan) == list(range(1201, 1501))
    assert (scan.count, upstream.asked) == (5000, [(0, 1000), (1000, 1000)])


async def test_a_foreign_row_makes_the_total_count_for_nothing() -> None:
    """One row that is not the user's: all are counted, whatever upstream says its total is."""
    upstream = Upstream(2500, sensor=2)
    upstream.rows[900]["id_sensor"] = 1
    scan = listing(upstream, 2).scanning({}, Window(0, 10), 30, trusts_total=True)
    assert await drained(scan) == list(range(1, 11))
    assert scan.count == 2499
    assert len(upstream.asked) == 3


async def streamed(scan: scanning.Scan) -> Any:
    parts = scan.parts()
    first = await anext(parts)
    return json.loads(b"".join([piece async for piece in Scanned(LISTING, scan, first, parts, bytes).stream()]))


async def test_what_goes_out_while_it_is_scanned_is_the_same_document() -> None:
    """Rows in their order, and behind them the number of all that are the user's."""
    scan = listing(Upstream(2500), 1).scanning({}, Window(5, 700), 30)
    mine = [n for n in range(1, 2501) if n % 3 == 1]
    said = await streamed(scan)
    assert [row["ID"] for row in said["results"]] == mine[5:705]
    assert (said["success"], said["total"]) == (True, str(len(mine)))


async def test_a_scan_that_takes_too_long_is_never_shown_as_whole() -> None:
    """Time that runs out in the middle of an answer is an error of its own, behind the rows that were told."""
    upstream = Upstream(2500)
    upstream.broken_at = 1000
    scan = listing(upstream, 1).scanning({}, Window(0, 5000), 30)
    with pytest.raises(UpstreamError) as error:
        await streamed(scan)
    assert error.value.reason is Reason.SCAN_TIMEOUT
