"""Who is coming in: a session's cookie, a token, or user and password in the call itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from authgw.account.token import LICENCE_PATH, looks_like_one
from authgw.account.token import Kind as TokenKind
from authgw.answer import Answer, as_json
from authgw.audit.log import Audit
from authgw.catalogue.model import Entry
from authgw.errors import StoreError
from authgw.intake.request import Refused, Request
from authgw.login.bearer import INVALID, Bearer
from authgw.login.front import Front, LoggedIn
from authgw.login.outcome import Turned
from authgw.login.user import canonical, same
from authgw.policy.decision import Deny
from authgw.present import wants_page
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.session import cookie
from authgw.session.model import Kind, Session
from authgw.session.sessions import Sessions

API = "/php/api.php"
_FIELDS = ("user", "password", "token")


class Visitor(msgspec.Struct, frozen=True):
    """Somebody with claims. `kind` None: credentials in the call. `grace`: known from before the store went away.

    `token`: id and name of the API token he came with. `only`: the one path that it opens; empty: any. `again` judges
    whatever token or password he came with once more: a `Visitor` where it still holds.
    """

    claims: Claims
    kind: Kind | None
    handle: str = ""
    sid: str = ""
    grace: bool = False
    token: str = ""
    only: str = ""
    again: Callable[[], Awaitable[object]] | None = None

    def __repr__(self) -> str:
        return f"Visitor({self.claims.user!r}, {self.kind}, {self.handle!r})"


class Bypass(Protocol):
    """`module=bypass_login`: the product's own login for scripts."""

    async def __call__(self, request: Request) -> Answer: ...


class TokenDoor(Protocol):
    """What takes one kind of `Authorization: Bearer`. What none takes is as if it had not been sent."""

    def takes(self, text: str) -> bool: ...

    async def enter(self, text: str, address: str) -> Visitor | Turned: ...


class ApiTokens:
    """The door for the gateway's own API tokens."""

    def __init__(self, login: TokenLogin) -> None:
        self._login = login

    def takes(self, text: str) -> bool:
        return looks_like_one(text)

    async def enter(self, text: str, address: str) -> Visitor | Turned:
        found = await self._login.enter(text, address)
        if isinstance(found, Turned):
            return found
        token = found.token
        only = LICENCE_PATH if token.kind is TokenKind.LICENCE else ""
        return Visitor(found.claims, None, token=f"{token.id} {token.name}", only=only)


class TokenLogin(Protocol):
    async def enter(self, text: str, address: str) -> Bearer | Turned: ...


class Away(Protocol):
    """Knows where a browser ends its session at a provider; None: there is none to end."""

    async def address(self, session: Session) -> str | None: ...


