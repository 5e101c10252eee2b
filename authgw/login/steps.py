"""The steps of a login attempt in a browser: taken, moved on, begun anew, over, and at the end a session.

What each step's page looks like is none of its business: `factor_pages.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from authgw.answer import Answer
from authgw.intake.request import Request
from authgw.login import flow, origin
from authgw.login.browser import Browser, texts, to
from authgw.login.factors import who_of
from authgw.login.flow import Attempt, Event, Step
from authgw.login.outcome import Pending, Turned, turned
from authgw.login.second import Proof, Second
from authgw.login.underway import Underway
from authgw.reasons import Reason
from authgw.session import cookie
from authgw.ui import assets, page
from authgw.ui.texts import LOGIN

PLACES = {
    Step.PROVE: "/authgw/login/code",
    Step.ENROL: "/authgw/login/enrol",
    Step.KEEP: "/authgw/login/codes",
    Step.LEFT: "/authgw/login/left",
}
LOGIN_PLACE = "/authgw/login"


class Show(msgspec.Struct, frozen=True):
    """A page. `body` makes it of request, attempt, token, and what was wrong, if anything was; `script`: it may run
    passkey.js."""

    body: Callable[[Request, Attempt, str, Turned | None], Awaitable[bytes]]
    script: bool = False


# Refusals that say nothing about the proof: the attempt stays as it is.
_NOT_JUDGED = frozenset({Reason.THROTTLED, Reason.LOCKED_OUT, Reason.STORE_UNAVAILABLE})


class Steps:
    """`now`: seconds since 1970. Every async method raises StoreError where store or database cannot be asked."""

    def __init__(self, browser: Browser, second: Second, underway: Underway, now: Callable[[], float]) -> None:
        self._browser = browser
        self.second = second
        self.underway = underway
        self._now = now

    async def begin(self, request: Request, pending: Pending, wanted: str, keep: bool) -> Answer:
        """The browser on its way to the first step; attempts it had before are forgotten."""
        await self.underway.drop(request)
        attempt = flow.begin(pending, wanted, self._now(), keep=keep)
        if attempt.step is Step.ENROL:
            secret = self.second.factors.draft(who_of(pending.claims)).secret
            attempt = msgspec.structs.replace(attempt, secret=secret)
        return await self.onward(request, attempt)

    def get(self, step: Step, show: Show) -> Callable[[Request], Awaitable[Answer]]:
        """The handler that shows a step's page. Who stands at another step is led there."""

        async def handler(request: Request) -> Answer:
            found = await self.underway.look(request)
            if found is None:
                return to(LOGIN_PLACE)
            token, attempt = found
            if attempt.step is not step:
                return to(PLACES[attempt.step])
            return page.page(200, await show.body(request, attempt, token, None), script=self._scripts(show))

        return handler

    async def prove(self, request: Request, proof: Callable[[Attempt], Proof], show: Show, event: Event) -> Answer:
        """A factor is proved, or the page is shown again."""
        attempt = await self.taken(request, Step.PROVE)
        if isinstance(attempt, Answer):
            return attempt
        verdict = await self.second.prove(attempt.pending, proof(attempt), request.address, origin="page")
        if isinstance(verdict, Turned):
            return await self.again(request, attempt, show, verdict)
        return await self.moved(request, attempt, event, verdict.factor, left=verdict.left)

    async def read(self, request: Request, step: Step) -> Answer:
        """What the step shows has been read: on."""
        attempt = await self.taken(request, step)
        return attempt if isinstance(attempt, Answer) else await self.moved(request, attempt, Event.READ)

    async def taken(self, request: Request, step: Step) -> Attempt | Answer:
        """This browser's attempt, for this request alone, where it comes from our own page of that very step."""
        found = await self.underway.look(request)
        if found is None:
            return self.over(request, turned(Reason.ATTEMPT_OVER))
        token, attempt = found
        ours = not origin.is_foreign(request.headers, self._browser.origin)
        fits = self._browser.attempts.fits((token,), request.fields.get("form"))
        if not ours or not fits or attempt.step is not step:
            return to(PLACES[attempt.step])
        taken = await self.underway.take(token)
        return self.over(request, turned(Reason.ATTEMPT_OVER)) if taken is None else taken

    async def moved(
        self,
        request: Request,
        attempt: Attempt,
        event: Event,
        factor: str = "",
        *,
        codes: tuple[str, ...] = (),
        left: int = 0,
    ) -> Answer:
        """After an event: the next step's page, or in."""
        after = flow.moved(attempt, event, factor)
        assert after is not None, (attempt, event)
        if after.step is Step.DONE:
            return await self._enter(request, after)
        return await self.onward(request, msgspec.structs.replace(after, codes=codes, left=left))

    async def again(self, request: Request, attempt: Attempt, show: Show, verdict: Turned) -> Answer:
        """The page once more, saying what was wrong; after too many wrong proofs the attempt is over."""
        kept = attempt if verdict.reason in _NOT_JUDGED else flow.missed(attempt)
        stored = None if kept is None else await self.underway.put(kept)
        if kept is None or stored is None:
            return self.over(request, turned(Reason.ATTEMPT_OVER) if kept else verdict)
        token, set_cookie, shown = stored
        retry = (("retry-after", str(verdict.retry_after)),) if verdict.retry_after else ()
        body = await show.body(request, shown, token, verdict)
        return page.page(verdict.status, body, (("set-cookie", set_cookie), *retry), script=self._scripts(show))

    async def onward(self, request: Request, attempt: Attempt) -> Answer:
        """The page of the step at which the attempt stands."""
        stored = await self.underway.put(attempt)
        if stored is None:
            return self.over(request, turned(Reason.ATTEMPT_OVER))
        return to(PLACES[attempt.step], ("set-cookie", stored[1]))

    def over(self, request: Request, verdict: Turned) -> Answer:
        """No way on from here but from the beginning."""
        t = texts(request)
        lines = [t(LOGIN[verdict.reason], wait=t.wait(verdict.retry_after))]
        if verdict.note:
            lines.append(t("login.note", note=verdict.note))
        if verdict.reason is not Reason.ATTEMPT_OVER:
            lines.append(t("attempt.again"))
        again = ((LOGIN_PLACE, t("login.title")),)
        headers = (self._forgotten(),)
        return page.message(verdict.status, t, t("attempt.title"), tuple(lines), links=again, headers=headers)

    async def _enter(self, request: Request, attempt: Attempt) -> Answer:
        """Every factor is in. The one place where an attempt becomes a session."""
        verdict = await self.second.complete(attempt.pending, attempt.factors, request.address, origin="page")
        if isinstance(verdict, Turned):
            return self.over(request, verdict)
        answer = await self._browser.enter(
            request, verdict.claims, verdict.factors, attempt.wanted, remote=verdict.remote, keep=attempt.keep
        )
        return msgspec.structs.replace(answer, headers=(*answer.headers, self._forgotten()))

    def _scripts(self, show: Show) -> str:
        return assets.sources(self._browser.origin, "passkey.js") if show.script else ""

    def _forgotten(self) -> tuple[str, str]:
        return "set-cookie", cookie.clear_login(self._browser.names)
