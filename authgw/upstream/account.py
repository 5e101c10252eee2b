"""Asking the GUI as the service account, over a small pool of its sessions.

PHP locks a session while it serves a request, so each session has one request at a time: a lease, held until the
reply is closed. Sessions are opened when they are needed, and opened anew once when the GUI has forgotten them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream import bypass, wire
from authgw.upstream.api import Call
from authgw.upstream.client import Client, HttpReply
from authgw.upstream.turns import Turns, asker

LOGIN_REPLY = 65536
PROBE = Call("POST", bypass.LOGIN_PATH, (("task", "LISTING"), ("module", "sensors")), decode=True)
PROBE_REPLY = 16 * 1024 * 1024
FORM = ("content-type", "application/x-www-form-urlencoded")


class Session:
    """One session of the service account. `cut`: its last request was given up, PHP may still be busy with it.
    `who`: on whose behalf it is used."""

    __slots__ = ("cookie", "cut", "who")

    def __init__(self) -> None:
        self.cookie = self.who = ""
        self.cut = False


class LeasedReply:
    """A reply, and the session that is free again once it is closed."""

    def __init__(self, reply: HttpReply, release: Callable[[bool], None]) -> None:
        self.status, self.headers, self.location = reply.status, reply.headers, reply.location
        self._reply, self._release = reply, release
        self._closed = False

    async def read(self, limit: int) -> bytes:
        return await self._reply.read(limit)

    def stream(self) -> AsyncIterator[bytes]:
        return self._reply.stream()

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._release(self._reply.complete)
            await self._reply.close()


class _State(ABC):
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


class Account(_State):
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
        self._size, self._pause = pool_size + max(1, pool_size // 4), pause
        self._wait = client.limits.reply if wait is None else wait
        self._turns = Turns(self._size, pool_size)
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
        again = await _says_no_session(reply, call, self._client.base.path)
        if again is None:
            return reply
        await reply.close()
        session.cookie = ""
        if call.safe or again == "answer":
            await self._login(session)
            reply = await self._exchange(session, call)
            if await _says_no_session(reply, call, self._client.base.path) is None:
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


class Anonymous(_State):
    """A GUI with its authorisation switched off, on a private network: no session, no credentials."""

    def __init__(self, client: Client, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(client, clock)

    async def send(self, call: Call) -> LeasedReply:
        try:
            reply = await exchange(self._client, call, call.fields, ())
            if await _says_no_session(reply, call, self._client.base.path) is not None:
                await reply.close()
                raise UpstreamError(Reason.UPSTREAM_LOGIN, "the GUI wants a login, but no service account is set")
        except UpstreamError as error:
            self._bad(error)
            raise
        self._good()
        return LeasedReply(reply, lambda complete: None)

    @contextlib.asynccontextmanager
    async def cookie(self) -> AsyncIterator[str]:
        """None: nobody is asked who he is."""
        yield ""

    async def close(self) -> None:
        await self._client.close()


def exchange(
    client: Client, call: Call, fields: tuple[tuple[str, str], ...], own: tuple[tuple[str, str], ...]
) -> Awaitable[HttpReply]:
    """A call as HTTP. HEAD is asked as GET, because PHP says its "no session" only in a body; the body is dropped."""
    encoded = wire.form(fields)
    headers = (*call.headers, *own)
    if call.method == "POST" or call.credentials:
        target = wire.target(client.base.path, call.path)
        return client.exchange("POST", target, (*headers, FORM), encoded, decode=call.decode, safe=call.safe)
    method = "GET" if call.method == "HEAD" else call.method
    target = wire.target(client.base.path, call.path, encoded)
    return client.exchange(method, target, headers, decode=call.decode, safe=call.safe)


async def _says_no_session(reply: HttpReply, call: Call, base_path: str) -> str | None:
    """`answer` for the product's own words, `redirect` for a way to the login page, None for anything else."""
    try:
        if reply.location is not None and 300 <= reply.status < 400:
            return "redirect" if bypass.is_login_page(reply.location, base_path, call.path) else None
        headers = dict(reply.headers)
        small = int(headers.get("content-length", "0")) <= bypass.PEEK
        if small and bypass.may_be_refusal(headers.get("content-type", "")):
            start = await reply.peek(bypass.PEEK)
            if start is not None and bypass.is_no_session(start):
                return "answer"
    except BaseException:
        await reply.close()
        raise
    if call.method == "HEAD":
        reply.drop_body()
    return None
