"""What every page of the gateway's own needs of a browser: whose it is, how it is let in, how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.routing import Route

from authgw.answer import Answer
from authgw.intake.limits import Limits
from authgw.intake.request import Refused, Request
from authgw.login.attempt import Attempts
from authgw.login.outcome import Pending
from authgw.login.target import safe_target
from authgw.rights.claims import Claims
from authgw.session import cookie
from authgw.session.model import Kind, Remote
from authgw.session.sessions import Sessions
from authgw.ui import page
from authgw.ui.serve import Handler, RawHandler, raw_route, route
from authgw.ui.texts import Texts, reader

MAX_BODY = 64 * 1024

# Takes a browser whose second factor is missing on: (request, what is missing, where it wanted to go, whether its
# person wants to be kept signed in).
Begin = Callable[[Request, Pending, str, bool], Awaitable[Answer]]


class Gateway(Protocol):
    """What is needed of the gateway's settings."""

    @property
    def origin(self) -> str: ...
    @property
    def base_path(self) -> str: ...
    @property
    def trusted_proxies(self) -> Any: ...
    @property
    def body_timeout(self) -> float: ...


class Browser:
    """`attempts` binds forms to the browser they were sent to. `origin`: ours, as a browser writes it. `remember`:
    seconds for which people are kept signed in who ask for it; 0: nobody is."""

    def __init__(
        self,
        sessions: Sessions,
        attempts: Attempts,
        names: cookie.Names,
        gateway: Gateway,
        *,
        remember: float = 0.0,
    ) -> None:
        self.sessions = sessions
        self.attempts = attempts
        self.names = names
        self.remember = remember
        self.origin = gateway.origin
        self.home = f"{gateway.base_path}/admin.php"
        self._limits = Limits(max_body=MAX_BODY, trusted_proxies=tuple(gateway.trusted_proxies))
        self._seconds = gateway.body_timeout

    def at(self, path: str, handler: Handler, method: str) -> Route:
        """A page at an exact path. The handler sees canonical requests only."""
        return route(path, handler, method, self._limits, self._seconds)

    def at_raw(self, path: str, handler: RawHandler, method: str) -> Route:
        """The same for a handler that also has to know which peer sent which headers."""
        return raw_route(path, handler, method, self._limits, self._seconds)

    async def found(self, request: Request) -> cookie.Found | Refused | None:
        """The browser's session. The product's cookie opens none of the gateway's own pages."""
        own = {name: values for name, values in request.cookies.items() if name == self.names.browser}
        return await cookie.identify(self.sessions, own, self.names)

    async def enter(
        self,
        request: Request,
        claims: Claims,
        factors: tuple[str, ...],
        wanted: object,
        remote: Remote | None = None,
        *,
        keep: bool = False,
    ) -> Answer:
        """A fresh session for this browser, on its way to `wanted` where that is a safe place; those its cookies named
        before are over. `keep`: its person asked to be kept signed in. StoreError: no session could be stored."""
        kept = keep and self.remember > 0
        asked = cookie.candidates(request.cookies, self.names)
        if not isinstance(asked, Refused):
            for old, kinds in asked.items():
                if Kind.BROWSER in kinds:
                    await self.sessions.end(old)
        agent = request.headers.get("user_agent", "")
        sid, _ = await self.sessions.start(
            claims, Kind.BROWSER, address=request.address, agent=agent, factors=factors, remote=remote, kept=kept
        )
        return to(
            safe_target(wanted, self.home),
            ("set-cookie", cookie.set_cookie(self.names, sid, int(self.remember) if kept else None)),
            ("set-cookie", cookie.clear_attempt(self.names)),
        )


def refused(refused: Refused, request: Request) -> Answer:
    return page.refusal_page(refused.status, refused.reason, refused.detail, "", texts(request))


def to(address: str, *headers: tuple[str, str]) -> Answer:
    """Go there next, by GET."""
    return Answer(303, b"", page.HTML, (("location", address), ("referrer-policy", "no-referrer"), *headers))


def texts(request: Request) -> Texts:
    return reader(request.headers.get("accept_language", ""), request.cookies)


def text(value: object) -> str:
    return value if isinstance(value, str) else ""
