"""Where one request's rows and facts come from: upstream, asked with the service account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import msgspec

from authgw.errors import UpstreamError
from authgw.narrow.facts import CallFacts
from authgw.narrow.flow import WHOLE
from authgw.reasons import Reason
from authgw.upstream.api import Call, Reply, Upstream


class Source(Protocol):
    """Asks one call of the GUI with varying fields, and for facts by id."""

    @property
    def facts(self) -> CallFacts: ...

    async def fetch(self, fields: Mapping[str, str], most: int | None = None) -> bytes: ...


class UpstreamSource:
    """The path, headers and credentials of one call stay; the fields are given with each question."""

    def __init__(self, upstream: Upstream, call: Call, facts: CallFacts, max_reply: int) -> None:
        self._upstream = upstream
        self._call = call
        self._max_reply = max_reply
        self.facts = facts

    async def fetch(self, fields: Mapping[str, str], most: int | None = None) -> bytes:
        """The whole body of a 200 reply; anything else is no answer to go by. `most`: bytes that are taken of it, if
        fewer than of any reply; more is UPSTREAM_TOO_LARGE."""
        reply = await self._sent(fields)
        try:
            return await reply.read(self._max_reply if most is None else min(most, self._max_reply))
        finally:
            await reply.close()

    async def begin(self, fields: Mapping[str, str]) -> bytes | Begun:
        """As `fetch`, but of a body of more than WHOLE bytes only the beginning; it is to be closed then."""
        reply = await self._sent(fields)
        begun: Begun | None = None
        try:
            rest, pieces, size = reply.stream(), list[bytes](), 0
            async for piece in rest:
                pieces.append(piece)
                size += len(piece)
                if size > WHOLE:
                    begun = Begun(reply, b"".join(pieces), rest)
                    return begun
            return b"".join(pieces)
        finally:
            if begun is None:
                await reply.close()

    async def _sent(self, fields: Mapping[str, str]) -> Reply:
        # By POST: the fields hold patterns and JSON that do not belong into a server's access log.
        call = msgspec.structs.replace(self._call, method="POST", fields=tuple(fields.items()), decode=True)
        reply = await self._upstream.send(call)
        if reply.status != 200:
            await reply.close()
            raise UpstreamError(Reason.UPSTREAM_STATUS, f"answered with {reply.status}")
        return reply


class Begun(msgspec.Struct, frozen=True):
    """A large reply: what has come of it, and what is to come."""

    reply: Reply
    start: bytes
    rest: AsyncIterator[bytes]

    async def whole(self, limit: int) -> bytes:
        """All of it; UPSTREAM_TOO_LARGE above `limit` bytes. Closes the reply."""
        try:
            pieces, size = [self.start], len(self.start)
            async for piece in self.rest:
                pieces.append(piece)
                size += len(piece)
                if size > limit:
                    raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, f"a reply of more than {limit} bytes")
            return b"".join(pieces)
        finally:
            await self.reply.close()
