"""The GUI as teller of facts: a call by its id, asked with the service account."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow import document
from authgw.narrow.facts_teller import MAX_FOUND, Found
from authgw.narrow.rows import Reader, moment, number
from authgw.narrow.scope import Facts
from authgw.reasons import Reason
from authgw.upstream.api import Call, Upstream

SQL = "/php/model/sql.php"
API = "/php/api.php"
# Before every call: the product wants a date, a Call-ID is looked for over all of them.
EVER = "1970-01-01T00:00:00"
MAX_REPLY = 1 << 20
MAX_FOUND_REPLY = 16 << 20
# How many look-ups one request has under way at once; the pool of service sessions bounds them again.
WIDTH = 32

SINGLE_ROW = Rows(
    at="results",
    total="total",
    id="ID",
    sensor="id_sensor",
    number=("caller", "called"),
    ip=("sipcallerip", "sipcalledip"),
    domain=("caller_domain", "called_domain"),
    vlan="vlan",
    connected="connect_duration",
    headers="custom_header__",
)


class GuiFacts:
    """Implements `authgw.narrow.facts.Teller`. The GUI answers about one id at a time."""

    name = "the GUI"
    batch = 1
    width = WIDTH

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._reader = Reader(SINGLE_ROW)
        # A list carries neither: what it does not say of a call is unknown, not absent.
        self._lists = Reader(SINGLE_ROW.model_copy(update={"vlan": None, "headers": None}))

    async def tell(self, call_ids: Sequence[int]) -> Mapping[int, Facts | None]:
        if len(call_ids) == 1:
            return {call_ids[0]: await self._one(call_ids[0])}
        found: dict[int, Facts | None] = {}
        wanted = iter(call_ids)

        async def work() -> None:
            for call_id in wanted:
                found[call_id] = await self._one(call_id)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(WIDTH, len(call_ids))):
                    group.create_task(work())
        except* UpstreamError as failures:
            first = failures.exceptions[0]
        else:
            return found
        raise first

    async def one(self, call_id: int) -> Found | None:
        rows = await self._listed({"task": "SINGLEROW", "module": "CDR", "ID": str(call_id)})
        return rows[0] if len(rows) == 1 else None

    async def with_call_id(self, call_id: str) -> Sequence[Found]:
        """The filter takes `%` and `_` in it for wildcards and gives more."""
        fields = {"task": "LISTING", "module": "CDR", "fdatefrom": EVER, "fcallid": call_id, "limit": str(MAX_FOUND)}
        return await self._listed(fields)

    async def with_header(self, name: str, value: str, since: datetime) -> Sequence[Found]:
        until = since.replace(hour=23, minute=59, second=59)
        asked = {name: value, "startTime": since.isoformat(" "), "startTimeTo": until.isoformat(" ")}
        fields = {"task": "getVoipCalls", "params": msgspec.json.encode(asked).decode()}
        body = document.extract(await self._asked(API, fields, MAX_FOUND_REPLY))
        rows = [] if body[:1] == b"{" else _found(msgspec.json.decode(body), "cdrId", "callId")
        return rows[:MAX_FOUND]

    async def between(self, since: datetime, until: datetime, rows: int) -> Mapping[int, Facts]:
        fields = {
            "task": "LISTING",
            "module": "CDR",
            "fdatefrom": since.replace(microsecond=0).isoformat(),
            "fdateto": (until.replace(microsecond=0) + timedelta(seconds=1)).isoformat(),
            "start": "0",
            "limit": str(rows),
        }
        page = self._lists.page(await self._asked(SQL, fields, MAX_FOUND_REPLY))
        return {row.id: row.facts for row in page.rows if row.id is not None}

    async def close(self) -> None:
        """The upstream is closed by whoever made it."""

    async def _one(self, call_id: int) -> Facts | None:
        fields = {"task": "SINGLEROW", "module": "CDR", "ID": str(call_id)}
        page = self._reader.page(await self._asked(SQL, fields, MAX_REPLY))
        if len(page.rows) > 1 or (page.rows and page.rows[0].id != call_id):
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"the look-up of call {call_id} gave another call")
        return page.rows[0].facts if page.rows else None

    async def _listed(self, fields: Mapping[str, str]) -> list[Found]:
        body = msgspec.json.decode(document.extract(await self._asked(SQL, fields, MAX_FOUND_REPLY)))
        return _found(body.get("results") if isinstance(body, dict) else None, "ID", "fbasename")

    async def _asked(self, path: str, fields: Mapping[str, str], limit: int) -> bytes:
        call = Call("POST", path, tuple(fields.items()), credentials=path == API, decode=True)
        reply = await self._upstream.send(call)
        try:
            if reply.status != 200:
                raise UpstreamError(Reason.UPSTREAM_STATUS, f"a look-up was answered with {reply.status}")
            return await reply.read(limit)
        finally:
            await reply.close()


def _found(rows: Any, id_name: str, call_id_name: str) -> list[Found]:
    """In the order of time and id. A row that cannot be read is no answer to go by."""
    if not isinstance(rows, list):
        raise UpstreamError(Reason.UPSTREAM_MALFORMED, "a look-up gave no rows")
    found = []
    for row in rows:
        call_id = number(row.get(id_name)) if isinstance(row, dict) else None
        began = moment(row.get("calldate")) if isinstance(row, dict) else None
        if not isinstance(call_id, int) or began is None:
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, "a look-up gave a row without id or date")
        found.append(Found(call_id, str(row.get(call_id_name) or ""), began))
    return sorted(found, key=lambda row: (row.began, row.id))
