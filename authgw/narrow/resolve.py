"""Selectors of api.php (id, Call-ID, custom header) resolved to the calls that the user may see.

What is selected is then fetched or shared by id: upstream's own selecting would bring legs from outside the scope.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from authgw.errors import UpstreamError
from authgw.narrow import document
from authgw.narrow.facts import CallFacts
from authgw.narrow.judge import Judge
from authgw.narrow.rows import number
from authgw.policy.decision import Element
from authgw.policy.kinds import moment, scalar
from authgw.reasons import Reason
from authgw.upstream.api import Call, Upstream

SQL = "/php/model/sql.php"
API = "/php/api.php"
# Before every call: the product wants a date, a Call-ID is looked for over all of them.
EVER = "1970-01-01T00:00:00"
# Legs of one Call-ID, or calls with one header on one day, that are looked at.
MAX_LEGS = 1000
MAX_REPLY = 16 << 20


class Leg(msgspec.Struct, frozen=True):
    """One visible call that was selected, and the content limits under which the user sees it."""

    id: int
    limits: frozenset[str]


class _Row(msgspec.Struct, frozen=True):
    """A call that matches a selector, visible or not."""

    id: int
    call_id: str
    began: datetime


class Selectors:
    """Asks with the service account; the answers are calls, which are judged one by one."""

    def __init__(self, upstream: Upstream, facts: CallFacts) -> None:
        self._upstream = upstream
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
        legs = [(row, leg) for row in rows if (leg := await self._visible(row.id, judge)) is not None]
        if not legs:
            return []
        if interval:
            return [legs[0][1], *await self._near(legs[0][0], interval, judge)]
        return [leg for _, leg in (legs if all_legs else legs[:1])]

    async def _by_id(self, call_id: int, interval: int, judge: Judge) -> list[Leg]:
        leg = await self._visible(call_id, judge)
        if leg is None or not interval:
            return [] if leg is None else [leg]
        own = await self._listed({"task": "SINGLEROW", "module": "CDR", "ID": str(call_id)})
        if len(own) != 1:
            return [leg]
        return [leg, *await self._near(own[0], interval, judge)]

    async def _near(self, first: _Row, seconds: int, judge: Judge) -> list[Leg]:
        """The other visible legs of a call's Call-ID that began within so many seconds of it."""
        if not first.call_id:
            return []
        rows = [row for row in await self._legs(first.call_id) if row.id != first.id]
        near = [row for row in rows if _within(row.began, first.began, seconds)]
        return [leg for row in near if (leg := await self._visible(row.id, judge)) is not None]

    async def _visible(self, call_id: int, judge: Judge) -> Leg | None:
        facts = await self._facts.of(call_id)
        limits = None if facts is None else judge.limits(facts)
        return None if limits is None else Leg(call_id, limits)

    async def _legs(self, call_id: str) -> list[_Row]:
        """Calls of exactly that Call-ID; the filter takes `%` and `_` in it for wildcards and gives more."""
        fields = {"task": "LISTING", "module": "CDR", "fdatefrom": EVER, "fcallid": call_id, "limit": str(MAX_LEGS)}
        return [row for row in await self._listed(fields) if row.call_id == call_id]

    async def _with_header(self, element: Element) -> list[_Row]:
        """Calls of that day whose captured header has exactly that value; a time of day counts from there on."""
        name, value = scalar(element["customHeader"]) or "", scalar(element["customHeaderValue"]) or ""
        since = moment(str(element["calldate"])) or datetime.max
        until = since.replace(hour=23, minute=59, second=59)
        asked = {name: value, "startTime": since.isoformat(" "), "startTimeTo": until.isoformat(" ")}
        body = await self._ask(API, {"task": "getVoipCalls", "params": msgspec.json.encode(asked).decode()}, api=True)
        rows = [] if body[:1] == b"{" else _rows(msgspec.json.decode(body), "cdrId", "callId")
        found = []
        for row in rows[:MAX_LEGS]:
            facts = await self._facts.of(row.id)
            headers = facts.headers if facts is not None else {}
            if isinstance(headers, dict) and headers.get(name.lower()) == value:
                found.append(row)
        return found

    async def _listed(self, fields: Mapping[str, str]) -> list[_Row]:
        body = msgspec.json.decode(await self._ask(SQL, fields, api=False))
        return _rows(body.get("results") if isinstance(body, dict) else None, "ID", "fbasename")

    async def _ask(self, path: str, fields: Mapping[str, str], *, api: bool) -> bytes:
        reply = await self._upstream.send(Call("POST", path, tuple(fields.items()), credentials=api, decode=True))
        try:
            if reply.status != 200:
                raise UpstreamError(Reason.UPSTREAM_STATUS, f"a look-up was answered with {reply.status}")
            return document.extract(await reply.read(MAX_REPLY))
        finally:
            await reply.close()


def _rows(rows: Any, id_name: str, call_id_name: str) -> list[_Row]:
    """In the order of time and id. A row that cannot be read is no answer to go by."""
    if not isinstance(rows, list):
        raise UpstreamError(Reason.UPSTREAM_MALFORMED, "a look-up gave no rows")
    found = []
    for row in rows:
        call_id = number(row.get(id_name)) if isinstance(row, dict) else None
        began = _moment(row.get("calldate")) if isinstance(row, dict) else None
        if not isinstance(call_id, int) or began is None:
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, "a look-up gave a row without id or date")
        found.append(_Row(call_id, str(row.get(call_id_name) or ""), began))
    return sorted(found, key=lambda row: (row.began, row.id))


def _nobodys(element: Element) -> int:
    """An id that no call will ever have, the same for the same element: nothing found takes a look-up as well, so that
    it takes as long as a call that the user may not see."""
    digest = hashlib.sha256(msgspec.json.encode(element, order="sorted")).digest()
    return int.from_bytes(digest[:7], "big") | 1 << 60


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None) if isinstance(value, str) else None
    except ValueError:
        return None


def _within(moment: datetime, other: datetime, seconds: int) -> bool:
    return abs(moment - other) <= timedelta(seconds=seconds)
