"""The gateway's first pages: signing in, signing out, and who one is. Server-rendered, no script needed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from starlette.routing import Route

from authgw.answer import Answer, as_json
from authgw.contract import Credentials
from authgw.errors import StoreError, UpstreamError
from authgw.intake.request import Raw, Refused, Request
from authgw.login import origin
from authgw.login.attempt import KEEP, SECONDS
from authgw.login.browser import Begin, Browser, refused, text, texts, to
from authgw.login.front import Front
from authgw.login.leave import Leave
from authgw.login.outcome import LoggedIn, Pending, Turned, turned
from authgw.login.target import safe_target
from authgw.login.ways import fronted, ways
from authgw.reasons import Reason
from authgw.rights.words import describe
from authgw.session import cookie
from authgw.session.model import Session
from authgw.ui import assets, page, words
from authgw.ui.serve import asset_route
from authgw.ui.texts import LOGIN

log = logging.getLogger("authgw.login.pages")


# Answers a login: (request, what it came to, whether its person wants to be kept signed in).
Told = Callable[[Request, LoggedIn | Pending | Turned, bool], Awaitable[Answer]]


class Expired(Protocol):
    """What takes people on whose password has expired."""

    async def form(self, request: Request, verdict: Turned, *, keep: bool) -> Answer | None: ...

    async def post(self, request: Request, told: Told) -> Answer: ...


class Audit(Protocol):
    def write(self, event: str, fields: Mapping[str, Any]) -> None: ...


def routes(
    browser: Browser,
    front: Front,
    begin: Begin,
    sensor_names: Callable[[], Awaitable[Mapping[int, str]]],
    audit: Audit,
    expired: Expired | None = None,
) -> list[Route]:
    """The routes of these pages. `expired`: for people whose password has expired; None: they ask an administrator."""
    pages = Pages(browser, front, begin, sensor_names, audit, expired)
    return [
        browser.at_raw("/authgw/login", pages.login_form, "GET"),
        browser.at("/authgw/login", pages.login, "POST"),
        browser.at("/authgw/login/password", pages.new_password, "POST"),
        browser.at("/authgw/logout", pages.logout_form, "GET"),
        browser.at("/authgw/logout", pages.logout, "POST"),
        browser.at("/authgw/logged-out", pages.logged_out, "GET"),
        browser.at("/authgw/me", pages.me, "GET"),
        asset_route(),
    ]


class Pages:
    """What each page does with a canonical request."""

    def __init__(
        self,
        browser: Browser,
        front: Front,
        begin: Begin,
        sensor_names: Callable[[], Awaitable[Mapping[int, str]]],
        audit: Audit,
        expired: Expired | None,
    ) -> None:
        self._browser = browser
        self._expired = expired
        self._front = front
        self._begin = begin
        self._sensor_names = sensor_names
        self._audit = audit
        self._ways = ways(front.instances)
        self._leave = Leave(front, browser.origin)

    async def login_form(self, request: Request, raw: Raw) -> Answer:
        found = await self._browser.found(request)
        if isinstance(found, Refused):
            return refused(found, request)
        # What a page of another site fetches or frames signs nobody in: it could end his oldest sessions so.
        if found is None and not request.head and request.headers.get("sec_fetch_dest", "document") == "document":
            known = await fronted(self._front, raw, request.address)
            if known is not None:
                return await self._told(request, known, False)
            if self._ways.auto and "local" not in request.fields:
                wanted = safe_target(request.fields.get("next"), self._browser.home)
                return to(f"{self._ways.auto}?next={quote(wanted, safe='')}")
        return self._form(request, 200, (), signed_in=found.session.claims.user if found else "")

    async def login(self, request: Request) -> Answer:
        known = request.cookies.get(self._browser.names.attempt, ())
        if origin.is_foreign(request.headers, self._browser.origin) or not self._browser.attempts.fits(
            known, request.fields.get("form")
        ):
            return self._form(request, 400, (texts(request)("login.form"),))
        user, password, otp = (text(request.fields.get(name)) for name in ("user", "password", "otp"))
        verdict = await self._front.login(Credentials(user, password, otp or None, request.address), origin="page")
        return await self._told(request, verdict, "keep" in request.fields)

    async def new_password(self, request: Request) -> Answer:
        """A new one in the place of one that has expired; then the login goes on."""
        if self._expired is None:
            return page.refusal_page(404, Reason.NOT_FOUND, "", "", texts(request))
        return await self._expired.post(request, self._told)

    async def _told(self, request: Request, verdict: LoggedIn | Pending | Turned, keep: bool) -> Answer:
        """In, on to the second factor, or the page again with the reason why not."""
        t = texts(request)
        if isinstance(verdict, Pending):
            return await self._begin(request, verdict, text(request.fields.get("next")), keep)
        if isinstance(verdict, LoggedIn):
            try:
                wanted = request.fields.get("next")
                return await self._browser.enter(
                    request, verdict.claims, verdict.factors, wanted, remote=verdict.remote, keep=keep
                )
            except StoreError as error:
                log.error("login: %s", error)
                verdict = turned(Reason.STORE_UNAVAILABLE)
        if self._expired is not None and (chosen := await self._expired.form(request, verdict, keep=keep)) is not None:
            return chosen
        said = [t(LOGIN[verdict.reason], wait=t.wait(verdict.retry_after), title=t("sso.proxy"))]
        if verdict.note:
            said.append(t("login.note", note=verdict.note))
        retry = (("retry-after", str(verdict.retry_after)),) if verdict.retry_after else ()
        return self._form(request, verdict.status, tuple(said), keep=keep, headers=retry)

    async def logout_form(self, request: Request) -> Answer:
        found = await self._browser.found(request)
        if isinstance(found, Refused):
            return refused(found, request)
        return self._ask_logout(request, found, 200) if found else to("/authgw/logged-out")

    async def logout(self, request: Request) -> Answer:
        found = await self._browser.found(request)
        if isinstance(found, Refused):
            return refused(found, request)
        if found is not None and not origin.is_same(request.headers, self._browser.origin):
            return self._ask_logout(request, found, 403)
        clear = ("set-cookie", cookie.clear_cookie(self._browser.names))
        if found is not None:
            await self._browser.sessions.end(found.sid)
            claims = found.session.claims
            who = {"user": claims.user, "login": claims.login, "tenant": claims.tenant}
            self._audit.write("logout", {**who, "session": found.session.handle, "address": request.address})
            if (address := await self._leave.address(found.session)) is not None:
                return self._leave.page(request, found.session, address, clear)
        return to("/authgw/logged-out", clear)

    async def logged_out(self, request: Request) -> Answer:
        return page.page(200, page.render("logged_out.html", texts(request)))

    async def me(self, request: Request) -> Answer:
        """Who one is and what one may, for people's own tools; 401 without a browser's session. No secrets."""
        found = await self._browser.found(request)
        if isinstance(found, Refused):
            return as_json(found.status, {"error": found.reason.value})
        if found is None:
            return as_json(401, {"error": Reason.NO_SESSION.value})
        return as_json(200, await self._portrait(found.session, texts(request).language))

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
            "session": {"started": session.started, "address": session.address, "factors": list(session.factors)}
            | {"kept": session.kept},
        }

    def _form(
        self,
        request: Request,
        status: int,
        alert: tuple[str, ...],
        *,
        signed_in: str = "",
        keep: bool = False,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        attempt = self._browser.attempts.cookie(request.cookies.get(self._browser.names.attempt, ()))
        body = page.render(
            "login.html",
            texts(request),
            alert=alert,
            signed_in=signed_in,
            form=self._browser.attempts.form(attempt),
            target=safe_target(request.fields.get("next"), self._browser.home),
            user=text(request.fields.get("user"))[:256] if request.method == "POST" else "",
            ways=self._ways,
            remember=self._browser.remember > 0,
            keep=keep,
            away=self._browser.attempts.form(attempt, KEEP),
        )
        set_cookie = ("set-cookie", cookie.set_attempt(self._browser.names, attempt, SECONDS))
        script = assets.sources(self._browser.origin, "capslock.js") if self._ways.form else ""
        return page.page(status, body, (set_cookie, *headers), script=script)

    def _ask_logout(self, request: Request, found: cookie.Found, status: int) -> Answer:
        t = texts(request)
        signed_in = t("logout.text", user=found.session.claims.user)
        lines = (signed_in,) if status == 200 else (t("logout.cross"), signed_in)
        button = ("/authgw/logout", t("logout.submit"))
        links = ((self._browser.home, t("login.continue")), ("/authgw/account", t("account.title")))
        return page.message(status, t, t("logout.title"), lines, button=button, links=links)
