"""The GUI as teller of facts: a call by its id, asked with the service account."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow.rows import Reader
from authgw.narrow.scope import Facts
from authgw.reasons import Reason
from authgw.upstream.api import Call, Upstream

MAX_REPLY = 1 << 20
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

    async def close(self) -> None:
        """The upstream is closed by whoever made it."""

    async def _one(self, call_id: int) -> Facts | None:
        fields = (("task", "SINGLEROW"), ("module", "CDR"), ("ID", str(call_id)))
        reply = await self._upstream.send(Call("POST", "/php/model/sql.php", fields, decode=True))
        try:
            if reply.status != 200:
                raise UpstreamError(Reason.UPSTREAM_STATUS, f"a look-up was answered with {reply.status}")
            page = self._reader.page(await reply.read(MAX_REPLY))
        finally:
            await reply.close()
        if len(page.rows) > 1 or (page.rows and page.rows[0].id != call_id):
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"the look-up of call {call_id} gave another call")
        return page.rows[0].facts if page.rows else None
