"""Part of the facts of many calls by one question: a list of the time in which they were made.

Where the teller answers about one id at a time, a list of calls that lie close together is asked for whole. Its rows
carry neither vlan nor headers, so they may decide less than a look-up; and it may be of no use, so it is never relied
on: what it leaves open, or fails to tell, is looked up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from authgw.errors import UpstreamError
from authgw.narrow.facts_teller import MAX_CACHED, TTL, Teller
from authgw.narrow.scope import Facts

# Fewer calls are looked up one by one. A longer time may hold any number of calls that nobody asked about.
LEAST = 8
LONGEST = timedelta(days=1)
# Rows of such a list for each call that is asked about: where others are in the majority, it is of no use.
ROWS_EACH = 3

Asked = asyncio.Task[Mapping[int, Facts]]


class Outlines:
    """What lists told of calls, shared by all users and remembered as long as facts."""

    def __init__(self, teller: Teller, clock: Callable[[], float], ttl: float = TTL) -> None:
        self._teller, self._clock, self._ttl = teller, clock, ttl
        self._known: dict[int, tuple[float, Facts]] = {}
        self._asked: dict[tuple[datetime, datetime], Asked] = {}

    async def of(self, began: Mapping[int, datetime]) -> Mapping[int, Facts]:
        """What is known of some of these calls; `began`: when each of them did."""
        now = self._clock()
        found = {at: kept[1] for at in began if (kept := self._known.get(at)) is not None and kept[0] > now}
        missing = [began[call_id] for call_id in began if call_id not in found]
        if self._teller.batch > 1 or len(missing) < LEAST or max(missing) - min(missing) > LONGEST:
            return found
        window = (min(missing), max(missing))
        task = self._asked.get(window)
        if task is None:
            task = self._asked[window] = asyncio.ensure_future(self._ask(window, ROWS_EACH * len(missing)))
            task.add_done_callback(lambda _: self._asked.pop(window, None))
        # Shielded: one client that leaves must not take the answer from the others.
        told = await asyncio.shield(task)
        return found | {call_id: told[call_id] for call_id in began if call_id in told}

    def forget(self, call_id: int) -> None:
        self._known.pop(call_id, None)

    async def _ask(self, window: tuple[datetime, datetime], rows: int) -> Mapping[int, Facts]:
        try:
            told = await self._teller.between(*window, rows)
        except UpstreamError:
            # It would only have saved questions: those say what is wrong.
            return {}
        until = self._clock() + self._ttl
        for call_id, facts in told.items():
            self._known.pop(call_id, None)
            self._known[call_id] = (until, facts)
        while len(self._known) > MAX_CACHED:
            del self._known[next(iter(self._known))]
        return told