class Doors:
    """Turns a request into a visitor, or says why not. `tokens`: who is asked about bearer tokens, in this order; the
    first of them is for API tokens, which api.php takes in its fields too. `leave`: where a browser goes on to after it
    has signed out."""

    def __init__(
        self,
        sessions: Sessions,
        names: cookie.Names,
        front: Front,
        bypass: Bypass,
        audit: Audit,
        tokens: Sequence[TokenDoor] = (),
        leave: Away | None = None,
    ) -> None:
        self._sessions = sessions
        self._names = names
        self._front = front
        self._audit = audit
        self._tokens = tuple(tokens)
        self._leave = leave
        self.bypass_login = bypass

    async def enter(self, request: Request, path: str | None, entry: Entry | None) -> Visitor | Deny | Answer:
        """Raises `StoreError` where sessions cannot be read and nothing bridges that."""
        if request.headers.get("sec_fetch_dest") == "serviceworker":
            # One of the GUI's origin could stand between people and their account pages, which are of that origin too.
            return Deny(Reason.NEVER, 403, "service workers are not let in")
        credentials = entry.auth == "credentials" if entry is not None else path == API
        in_fields = credentials and any(name in request.fields for name in _FIELDS)
        bearer = _bearer(request)
        door = next((each for each in self._tokens if each.takes(bearer)), None) if bearer else None
        if door is not None and in_fields:
            return Deny(Reason.TWO_CREDENTIALS, 400, "credentials in the header and in the fields: send one of them")
        if door is not None:
            return await self._with_token(door, bearer, request, path, entry)
        if in_fields:
            return await self._with_fields(request, path, entry)
        try:
            found = await cookie.identify(self._sessions, request.cookies, self._names)
        except StoreError:
            if (kept := self._kept(request)) is None:
                raise
            return kept
        if isinstance(found, Refused):
            return Deny(found.reason, found.status, found.detail)
        if found is not None:
            session = found.session
            return Visitor(session.claims, session.kind, session.handle, found.sid)
        if credentials:
            return as_json(401, {"success": False, "error": "user must be set"})
        return Deny(Reason.NO_SESSION, 401, "there is no live session")

    async def still(self, visitor: Visitor) -> bool:
        """Whether the session goes on, or the token or password still holds, with which something long has begun;
        asking is no use of a session."""
        if visitor.again is not None:
            return isinstance(await visitor.again(), Visitor)
        if not visitor.sid:
            return True
        try:
            return await self._sessions.alive(visitor.sid)
        except StoreError:
            return self._sessions.grace(visitor.sid) is not None

    async def logout(self, request: Request, visitor: Visitor) -> Answer:
        """Ends the session. Browsers are shown so; scripts get the product's plain success."""
        if visitor.kind is Kind.BROWSER and request.headers.get("sec_fetch_site") in ("cross-site", "same-site"):
            # Another site's link: the page asks first.
            return Answer(303, headers=(("location", "/authgw/logout"),))
        ended = await self._sessions.end(visitor.sid) if visitor.sid else None
        claims = visitor.claims
        who = {"user": claims.user, "login": claims.login, "tenant": claims.tenant, "session": visitor.handle}
        self._audit.write("logout", {**who, "address": request.address})
        headers = (("set-cookie", cookie.clear_cookie(self._names)),) if visitor.kind is Kind.BROWSER else ()
        if wants_page(request):
            away = await self._leave.address(ended) if self._leave and ended else None
            return Answer(303, headers=(("location", away or "/authgw/logged-out"), *headers))
        return as_json(200, {"success": True}, headers)

    async def _with_token(
        self, door: TokenDoor, text: str, request: Request, path: str | None, entry: Entry | None, user: str = ""
    ) -> Visitor | Deny | Answer:
        """Tokens open calls of the API, never pages. `user`: the name given beside it, which must be its owner's."""
        if entry is not None and entry.auth not in {"session", "credentials"}:
            return Deny(Reason.NO_SESSION, 401, "pages need a browser's own session")
        found = await door.enter(text, request.address)
        if isinstance(found, Visitor) and user and same(canonical(user) or "") != same(found.claims.user):
            found = INVALID
        if isinstance(found, Turned):
            return _turned_away(found, challenge=True)
        if found.only and path != found.only:
            return Deny(Reason.TOKEN_NARROW, 403, f"this token opens {found.only} alone")
        return msgspec.structs.replace(found, again=lambda: door.enter(text, request.address))

    async def _with_fields(self, request: Request, path: str | None, entry: Entry | None) -> Visitor | Deny | Answer:
        """The user's own credentials are taken out of the call here; they never go upstream."""
        texts = [request.fields.get(name, "") for name in ("user", "password", "otp", "token")]
        user, password, otp, token = (text if isinstance(text, str) else "" for text in texts)
        if token and password:
            return Deny(Reason.TWO_CREDENTIALS, 400, "a token and a password: send one of them")
        if self._tokens and (token or looks_like_one(password)):
            return await self._with_token(self._tokens[0], token or password, request, path, entry, user)
        for name, text in (("user", user), ("password", password)):
            if not text:
                return as_json(401, {"success": False, "error": f"{name} must be set"})
        verdict = await self._front.api(user, password, otp or None, request.address)
        if isinstance(verdict, LoggedIn):
            return Visitor(verdict.claims, None, again=lambda: self._with_fields(request, path, entry))
        return _turned_away(verdict)

    def _kept(self, request: Request) -> Visitor | None:
        """A session this worker knew before the store went away; only one, and of the right kind."""
        asked = cookie.candidates(request.cookies, self._names)
        if isinstance(asked, Refused) or len(asked) != 1:
            return None
        ((sid, kinds),) = asked.items()
        session = self._sessions.grace(sid)
        if session is None or session.kind not in kinds:
            return None
        return Visitor(session.claims, session.kind, session.handle, sid, grace=True)


def _bearer(request: Request) -> str:
    """The token of `Authorization: Bearer TOKEN` (RFC 6750, 2.1; the scheme in any case), else nothing."""
    given = request.headers.get("authorization")
    if given is None:
        return ""
    scheme, _, text = given.partition(" ")
    return text.strip(" ") if scheme.lower() == "bearer" else ""


def _turned_away(verdict: Turned, *, challenge: bool = False) -> Answer:
    """The product's form of a failed login; for tokens with the challenge of RFC 6750, 3."""
    headers: tuple[tuple[str, str], ...] = ()
    if verdict.retry_after:
        headers = (("retry-after", str(verdict.retry_after)),)
    if challenge and verdict.status == 401:
        headers += (("www-authenticate", 'Bearer error="invalid_token"'),)
    return as_json(verdict.status, {"success": False, "error": verdict.text}, headers)
