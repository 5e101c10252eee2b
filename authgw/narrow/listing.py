"""Lists of calls: exact rows, totals and pages for one user.

Where what was pushed upstream is the whole scope, totals and pages are upstream's own. Elsewhere the gateway scans:
one pass over upstream's result in a stable order, counting this user's rows and cutting out his page.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from authgw.catalogue.model import Rows
from authgw.narrow.judge import Judge
from authgw.narrow.rows import Reader
from authgw.narrow.scan import PAGE, Scan, Window
from authgw.narrow.sieve import Sieve
from authgw.narrow.source import Source
from authgw.policy.kinds import SortKey, sort_keys

_NEWEST_FIRST = SortKey("calldate2", "DESC")


class Found(msgspec.Struct, frozen=True):
    """A user's rows and how many there are in all. `dropped`: rows that upstream gave and he does not see."""

    rows: list[bytes]
    total: int
    dropped: int = 0


def stable_sort(asked: str | None) -> str:
    """The user's order with the id as last key, so that pages neither repeat nor lose rows."""
    keys = list((sort_keys(asked) if asked else None) or [_NEWEST_FIRST])
    if all(key.property != "ID" for key in keys):
        keys.append(SortKey("ID", keys[-1].direction))
    return msgspec.json.encode(keys).decode()


class Listing:
    """Answers one LISTING for one user. `sent`: the fields upstream gets, sensors already put in."""

    def __init__(self, spec: Rows, judge: Judge, source: Source) -> None:
        self._reader = Reader(spec, judge.needs)
        self._sieve = Sieve(spec, judge, source)
        self._source = source

    async def page(self, sent: Mapping[str, str], window: Window) -> Found | None:
        """One page as upstream cuts it. None: a row came back that the user does not see, so it must be scanned.
        UPSTREAM_TOO_LARGE: there is too much of it to be held at once."""
        body = await self._source.fetch(
            {**sent, "sort": stable_sort(sent.get("sort")), "start": str(window.start), "limit": str(window.limit)},
            PAGE,
        )
        page = self._reader.page(body)
        kept = await self._sieve.keep(page.rows)
        if len(kept) != len(page.rows) or page.total is None:
            return None
        return Found(self._sieve.write(kept), page.total)

    async def count(self, sent: Mapping[str, str]) -> int | None:
        """Upstream's own total; only where the pushed scope is the whole scope."""
        return self._reader.page(await self._source.fetch({**sent, "suppress_results": "1"})).total

    async def scan(self, sent: Mapping[str, str], window: Window | None, seconds: float) -> Found:
        """Rows of the window and the total, by one pass over everything; `TimeoutError` when it takes too long."""
        scan, rows = self.scanning(sent, window, seconds), []
        async for part in scan.parts():
            rows += part
        return Found(rows, scan.count, scan.passed - scan.count)

    def scanning(
        self, sent: Mapping[str, str], window: Window | None, seconds: float, *, trusts_total: bool = False
    ) -> Scan:
        """The same, to be taken part by part. `trusts_total`: as of `Scan`."""
        asked = {**sent, "sort": stable_sort(sent.get("sort"))}
        return Scan(self._reader, self._sieve, self._source, asked, window, seconds, trusts_total)
