"""One pass over all that upstream lists, for the rows that one user sees: a page of them, and how many there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import msgspec

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow.rows import Reader
from authgw.narrow.sieve import Sieve
from authgw.narrow.source import Source
from authgw.reasons import Reason

# Rows that are asked for at once, fewer where so many are more bytes than these.
CHUNK = 1000
PAGE = 8 << 20
DEFAULT_LIMIT = 30


class Window(msgspec.Struct, frozen=True):
    """The page a user asked for: `start` rows are skipped. `start` wins over `page`, which counts from 1."""

    start: int
    limit: int

    @staticmethod
    def of(fields: Mapping[str, str]) -> Window:
        limit = int(fields.get("limit", DEFAULT_LIMIT))
        page = max(int(fields.get("page", 1)), 1)
        return Window(int(fields.get("start", (page - 1) * limit)), limit)


class Scan:
    """Made for one request. `count`: rows seen so far that are the user's; `passed`: rows that upstream gave.

    `sent`: the fields upstream gets, with an order that is stable. `window`: which of the user's rows are wanted; None:
    none of them, only their number. `seconds`: how long upstream may take for all of it; a client that is slow to take
    the rows does not count. `trusts_total`: what is sent is the whole of the user's scope, so that upstream's own total
    is his while every row of the pages is.
    """

    def __init__(
        self,
        reader: Reader,
        sieve: Sieve,
        source: Source,
        sent: Mapping[str, str],
        window: Window | None,
        seconds: float,
        trusts_total: bool,
    ) -> None:
        self._trusts_total = trusts_total
        self._reader, self._sieve, self._source = reader, sieve, source
        self._sent, self._left = sent, seconds
        self._first = window.start if window else 0
        self._last = window.start + window.limit if window else 0
        self.count = self.passed = 0
        self._chunk = CHUNK

    async def parts(self) -> AsyncIterator[list[bytes]]:
        """The rows of the window as they go out, some at a time. `TimeoutError`: it takes too long."""
        before: set[int | None] = set()
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            async with asyncio.timeout(self._left):
                page = self._reader.page(await self._page())
                # Calls that are recorded while we scan push rows over the edge of a chunk: those came before.
                fresh = [row for row in page.rows if row.id is None or row.id not in before] if before else page.rows
                kept = await self._sieve.keep(fresh)
            self._left -= loop.time() - began
            wanted = kept[max(self._first - self.count, 0) : max(self._last - self.count, 0)]
            self.count += len(kept)
            self.passed += len(page.rows)
            if wanted:
                yield self._sieve.write(wanted)
            if not fresh or (page.total is not None and self.passed >= page.total):
                return
            if self._trusts_total and page.total is not None and self.passed == self.count >= self._last:
                self.count = page.total
                return
            before = {row.id for row in page.rows}

    async def _page(self) -> bytes:
        """Some more of what upstream lists."""
        while True:
            asked = {**self._sent, "start": str(self.passed), "limit": str(self._chunk)}
            try:
                return await self._source.fetch(asked, PAGE)
            except UpstreamError as error:
                if error.reason is not Reason.UPSTREAM_TOO_LARGE or self._chunk == 1:
                    raise
            self._chunk = max(1, self._chunk // 8)


class Scanned:
    """A reply (see `authgw.upstream.api.Reply`) that is scanned while it goes out, so that however long a page is asked
    for, no more than a part of it is held. The total is told behind the rows: only then it is known. `first` are the
    rows that came already, `parts` those to come."""

    status = 200
    headers = (("content-type", "application/json"),)
    location = None

    def __init__(
        self,
        spec: Rows,
        scan: Scan,
        first: list[bytes],
        parts: AsyncIterator[list[bytes]],
        cleaned: Callable[[bytes], bytes],
    ) -> None:
        self._spec, self._scan, self._first, self._parts, self._cleaned = spec, scan, first, parts, cleaned

    async def read(self, limit: int) -> bytes:
        raise RuntimeError("a reply that is too large to be read whole")

    async def stream(self) -> AsyncIterator[bytes]:
        yield b'{"success":true,%s:[%b' % (msgspec.json.encode(self._spec.at), self._written(self._first))
        self._first = []
        try:
            async for rows in self._parts:
                yield b"," + self._written(rows)
        except TimeoutError:
            raise UpstreamError(Reason.SCAN_TIMEOUT, "counting took too long") from None
        yield b'],%s:"%d"}' % (msgspec.json.encode(self._spec.total), self._scan.count)

    async def close(self) -> None:
        """Nothing is held between two parts."""

    def _written(self, rows: list[bytes]) -> bytes:
        return self._cleaned(b"[%b]" % b",".join(rows))[1:-1]
