"""Judges rows for one request, and writes those that its user sees."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from authgw.catalogue.model import Rows
from authgw.narrow.bulk import BulkRow
from authgw.narrow.judge import Judge
from authgw.narrow.rows import Row, anew, began, bulk, project, project_table, written
from authgw.narrow.scope import Facts
from authgw.narrow.source import Source


class Sieve:
    """What is missing is looked up, what cannot be shown is dropped."""

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
