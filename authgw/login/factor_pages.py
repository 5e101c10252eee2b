"""The pages between the password and the session: a code, a recovery code, setting up an authenticator, the codes.

Each works on the login attempt that the browser's cookie names, and on the step it stands at; whoever asks for another
step's page is led to his own. No script needed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from markupsafe import Markup
from starlette.routing import Route

from authgw.answer import Answer
from authgw.intake.request import Request
from authgw.login import flow, origin
from authgw.login.browser import Browser, text, texts, to
from authgw.login.factors import TOTP, Code, Factors, Proof, RecoveryCode, who_of
from authgw.login.flow import Attempt, Event, Step
from authgw.login.outcome import Pending, Turned, turned
from authgw.login.second import Proved, Second
from authgw.login.underway import Underway
from authgw.reasons import Reason
from authgw.session import cookie
from authgw.ui import page
from authgw.ui.texts import LOGIN

PLACES = {
    Step.PROVE: "/authgw/login/code",
    Step.ENROL: "/authgw/login/enrol",
    Step.KEEP: "/authgw/login/codes",
    Step.LEFT: "/authgw/login/left",
}
RECOVERY_PLACE = "/authgw/login/recovery"
CODES_FILE = "/authgw/login/codes.txt"
Show = Callable[[Request, Attempt, str, Turned | None], Awaitable[bytes]]
# Refusals that say nothing about the code: the attempt stays as it is.
_NOT_JUDGED = frozenset({Reason.THROTTLED, Reason.LOCKED_OUT, Reason.STORE_UNAVAILABLE})


class FactorPages:
    """What each page does with a canonical request."""

    def __init__(self, browser: Browser, second: Second, underway: Underway, now: Callable[[], float]) -> None:
        self._browser = browser
        self._second = second
        self._factors: Factors = second.factors
        self._underway = underway
        self._now = now

    def routes(self) -> list[Route]:
        at = self._browser.at
        return [
            at(PLACES[Step.PROVE], self._get(Step.PROVE, self._code), "GET"),
            at(PLACES[Step.PROVE], self.code, "POST"),
            at(RECOVERY_PLACE, self._get(Step.PROVE, self._recovery), "GET"),
            at(RECOVERY_PLACE, self.recovery, "POST"),
            at(PLACES[Step.ENROL], self._get(Step.ENROL, self._enrol), "GET"),
            at(PLACES[Step.ENROL], self.enrol, "POST"),
            at(PLACES[Step.KEEP], self._get(Step.KEEP, self._codes), "GET"),
            at(PLACES[Step.KEEP], self.kept, "POST"),
            at(CODES_FILE, self.codes_file, "GET"),
            at(PLACES[Step.LEFT], self._get(Step.LEFT, self._left), "GET"),
            at(PLACES[Step.LEFT], self.told, "POST"),
        ]

    async def begin(self, request: Request, pending: Pending, wanted: str) -> Answer:
        """The browser on its way to the first step; attempts it had before are forgotten."""
        await self._underway.drop(request)
        attempt = flow.begin(pending, wanted, self._now())
        if attempt.step is Step.ENROL:
            attempt = msgspec.structs.replace(attempt, secret=self._factors.draft(who_of(pending.claims)).secret)
        return await self._onward(request, attempt)

    async def code(self, request: Request) -> Answer:
        return await self._prove(request, Code(text(request.fields.get("code"))), self._code, Event.PROVED)

    async def recovery(self, request: Request) -> Answer:
        proof = RecoveryCode(text(request.fields.get("code")))
        return await self._prove(request, proof, self._recovery, Event.RECOVERED)

    async def enrol(self, request: Request) -> Answer:
        attempt = await self._taken(request, Step.ENROL)
        if isinstance(attempt, Answer):
            return attempt
        who = who_of(attempt.pending.claims)
        codes = await self._factors.confirm(who, attempt.secret, text(request.fields.get("code")))
        if isinstance(codes, Reason):
            return await self._again(request, attempt, self._enrol, turned(codes))
        enrolled = flow.moved(attempt, Event.ENROLLED, TOTP)
        assert enrolled is not None
        return await self._onward(request, msgspec.structs.replace(enrolled, codes=codes))

    async def kept(self, request: Request) -> Answer:
        return await self._read(request, Step.KEEP)

    async def told(self, request: Request) -> Answer:
        return await self._read(request, Step.LEFT)

    async def codes_file(self, request: Request) -> Answer:
        """The recovery codes as a text file, for as long as the page with them may be looked at."""
        found = await self._underway.look(request)
        if found is None or found[1].step is not Step.KEEP:
            return to(PLACES[found[1].step] if found else "/authgw/login")
        attempt, t = found[1], texts(request)
        head = t("codes.file", user=attempt.pending.claims.user, origin=self._browser.origin)
        body = "\r\n".join((head, "", *attempt.codes, "", t("codes.once"), "")).encode()
        name = (("content-disposition", 'attachment; filename="recovery-codes.txt"'),)
        return Answer(200, body, "text/plain; charset=utf-8", name)

    async def _prove(self, request: Request, proof: Proof, show: Show, event: Event) -> Answer:
        attempt = await self._taken(request, Step.PROVE)
        if isinstance(attempt, Answer):
            return attempt
        verdict = await self._second.prove(attempt.pending, proof, request.address, origin="page")
        if isinstance(verdict, Turned):
            return await self._again(request, attempt, show, verdict)
        return await self._proved(request, attempt, verdict, event)

    async def _proved(self, request: Request, attempt: Attempt, proved: Proved, event: Event) -> Answer:
        after = flow.moved(attempt, event, proved.factor)
        assert after is not None
        if after.step is Step.DONE:
            return await self._enter(request, after)
        return await self._onward(request, msgspec.structs.replace(after, left=proved.left))

    async def _read(self, request: Request, step: Step) -> Answer:
        attempt = await self._taken(request, step)
        if isinstance(attempt, Answer):
            return attempt
        after = flow.moved(attempt, Event.READ)
        assert after is not None
        return await self._enter(request, after)

    async def _enter(self, request: Request, attempt: Attempt) -> Answer:
        """Every factor is in. The one place where an attempt becomes a session."""
        verdict = await self._second.complete(attempt.pending, attempt.factors, request.address, origin="page")
        if isinstance(verdict, Turned):
            return self._over(request, verdict)
        answer = await self._browser.enter(
            request, verdict.claims, verdict.factors, attempt.wanted, remote=verdict.remote
        )
        return msgspec.structs.replace(answer, headers=(*answer.headers, self._forgotten()))

    async def _taken(self, request: Request, step: Step) -> Attempt | Answer:
        """This browser's attempt, for this request alone, where it comes from our own page of that very step."""
        found = await self._underway.look(request)
        if found is None:
            return self._over(request, turned(Reason.ATTEMPT_OVER))
        token, attempt = found
        ours = not origin.is_foreign(request.headers, self._browser.origin)
        if (
            not ours
            or attempt.step is not step
            or not self._browser.attempts.fits((token,), request.fields.get("form"))
        ):
            return to(PLACES[attempt.step])
        taken = await self._underway.take(token)
        return self._over(request, turned(Reason.ATTEMPT_OVER)) if taken is None else taken

    async def _again(self, request: Request, attempt: Attempt, show: Show, verdict: Turned) -> Answer:
        """The page once more, saying what was wrong; after too many wrong codes the attempt is over."""
        kept = attempt if verdict.reason in _NOT_JUDGED else flow.missed(attempt)
        stored = None if kept is None else await self._underway.put(kept)
        if kept is None or stored is None:
            return self._over(request, turned(Reason.ATTEMPT_OVER) if kept else verdict)
        token, set_cookie = stored
        retry = (("retry-after", str(verdict.retry_after)),) if verdict.retry_after else ()
        body = await show(request, kept, token, verdict)
        return page.page(verdict.status, body, (("set-cookie", set_cookie), *retry))

    async def _onward(self, request: Request, attempt: Attempt) -> Answer:
        stored = await self._underway.put(attempt)
        if stored is None:
            return self._over(request, turned(Reason.ATTEMPT_OVER))
        return to(PLACES[attempt.step], ("set-cookie", stored[1]))

    def _get(self, step: Step, show: Show) -> Callable[[Request], Awaitable[Answer]]:
        async def handler(request: Request) -> Answer:
            found = await self._underway.look(request)
            if found is None:
                return to("/authgw/login")
            token, attempt = found
            if attempt.step is not step:
                return to(PLACES[attempt.step])
            return page.page(200, await show(request, attempt, token, None))

        return handler

    def _over(self, request: Request, verdict: Turned) -> Answer:
        """No way on from here but from the beginning."""
        t = texts(request)
        lines = [t(LOGIN[verdict.reason], wait=t.wait(verdict.retry_after))]
        if verdict.note:
            lines.append(t("login.note", note=verdict.note))
        if verdict.reason is not Reason.ATTEMPT_OVER:
            lines.append(t("attempt.again"))
        again = (("/authgw/login", t("login.title")),)
        headers = (self._forgotten(),)
        return page.message(verdict.status, t, t("attempt.title"), tuple(lines), links=again, headers=headers)

    def _forgotten(self) -> tuple[str, str]:
        return "set-cookie", cookie.clear_login(self._browser.names)

    async def _code(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        left = await self._factors.codes_left(who_of(attempt.pending.claims))
        kinds = await self._second.kinds(attempt.pending)
        return self._render("code.html", request, attempt, token, verdict, left=left, app=TOTP in kinds)

    async def _recovery(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        left = await self._factors.codes_left(who_of(attempt.pending.claims))
        return self._render("recovery.html", request, attempt, token, verdict, left=left)

    async def _enrol(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        draft = self._factors.draft(who_of(attempt.pending.claims), attempt.secret)
        qr = Markup(draft.svg)  # noqa: S704 - made here from the address alone
        return self._render("enrol.html", request, attempt, token, verdict, draft=draft, qr=qr)

    async def _codes(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        return self._render("codes.html", request, attempt, token, verdict, codes=attempt.codes)

    async def _left(self, request: Request, attempt: Attempt, token: str, verdict: Turned | None) -> bytes:
        return self._render("left.html", request, attempt, token, verdict, left=attempt.left)

    def _render(
        self, name: str, request: Request, attempt: Attempt, token: str, verdict: Turned | None, **more: object
    ) -> bytes:
        t = texts(request)
        alert = "" if verdict is None else t(LOGIN[verdict.reason], wait=t.wait(verdict.retry_after))
        form, user = self._browser.attempts.form(token), attempt.pending.claims.user
        return page.render(name, t, alert=alert, form=form, user=user, **more)
