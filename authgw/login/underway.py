"""Login attempts in the session store, and the cookie that names one."""

from __future__ import annotations

from collections.abc import Callable

from authgw.intake.request import Request
from authgw.login.flow import SECONDS, Attempt, decode, encode
from authgw.session import cookie
from authgw.session.handles import HandleKind, Handles


class Underway:
    """Attempts between the password and the session. `now`: seconds since 1970.

    Every async method raises StoreError where the store cannot be asked.
    """

    def __init__(self, handles: Handles, names: cookie.Names, now: Callable[[], float]) -> None:
        self._handles = handles
        self._names = names
        self._now = now

    async def put(self, attempt: Attempt) -> tuple[str, str] | None:
        """Store an attempt under a new token: (token, Set-Cookie value). None: its time is over."""
        left = attempt.ends - self._now()
        if left <= 0:
            return None
        token = await self._handles.put(HandleKind.LOGIN_ATTEMPT, encode(attempt), left)
        return token, cookie.set_login(self._names, token, int(SECONDS))

    async def look(self, request: Request) -> tuple[str, Attempt] | None:
        """The attempt of this browser with its token, left where it is."""
        for token in self._tokens(request):
            value = await self._handles.peek(HandleKind.LOGIN_ATTEMPT, token)
            attempt = None if value is None else decode(value)
            if attempt is not None:
                return token, attempt
        return None

    async def take(self, token: str) -> Attempt | None:
        """The attempt of a token, once: of several requests at the same time one gets it."""
        value = await self._handles.take(HandleKind.LOGIN_ATTEMPT, token)
        return None if value is None else decode(value)

    async def drop(self, request: Request) -> None:
        """Forget every attempt that this browser's cookies name."""
        for token in self._tokens(request):
            await self._handles.take(HandleKind.LOGIN_ATTEMPT, token)

    def _tokens(self, request: Request) -> tuple[str, ...]:
        return request.cookies.get(self._names.login, ())[: cookie.MAX_CANDIDATES]
