"""The page that asks once more who somebody is."""

from __future__ import annotations

from authgw.account.challenges import Challenges, Purpose
from authgw.account.guard import CONFIRM, HOME, Guard
from authgw.account.proofs import Proofs
from authgw.answer import Answer
from authgw.intake.request import Request
from authgw.login.browser import text, texts, to
from authgw.login.factors import Proved
from authgw.login.outcome import LoggedIn, Pending, Turned
from authgw.login.target import safe_target
from authgw.session.cookie import Found
from authgw.ui import assets, page
from authgw.ui.texts import LOGIN, Texts


class Confirm:
    def __init__(self, guard: Guard, proofs: Proofs, challenges: Challenges) -> None:
        self._guard = guard
        self._proofs = proofs
        self._challenges = challenges

    async def form(self, request: Request) -> Answer:
        found = await self._guard.enter(request)
        return found if isinstance(found, Answer) else await self._page(request, found, 200)

    async def post(self, request: Request) -> Answer:
        found = await self._guard.posted(request)
        if isinstance(found, Answer):
            return found
        proved = await self._proved(request, found)
        if proved is None:
            return await self._page(request, found, 400, (texts(request)("passkey.stale"),))
        if isinstance(proved, Turned):
            return await self._page(request, found, proved.status, alert(proved, texts(request)))
        await self._guard.step_ups.hold(found, None if isinstance(proved, Proved) else proved.gates)
        return to(_target(request))

    async def _proved(self, request: Request, found: Found) -> LoggedIn | Pending | Proved | Turned | None:
        """What the proof comes to. None: it answers no challenge that stands, so there is nothing to judge."""
        fields, address = request.fields, request.address
        if answer := text(fields.get("answer")):
            challenge = await self._challenges.take(found.sid, Purpose.PROVE, fields.get("asked"))
            return await self._proofs.by_passkey(found, challenge, answer, address) if challenge else None
        if code := text(fields.get("code")):
            return await self._proofs.by_code(found, code, address)
        return await self._proofs.by_password(found, text(fields.get("password")), address)

    async def _page(self, request: Request, found: Found, status: int, alert: tuple[str, ...] = ()) -> Answer:
        claims = found.session.claims
        asked = options = ""
        if await self._proofs.has_passkey(found):
            asked, challenge = await self._challenges.put(found.sid, Purpose.PROVE)
            options = await self._proofs.passkey_request(found, challenge)
        password = self._proofs.has_password(claims)
        body = page.render(
            "account_confirm.html",
            texts(request),
            alert=alert,
            form=self._guard.form(found),
            target=_target(request),
            user=claims.user,
            password=password,
            code=await self._proofs.has_code(found),
            again=self._proofs.elsewhere(claims, _target(request)),
            options=options,
            fields={"asked": asked, "next": _target(request)},
            action=CONFIRM,
        )
        scripts = [name for name, needed in (("capslock.js", password), ("passkey.js", options)) if needed]
        return page.page(status, body, script=assets.sources(self._guard.browser.origin, *scripts))


def alert(verdict: Turned, t: Texts) -> tuple[str, ...]:
    """A refused login in words."""
    said = t(LOGIN[verdict.reason], wait=t.wait(verdict.retry_after))
    return (said, t("login.note", note=verdict.note)) if verdict.note else (said,)


def _target(request: Request) -> str:
    """Back to the account page that asked for it, to no other place."""
    wanted = safe_target(request.fields.get("next"), HOME)
    return wanted if wanted.startswith(HOME + "/") and not wanted.startswith(CONFIRM) else HOME
