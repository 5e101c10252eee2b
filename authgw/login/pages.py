"""The gateway's first pages: signing in, signing out, and who one is. Server-rendered, no script needed."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from starlette.routing import Route

from authgw.answer import Answer, as_json
from authgw.contract import Credentials
from authgw.errors import StoreError, UpstreamError
from authgw.intake.limits import Limits, Network
from authgw.intake.request import Refused, Request
from authgw.login import origin
from authgw.login.attempt import SECONDS, Attempts
from authgw.login.front import Front
from authgw.login.outcome import Turned, turned
from authgw.login.target import safe_target
from authgw.reasons import Reason
from authgw.rights.words import describe
from authgw.session import cookie
from authgw.session.model import Kind, Session
from authgw.session.sessions import Sessions
from authgw.ui import page, words
from authgw.ui.serve import Handler, asset_route, route
from authgw.ui.texts import LOGIN, Texts, choose

MAX_BODY = 64 * 1024
log = logging.getLogger("authgw.login.pages")


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


class Audit(Protocol):
    def write(self, event: str, fields: Mapping[str, Any]) -> None: ...


def routes(
    front: Front,
    sessions: Sessions,
    form_key: bytes,
    names: cookie.Names,
    gateway: Gateway,
    sensor_names: Callable[[], Awaitable[Mapping[int, str]]],
    audit: Audit,
    now: Callable[[], float] = time.time,
) -> list[Route]:
    """The routes of these pages. `form_key` binds login forms to browsers; all instances share it."""
    pages = Pages(front, sessions, Attempts(form_key, now), names, gateway, sensor_names, audit)
    limits = Limits(max_body=MAX_BODY, trusted_proxies=_networks(gateway))

    def at(path: str, handler: Handler, method: str) -> Route:
        return route(path, handler, method, limits, gateway.body_timeout)

    return [
        at("/authgw/login", pages.login_form, "GET"),
        at("/authgw/login", pages.login, "POST"),
        at("/authgw/logout", pages.logout_form, "GET"),
        at("/authgw/logout", pages.logout, "POST"),
        at("/authgw/logged-out", pages.logged_out, "GET"),
        at("/authgw/me", pages.me, "GET"),
        asset_route(),
    ]


class Pages:
    """What each page does with a canonical request."""

    def __init__(
        self,
        front: Front,
        sessions: Sessions,
        attempts: Attempts,
        names: cookie.Names,
        gateway: Gateway,
        sensor_names: Callable[[], Awaitable[Mapping[int, str]]],
        audit: Audit,
    ) -> None:
        self._front = front
        self._sessions = sessions
        self._attempts = attempts
        self._names = names
        self._origin = gateway.origin
        self._home = f"{gateway.base_path}/admin.php"
        self._sensor_names = sensor_names
        self._audit = audit

    async def login_form(self, request: Request) -> Answer:
        found = await self._found(request)
        if isinstance(found, Refused):
            return _refused(found, request)
        return self._form(request, 200, (), signed_in=found.session.claims.user if found else "")

    async def login(self, request: Request) -> Answer:
        t = _texts(request)
        known = request.cookies.get(self._names.attempt, ())
        if origin.is_foreign(request.headers, self._origin) or not self._attempts.fits(
            known, request.fields.get("form")
        ):
            return self._form(request, 400, (t("login.form"),))
        user, password, otp = (_text(request.fields.get(name)) for name in ("user", "password", "otp"))
        verdict = await self._front.login(Credentials(user, password, otp or None, request.address), origin="page")
        if not isinstance(verdict, Turned):
            try:
                return await self._enter(request, verdict.claims, verdict.factors)
            except StoreError as error:
                log.error("login: %s", error)
                verdict = turned(Reason.STORE_UNAVAILABLE)
        said = [t(LOGIN[verdict.reason], wait=t.wait(verdict.retry_after))]
        if verdict.note:
            said.append(t("login.note", note=verdict.note))
        retry = (("retry-after", str(verdict.retry_after)),) if verdict.retry_after else ()
        return self._form(request, verdict.status, tuple(said), headers=retry)

    async def logout_form(self, request: Request) -> Answer:
        found = await self._found(request)
        if isinstance(found, Refused):
            return _refused(found, request)
        return self._ask_logout(request, found, 200) if found else _to("/authgw/logged-out")

    async def logout(self, request: Request) -> Answer:
        found = await self._found(request)
        if isinstance(found, Refused):
            return _refused(found, request)
        if found is not None and not origin.is_same(request.headers, self._origin):
            return self._ask_logout(request, found, 403)
        if found is not None:
            await self._sessions.end(found.sid)
            claims = found.session.claims
            who = {"user": claims.user, "login": claims.login, "tenant": claims.tenant}
            self._audit.write("logout", {**who, "session": found.session.handle, "address": request.address})
        return _to("/authgw/logged-out", ("set-cookie", cookie.clear_cookie(self._names)))

    async def logged_out(self, request: Request) -> Answer:
        return page.page(200, page.render("logged_out.html", _texts(request).language))

    async def me(self, request: Request) -> Answer:
        """Who one is and what one may, for people's own tools; 401 without a browser's session. No secrets."""
        found = await self._found(request)
        if isinstance(found, Refused):
            return as_json(found.status, {"error": found.reason.value})
        if found is None:
            return as_json(401, {"error": Reason.NO_SESSION.value})
        return as_json(200, await self._portrait(found.session, _texts(request).language))

    async def _portrait(self, session: Session, language: str) -> dict[str, Any]:
        claims = session.claims
        numbers = sorted({number for grant in claims.grants for number in grant.scope.sensors or ()})
        known: Mapping[int, str] = {}
        if numbers:
            try:
                known = await self._sensor_names()
            except UpstreamError as error:
                log.info("names of sensors: %s", error)
        every = any(grant.scope.sensors is None for grant in claims.grants)
        return {
            "user": claims.user,
            "id": claims.id,
            "name": claims.name,
            "login": claims.login,
            "tenant": claims.tenant,
            "group": claims.group_name,
            "operator": claims.is_operator,
            "sensors": "all" if every else [{"number": n, "name": known.get(n, "")} for n in numbers],
            "grants": [
                {"may": words.of_flags(grant, language), "calls": describe(grant, known), "label": grant.label}
                for grant in claims.grants
            ],
            "preferences": claims.preferences,
            "session": {"started": session.started, "address": session.address, "factors": list(session.factors)},
        }

    async def _enter(self, request: Request, claims: Any, factors: tuple[str, ...]) -> Answer:
        """A fresh session for this browser; those its cookies named before are over."""
        asked = cookie.candidates(request.cookies, self._names)
        if not isinstance(asked, Refused):
            for candidate in asked:
                if Kind.BROWSER in candidate.kinds:
                    await self._sessions.end(candidate.sid)
        agent = request.headers.get("user_agent", "")
        sid, _ = await self._sessions.start(claims, Kind.BROWSER, address=request.address, agent=agent, factors=factors)
        return _to(
            safe_target(request.fields.get("next"), self._home),
            ("set-cookie", cookie.set_cookie(self._names, sid)),
            ("set-cookie", cookie.clear_attempt(self._names)),
        )

    async def _found(self, request: Request) -> cookie.Found | Refused | None:
        """The browser's session. The product's cookie opens none of these pages."""
        own = {name: values for name, values in request.cookies.items() if name == self._names.browser}
        return await cookie.identify(self._sessions, own, self._names)

    def _form(
        self,
        request: Request,
        status: int,
        alert: tuple[str, ...],
        *,
        signed_in: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        attempt = self._attempts.cookie(request.cookies.get(self._names.attempt, ()))
        body = page.render(
            "login.html",
            _texts(request).language,
            alert=alert,
            signed_in=signed_in,
            form=self._attempts.form(attempt),
            target=safe_target(request.fields.get("next"), self._home),
            user=_text(request.fields.get("user"))[:256] if request.method == "POST" else "",
        )
        set_cookie = ("set-cookie", cookie.set_attempt(self._names, attempt, SECONDS))
        return page.page(status, body, (set_cookie, *headers))

    def _ask_logout(self, request: Request, found: cookie.Found, status: int) -> Answer:
        t = _texts(request)
        signed_in = t("logout.text", user=found.session.claims.user)
        lines = (signed_in,) if status == 200 else (t("logout.cross"), signed_in)
        button, home = ("/authgw/logout", t("logout.submit")), (self._home, t("login.continue"))
        return page.message(status, t.language, t("logout.title"), lines, button=button, links=(home,))


def _refused(refused: Refused, request: Request) -> Answer:
    language = request.headers.get("accept_language", "")
    return page.refusal_page(refused.status, refused.reason, refused.detail, "", language)


def _to(address: str, *headers: tuple[str, str]) -> Answer:
    return Answer(303, b"", page.HTML, (("location", address), ("referrer-policy", "no-referrer"), *headers))


def _texts(request: Request) -> Texts:
    return Texts(choose(request.headers.get("accept_language", "")))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _networks(gateway: Gateway) -> tuple[Network, ...]:
    return tuple(gateway.trusted_proxies)
