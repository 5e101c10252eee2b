"""Selectors of api.php (id, Call-ID, custom header) resolved to the calls that the user may see.

What is selected is then fetched or shared by id: upstream's own selecting would bring legs from outside the scope.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from authgw.narrow.facts import CallFacts
from authgw.narrow.facts_teller import Found
from authgw.narrow.judge import Judge
from authgw.narrow.scope import Facts
from authgw.policy.decision import Element
from authgw.policy.kinds import moment, scalar


class Leg(msgspec.Struct, frozen=True):
    """One visible call that was selected, and the content limits under which the user sees it."""

    id: int
    limits: frozenset[str]


class Selectors:
    """What tells facts also finds calls; these are judged one by one."""

    def __init__(self, facts: CallFacts) -> None:
        self._facts = facts

    async def pick(self, element: Element, judge: Judge, *, all_legs: bool = False) -> list[Leg]:
        """The visible calls, by time and id. With `cidInterval` the legs of that Call-ID within so many seconds of the
        first; `all_legs`: every leg where no interval is given, else the first call alone."""
        interval = int(scalar(element.get("cidInterval")) or 0)
        if element.get("cdrId"):
            return await self._by_id(int(element["cdrId"]), interval, judge)
        if element.get("callId") not in (None, ""):
            rows = await self._legs(scalar(element["callId"]) or "")
        else:
            rows = await self._with_header(element)
        if not rows:
            await self._facts.of(_nobodys(element))
        legs = await self._visible([row.id for row in rows], judge)
        if legs and interval:
            first = next(row for row in rows if row.id == legs[0].id)
            return [legs[0], *await self._near(first, interval, judge)]
        return legs if all_legs else legs[:1]

    async def _by_id(self, call_id: int, interval: int, judge: Judge) -> list[Leg]:
        legs = await self._visible([call_id], judge)
        if not legs or not interval or (own := await self._facts.teller.one(call_id)) is None:
            return legs
        return [*legs, *await self._near(own, interval, judge)]

    async def _near(self, first: Found, seconds: int, judge: Judge) -> list[Leg]:
        """The other visible legs of a call's Call-ID that began within so many seconds of it."""
        if not first.call_id:
            return []
        rows = [row for row in await self._legs(first.call_id) if row.id != first.id]
        near = [row for row in rows if _within(row.began, first.began, seconds)]
        return await self._visible([row.id for row in near], judge)

    async def _visible(self, call_ids: Sequence[int], judge: Judge) -> list[Leg]:
        """Those that the user sees, in their order."""
        known = await self._facts.many(call_ids)
        legs = []
        for call_id in call_ids:
            facts = known[call_id]
            limits = None if facts is None else judge.limits(facts)
            if limits is not None:
                legs.append(Leg(call_id, limits))
        return legs

    async def _legs(self, call_id: str) -> list[Found]:
        """Calls of exactly that Call-ID."""
        return [row for row in await self._facts.teller.with_call_id(call_id) if row.call_id == call_id]

    async def _with_header(self, element: Element) -> list[Found]:
        """Calls of that day whose captured header has exactly that value; a time of day counts from there on."""
        name, value = scalar(element["customHeader"]) or "", scalar(element["customHeaderValue"]) or ""
        since = moment(str(element["calldate"])) or datetime.max
        rows = await self._facts.teller.with_header(name, value, since)
        known = await self._facts.many([row.id for row in rows])
        return [row for row in rows if _header(known[row.id], name) == value]


def _header(facts: Facts | None, name: str) -> str | None:
    headers = facts.headers if facts is not None else None
    return headers.get(name.lower()) if isinstance(headers, dict) else None


def _nobodys(element: Element) -> int:
    """An id that no call will ever have, the same for the same element: nothing found takes a look-up as well, so that
    it takes as long as a call that the user may not see."""
    digest = hashlib.sha256(msgspec.json.encode(element, order="sorted")).digest()
    return int.from_bytes(digest[:7], "big") | 1 << 60


def _within(moment: datetime, other: datetime, seconds: int) -> bool:
    return abs(moment - other) <= timedelta(seconds=seconds)
