"""Lists that are walked by id: the caller gets as many of *his* rows as he asked for, where that many exist."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow.judge import Judge
from authgw.narrow.rows import Reader
from authgw.narrow.sieve import Sieve
from authgw.narrow.source import Source
from authgw.policy.decision import Element
from authgw.reasons import Reason

MIN_CHUNK = 200
MAX_CHUNK = 5000


async def walk(
    spec: Rows, judge: Judge, source: Source, sent: Mapping[str, str], name: str, element: Element, seconds: float
) -> list[bytes]:
    """The first `size` visible rows from the id `offset` on. `name`: the field that holds the JSON element.

    Raises `TimeoutError` when it takes longer than `seconds`.
    """
    reader, sieve = Reader(spec, judge.needs), Sieve(spec, judge, source)
    wanted, offset, last = int(element["size"]), element["offset"], -1
    chunk = min(max(2 * wanted, MIN_CHUNK), MAX_CHUNK)
    found: list[bytes] = []
    async with asyncio.timeout(seconds):
        while True:
            asked = {**element, "offset": offset, "size": chunk}
            page = reader.page(await source.fetch({**sent, name: msgspec.json.encode(asked).decode()}))
            # The last id is asked for again: whether `offset` itself is included, nothing is lost or doubled.
            fresh = [row for row in page.rows if row.id is not None and row.id > last]
            ids = [row.id for row in fresh if row.id is not None]
            if ids != sorted(ids) or any(row.id is None for row in page.rows):
                raise UpstreamError(Reason.UPSTREAM_MALFORMED, "rows do not come in the order of their ids")
            found += sieve.write((await sieve.keep(fresh))[: wanted - len(found)])
            if len(found) == wanted:
                return found
            if not ids:
                return found
            offset = last = ids[-1]
