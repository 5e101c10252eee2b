"""Lists of calls: exact rows, totals and pages for one user.

Where what was pushed upstream is the whole scope, totals and pages are upstream's own. Elsewhere the gateway scans:
one pass over upstream's result in a stable order, counting this user's rows and cutting out his page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from authgw.catalogue.model import Rows
from authgw.narrow.bulk import BulkRow
from authgw.narrow.judge import Judge
from authgw.narrow.rows import Reader, Row, anew, began, bulk, project, project_table, written
from authgw.narrow.scope import Facts
from authgw.narrow.source import Source
from authgw.policy.kinds import SortKey, sort_keys

CHUNK = 1000
DEFAULT_LIMIT = 30
_NEWEST_FIRST = SortKey("calldate2", "DESC")


class Window(msgspec.Struct, frozen=True):
    """The page a user asked for: `start` rows are skipped. `start` wins over `page`, which counts from 1."""

    start: int
    limit: int

    @staticmethod
    def of(fields: Mapping[str, str]) -> Window:
        limit = int(fields.get("limit", DEFAULT_LIMIT))
        page = max(int(fields.get("page", 1)), 1)
        return Window(int(fields.get("start", (page - 1) * limit)), limit)


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


class Sieve:
    """Judges rows for one request: what is missing is looked up, what cannot be shown is dropped."""

    def __init__(self, spec: Rows, judge: Judge, source: Source) -> None:
        self._judge = judge
        self._source = source
        self._bulk = bulk(spec, judge.needs)
        self._simple = spec.simple if spec.simple and judge.any_limited("simple_cdr") else ()
        self._date = spec.date

    async def keep(self, rows: Sequence[Row]) -> list[tuple[Row, Facts]]:
        """The rows the user sees, with all that is known of each, in their order."""
        if self._judge.unscoped and not self._simple:
            return [(row, row.facts) for row in rows]
        seen: list[tuple[Row, Facts]] = []
        unclear: list[int] = []
        judged = self._judge.verdict
        known = rows if rows and isinstance(rows[0], BulkRow) else [row.facts for row in rows]
        for row, facts in zip(rows, known, strict=True):
            verdict = judged(facts)
            if verdict is False:
                continue
            if verdict is None or (self._simple and not self._clear(facts, verdict)):
                unclear.append(len(seen))
            seen.append((row, facts))
        if not unclear:
            return seen
        return await self._looked_up(seen, unclear)

    def write(self, kept: Sequence[tuple[Row, Facts]]) -> list[bytes]:
        """Rows as they go out: whole, or reduced where only grants with simple_cdr show them."""
        if not self._simple:
            return written([row for row, _ in kept], self._bulk)
        return [self._reduced(row, facts) for row, facts in kept]

    def _reduced(self, row: Row, facts: Facts) -> bytes:
        limits = self._judge.limits(facts)
        if limits is not None and "simple_cdr" not in limits:
            return anew(row.raw)
        if row.named is not None and bytes(row.raw)[:1] == b"[":
            return project_table(row.raw, row.named, self._simple)
        return project(row.raw, self._simple)

    async def _looked_up(self, seen: list[tuple[Row, Facts]], unclear: list[int]) -> list[tuple[Row, Facts]]:
        """First a list of the time of these rows, where one is of use; then call by call what that leaves open."""
        facts = self._source.facts
        wanted = {row.id: row for row, _ in (seen[at] for at in unclear) if row.id is not None}
        dates = {at: when for at, row in wanted.items() if (when := began(row.raw, self._date)) is not None}
        told = await facts.outlines.of(dates)
        known = {at: _merged(row.facts, told.get(at)) for at, row in wanted.items()}
        full = await facts.many(at for at, each in known.items() if not self._decided(each))
        kept: list[tuple[Row, Facts]] = []
        waiting = set(unclear)
        for at, (row, own) in enumerate(seen):
            if at in waiting:
                if row.id is not None:
                    own = _merged(known[row.id], full.get(row.id))
                if self._judge.verdict(own) is not True:
                    continue
            kept.append((row, own))
        return kept

    def _decided(self, facts: Facts) -> bool:
        verdict = self._judge.verdict(facts)
        return verdict is False or self._clear(facts, verdict)

    def _clear(self, facts: Facts, verdict: bool | None) -> bool:
        return verdict is not None and (not self._simple or self._judge.settled(facts, "simple_cdr"))


def _merged(row: Facts, looked_up: Facts | None) -> Facts:
    """What the row itself says stands; the look-up fills in what it leaves open."""
    told = {name: getattr(row, name, msgspec.UNSET) for name in Facts.__struct_fields__}
    known = {name: value for name, value in told.items() if value is not msgspec.UNSET}
    return msgspec.structs.replace(looked_up or Facts(), **known)


class Listing:
    """Answers one LISTING for one user. `sent`: the fields upstream gets, sensors already put in."""

    def __init__(self, spec: Rows, judge: Judge, source: Source) -> None:
        self._reader = Reader(spec, judge.needs)
        self._sieve = Sieve(spec, judge, source)
        self._source = source

    async def page(self, sent: Mapping[str, str], window: Window) -> Found | None:
        """One page as upstream cuts it. None: a row came back that the user does not see, so it must be scanned."""
        body = await self._source.fetch(
            {**sent, "sort": stable_sort(sent.get("sort")), "start": str(window.start), "limit": str(window.limit)}
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
        async with asyncio.timeout(seconds):
            return await self._scan({**sent, "sort": stable_sort(sent.get("sort"))}, window)

    async def _scan(self, sent: Mapping[str, str], window: Window | None) -> Found:
        rows: list[bytes] = []
        count = passed = 0
        before: set[int | None] = set()
        while True:
            body = await self._source.fetch({**sent, "start": str(passed), "limit": str(CHUNK)})
            page = self._reader.page(body)
            # Calls that are recorded while we scan push rows over the edge of a chunk: those came before.
            fresh = [row for row in page.rows if row.id is None or row.id not in before] if before else page.rows
            kept = await self._sieve.keep(fresh)
            if window is not None:
                first, last = max(window.start - count, 0), max(window.start + window.limit - count, 0)
                rows += self._sieve.write(kept[first:last])
            count += len(kept)
            passed += len(page.rows)
            if not fresh or (page.total is not None and passed >= page.total):
                return Found(rows, count, passed - count)
            before = {row.id for row in page.rows}
