"""Large lists, answered while they come in. A few at a time: each holds a session of the service account for long, and
look-ups for its rows need another one."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow.flow import Filter, Filtered, head
from authgw.narrow.job import Job, Passed
from authgw.narrow.rows import Reader
from authgw.narrow.sieve import Sieve
from authgw.narrow.source import Begun, UpstreamSource
from authgw.narrow.strip import strip
from authgw.reasons import Reason
from authgw.upstream.turns import asker

_ROWS = msgspec.json.Decoder(list[Raw])


class Large:
    """`at_once`: large replies under way in this process; one more is UPSTREAM_BUSY."""

    def __init__(self, at_once: int, max_reply: int) -> None:
        self._free = at_once
        self._max_reply = max_reply

    async def whole(self, job: Job, spec: Rows, found: bytes | Begun) -> bytes | Passed:
        """A list without row scope: as it is, but for fields that this user does not see."""
        return await self._answer(job, spec, found, _all(job, spec))

    async def narrowed(self, job: Job, spec: Rows, source: UpstreamSource, found: bytes | Begun) -> bytes | Passed:
        """A bare list of calls: the rows that the user sees."""
        return await self._answer(job, spec, found, _seen(job, spec, source))

    async def _answer(self, job: Job, spec: Rows, found: bytes | Begun, keep: Filter) -> bytes | Passed:
        """A body that was small, or that has to be read whole, as it came; else the answer."""
        if isinstance(found, bytes):
            return found
        begun = head(found.start, spec.at)
        if begun is None:
            return await found.whole(self._max_reply)
        if not self._free:
            await found.reply.close()
            raise UpstreamError(Reason.UPSTREAM_BUSY, "too many large replies at once")
        self._free -= 1
        # In another name: whoever may hold one session only would wait for himself.
        asker.set(asker.get() + " looking up")
        cleaned = bytes if job.shows_sql else strip
        return Passed(Filtered(found.reply, begun, found.rest, keep, cleaned, self._done))

    def _done(self) -> None:
        self._free += 1


def _all(job: Job, spec: Rows) -> Filter:
    async def keep(document: bytes) -> list[bytes]:
        document = Reader(_bare(spec)).whole(document)
        rows = document if job.shows_sql else strip(document)
        if not job.masks.blank and not job.masks.links:
            return [rows[1:-1]]
        return [job.masks.row(row) for row in _ROWS.decode(rows)]

    return keep


def _seen(job: Job, spec: Rows, source: UpstreamSource) -> Filter:
    reader, sieve = Reader(_bare(spec), job.judge.needs), Sieve(_bare(spec), job.judge, source)

    async def keep(document: bytes) -> list[bytes]:
        rows = sieve.write(await sieve.keep(reader.page(document).rows))
        if job.shows_sql or not rows:
            return rows
        return [strip(b"[%b]" % b",".join(rows))[1:-1]]

    return keep


def _bare(spec: Rows) -> Rows:
    return spec.model_copy(update={"at": None, "total": None})
