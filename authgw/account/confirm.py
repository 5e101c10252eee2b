"""The page that asks for the password again."""

from __future__ import annotations

from authgw.account.guard import CONFIRM, HOME, Guard
from authgw.account.token import key_of
from authgw.answer import Answer
from authgw.contract import Credentials
from authgw.intake.request import Request
from authgw.login.browser import text, texts, to
from authgw.login.front import Front, LoggedIn, Pending
from authgw.login.outcome import Turned, turned
from authgw.login.target import safe_target
from authgw.reasons import Reason
from authgw.session.cookie import Found
from authgw.ui import page
from authgw.ui.texts import LOGIN, Texts


class Confirm:
    """Passwords go through the one front, with its throttle and its trail."""

    def __init__(self, guard: Guard, front: Front) -> None:
        self._guard = guard
        self._front = front

    async def form(self, request: Request) -> Answer:
        found = await self._guard.enter(request)
        return found if isinstance(found, Answer) else self._page(request, found, 200)

    async def post(self, request: Request) -> Answer:
        found = await self._guard.posted(request)
        if isinstance(found, Answer):
            return found
        proved = await self.by_password(request, found, text(request.fields.get("password")))
        if isinstance(proved, Turned):
            return self._page(request, found, proved.status, alert(proved, texts(request)))
        await self._guard.step_ups.hold(found, proved.gates)
        return to(_target(request))

    async def by_password(self, request: Request, found: Found, password: str) -> LoggedIn | Pending | Turned:
        """Whether this is the password of the session's own user, of the login that he came by. Pending: it is; that
        a second factor would be needed to sign in is no matter here, where somebody is signed in."""
        claims = found.session.claims
        credentials = Credentials(claims.user, password, None, request.address)
        verdict = await self._front.login(credentials, origin="step_up")
        if not isinstance(verdict, Turned) and key_of(verdict.claims) != key_of(claims):
            return turned(Reason.BAD_CREDENTIALS)
        return verdict

    def _page(self, request: Request, found: Found, status: int, alert: tuple[str, ...] = ()) -> Answer:
        body = page.render(
            "account_confirm.html",
            texts(request),
            alert=alert,
            form=self._guard.form(found),
            target=_target(request),
            user=found.session.claims.user,
            action=CONFIRM,
        )
        return page.page(status, body)


def alert(verdict: Turned, t: Texts) -> tuple[str, ...]:
    """A refused login in words."""
    said = t(LOGIN[verdict.reason], wait=t.wait(verdict.retry_after))
    return (said, t("login.note", note=verdict.note)) if verdict.note else (said,)


def _target(request: Request) -> str:
    """Back to the account page that asked for it, to no other place."""
    wanted = safe_target(request.fields.get("next"), HOME)
    return wanted if wanted.startswith(HOME + "/") and not wanted.startswith(CONFIRM) else HOME
