"""Asking the GUI as the service account, over a small pool of its sessions.

PHP locks a session while it serves a request, so each session has one request at a time: a lease, held until the
reply is closed. Sessions are opened when they are needed, and opened anew once when the GUI has forgotten them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream import bypass, wire
from authgw.upstream.api import Call
from authgw.upstream.asking import FORM, LeasedReply, exchange, says_no_session
from authgw.upstream.client import Client, HttpReply
from authgw.upstream.readiness import Readiness
from authgw.upstream.turns import asker, shared

LOGIN_REPLY = 65536


class Session:
    """One session of the service account. `cut`: its last request was given up, PHP may still be busy with it.
    `who`: on whose behalf it is used."""

    __slots__ = ("cookie", "cut", "who")

    def __init__(self) -> None:
        self.cookie = self.who = ""
        self.cut = False


class Account(Readiness):
    """Implements `authgw.upstream.api.Upstream`.

    `pool_size`: sessions, and so requests at a time, of one user; there are a quarter more, so that whoever holds so
    many does not stall the others. They wait in turn by user; longer than `wait` seconds is UPSTREAM_BUSY.
    A login that the GUI refused is not tried again for `pause` seconds of `clock`.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        password: str,
        *,
        pool_size: int = 8,
        wait: float | None = None,
        pause: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(client, clock)
        self._name, self._password = name, password
        self._pause = pause
        self._wait = client.limits.reply if wait is None else wait
        self._turns = shared(pool_size)
        self._size = self._turns.free
        self._idle: deque[Session] = deque()
        self._count = 0
        self._login_lock = asyncio.Lock()
        self._refusal: tuple[float, UpstreamError] | None = None

    async def send(self, call: Call) -> LeasedReply:
        """Ask with a session of the service account. The lease ends with the reply's `close`."""
        session = await self._lease()
        try:
            reply = await self._ask(session, call)
        except BaseException as error:
            if isinstance(error, UpstreamError):
                self._bad(error)
            self._release(session, complete=False)
            raise
        self._good()
        return LeasedReply(reply, lambda complete: self._release(session, complete))

    @contextlib.asynccontextmanager
    async def cookie(self) -> AsyncIterator[str]:
        """The cookie header of a session, which is nobody else's meanwhile."""
        session = await self._lease()
        try:
            if not session.cookie:
                await self._login(session)
            yield session.cookie
        finally:
            self._release(session, complete=True)

    async def close(self) -> None:
        """End all connections. The GUI's own sessions end by their age."""
        await self._client.close()

    # leases

    async def _lease(self) -> Session:
        who = asker.get()
        if not self._turns.at_once(who):
            await self._turns.take(who, self._wait, "session")
        # One that was cut off comes last, for PHP may hold it locked: rather a new one while there may be more.
        if self._idle and (not self._idle[-1].cut or self._count >= self._size):
            session = self._idle.pop()
        else:
            self._count += 1
            session = Session()
        session.who = who
        return session

    def _release(self, session: Session, complete: bool) -> None:
        session.cut = not complete and bool(session.cookie)
        if session.cut:
            self._idle.appendleft(session)
        else:
            self._idle.append(session)
        self._turns.give(session.who)

    # asking

    async def _ask(self, session: Session, call: Call) -> HttpReply:
        if not session.cookie:
            await self._login(session)
        reply = await self._exchange(session, call)
        again = await says_no_session(reply, call, self._client.base.path)
        if again is None:
            return reply
        await reply.close()
        session.cookie = ""
        if call.safe or again == "answer":
            await self._login(session)
            reply = await self._exchange(session, call)
            if await says_no_session(reply, call, self._client.base.path) is None:
                return reply
            await reply.close()
            session.cookie = ""
        raise UpstreamError(Reason.UPSTREAM_LOGIN, "the GUI does not accept the session that it has just opened")

    def _exchange(self, session: Session, call: Call) -> Awaitable[HttpReply]:
        fields = call.fields
        if call.credentials:
            fields = (*fields, ("user", self._name), ("password", self._password))
        return exchange(self._client, call, fields, (("cookie", session.cookie),))

    async def _login(self, session: Session) -> None:
        """One login at a time, so that a wrong password is tried once and not once for everybody who waits."""
        began = self._clock()
        async with self._login_lock:
            if self._refusal is not None:
                at, error = self._refusal
                if at >= began or (error.reason is Reason.UPSTREAM_LOGIN and self._clock() - at < self._pause):
                    raise UpstreamError(error.reason, error.detail)
            try:
                session.cookie = await self._open_session()
            except UpstreamError as error:
                self._refusal = (self._clock(), error)
                raise
            self._refusal = None

    async def _open_session(self) -> str:
        body = wire.form((("module", "bypass_login"), ("user", self._name), ("pass", self._password)))
        target = wire.target(self._client.base.path, bypass.LOGIN_PATH)
        reply = await self._client.exchange("POST", target, (FORM,), body, decode=True, safe=True)
        try:
            return bypass.cookie(reply.status, await reply.read(LOGIN_REPLY))
        finally:
            await reply.close()
