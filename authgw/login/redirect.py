"""Redirect logins: people go to a provider and come back. The way back is looked after here, once for all plugins.

The address that a browser comes back with holds a random `state`. It names a sealed record that lasts ten minutes, can
be taken out once, and belongs to the browser whose cookie is in it: nobody is signed in with what another one began.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
from starlette.routing import Route

from authgw.answer import Answer, as_json
from authgw.contract import Begun, Ending, Failed, Granted, Redirecting, Rejected
from authgw.errors import StoreError
from authgw.intake.request import Request
from authgw.login.attempt import KEEP
from authgw.login.browser import Begin, Browser, text, texts, to
from authgw.login.chain import PLUGIN_SECONDS
from authgw.login.front import Front
from authgw.login.outcome import Pending, Turned, turned
from authgw.login.target import safe_target
from authgw.reasons import Reason
from authgw.session import cookie
from authgw.session.handles import HandleKind, Handles
from authgw.session.seal import SECRET_BYTES, is_secret, spell
from authgw.ui import page
from authgw.ui.texts import LOGIN, PROVIDER

SECONDS = 600
PREFIX = "/authgw/oidc/"
# More fields than a provider sends, and longer ones than any code is, are no answer of a provider's.
_MAX_FIELD = 4096
log = logging.getLogger("authgw.login.redirect")


class Audit(Protocol):
    def write(self, event: str, fields: Mapping[str, Any]) -> None: ...


class Attempt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login under way: in which instance, by which browser (`mark`), to which page of ours, and what it keeps.

    `session`: the handle of the session whose owner proves once more who he is, on his account pages. `keep`: the
    session that comes of it is to be kept.
    """

    login: str
    mark: str
    target: str
    kept: bytes
    session: str = ""
    keep: bool = False


# Notes that the owner of a session has proved who he is.
Proved = Callable[[cookie.Found], Awaitable[None]]
_decoder = msgspec.msgpack.Decoder(Attempt)


def start(login: str) -> str:
    """Where a browser begins to sign in by this instance."""
    return f"{PREFIX}{login}/login"


def routes(
    browser: Browser, front: Front, second: Begin, proved: Proved, handles: Handles, audit: Audit
) -> list[Route]:
    """The routes of every redirect login of the chain."""
    made: list[Route] = []
    for instance in front.instances:
        if isinstance(instance.plugin, Redirecting):
            way = Way(instance.name, instance.plugin, browser, front, second, proved, handles, audit)
            made += [
                browser.at(start(instance.name), way.begin, "GET"),
                browser.at(f"{PREFIX}{instance.name}/callback", way.finish, "GET"),
                browser.at(f"{PREFIX}{instance.name}/backchannel-logout", way.ended, "POST"),
            ]
    return made


