"""Login attempts in the session store, and the cookie that names one."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import msgspec

from authgw.intake.request import Request
from authgw.login.flow import SECONDS, Attempt, decode, encode
from authgw.login.passkeys import CHALLENGE_BYTES
from authgw.session import cookie
from authgw.session.handles import HandleKind, Handles


class Underway:
    """Attempts between the password and the session. `now`: seconds since 1970. `entropy` gives random bytes.

    Every async method raises StoreError where the store cannot be asked.
    """

    def __init__(
        self,
        handles: Handles,
        names: cookie.Names,
        now: Callable[[], float],
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._handles = handles
        self._names = names
        self._now = now
        self._entropy = entropy

    async def put(self, attempt: Attempt) -> tuple[str, str, Attempt] | None:
        """Store an attempt under a new token: (token, Set-Cookie value, as stored). None: its time is over.

        A passkey is asked with the challenge that lies in it: so each is good for one answer.
        """
        left = attempt.ends - self._now()
        if left <= 0:
            return None
        attempt = msgspec.structs.replace(attempt, challenge=self._entropy(CHALLENGE_BYTES))
        token = await self._handles.put(HandleKind.LOGIN_ATTEMPT, encode(attempt), left)
        return token, cookie.set_login(self._names, token, int(SECONDS)), attempt

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
