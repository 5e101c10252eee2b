"""Whether the GUI can be asked, told by what was asked last."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from authgw.errors import UpstreamError
from authgw.upstream import bypass
from authgw.upstream.api import Call
from authgw.upstream.asking import LeasedReply
from authgw.upstream.client import Client

PROBE = Call("POST", bypass.LOGIN_PATH, (("task", "LISTING"), ("module", "sensors")), decode=True)
PROBE_REPLY = 16 * 1024 * 1024


class Readiness(ABC):
    """The last failure, for readiness. A reply whose head came in order wipes it out."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        self._client, self._clock = client, clock
        self._failure: UpstreamError | None = None
        self._good_at: float | None = None
        self._checking, self._checks = asyncio.Lock(), 0

    def state(self) -> str | None:
        """Why the last attempt to ask the GUI failed, or None. Holds no secrets, nor where the GUI is."""
        return None if self._failure is None else str(self._failure).replace(self._client.base.authority, "the GUI")

    async def check(self, fresh: float = 5.0) -> str | None:
        """As `state`, but asks the GUI (for its sensors) unless it answered within the last `fresh` seconds.

        Anybody may ask: however many do at once, the GUI is asked once, and they share what it said.
        """
        before = self._checks
        async with self._checking:
            if self._checks == before:
                await self._probe(fresh)
                self._checks += 1
        return self.state()

    async def _probe(self, fresh: float) -> None:
        if self._good_at is None or self._clock() - self._good_at > fresh or self._failure is not None:
            try:
                reply = await self.send(PROBE)
            except UpstreamError:
                return
            try:
                await reply.read(PROBE_REPLY)
            except UpstreamError as error:
                self._bad(error)
            finally:
                await reply.close()

    @abstractmethod
    async def send(self, call: Call) -> LeasedReply:
        """Ask the GUI; as `authgw.upstream.api.Upstream`."""

    def _good(self) -> None:
        self._failure, self._good_at = None, self._clock()

    def _bad(self, error: UpstreamError) -> None:
        self._failure = error
