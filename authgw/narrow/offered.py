"""The name under which a file of a call is offered. The GUI may name it by the call's Call-ID."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from authgw.upstream.api import Reply

_NAME = "content-disposition"


class Offered:
    """A reply as it is, but under a name that tells no more than the call's id."""

    def __init__(self, reply: Reply, call: int) -> None:
        self._reply = reply
        self.status = reply.status
        self.location = reply.location
        kind = next((value for name, value in reply.headers if name == "content-type"), "")
        ending = "zip" if "zip" in kind else "ogg" if "ogg" in kind else "wav" if kind.startswith("audio/") else "bin"
        name = (_NAME, f'attachment; filename="voipmonitor-{call}.{ending}"')
        self.headers: Sequence[tuple[str, str]] = [name if held[0] == _NAME else held for held in reply.headers]

    async def read(self, limit: int) -> bytes:
        return await self._reply.read(limit)

    def stream(self) -> AsyncIterator[bytes]:
        return self._reply.stream()

    async def close(self) -> None:
        await self._reply.close()
