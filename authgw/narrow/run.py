"""How much of an allowed call: scope put into the request, rows and objects taken out of the reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from authgw.answer import Answer
from authgw.errors import UpstreamError
from authgw.intake.request import Request
from authgw.narrow import document, rewrite
from authgw.narrow.active import is_visible
from authgw.narrow.facts import CallFacts
from authgw.narrow.fetch import Wish, fetch, has_file, on
from authgw.narrow.job import Bounds, Job, Outcome, Passed, Said
from authgw.narrow.judge import REASON, Judges
from authgw.narrow.lists import Lists
from authgw.narrow.mask import NOTHING, Masks
from authgw.narrow.offered import Offered
from authgw.narrow.resolve import Leg, Selectors
from authgw.narrow.sensors import Sensors
from authgw.narrow.share import LOGIN, PUBLIC, rewrite_links, share_call
from authgw.narrow.strip import strip
from authgw.policy.decision import Allow, Deny, Element
from authgw.policy.kinds import ids, scalar
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.upstream.api import Reply, Upstream, kind_of

_MOVED = frozenset({301, 302, 303, 307, 308})
_STREAM_STATUS = frozenset({200, 206, 304, 416})


class Outside(msgspec.Struct, frozen=True):
    """How the GUI is called from outside. `moved`: a redirect's target and the path asked for, to the same place
    there; raises `UpstreamError` for any other."""

    base_path: str
    public_url: str
    moved: Callable[[str, str], str]


class Keeper(Protocol):
    """Remembers share links that are issued."""

    async def keep(
        self,
        path: str,
        fields: Mapping[str, str],
        calls: Sequence[int],
        claims: Claims,
        *,
        public: bool,
        rtp: bool,
        history: bool,
    ) -> None: ...


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
        outside: Outside,
        links: Keeper,
    ) -> None:
        self._upstream = upstream
        self._facts = facts
        self._selectors = Selectors(facts)
        self.sensors = sensors
        self.judges = judges
        self._bounds = bounds
        self._lists = Lists(upstream, facts, sensors, bounds, now)
        self._outside = outside
        self._links = links

    async def run(
        self,
        allow: Allow,
        claims: Claims,
        request: Request,
        path: str,
        *,
        reason: str = "",
        calls: tuple[int, ...] = (),
    ) -> Outcome:
        """Raises `UpstreamError`. A refusal here is about what the call asks for: dates, an object.

        `reason`: what the user said beforehand why he downloads. `calls`: what a share link is known to show.
        """
        judge = self.judges.of(claims, allow.grants)
        masks = NOTHING
        if allow.entry.mask or allow.entry.mask_urls:
            masks = Masks.of(allow.entry, [claims.grants[at] for at in allow.grants])
        said = reason or allow.fields.get("auditReason", "")
        job = Job(allow, claims, judge, request, path, judge.shows_sql, masks, said)
        if allow.entry.select == "share":
            return await self._share_selected(job)
        if allow.entry.select is not None:
            return await self._selected(job, allow.entry.select)
        if allow.entry.object:
            return await self._object(job)
        if allow.entry.objects:
            return await self._objects(job, allow.entry.objects["cdr"])
        if allow.entry.active:
            return await self._active(job)
        if allow.entry.rows is not None:
            return await self._lists.answer(job, allow.entry.rows)
        return await self._plain(job, allow.limits, calls)

    async def _object(self, job: Job) -> Outcome:
        """A call by its id: what the user may not see does not exist."""
        call_id = int(job.allow.fields[job.allow.entry.object["cdr"]])
        facts = await self._facts.of(call_id)
        limits = None if facts is None else job.judge.limits(facts)
        if limits is None:
            return Deny(Reason.NOT_FOUND, 404, f"cdr id {call_id} does not exist", job.allow.entry.name)
        if (demand := _demand(job, limits)) is not None:
            return demand
        return await self._plain(job, limits, (call_id,))

    async def _objects(self, job: Job, name: str) -> Outcome:
        """Calls that the elements list by id: one that does not exist for the user refuses them all."""
        wanted = [call_id for element in job.allow.elements for call_id in ids(element.get(name)) or ()]
        known = await self._facts.many(wanted)
        for call_id in wanted:
            facts = known[call_id]
            if facts is None or job.judge.limits(facts) is None:
                return Deny(Reason.NOT_FOUND, 404, f"cdr id {call_id} does not exist", job.allow.entry.name)
        outcome = await self._plain(job, job.allow.limits, tuple(wanted))
        if job.allow.entry.shares and isinstance(outcome, Said):
            kinds = {scalar(element.get("subType")) for element in job.allow.elements}
            return await self._issue(job, outcome, kinds)
        if job.allow.entry.changes:
            self._facts.forget(wanted)
        return outcome

    async def _active(self, job: Job) -> Outcome:
        for element in job.allow.elements:
            if not await is_visible(self._upstream, job.judge, element):
                text = f"call {scalar(element.get('callRef'))} does not exist"
                return Deny(Reason.NOT_FOUND, 404, text, job.allow.entry.name)
        return await self._plain(job, job.allow.limits, ())

    async def _selected(self, job: Job, what: str) -> Outcome:
        """Calls by selectors: resolved to those that exist for the user, then fetched by id."""
        legs: dict[int, Leg] = {}
        for element in job.allow.elements:
            picked = await self._selectors.pick(element, job.judge)
            if not picked:
                return _no_match(job, element)
            legs.update((leg.id, leg) for leg in picked)
        for leg in legs.values():
            if (demand := _demand(job, leg.limits)) is not None:
                return demand
        wish = Wish.of(what, job.allow.elements[0])
        reply = await fetch(self._upstream, tuple(legs.values()), wish, job.allow.entry.types)
        if reply is None:
            return _no_file(job, next(iter(legs)))
        limits = frozenset[str]().union(*(leg.limits for leg in legs.values()))
        return Passed(_offered(reply, limits, tuple(legs)), tuple(legs))

    async def _share_selected(self, job: Job) -> Outcome:
        """A public link to the selected calls; for users with row scope it is made by id, so that no leg slips in."""
        legs: list[Leg] = []
        for element in job.allow.elements:
            picked = await self._selectors.pick(element, job.judge, all_legs=True)
            if not picked:
                return _no_match(job, element)
            legs += picked
        calls = tuple(dict.fromkeys(leg.id for leg in legs))
        if job.judge.unscoped:
            outcome = await self._plain(job, job.allow.limits, calls)
        else:
            reply = await self._upstream.send(share_call(calls, job.allow.elements[0]))
            try:
                if reply.status != 200:
                    raise UpstreamError(Reason.UPSTREAM_STATUS, f"answered with {reply.status}")
                body = document.extract(await reply.read(self._bounds.max_reply))
                outcome = Said(Answer(200, body if job.shows_sql else strip(body)), calls)
            finally:
                await reply.close()
        return await self._issue(job, outcome, {PUBLIC}) if isinstance(outcome, Said) else outcome

    async def _issue(self, job: Job, said: Said, kinds: set[str | None]) -> Outcome:
        """Links to the GUI are rewritten to the gateway and remembered; those to the vendor's server stay."""
        if not kinds <= {PUBLIC, LOGIN}:
            return said
        history = any(on(element, "sip_history") for element in job.allow.elements)
        rtp = any(element.get("type2") == "rtp" or on(element, "rtp") for element in job.allow.elements)
        made = {"public": kinds == {PUBLIC}, "rtp": rtp and not history, "history": history}
        body, links = rewrite_links(said.answer.body, self._outside.base_path, self._outside.public_url)
        for link in links:
            await self._links.keep(link.path, link.fields, said.calls, job.claims, **made)
        return Said(Answer(said.answer.status, body), said.calls)

    async def limits_of(self, claims: Claims, calls: Sequence[int]) -> frozenset[str] | None:
        """The content limits that hold for some of these calls, whatever the user may do with them; None where one of
        them does not exist for him."""
        judge = self.judges.of(claims, range(len(claims.grants)))
        known = await self._facts.many(calls)
        found = [None if facts is None else judge.limits(facts) for facts in known.values()]
        limits = [each for each in found if each is not None]
        return frozenset[str]().union(*limits) if len(limits) == len(found) else None

    async def _plain(self, job: Job, limits: frozenset[str], calls: tuple[int, ...]) -> Outcome:
        sent = rewrite.fields(job.allow, limits)
        reply = await self._upstream.send(rewrite.call(job.allow, job.request, job.path, sent))
        handed_on = False
        try:
            if refusal := _unfit(job.allow, reply):
                return refusal
            if reply.status == 416:
                # Of such a reply only the length of the file is for the client.
                return Said(Answer(416, headers=tuple(h for h in reply.headers if h[0] == "content-range")), calls)
            if reply.status in _MOVED:
                target = self._outside.moved(reply.location or "", job.path)
                return Said(Answer(reply.status, headers=(("location", target),)), calls)
            held = job.allow.entry.object and job.allow.entry.reply == "stream"
            if held and not await has_file(reply, job.allow.entry.types):
                return _no_file(job, calls[0])
            if job.allow.entry.reply == "report":
                return Said(_report(job, reply, await reply.read(self._bounds.max_reply)), calls)
            if job.allow.entry.reply != "json":
                handed_on = True
                return Passed(_offered(reply, limits, calls), calls)
            body = document.extract(await reply.read(self._bounds.max_reply))
        finally:
            if not handed_on:
                await reply.close()
        return Said(Answer(200, body if job.shows_sql else strip(body)), calls)


