"""The pages for one's second factors: an authenticator app, recovery codes, and taking a factor away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from authgw.account.guard import HOME, Guard, denied, limited
from authgw.account.stepup import Proof
from authgw.answer import Answer
from authgw.intake.request import Request
from authgw.login.browser import text, texts, to
from authgw.login.factors import Factors, who_of
from authgw.reasons import Reason
from authgw.session.cookie import Found
from authgw.ui import page
from authgw.ui.texts import LOGIN

APP = HOME + "/factors/app"
REMOVE = HOME + "/factors/remove"
CODES = HOME + "/factors/codes"


class OwnFactors:
    """Each change needs a fresh proof. The key of an app that is being set up lies beside that proof, on the server."""

    def __init__(self, guard: Guard, factors: Factors) -> None:
        self._guard = guard
        self._factors = factors

    async def form(self, request: Request) -> Answer:
        entered = await self.entered(request, APP, posted=False)
        if isinstance(entered, Answer):
            return entered
        found, proof = entered
        if not proof.secret:
            draft = self._factors.draft(who_of(found.session.claims))
            proof = msgspec.structs.replace(proof, secret=draft.secret)
            await self._guard.step_ups.keep(found, proof)
        return self._page(request, found, proof.secret, 200)

    async def enrol(self, request: Request) -> Answer:
        entered = await self.entered(request, APP, posted=True)
        if isinstance(entered, Answer):
            return entered
        found, proof = entered
        if not proof.secret:
            return to(APP)
        done = await self._factors.confirm(who_of(found.session.claims), proof.secret, text(request.fields.get("code")))
        if isinstance(done, Reason):
            return self._page(request, found, proof.secret, 400, texts(request)(LOGIN[done]))
        await self._guard.step_ups.keep(found, msgspec.structs.replace(proof, secret=""))
        return self.shown(request, done) if done else to(HOME + "#factors")

    async def remove(self, request: Request) -> Answer:
        entered = await self.entered(request, HOME, posted=True)
        if isinstance(entered, Answer):
            return entered
        await self._factors.remove(who_of(entered[0].session.claims), text(request.fields.get("id"))[:64])
        return to(HOME + "#factors")

    async def codes(self, request: Request) -> Answer:
        """New recovery codes; those from before are void. Only beside a factor that they stand in for."""
        entered = await self.entered(request, HOME, posted=True)
        if isinstance(entered, Answer):
            return entered
        who = who_of(entered[0].session.claims)
        if not await self._factors.kinds(who):
            return to(HOME + "#factors")
        return self.shown(request, await self._factors.new_codes(who))

    async def entered(self, request: Request, back: str, *, posted: bool) -> tuple[Found, Proof] | Answer:
        """Whose factors are to be changed, with his fresh proof; or what is said instead. `back`: where a proof leads
        on to; what was sent is not kept over it, so that is a page it is sent from."""
        found = await (self._guard.posted(request) if posted else self._guard.enter(request))
        if isinstance(found, Answer):
            return found
        if limited(found.session.claims, "hide_change_password"):
            return denied(request, "hide_change_password")
        proof = await self._guard.confirmed(found, back)
        return proof if isinstance(proof, Answer) else (found, proof)

    def _page(self, request: Request, found: Found, secret: str, status: int, alert: str = "") -> Answer:
        draft = self._factors.draft(who_of(found.session.claims), secret)
        qr = Markup(draft.svg)  # noqa: S704 - made here from the address alone
        return self._rendered(
            request,
            "account_app.html",
            status,
            form=self._guard.form(found),
            alert=alert,
            draft=draft,
            qr=qr,
            action=APP,
        )

    def shown(self, request: Request, codes: Sequence[str]) -> Answer:
        """New recovery codes, this once."""
        return self._rendered(request, "account_codes.html", 200, codes=codes)

    def _rendered(self, request: Request, name: str, status: int, **more: Any) -> Answer:
        return page.page(status, page.render(name, texts(request), home=HOME, **more))
