"""Asking a GUI whose authorisation is switched off, on a private network: no session, no credentials."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.api import Call
from authgw.upstream.asking import LeasedReply, exchange, says_no_session
from authgw.upstream.client import Client, HttpReply
from authgw.upstream.readiness import Readiness
from authgw.upstream.turns import asker, shared


class Anonymous(Readiness):
    """Implements `authgw.upstream.api.Upstream`. Requests take turns by user, as those of `Account` do.

    `pool_size`: requests at a time of one user; there are a quarter more. Longer than `wait` seconds: UPSTREAM_BUSY.
    """

    def __init__(
        self,
        client: Client,
        *,
        pool_size: int = 8,
        wait: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(client, clock)
        self._wait = client.limits.reply if wait is None else wait
        self._turns = shared(pool_size)

    async def send(self, call: Call) -> LeasedReply:
        who = await self._take()
        try:
            reply = await self._ask(call)
        except BaseException as error:
            if isinstance(error, UpstreamError):
                self._bad(error)
            self._turns.give(who)
            raise
        self._good()
        return LeasedReply(reply, lambda complete: self._turns.give(who))

    @contextlib.asynccontextmanager
    async def cookie(self) -> AsyncIterator[str]:
        """None, for nobody is asked who he is; but a place among those who ask."""
        who = await self._take()
        try:
            yield ""
        finally:
            self._turns.give(who)

    async def close(self) -> None:
        await self._client.close()

    async def _take(self) -> str:
        who = asker.get()
        if not self._turns.at_once(who):
            await self._turns.take(who, self._wait, "place")
        return who

    async def _ask(self, call: Call) -> HttpReply:
        reply = await exchange(self._client, call, call.fields, ())
        if await says_no_session(reply, call, self._client.base.path) is not None:
            await reply.close()
            raise UpstreamError(Reason.UPSTREAM_LOGIN, "the GUI wants a login, but no service account is set")
        return reply
