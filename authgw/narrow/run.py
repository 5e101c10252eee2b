"""How much of an allowed call: scope put into the request, rows and objects taken out of the reply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from authgw.answer import Answer
from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.intake.request import Request
from authgw.narrow import document, rewrite
from authgw.narrow.facts import CallFacts
from authgw.narrow.fetch import Wish, fetch, has_file
from authgw.narrow.judge import Judge, Judges
from authgw.narrow.listing import Found, Listing, Sieve, Window
from authgw.narrow.resolve import Leg, Selectors
from authgw.narrow.rows import Reader
from authgw.narrow.sensors import Sensors, push
from authgw.narrow.source import UpstreamSource
from authgw.narrow.strip import strip
from authgw.narrow.walk import walk
from authgw.narrow.width import too_wide
from authgw.policy.decision import Allow, Deny
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.upstream.api import Reply, Upstream

_MOVED = frozenset({301, 302, 303, 307, 308})
_STREAM_STATUS = frozenset({200, 206, 304, 416})


class Bounds(msgspec.Struct, frozen=True):
    """`scan_days`: calendar width of a scan, 0 for none. `scan_seconds`: how long one may take. Bytes of a reply."""

    scan_days: int = 31
    scan_seconds: float = 60.0
    max_reply: int = 64 << 20


class Passed(msgspec.Struct, frozen=True):
    """A reply to be streamed through. `calls`: the ids of the calls that it holds."""

    reply: Reply
    calls: tuple[int, ...] = ()


class Said(msgspec.Struct, frozen=True):
    """A whole answer made here. `calls` as in `Passed`."""

    answer: Answer
    calls: tuple[int, ...] = ()


Outcome = Passed | Said | Deny


class Job(msgspec.Struct, frozen=True):
    """One allowed call on its way: the decision, its judge, the request and its path below the base path."""

    allow: Allow
    judge: Judge
    request: Request
    path: str
    shows_sql: bool


class Narrow:
    """Carries out allowed calls. One for the whole gateway; what it remembers are facts, never verdicts."""

    def __init__(
        self,
        upstream: Upstream,
        facts: CallFacts,
        sensors: Sensors,
        judges: Judges,
        bounds: Bounds,
        now: Callable[[], datetime],
        moved: Callable[[str, str], str],
    ) -> None:
        """`moved`: a redirect's target and the path asked for, to the same place as seen from outside."""
        self._upstream = upstream
        self._facts = facts
        self._selectors = Selectors(upstream, facts)
        self.sensors = sensors
        self.judges = judges
        self._bounds = bounds
        self._now = now
        self._moved = moved

    async def run(self, allow: Allow, claims: Claims, request: Request, path: str) -> Outcome:
        """Raises `UpstreamError`. A refusal here is about what the call asks for: dates, an object."""
        judge = self.judges.of(claims, allow.grants)
        shows_sql = any("can_show_sql_query" in claims.grants[at].flags for at in allow.grants)
        job = Job(allow, judge, request, path, shows_sql)
        if allow.entry.select is not None:
            return await self._selected(job, allow.entry.select)
        if allow.entry.object:
            return await self._object(job)
        if allow.entry.rows is not None:
            return await self._rows(job, allow.entry.rows)
        return await self._plain(job, allow.limits, ())

    async def _object(self, job: Job) -> Outcome:
        """A call by its id: what the user may not see does not exist."""
        call_id = int(job.allow.fields[job.allow.entry.object["cdr"]])
        facts = await self._facts.of(call_id)
        limits = None if facts is None else job.judge.limits(facts)
        if limits is None:
            return Deny(Reason.NOT_FOUND, 404, f"cdr id {call_id} does not exist", job.allow.entry.name)
        return await self._plain(job, limits, (call_id,))

    async def _selected(self, job: Job, what: str) -> Outcome:
        """Calls by selectors: resolved to those that exist for the user, then fetched by id."""
        legs: dict[int, Leg] = {}
        for element in job.allow.elements:
            picked = await self._selectors.pick(element, job.judge)
            if not picked:
                named = element.get("cdrId")
                text = f"cdr id {named} does not exist" if named else "no match cdr"
                return Deny(Reason.NOT_FOUND, 404, text, job.allow.entry.name)
            legs.update((leg.id, leg) for leg in picked)
        wish = Wish.of(what, job.allow.elements[0])
        reply = await fetch(self._upstream, tuple(legs.values()), wish, job.allow.entry.types)
        if reply is None:
            return _no_file(job, next(iter(legs)))
        return Passed(reply, tuple(legs))

    async def _plain(self, job: Job, limits: frozenset[str], calls: tuple[int, ...]) -> Outcome:
        sent = rewrite.fields(job.allow, limits)
        reply = await self._upstream.send(rewrite.call(job.allow, job.request, job.path, sent))
        handed_on = False
        try:
            if refusal := _unfit(job.allow, reply):
                return refusal
            if reply.status in _MOVED:
                target = self._moved(reply.location or "", job.path)
                return Said(Answer(reply.status, headers=(("location", target),)), calls)
            held = job.allow.entry.object and job.allow.entry.reply == "stream"
            if held and not await has_file(reply, job.allow.entry.types):
                return _no_file(job, calls[0])
            if job.allow.entry.reply != "json":
                handed_on = True
                return Passed(reply, calls)
            body = document.extract(await reply.read(self._bounds.max_reply))
        finally:
            if not handed_on:
                await reply.close()
        return Said(Answer(200, body if job.shows_sql else strip(body)), calls)

    async def _rows(self, job: Job, spec: Rows) -> Outcome:
        sent = rewrite.fields(job.allow, job.allow.limits)
        call = rewrite.call(job.allow, job.request, job.path, sent)
        source = UpstreamSource(self._upstream, call, self._facts, self._bounds.max_reply)
        if job.judge.unscoped and not (spec.simple and job.judge.any_limited("simple_cdr")):
            body = document.extract(await source.fetch(sent))
            Reader(spec).page(body)
            return Said(Answer(200, body if job.shows_sql else strip(body)))
        if spec.pages == "start":
            return await self._listing(job, spec, source, sent)
        if spec.pages == "id":
            return await self._walked(job, spec, source, sent)
        return await self._once(job, spec, source, sent)

    async def _once(self, job: Job, spec: Rows, source: UpstreamSource, sent: Mapping[str, str]) -> Outcome:
        page = Reader(spec).page(await source.fetch(sent))
        if spec.judge == "sensor":
            seen = [row for row in page.rows if isinstance(n := row.facts.sensor, int) and job.judge.shows_sensor(n)]
            return Said(_listed(spec, [bytes(row.raw) for row in seen], len(seen)))
        sieve = Sieve(spec, job.judge, source)
        lists = [[sieve.write(*kept) for kept in await sieve.keep(rows)] for rows in page.groups()]
        rows = [row for group in lists for row in group]
        if page.nested is None or not rows:
            return Said(_listed(spec, rows, len(rows)))
        return Said(Answer(200, _array(_array(group) for group in lists)))

    async def _walked(self, job: Job, spec: Rows, source: UpstreamSource, sent: Mapping[str, str]) -> Outcome:
        rows: list[bytes] = []
        name = job.allow.entry.json_field or ""
        try:
            for element in job.allow.elements:
                rows += await walk(spec, job.judge, source, sent, name, element, self._bounds.scan_seconds)
        except TimeoutError:
            return _too_long(job)
        return Said(_listed(spec, rows, len(rows)))

    async def _listing(self, job: Job, spec: Rows, source: UpstreamSource, sent: Mapping[str, str]) -> Outcome:
        ids = {} if job.judge.sensors is None else await self.sensors.ids()
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
        if whole and (found := await _exact(listing, sent, window, counting)) is not None:
            return Said(_counted(spec, found, counting))
        if problem := too_wide(sent, self._now(), self._bounds.scan_days):
            return Deny(Reason.SCAN_TOO_WIDE, 400, problem, job.allow.entry.name)
        try:
            found = await listing.scan(sent, None if counting else window, self._bounds.scan_seconds)
        except TimeoutError:
            return _too_long(job)
        return Said(_counted(spec, found, counting))


