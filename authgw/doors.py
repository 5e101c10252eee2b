"""Who is coming in: a session's cookie, or user and password in the call itself."""

from __future__ import annotations

from typing import Protocol

import msgspec

from authgw.answer import Answer, as_json
from authgw.audit.log import Audit
from authgw.catalogue.model import Entry
from authgw.errors import StoreError
from authgw.intake.request import Refused, Request
from authgw.login.front import Front, LoggedIn
from authgw.policy.decision import Deny
from authgw.present import wants_page
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.session import cookie
from authgw.session.model import Kind, Session
from authgw.session.sessions import Sessions

API = "/php/api.php"


class Visitor(msgspec.Struct, frozen=True):
    """Somebody with claims. `kind` None: credentials in the call. `grace`: known from before the store went away."""

    claims: Claims
    kind: Kind | None
    handle: str = ""
    sid: str = ""
    grace: bool = False

    def __repr__(self) -> str:
        return f"Visitor({self.claims.user!r}, {self.kind}, {self.handle!r})"


class Bypass(Protocol):
    """`module=bypass_login`: the product's own login for scripts."""

    async def __call__(self, request: Request) -> Answer: ...


class Doors:
    """Turns a request into a visitor, or says why not."""

    def __init__(self, sessions: Sessions, names: cookie.Names, front: Front, bypass: Bypass, audit: Audit) -> None:
        self._sessions = sessions
        self._names = names
        self._front = front
        self._audit = audit
        self.bypass_login = bypass

    async def enter(self, request: Request, path: str | None, entry: Entry | None) -> Visitor | Deny | Answer:
        """Raises `StoreError` where sessions cannot be read and nothing bridges that."""
        credentials = entry.auth == "credentials" if entry is not None else path == API
        if credentials and ("user" in request.fields or "password" in request.fields):
            return await self._with_password(request)
        try:
            found = await cookie.identify(self._sessions, request.cookies, self._names)
        except StoreError:
            if (kept := self._kept(request)) is None:
                raise
            return kept
        if isinstance(found, Refused):
            return Deny(found.reason, found.status, found.detail)
        if found is not None:
            return _visitor(found.session, found.sid)
        if credentials:
            return as_json(401, {"success": False, "error": "user must be set"})
        return Deny(Reason.NO_SESSION, 401, "there is no live session")

    async def logout(self, request: Request, visitor: Visitor) -> Answer:
        """Ends the session. Browsers are shown so; scripts get the product's plain success."""
        if visitor.kind is Kind.BROWSER and request.headers.get("sec_fetch_site") == "cross-site":
            # Another site's link: the page asks first.
            return Answer(303, headers=(("location", "/authgw/logout"),))
        if visitor.sid:
            await self._sessions.end(visitor.sid)
        claims = visitor.claims
        who = {"user": claims.user, "login": claims.login, "tenant": claims.tenant, "session": visitor.handle}
        self._audit.write("logout", {**who, "address": request.address})
        headers = (("set-cookie", cookie.clear_cookie(self._names)),) if visitor.kind is Kind.BROWSER else ()
        if wants_page(request):
            return Answer(303, headers=(("location", "/authgw/logged-out"), *headers))
        return as_json(200, {"success": True}, headers)

    async def _with_password(self, request: Request) -> Visitor | Answer:
        """The user's own credentials are taken out of the call here; they never go upstream."""
        texts = [request.fields.get(name, "") for name in ("user", "password", "otp")]
        user, password, otp = (text if isinstance(text, str) else "" for text in texts)
        for name, text in (("user", user), ("password", password)):
            if not text:
                return as_json(401, {"success": False, "error": f"{name} must be set"})
        verdict = await self._front.api(user, password, otp or None, request.address)
        if isinstance(verdict, LoggedIn):
            return Visitor(verdict.claims, None)
        headers = (("retry-after", str(verdict.retry_after)),) if verdict.retry_after else ()
        return as_json(verdict.status, {"success": False, "error": verdict.text}, headers)

    def _kept(self, request: Request) -> Visitor | None:
        """A session this worker knew before the store went away; only one, and of the right kind."""
        asked = cookie.candidates(request.cookies, self._names)
        if isinstance(asked, Refused) or len(asked) != 1:
            return None
        session = self._sessions.grace(asked[0].sid)
        if session is None or session.kind not in asked[0].kinds:
            return None
        return msgspec.structs.replace(_visitor(session, asked[0].sid), grace=True)


def _visitor(session: Session, sid: str) -> Visitor:
    return Visitor(session.claims, session.kind, session.handle, sid)
