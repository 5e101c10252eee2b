"""Where one request's rows and facts come from: upstream, asked with the service account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from authgw.errors import UpstreamError
from authgw.narrow.facts import CallFacts
from authgw.reasons import Reason
from authgw.upstream.api import Call, Upstream


class Source(Protocol):
    """Asks one call of the GUI with varying fields, and for facts by id."""

    @property
    def facts(self) -> CallFacts: ...

    async def fetch(self, fields: Mapping[str, str]) -> bytes: ...


class UpstreamSource:
    """The path, headers and credentials of one call stay; the fields are given with each question."""

    def __init__(self, upstream: Upstream, call: Call, facts: CallFacts, max_reply: int) -> None:
        self._upstream = upstream
        self._call = call
        self._max_reply = max_reply
        self.facts = facts

    async def fetch(self, fields: Mapping[str, str]) -> bytes:
        """The whole body of a 200 reply; anything else is no answer to go by."""
        # By POST: the fields hold patterns and JSON that do not belong into a server's access log.
        call = msgspec.structs.replace(self._call, method="POST", fields=tuple(fields.items()), decode=True)
        reply = await self._upstream.send(call)
        try:
            if reply.status != 200:
                raise UpstreamError(Reason.UPSTREAM_STATUS, f"answered with {reply.status}")
            return await reply.read(self._max_reply)
        finally:
            await reply.close()