async def _exact(listing: Listing, sent: Mapping[str, str], window: Window, counting: bool) -> Found | None:
    if not counting:
        return await listing.page(sent, window)
    total = await listing.count(sent)
    return None if total is None else Found([], total)


def _too_long(job: Job) -> Deny:
    return Deny(Reason.SCAN_TIMEOUT, 504, "counting took too long; ask for fewer days", job.allow.entry.name)


def _no_file(job: Job, call_id: int) -> Deny:
    """A call that the user sees, without the file that he asks for."""
    return Deny(Reason.NO_FILE, 404, f"cdr id {call_id} has no such file", job.allow.entry.name)


def _unfit(allow: Allow, reply: Reply) -> Deny | None:
    """Replies that are not what the entry promises are never passed on."""
    entry, status = allow.entry, reply.status
    if status == 404 and not entry.object:
        return Deny(Reason.NOT_FOUND, 404, "there is no such page or file", entry.name)
    redirect = entry.reply == "page" and status in _MOVED
    if entry.object and entry.reply == "stream":
        return None  # judged with what upstream says about the file
    if status not in (_STREAM_STATUS if entry.reply == "stream" else {200}) and not redirect:
        raise UpstreamError(Reason.UPSTREAM_STATUS, f"answered with {status}")
    kind = next((value for name, value in reply.headers if name == "content-type"), "").partition(";")[0]
    if entry.types and status in {200, 206} and kind.strip().lower() not in entry.types:
        raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"answered with {kind or 'no type'}, not {entry.types[0]}")
    return None


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
