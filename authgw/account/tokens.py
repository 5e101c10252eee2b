"""The pages for API tokens: make one, which is shown once, and revoke one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from authgw.account.guard import HOME, Guard
from authgw.account.seen import Seen
from authgw.account.token import MAX_NAME, Kind
from authgw.answer import Answer
from authgw.durable.tokens import Tokens
from authgw.intake.request import Request
from authgw.login.bearer import TokenLogin
from authgw.login.browser import text, texts, to
from authgw.rights.claims import Claims
from authgw.session.cookie import Found
from authgw.ui import page, words
from authgw.ui.texts import Texts

NEW = HOME + "/tokens/new"
REVOKE = HOME + "/tokens/revoke"
_DAY = 86_400


class Audit(Protocol):
    def write(self, event: str, fields: Mapping[str, Any]) -> None: ...


class TokenRules(msgspec.Struct, frozen=True):
    """Bounds of tokens: seconds that one lives unless said otherwise, and at most; tokens of one user."""

    lifetime: float
    longest: float
    per_user: int

    @property
    def days(self) -> int:
        return max(1, int(min(self.lifetime, self.longest) // _DAY))

    @property
    def most_days(self) -> int:
        return max(1, int(self.longest // _DAY))


class Wanted(msgspec.Struct, frozen=True):
    """A token as the form asks for it."""

    name: str
    days: int
    kind: Kind
    flags: frozenset[str]


class TokenPages:
    """`login`: what knows the gates before the owner's account as they are now."""

    def __init__(
        self,
        guard: Guard,
        tokens: Tokens,
        login: TokenLogin,
        seen: Seen,
        rules: TokenRules,
        audit: Audit,
    ) -> None:
        self._guard = guard
        self._tokens = tokens
        self._login = login
        self._seen = seen
        self._rules = rules
        self._audit = audit

    async def form(self, request: Request) -> Answer:
        found = await self._guard.enter(request)
        if isinstance(found, Answer):
            return found
        proof = await self._guard.confirmed(found, NEW)
        return proof if isinstance(proof, Answer) else self._page(request, found, 200)

    async def make(self, request: Request) -> Answer:
        found = await self._guard.posted(request)
        if isinstance(found, Answer):
            return found
        proof = await self._guard.confirmed(found, NEW)
        if isinstance(proof, Answer):
            return proof
        t, claims = texts(request), found.session.claims
        wanted = read(request.fields, claims, self._rules, t)
        if isinstance(wanted, str):
            return self._page(request, found, 400, (wanted,))
        if any(one.token.name == wanted.name for one in await self._tokens.of(claims)):
            return self._page(request, found, 409, (t("token.taken"),))
        gates = proof.gates
        if gates is None:
            gates = await self._login.gates_of(claims)
        if gates is None:
            gates = self._seen.gates(claims)
        if gates is None:
            return self._page(request, found, 409, (t("token.password"),))
        made = await self._tokens.make(
            claims,
            gates,
            name=wanted.name,
            kind=wanted.kind,
            flags=wanted.flags,
            seconds=min(wanted.days * _DAY, self._rules.longest),
            most=self._rules.per_user,
        )
        if made is None:
            return self._page(request, found, 409, (t("token.most", n=self._rules.per_user),))
        written, token = made
        self._write("token_made", request, found, f"{token.id} {token.name}")
        body = page.render("account_token.html", t, token=token, text=written, home=HOME)
        return page.page(200, body)

    async def revoke(self, request: Request) -> Answer:
        """Needs no step-up: it only takes away."""
        found = await self._guard.posted(request)
        if isinstance(found, Answer):
            return found
        wanted = request.fields.get("id")
        for one in await self._tokens.of(found.session.claims):
            if one.token.id == wanted:
                await self._tokens.revoke(one.token)
                self._write("token_revoked", request, found, f"{one.token.id} {one.token.name}")
        return to(HOME + "#tokens")

    def _write(self, event: str, request: Request, found: Found, token: str) -> None:
        claims = found.session.claims
        who = {"user": claims.user, "login": claims.login, "tenant": claims.tenant, "session": found.session.handle}
        self._audit.write(event, {**who, "token": token, "address": request.address})

    def _page(self, request: Request, found: Found, status: int, alert: tuple[str, ...] = ()) -> Answer:
        t, fields = texts(request), request.fields
        body = page.render(
            "account_token_new.html",
            t,
            alert=alert,
            form=self._guard.form(found),
            action=NEW,
            home=HOME,
            called=text(fields.get("name"))[:MAX_NAME],
            days=text(fields.get("days"))[:4] or str(self._rules.days),
            most_days=self._rules.most_days,
            kind=text(fields.get("kind")) or Kind.FULL.value,
            flags=[
                (flag, words.of_key(flag, t.language), f"flag_{flag}" in fields) for flag in own(found.session.claims)
            ],
        )
        return page.page(status, body)


def own(claims: Claims) -> list[str]:
    """The flags that a token of this user may be narrowed to: his own, in the order in which rights are told."""
    held = {flag for grant in claims.grants for flag in grant.flags}
    return [key for key in words.KEYS if key in held] + sorted(held.difference(words.KEYS))


def read(fields: Mapping[str, Any], claims: Claims, rules: TokenRules, t: Texts) -> Wanted | str:
    """The token that was asked for, or what is wrong. A flag that is not the user's own is not there to be chosen."""
    name = text(fields.get("name")).strip()
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        return t("token.name.wrong", n=MAX_NAME)
    days = text(fields.get("days"))
    if not (days.isascii() and days.isdigit() and len(days) < 5 and 1 <= int(days) <= rules.most_days):
        return t("token.days.wrong", n=rules.most_days)
    kind = text(fields.get("kind"))
    if kind not in set(Kind):
        return t("token.kind.wrong")
    flags = frozenset(flag for flag in own(claims) if f"flag_{flag}" in fields)
    if kind == Kind.NARROWED and not flags:
        return t("token.flags.none")
    return Wanted(name, int(days), Kind(kind), flags if kind == Kind.NARROWED else frozenset())