def _report(job: Job, reply: Reply, body: bytes) -> Answer:
    """A report as JSON, or the document that upstream makes of it."""
    if body.lstrip()[:1] in {b"{", b"["} or any(on(element, "json") for element in job.allow.elements):
        body = document.extract(body)
        return Answer(200, body if job.shows_sql else strip(body))
    kept = {name: value for name, value in reply.headers if name in {"content-type", "content-disposition"}}
    kind = kept.pop("content-type", "application/octet-stream")
    return Answer(200, body, kind, tuple(kept.items()))


def _offered(reply: Reply, limits: frozenset[str], calls: tuple[int, ...]) -> Reply:
    """Under simple_cdr the name of a file must not tell what the rows do not."""
    return Offered(reply, calls[0]) if calls and "simple_cdr" in limits else reply


def _no_match(job: Job, element: Element) -> Deny:
    named = element.get("cdrId")
    text = f"cdr id {named} does not exist" if named else "no match cdr"
    return Deny(Reason.NOT_FOUND, 404, text, job.allow.entry.name)


def _demand(job: Job, limits: frozenset[str]) -> Deny | None:
    """can_audit = 1: a download needs a reason, which goes into the audit trail and not upstream."""
    if not job.allow.entry.reason or REASON not in limits or job.reason.strip():
        return None
    return Deny(Reason.REASON_DEMANDED, 403, "a reason is demanded: send auditReason", job.allow.entry.name)


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
    if not entry.types or status not in {200, 206}:
        return None
    if (kind := kind_of(reply)) not in entry.types:
        raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"answered with {kind or 'no type'}, not {entry.types[0]}")
    return None
