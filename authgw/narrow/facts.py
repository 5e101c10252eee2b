"""Facts about calls by id, asked with the service account: never verdicts, so that users may share them.

Facts and misses are cached alike for a short while, so that the second question tells nothing either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow.rows import Reader
from authgw.narrow.scope import Facts
from authgw.reasons import Reason
from authgw.upstream.api import Call, Upstream

TTL = 10.0
MAX_CACHED = 20_000
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


class CallFacts:
    """Looks calls up by id; concurrent questions for one id are one question upstream."""

    def __init__(self, upstream: Upstream, clock: Callable[[], float], ttl: float = TTL) -> None:
        self._upstream = upstream
        self._clock = clock
        self._ttl = ttl
        self._known: dict[int, tuple[float, Facts | None]] = {}
        self._asked: dict[int, asyncio.Task[Facts | None]] = {}
        self._reader = Reader(SINGLE_ROW)

    async def of(self, call_id: int) -> Facts | None:
        """The facts of a call, or None if there is none of that id. Raises `UpstreamError`."""
        kept = self._known.get(call_id)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        task = self._asked.get(call_id)
        if task is None:
            task = asyncio.ensure_future(self._ask(call_id))
            self._asked[call_id] = task
            task.add_done_callback(lambda done: self._answered(call_id, done))
        # Shielded: one client that leaves must not take the answer from the others.
        return await asyncio.shield(task)

    async def many(self, call_ids: Iterable[int]) -> dict[int, Facts | None]:
        """The same for many ids, in parallel."""
        wanted = iter(dict.fromkeys(call_ids))
        found: dict[int, Facts | None] = {}

        async def work() -> None:
            for call_id in wanted:
                found[call_id] = await self.of(call_id)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(WIDTH):
                    group.create_task(work())
        except* UpstreamError as failures:
            # One look-up that failed fails them all: a row that cannot be judged is not shown.
            first = failures.exceptions[0]
        else:
            return found
        raise first

    def forget(self, call_ids: Iterable[int]) -> None:
        """What was known of calls that have just been changed."""
        for call_id in call_ids:
            self._known.pop(call_id, None)

    def _answered(self, call_id: int, done: asyncio.Task[Facts | None]) -> None:
        self._asked.pop(call_id, None)
        if not done.cancelled():
            done.exception()  # seen, even if everybody who asked has left

    async def _ask(self, call_id: int) -> Facts | None:
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
        facts = page.rows[0].facts if page.rows else None
        self._keep(call_id, facts)
        return facts

    def _keep(self, call_id: int, facts: Facts | None) -> None:
        self._known.pop(call_id, None)
        self._known[call_id] = (self._clock() + self._ttl, facts)
        while len(self._known) > MAX_CACHED:
            del self._known[next(iter(self._known))]
