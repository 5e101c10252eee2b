"""A password that has expired: its owner proves it once more and chooses a new one, and the login goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from authgw.account import proofs
from authgw.account.challenges import Challenges, Purpose
from authgw.account.guard import limited
from authgw.account.passwords import Passwords, end_all, form_page, read, said, write
from authgw.answer import Answer
from authgw.contract import Changed, Credentials
from authgw.intake.request import Request
from authgw.login import origin
from authgw.login.attempt import KEEP, SECONDS
from authgw.login.browser import Browser, text, texts
from authgw.login.factors import PASSKEY, Assertion, Proof, who_of
from authgw.login.front import Front
from authgw.login.outcome import Lapsed, LoggedIn, Pending, Turned, turned
from authgw.login.target import safe_target
from authgw.reasons import Reason
from authgw.session import cookie
from authgw.ui import assets, page

EXPIRED = "/authgw/login/password"
Told = Callable[[Request, LoggedIn | Pending | Turned, bool], Awaitable[Answer]]


class Expired:
    """Nobody is signed in here: the form is bound to the browser as the login's is, and the old password is judged by
    the front again, with its throttle. Who has a second factor proves it here, or a stolen password would be enough to
    take his account from him; the login that follows asks for it once more. `challenges`: what passkeys sign for it."""

    def __init__(
        self, browser: Browser, front: Front, passwords: Passwords, challenges: Challenges, audit: Any
    ) -> None:
        self._browser = browser
        self._front = front
        self._passwords = passwords
        self._challenges = challenges
        self._audit = audit

    async def form(self, request: Request, verdict: Turned, *, keep: bool) -> Answer | None:
        """The page for somebody whose right password has expired; None: he cannot change it here."""
        if (lapsed := self._whose(verdict)) is None:
            return None
        alert = (texts(request)("password.expired"),)
        return await self._page(request, lapsed.claims.user, 200, alert, lapsed.proof, keep=keep)

    async def post(self, request: Request, told: Told) -> Answer:
        """`told` answers a login, whatever it comes to."""
        t, user, wanted = texts(request), text(request.fields.get("user")), read(request.fields)
        known = request.cookies.get(self._browser.names.attempt, ())
        form, fits = request.fields.get("form"), self._browser.attempts.fits
        keep = fits(known, form, KEEP)
        if origin.is_foreign(request.headers, self._browser.origin) or not (keep or fits(known, form)):
            return await self._page(request, user, 400, (t("login.form"),), keep=False)
        verdict = await self._front.login(Credentials(user, wanted.old, None, request.address), origin="page")
        lapsed = self._whose(verdict) if isinstance(verdict, Turned) else None
        if lapsed is None:
            return await told(request, verdict, keep)
        claims, pending = lapsed.claims, lapsed.proof
        if wanted.new != wanted.again:
            return await self._page(request, claims.user, 400, (t("password.differ"),), pending, keep=keep)
        missing = None if pending is None else await self._missing(request, pending)
        outcome = missing or await self._passwords.change(claims.login, claims.user, wanted)
        if not isinstance(outcome, Changed):
            status = outcome.status if isinstance(outcome, Turned) else 400
            return await self._page(request, claims.user, status, said(outcome, t), pending, keep=keep)
        write(self._audit, claims, request.address)
        await end_all(self._browser.sessions, claims)
        renewed = Credentials(user, wanted.new, None, request.address)
        return await told(request, await self._front.login(renewed, origin="page"), keep)

    async def _missing(self, request: Request, pending: Pending) -> Turned | None:
        """Why the second factor is not proved."""
        typed, answer = text(request.fields.get("code")), text(request.fields.get("answer"))
        if typed:
            proof: Proof = proofs.read(typed)
        elif answer:
            challenge = await self._challenges.take(self._cookie(request), Purpose.LAPSED, request.fields.get("asked"))
            if not challenge:
                return turned(Reason.PASSKEY_REFUSED)
            proof = Assertion(challenge, answer)
        else:
            return turned(Reason.SECOND_FACTOR_NEEDED)
        proved = await self._front.second.prove(pending, proof, request.address, origin="page")
        return proved if isinstance(proved, Turned) else None

    def _whose(self, verdict: Turned) -> Lapsed | None:
        lapsed = verdict.expired
        if lapsed is None or not self._passwords.can(lapsed.claims.login):
            return None
        return None if limited(lapsed.claims, "hide_change_password") else lapsed

    async def _page(
        self,
        request: Request,
        user: str,
        status: int,
        alert: tuple[str, ...],
        pending: Pending | None = None,
        *,
        keep: bool,
    ) -> Answer:
        """`pending`: who has to prove a second factor. Before it is known who he is, a code that he sent says so."""
        attempt, names = self._cookie(request), self._browser.names
        asked = options = ""
        if pending is not None and PASSKEY in await self._front.second.kinds(pending):
            asked, challenge = await self._challenges.put(attempt, Purpose.LAPSED)
            options = await self._front.second.factors.passkey_request(who_of(pending.claims), challenge)
        body = form_page(
            texts(request),
            user[:256],
            self._browser.attempts.form(attempt, KEEP if keep else ""),
            EXPIRED,
            alert,
            target=safe_target(request.fields.get("next"), self._browser.home),
            code=pending is not None or bool(text(request.fields.get("code"))),
            asked=asked,
            options=options,
        )
        scripts = assets.sources(self._browser.origin, "capslock.js", *(["passkey.js"] if options else []))
        return page.page(status, body, (("set-cookie", cookie.set_attempt(names, attempt, SECONDS)),), script=scripts)

    def _cookie(self, request: Request) -> str:
        return self._browser.attempts.cookie(request.cookies.get(self._browser.names.attempt, ()))
