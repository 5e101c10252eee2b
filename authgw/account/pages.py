"""The account page: what one may, where one is signed in, tokens, language and theme."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import msgspec

from authgw.account import agent
from authgw.account.factors import APP, CODES, REMOVE
from authgw.account.guard import HOME, Guard, limited
from authgw.account.passkeys import ADD
from authgw.account.passwords import PASSWORD
from authgw.account.token import key_of
from authgw.account.tokens import NEW, REVOKE, Audit
from authgw.answer import Answer
from authgw.durable.tokens import Kept, Tokens
from authgw.errors import UpstreamError
from authgw.intake.request import Request
from authgw.login.browser import texts, to
from authgw.login.factors import Factors, who_of
from authgw.rights.claims import Claims
from authgw.session.cookie import Found
from authgw.session.model import Kind, Listed
from authgw.ui import page, words
from authgw.ui.texts import LANGUAGE_COOKIE, LANGUAGES, THEME_COOKIE, THEMES, Texts

END = HOME + "/sessions/end"
LOOK = HOME + "/look"
_YEAR = 31_536_000
log = logging.getLogger("authgw.account")

SensorNames = Callable[[], Awaitable[Mapping[int, str]]]


class When(msgspec.Struct, frozen=True):
    """A time for people and for machines."""

    shown: str
    exact: str


class SessionRow(msgspec.Struct, frozen=True):
    handle: str
    this: bool
    agent: str
    address: str
    started: When
    seen: When
    kept: bool


class FactorRow(msgspec.Struct, frozen=True):
    id: str
    kind: str
    name: str
    made: When
    used: When | None


class TokenRow(msgspec.Struct, frozen=True):
    id: str
    name: str
    may: str
    expires: When
    used: When | None


class AccountPages:
    """What each page does with a canonical request."""

    def __init__(
        self,
        guard: Guard,
        tokens: Tokens,
        sensor_names: SensorNames,
        audit: Audit,
        factors: Factors,
        *,
        changing: Callable[[str], bool],
    ) -> None:
        self._guard = guard
        self._sessions = guard.browser.sessions
        self._tokens = tokens
        self._sensor_names = sensor_names
        self._audit = audit
        self._factors = factors
        self._changing = changing

    async def overview(self, request: Request) -> Answer:
        found = await self._guard.enter(request)
        if isinstance(found, Answer):
            return found
        t, claims = texts(request), found.session.claims
        known = await self._names(claims)
        mine = sorted(await self._mine(claims), key=lambda one: (one.handle != found.session.handle, -one.seen))
        body = page.render(
            "account.html",
            t,
            form=self._guard.form(found),
            claims=claims,
            grants=[(words.of_flags(grant, t.language), words.of_calls(grant, known, t)) for grant in claims.grants],
            sessions=[_session_row(one, found, t) for one in mine],
            tokens=[_token_row(one, t) for one in await self._tokens.of(claims)],
            password=self._changing(claims.login) and not limited(claims, "hide_change_password"),
            factors=None if limited(claims, "hide_change_password") else await self._factor_rows(claims),
            codes=await self._factors.codes_left(who_of(claims)),
            languages=[(language, Texts(language)("language.name")) for language in LANGUAGES],
            themes=[(theme, t(f"theme.{theme}")) for theme in THEMES],
            addresses={"new": NEW, "revoke": REVOKE, "end": END, "look": LOOK, "password": PASSWORD}
            | {"app": APP, "passkey": ADD if self._factors.take_passkeys else "", "remove": REMOVE, "codes": CODES},
            home=self._guard.browser.home,
        )
        return page.page(200, body)

    async def end(self, request: Request) -> Answer:
        """End one session of one's own, or (`id=others`) all but this one."""
        found = await self._guard.posted(request)
        if isinstance(found, Answer):
            return found
        wanted = request.fields.get("id")
        for one in await self._mine(found.session.claims):
            if one.handle != found.session.handle and wanted in (one.handle, "others"):
                await self._sessions.end_handle(one.handle)
                self._write(request, found, one.handle)
        return to(HOME + "#sessions")

    async def look(self, request: Request) -> Answer:
        """Language and theme, for all pages of the gateway in this browser."""
        found = await self._guard.posted(request)
        if isinstance(found, Answer):
            return found
        given = []
        for name, cookie, known in (("language", LANGUAGE_COOKIE, LANGUAGES), ("theme", THEME_COOKIE, THEMES)):
            if (value := request.fields.get(name)) in known:
                given.append(("set-cookie", self._cookie(cookie, str(value))))
        return to(HOME, *given)

    async def _mine(self, claims: Claims) -> list[Listed]:
        """The user's live sessions: his in this login instance, not those of a namesake in another."""
        return [one for one in await self._sessions.of(claims) if key_of(one.claims) == key_of(claims)]

    async def _factor_rows(self, claims: Claims) -> list[FactorRow]:
        return [
            FactorRow(one.id, one.kind, one.name, when(one.created), when(one.used) if one.used else None)
            for one in await self._factors.listed(who_of(claims))
        ]

    async def _names(self, claims: Claims) -> Mapping[int, str]:
        if not any(grant.scope.sensors for grant in claims.grants):
            return {}
        try:
            return await self._sensor_names()
        except UpstreamError as error:
            log.info("names of sensors: %s", error)
            return {}

    def _cookie(self, name: str, value: str) -> str:
        parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax", f"Max-Age={_YEAR}"]
        return "; ".join([*parts, "Secure"] if self._guard.browser.names.secure else parts)

    def _write(self, request: Request, found: Found, ended: str) -> None:
        claims = found.session.claims
        who = {"user": claims.user, "login": claims.login, "tenant": claims.tenant, "session": found.session.handle}
        self._audit.write("session_ended", {**who, "ended": ended, "address": request.address})


def when(seconds: float) -> When:
    """A time in UTC, to the minute for people."""
    time = datetime.fromtimestamp(seconds, UTC)
    return When(time.strftime("%Y-%m-%d %H:%M UTC"), time.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _session_row(one: Listed, found: Found, t: Texts) -> SessionRow:
    browser, system = agent.words(one.agent)
    told = t("account.agent", browser=browser or t("account.agent.unknown"), system=system) if system else browser
    if one.kind is Kind.API:
        told = t("account.agent.script", browser=browser) if browser else t("account.agent.api")
    this = one.handle == found.session.handle
    return SessionRow(
        one.handle, this, told or t("account.agent.unknown"), one.address, when(one.started), when(one.seen), one.kept
    )


def _token_row(one: Kept, t: Texts) -> TokenRow:
    token = one.token
    flags = [words.of_key(key, t.language) for key in (*words.KEYS, *sorted(token.flags)) if key in token.flags]
    may = ", ".join(dict.fromkeys(flags)) or t(f"token.kind.{token.kind.value}")
    return TokenRow(token.id, token.name, may, when(token.expires), when(one.used) if one.used else None)
