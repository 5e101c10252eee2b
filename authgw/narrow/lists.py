"""Calls whose reply holds rows: each way of paging, and sums over rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from authgw.answer import Answer
from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow import rewrite
from authgw.narrow.facts import CallFacts
from authgw.narrow.flow import WHOLE
from authgw.narrow.job import Bounds, Job, Outcome, Passed, Said
from authgw.narrow.large import Large
from authgw.narrow.listing import Found, Listing
from authgw.narrow.rows import Reader, project
from authgw.narrow.scan import Scan, Scanned, Window
from authgw.narrow.sensors import Sensors, push
from authgw.narrow.sieve import Sieve
from authgw.narrow.source import UpstreamSource
from authgw.narrow.strip import strip
from authgw.narrow.walk import walk
from authgw.narrow.width import too_wide
from authgw.policy.decision import Deny
from authgw.reasons import Reason
from authgw.upstream.api import Upstream


class Lists:
    """Answers calls with rows for one user at a time; it remembers nothing."""

    def __init__(
        self, upstream: Upstream, facts: CallFacts, sensors: Sensors, bounds: Bounds, now: Callable[[], datetime]
    ) -> None:
        self._upstream = upstream
        self._facts = facts
        self._sensors = sensors
        self._bounds = bounds
        self._large = Large(bounds.large, bounds.max_reply)
        self._now = now

    async def answer(self, job: Job, spec: Rows) -> Outcome:
        """Within the time of a scan, however many look-ups it takes; a refusal where that runs out."""
        try:
            async with asyncio.timeout(self._bounds.scan_seconds):
                outcome = await self._answer(job, spec)
        except TimeoutError:
            return _too_long(job)
        if job.shows_sql or not isinstance(outcome, Said):
            return outcome
        return Said(msgspec.structs.replace(outcome.answer, body=strip(outcome.answer.body)), outcome.calls)

    async def _answer(self, job: Job, spec: Rows) -> Outcome:
        sent = rewrite.fields(job.allow, job.allow.limits)
        call = rewrite.call(job.allow, job.request, job.path, sent)
        source = UpstreamSource(self._upstream, call, self._facts, self._bounds.max_reply)
        if job.judge.unscoped and not (spec.simple and job.judge.any_limited("simple_cdr")) and not _less(job, spec):
            found = await self._large.whole(job, spec, await source.begin(sent))
            if isinstance(found, Passed):
                return found
            return Said(Answer(200, job.masks.document(Reader(spec).whole(found), spec.at)))
        if job.allow.entry.aggregate:
            return await self._sums(job, spec, source, sent)
        if spec.pages == "start":
            return await self._listing(job, spec, source, sent)
        if spec.pages == "id":
            return await self._walked(job, spec, source, sent)
        return await self._once(job, spec, source, sent)

    async def _once(self, job: Job, spec: Rows, source: UpstreamSource, sent: Mapping[str, str]) -> Outcome:
        needs = job.judge.needs if spec.judge == "call" else frozenset({"sensor"})
        if spec.judge == "call" and spec.at is None and not spec.table:
            found = await self._large.narrowed(job, spec, source, await source.begin(sent))
            if isinstance(found, Passed):
                return found
        else:
            found = await source.fetch(sent)
        page = Reader(spec, needs).page(found)
        if spec.judge == "sensor":
            seen = [row for row in page.rows if isinstance(n := row.facts.sensor, int) and job.judge.shows_sensor(n)]
            rows = [project(row.raw, only) if (only := _less(job, spec)) else bytes(row.raw) for row in seen]
            return Said(_listed(spec, rows, len(rows)))
        sieve = Sieve(spec, job.judge, source)
        if page.names is not None:
            kept = sieve.write(await sieve.keep(page.rows))
            return Said(Answer(200, _array([bytes(page.names), *kept])))
        lists = [sieve.write(await sieve.keep(rows)) for rows in page.groups()]
        rows = [row for group in lists for row in group]
        if page.nested is None or not rows:
            return Said(_listed(spec, rows, len(rows)))
        return Said(Answer(200, _array(_array(group) for group in lists)))

    async def _sums(self, job: Job, spec: Rows, source: UpstreamSource, sent: Mapping[str, str]) -> Outcome:
        """Sums over calls cannot be filtered afterwards: only where what is pushed is the whole scope."""
        name = job.allow.entry.push.get("sensors", "")
        pushed = push(job.judge.sensors, sent.get(name), await self._sensors.ids())
        by_sensors = job.judge.sensors_only and pushed.complete and pushed.ids is not None
        if not name or not (job.judge.unscoped or by_sensors):
            text = "sums over calls are for users whose whole scope are sensors that the GUI knows"
            return Deny(Reason.UNSCOPED_ONLY, 403, text, job.allow.entry.name)
        if not job.judge.unscoped:
            if not pushed.ids:
                return Said(_listed(spec, [], 0))
            sent = {**sent, name: ",".join(map(str, pushed.ids))}
        page = Reader(spec).page(await source.fetch(sent))
        total = len(page.rows) if page.total is None else page.total
        # Which calls a sum is over cannot be told: one limited grant reduces them all.
        reduced = job.judge.any_limited("simple_cdr")
        rows = [project(row.raw, spec.simple) if reduced else bytes(row.raw) for row in page.rows]
        return Said(_listed(spec, rows, total))

    async def _walked(self, job: Job, spec: Rows, source: UpstreamSource, sent: Mapping[str, str]) -> Outcome:
        rows: list[bytes] = []
        name = job.allow.entry.json_field or ""
        for element in job.allow.elements:
            rows += await walk(spec, job.judge, source, sent, name, element, self._bounds.scan_seconds)
        return Said(_listed(spec, rows, len(rows)))

    async def _listing(self, job: Job, spec: Rows, source: UpstreamSource, sent: Mapping[str, str]) -> Outcome:
        ids = {} if job.judge.sensors is None else await self._sensors.ids()
        name = job.allow.entry.push.get("sensors")
        pushed = push(job.judge.sensors, sent.get(name or ""), ids)
        counting = sent.get("suppress_results") == "1"
        sent = {key: value for key, value in sent.items() if key not in {"page", "start", "limit", "suppress_results"}}
        if pushed.ids == ():
            return Said(_counted(spec, Found([], 0), counting))
        if pushed.ids is not None and name:
            sent[name] = ",".join(map(str, pushed.ids))
        listing, window = Listing(spec, job.judge, source), Window.of(job.allow.fields)
        whole = job.judge.unscoped or (job.judge.sensors_only and pushed.complete and pushed.ids is not None)
        large = False
        if whole:
            try:
                found = await _exact(listing, sent, window, counting)
            except UpstreamError as error:
                if error.reason is not Reason.UPSTREAM_TOO_LARGE:
                    raise
                found, large = None, True
            if found is not None:
                return Said(_counted(spec, found, counting))
        if not large and (problem := too_wide(sent, self._now(), self._bounds.scan_days)):
            return Deny(Reason.SCAN_TOO_WIDE, 400, problem, job.allow.entry.name)
        if counting:
            return Said(_counted(spec, await listing.scan(sent, None, self._bounds.scan_seconds), counting))
        scan = listing.scanning(sent, window, self._bounds.scan_seconds, trusts_total=large)
        return await self._scanned(job, spec, scan)

    async def _scanned(self, job: Job, spec: Rows, scan: Scan) -> Outcome:
        """A whole answer where there is little of it. Until there is more, it can still become a refusal."""
        rows, size, parts = list[bytes](), 0, scan.parts()
        async for part in parts:
            rows += part
            size += sum(map(len, part))
            if size > WHOLE:
                return Passed(Scanned(spec, scan, rows, parts, bytes if job.shows_sql else strip))
        return Said(_listed(spec, rows, scan.count))


def _less(job: Job, spec: Rows) -> tuple[str, ...]:
    """The columns that are left to who lacks the flag for the rest; empty where he has it."""
    whole = any(spec.whole in job.claims.grants[at].flags for at in job.allow.grants)
    return () if whole else spec.only


async def _exact(listing: Listing, sent: Mapping[str, str], window: Window, counting: bool) -> Found | None:
    if not counting:
        return await listing.page(sent, window)
    total = await listing.count(sent)
    return None if total is None else Found([], total)


def _too_long(job: Job) -> Deny:
    return Deny(Reason.SCAN_TIMEOUT, 504, "counting took too long; ask for fewer days", job.allow.entry.name)


def _counted(spec: Rows, found: Found, counting: bool) -> Answer:
    if counting:
        return Answer(200, msgspec.json.encode({spec.total: str(found.total)}))
    return _listed(spec, found.rows, found.total)


def _listed(spec: Rows, rows: list[bytes], total: int) -> Answer:
    """Rows as the product writes them, with the fields that a user with row scope gets and no others."""
    if spec.at is not None:
        head = b'{"success":true,"total":"%d",%s:' % (total, msgspec.json.encode(spec.at))
        return Answer(200, b"".join((head, _array(rows), b"}")))
    if not rows and spec.empty:
        return Answer(200, msgspec.json.encode({"success": False, "error": spec.empty}))
    return Answer(200, _array(rows))


def _array(items: Iterable[bytes]) -> bytes:
    return b"".join((b"[", b",".join(items), b"]"))
