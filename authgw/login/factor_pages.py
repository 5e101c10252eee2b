"""The pages between the password and the session: a code, a passkey, a recovery code; setting one up, and its codes.

Each works on the login attempt that the browser's cookie names, and on the step it stands at; whoever asks for another
step's page is led to his own. No script needed, passkeys aside.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from starlette.routing import Route

from authgw.answer import Answer
from authgw.intake.request import Request
from authgw.login.browser import Browser, text, texts, to
from authgw.login.factors import PASSKEY, TOTP, Assertion, Code, RecoveryCode, who_of
from authgw.login.flow import Attempt, Event, Step
from authgw.login.outcome import Turned, turned
from authgw.login.steps import LOGIN_PLACE, PLACES, Show, Steps
from authgw.reasons import Reason
from authgw.ui import page
from authgw.ui.texts import LOGIN

RECOVERY_PLACE = "/authgw/login/recovery"
PASSKEY_PLACE = "/authgw/login/passkey"
NEW_PASSKEY_PLACE = "/authgw/login/enrol-passkey"
CODES_FILE = "/authgw/login/codes.txt"


class FactorPages:
    """What each page does with a canonical request."""

    def __init__(self, browser: Browser, steps: Steps) -> None:
        self._browser = browser
        self._steps = steps
        self._second = steps.second
        self._factors = steps.second.factors
        self._code_page, self._enrol_page = Show(self._code, script=True), Show(self._enrol, script=True)

    def routes(self) -> list[Route]:
        at, get = self._browser.at, self._steps.get
        return [
            at(PLACES[Step.PROVE], get(Step.PROVE, self._code_page), "GET"),
            at(PLACES[Step.PROVE], self.code, "POST"),
            at(PASSKEY_PLACE, self.passkey, "POST"),
            at(RECOVERY_PLACE, get(Step.PROVE, Show(self._recovery)), "GET"),
            at(RECOVERY_PLACE, self.recovery, "POST"),
            at(PLACES[Step.ENROL], get(Step.ENROL, self._enrol_page), "GET"),
            at(PLACES[Step.ENROL], self.enrol, "POST"),
            at(NEW_PASSKEY_PLACE, self.enrol_passkey, "POST"),
            at(PLACES[Step.KEEP], get(Step.KEEP, Show(self._codes)), "GET"),
            at(PLACES[Step.KEEP], self.kept, "POST"),
            at(CODES_FILE, self.codes_file, "GET"),
            at(PLACES[Step.LEFT], get(Step.LEFT, Show(self._left)), "GET"),
            at(PLACES[Step.LEFT], self.told, "POST"),
        ]

    async def code(self, request: Request) -> Answer:
        proof = Code(text(request.fields.get("code")))
        return await self._steps.prove(request, lambda _: proof, self._code_page, Event.PROVED)

    async def passkey(self, request: Request) -> Answer:
        answer = text(request.fields.get("answer"))
        return await self._steps.prove(
            request, lambda one: Assertion(one.challenge, answer), self._code_page, Event.PROVED
        )

    async def recovery(self, request: Request) -> Answer:
        proof = RecoveryCode(text(request.fields.get("code")))
        return await self._steps.prove(request, lambda _: proof, Show(self._recovery), Event.RECOVERED)

    async def enrol(self, request: Request) -> Answer:
        attempt = await self._steps.taken(request, Step.ENROL)
        if isinstance(attempt, Answer):
            return attempt
        who, typed = who_of(attempt.pending.claims), text(request.fields.get("code"))
        codes = await self._factors.confirm(who, attempt.secret, typed, first=True)
        return await self._enrolled(request, attempt, TOTP, codes)

    async def enrol_passkey(self, request: Request) -> Answer:
        attempt = await self._steps.taken(request, Step.ENROL)
        if isinstance(attempt, Answer):
            return attempt
        who, answer = who_of(attempt.pending.claims), text(request.fields.get("answer"))
        name = texts(request)("passkey.name")
        codes = await self._factors.add_passkey(who, attempt.challenge, answer, name, first=True)
        return await self._enrolled(request, attempt, PASSKEY, codes)

    async def kept(self, request: Request) -> Answer:
        return await self._steps.read(request, Step.KEEP)

    async def told(self, request: Request) -> Answer:
        return await self._steps.read(request, Step.LEFT)

    async def codes_file(self, request: Request) -> Answer:
        """The recovery codes as a text file, for as long as the page with them may be looked at."""
        found = await self._steps.underway.look(request)
        if found is None or found[1].step is not Step.KEEP:
            return to(PLACES[found[1].step] if found else LOGIN_PLACE)
        attempt, t = found[1], texts(request)
        head = t("codes.file", user=attempt.pending.claims.user, origin=self._browser.origin)
        body = "\r\n".join((head, "", *attempt.codes, "", t("codes.once"), "")).encode()
        name = (("content-disposition", 'attachment; filename="recovery-codes.txt"'),)
        return Answer(200, body, "text/plain; charset=utf-8", name)

    async def _enrolled(
        self, request: Request, attempt: Attempt, factor: str, codes: tuple[str, ...] | Reason
    ) -> Answer:
        if codes is Reason.ATTEMPT_OVER:
            return self._steps.over(request, turned(codes))
        if isinstance(codes, Reason):
            return await self._steps.again(request, attempt, self._enrol_page, turned(codes))
        return await self._steps.moved(request, attempt, Event.ENROLLED, factor, codes=codes)

    async def _code(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        who = who_of(attempt.pending.claims)
        kinds, left = await self._second.kinds(attempt.pending), await self._factors.codes_left(who)
        options = await self._factors.passkey_request(who, attempt.challenge) if PASSKEY in kinds else ""
        return self._render(
            "code.html", request, attempt, token, verdict, left=left, app=TOTP in kinds, options=options
        )

    async def _recovery(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        left = await self._factors.codes_left(who_of(attempt.pending.claims))
        return self._render("recovery.html", request, attempt, token, verdict, left=left)

    async def _enrol(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        who = who_of(attempt.pending.claims)
        draft = self._factors.draft(who, attempt.secret)
        qr = Markup(draft.svg)  # noqa: S704 - made here from the address alone
        options = await self._factors.passkey_creation(who, attempt.challenge)
        return self._render("enrol.html", request, attempt, token, verdict, draft=draft, qr=qr, options=options)

    async def _codes(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        return self._render("codes.html", request, attempt, token, verdict, codes=attempt.codes)

    async def _left(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        return self._render("left.html", request, attempt, token, verdict, left=attempt.left)

    def _render(
        self, name: str, request: Request, attempt: Attempt, token: str, verdict: Turned | None, **more: Any
    ) -> bytes:
        t = texts(request)
        alert = "" if verdict is None else t(LOGIN[verdict.reason], wait=t.wait(verdict.retry_after))
        form, user = self._browser.attempts.form(token), attempt.pending.claims.user
        return page.render(name, t, alert=alert, form=form, user=user, **more)