class Way:
    """One redirect login: there, back, and what the provider itself says later."""

    def __init__(
        self,
        name: str,
        plugin: Redirecting,
        browser: Browser,
        front: Front,
        second: Begin,
        proved: Proved,
        handles: Handles,
        audit: Audit,
    ) -> None:
        self._name = name
        self._plugin = plugin
        self._browser = browser
        self._front = front
        self._second = second
        self._proved = proved
        self._handles = handles
        self._audit = audit
        self._callback = f"{browser.origin}{PREFIX}{name}/callback"

    async def begin(self, request: Request) -> Answer:
        if request.head:
            return Answer(405)
        if not await self._front.begins(request.address):
            return self._turned(request, turned(Reason.THROTTLED, retry_after=60), "too many from one address", "")
        found = await self._own(request) if "again" in request.fields else None
        state = self._handles.token()
        begun = await _asked(partial(self._plugin.begin, self._callback, state, again=found is not None), self._name)
        if not isinstance(begun, Begun):
            return self._turned(request, turned(Reason.LOGIN_FAILED), begun.reason, "")
        known = request.cookies.get(self._cookie, ())
        mark = next(filter(is_secret, known), "") or spell(secrets.token_bytes(SECRET_BYTES))
        target = safe_target(request.fields.get("next"), self._browser.home)
        session = found.session.handle if found else ""
        # Kept signed in is whoever asked for it on our own page, nobody by another page's link.
        ours = request.cookies.get(self._browser.names.attempt, ())
        keep = self._browser.attempts.fits(ours, request.fields.get("keep"), KEEP)
        record = msgspec.msgpack.encode(Attempt(self._name, mark, target, begun.kept, session, keep))
        await self._handles.put(HandleKind.REDIRECT, record, SECONDS, state)
        return to(begun.url, ("set-cookie", cookie.set_redirect(self._browser.names, mark, SECONDS)))

    async def finish(self, request: Request) -> Answer:
        if request.head:
            return Answer(405)  # a look must not use the code up
        attempt = await self._attempt(request)
        if attempt is None:
            return self._turned(request, turned(Reason.LOGIN_EXPIRED), "no such attempt of this browser", "")
        answer = {name: value for name, value in request.fields.items() if isinstance(value, str)}
        if any(len(value) > _MAX_FIELD for value in answer.values()):
            return self._turned(request, turned(Reason.PROVIDER_REFUSED), "a field is too long", attempt.target)
        outcome = await _asked(partial(self._plugin.finish, self._callback, attempt.kept, answer), self._name)
        if isinstance(outcome, Failed):
            return self._turned(request, turned(Reason.LOGIN_FAILED), outcome.reason, attempt.target)
        if not isinstance(outcome, Granted):
            said = Reason.PROVIDER_REFUSED if "error" in answer else Reason.NOT_ADMITTED
            why = outcome.reason if isinstance(outcome, Rejected) else "not one of ours"
            return self._turned(request, turned(said), why, attempt.target)
        if attempt.session:
            return await self._again(request, attempt, outcome)
        verdict = await self._front.arrived(outcome, self._name, request.address, origin="redirect")
        if isinstance(verdict, Turned):
            return self._page(request, verdict, attempt.target)
        if isinstance(verdict, Pending):
            return await self._second(request, verdict, attempt.target, attempt.keep)
        try:
            return await self._browser.enter(
                request, verdict.claims, verdict.factors, attempt.target, remote=verdict.remote, keep=attempt.keep
            )
        except StoreError as error:
            log.error("login: %s", error)
            return self._page(request, turned(Reason.STORE_UNAVAILABLE), attempt.target)

    async def _own(self, request: Request) -> cookie.Found | None:
        """The browser's session, where this login made it."""
        found = await self._browser.found(request)
        return found if isinstance(found, cookie.Found) and found.session.claims.login == self._name else None

    async def _again(self, request: Request, attempt: Attempt, granted: Granted) -> Answer:
        """The owner of a session has proved once more who he is: it is noted, and the session stays as it is."""
        found = await self._own(request)
        same = found is not None and found.session.handle == attempt.session
        if found is None or not same or granted.identity.id != found.session.claims.id:
            return self._turned(request, turned(Reason.NOT_ADMITTED), "proved to be somebody else", attempt.target)
        await self._proved(found)
        claims = found.session.claims
        who = {"user": claims.user, "id": claims.id, "login": claims.login, "session": found.session.handle}
        self._audit.write("step_up", {**who, "address": request.address})
        return to(attempt.target)

    async def ended(self, request: Request) -> Answer:
        """Back-channel logout, from the provider's server to ours: 200, or 400 where nothing was ended by it."""
        token = text(request.fields.get("logout_token"))
        ending = await _asked(partial(self._plugin.ended, token), self._name)
        if not isinstance(ending, Ending):
            log.warning("login %s: back-channel logout refused: %s", self._name, ending.reason)
            return _bad(ending.reason)
        count = await self._browser.sessions.end_remote(self._name, ending)
        if count is None:
            log.warning("login %s: back-channel logout refused: this message was used before", self._name)
            return _bad("this message was used before")
        said = {"login": self._name, "by": "provider", "subject": ending.subject, "sessions": count}
        self._audit.write("logout", {**said, "address": request.address})
        return Answer(200)

    @property
    def _cookie(self) -> str:
        return self._browser.names.redirect

    async def _attempt(self, request: Request) -> Attempt | None:
        """What this browser began, taken out for good."""
        blob = await self._handles.take(HandleKind.REDIRECT, text(request.fields.get("state")))
        if blob is None:
            return None
        attempt = _decoder.decode(blob)
        marks = request.cookies.get(self._cookie, ())
        own = any(hmac.compare_digest(mark.encode(), attempt.mark.encode()) for mark in marks)
        return attempt if own and attempt.login == self._name else None

    def _turned(self, request: Request, verdict: Turned, why: str, target: str) -> Answer:
        """A refusal that the front has not heard of: told to the log and the trail here."""
        log.log(logging.ERROR if verdict.reason is Reason.LOGIN_FAILED else logging.INFO, "%s: %s", self._name, why)
        event = {"user": "", "origin": "redirect", "address": request.address, "login": self._name}
        self._audit.write("login", {**event, "outcome": "refused", "reason": verdict.reason.value})
        return self._page(request, verdict, target)

    def _page(self, request: Request, verdict: Turned, target: str) -> Answer:
        t = texts(request)
        code = text(request.fields.get("error")) if verdict.reason is Reason.PROVIDER_REFUSED else ""
        id = PROVIDER.get(code) or LOGIN[verdict.reason]
        lines = [t(id, wait=t.wait(verdict.retry_after), title=self._plugin.title)]
        if verdict.note:
            lines.append(t("login.note", note=verdict.note))
        again = (start(self._name) + _query(target), t("sso.again", title=self._plugin.title))
        links = (again, ("/authgw/login?local=1", t("sso.other")))
        retry = (("retry-after", str(verdict.retry_after)),) if verdict.retry_after else ()
        return page.message(verdict.status, t, t("sso.failed"), tuple(lines), links=links, headers=retry)


async def _asked(call: Callable[[], Awaitable[Any]], login: str) -> Any:
    """A plugin's answer. What it raises is a failure; the text of that may quote a token and stays out of the log."""
    try:
        async with asyncio.timeout(PLUGIN_SECONDS):
            return await call()
    except TimeoutError:
        return Failed(f"no answer within {PLUGIN_SECONDS:g} s")
    except Exception as error:
        log.error("login plugin %s raised %s", login, type(error).__name__)
        return Failed(f"raised {type(error).__name__}")


def _bad(why: str) -> Answer:
    return as_json(400, {"error": "invalid_request", "error_description": why})


def _query(target: str) -> str:
    return f"?next={quote(target, safe='')}" if target else ""
