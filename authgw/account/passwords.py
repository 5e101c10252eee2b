"""Changing a password: on the account page, and at the login when it has expired."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from authgw.account.confirm import alert
from authgw.account.guard import HOME, Guard, denied, limited
from authgw.account.proofs import Proofs
from authgw.answer import Answer
from authgw.contract import Change, Changed, Changing, Failed, NotMine, Rejected, Unfit
from authgw.errors import StoreError
from authgw.intake.request import Request
from authgw.login.browser import text, texts
from authgw.login.chain import PLUGIN_SECONDS, Instance
from authgw.login.outcome import Turned, turned
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.session.sessions import Sessions
from authgw.ui import assets, page
from authgw.ui.texts import Texts

PASSWORD = HOME + "/password"
log = logging.getLogger("authgw.account")


class Wanted(msgspec.Struct, frozen=True):
    """What the form says: the password as it is, and twice what it shall be."""

    old: str
    new: str
    again: str

    def __repr__(self) -> str:
        return "Wanted()"


class Passwords:
    """The login plugins that can change passwords. `seconds`: what a plugin has for it."""

    def __init__(self, instances: Sequence[Instance], seconds: float = PLUGIN_SECONDS) -> None:
        self._plugins = {each.name: each.plugin for each in instances if isinstance(each.plugin, Changing)}
        self._seconds = seconds

    def can(self, login: str) -> bool:
        """Whether people of this login instance may change their passwords here."""
        plugin = self._plugins.get(login)
        return isinstance(plugin, Changing) and plugin.can_change_password()

    async def change(self, login: str, user: str, wanted: Wanted) -> Changed | Unfit | Turned:
        """Raises nothing that a plugin raised: it may quote a password."""
        plugin = self._plugins[login]
        assert isinstance(plugin, Changing)
        try:
            async with asyncio.timeout(self._seconds):
                outcome: Change = await plugin.change_password(user, wanted.old, wanted.new)
        except TimeoutError:
            outcome = Failed(f"no answer within {self._seconds:g} s")
        except Exception as error:
            outcome = Failed(f"raised {type(error).__name__}")
        match outcome:
            case Changed() | Unfit():
                return outcome
            case Rejected() | NotMine():
                return turned(Reason.BAD_CREDENTIALS)
            case _:
                why = outcome.reason if isinstance(outcome, Failed) else f"answered a {type(outcome).__name__}"
                log.error("login %s: a password could not be changed: %s", login, why)
                return turned(
                    Reason.LOGIN_BUSY if isinstance(outcome, Failed) and outcome.busy else Reason.LOGIN_FAILED
                )


class PasswordPages:
    """The page for whoever is signed in. The old password goes through the front, with its throttle and its trail."""

    def __init__(self, guard: Guard, proofs: Proofs, passwords: Passwords, audit: Any) -> None:
        self._guard = guard
        self._proofs = proofs
        self._passwords = passwords
        self._audit = audit

    async def form(self, request: Request) -> Answer:
        found = await self._guard.enter(request)
        if isinstance(found, Answer):
            return found
        return self._closed(request, found.session.claims) or self._page(request, found.session.claims, found, 200)

    async def post(self, request: Request) -> Answer:
        found = await self._guard.posted(request)
        if isinstance(found, Answer):
            return found
        claims, t, wanted = found.session.claims, texts(request), read(request.fields)
        if (closed := self._closed(request, claims)) is not None:
            return closed
        if wanted.new != wanted.again:
            return self._page(request, claims, found, 400, (t("password.differ"),))
        proved = await self._proofs.by_password(found, wanted.old, request.address)
        if isinstance(proved, Turned):
            return self._page(request, claims, found, proved.status, alert(proved, t))
        outcome = await self._passwords.change(claims.login, claims.user, wanted)
        if not isinstance(outcome, Changed):
            status = outcome.status if isinstance(outcome, Turned) else 400
            return self._page(request, claims, found, status, said(outcome, t))
        write(self._audit, claims, request.address, session=found.session.handle)
        await self._guard.step_ups.drop(found)
        await end_all(self._guard.browser.sessions, claims)
        # The session that asked begins anew, under an id of its own: the others are over.
        session = found.session
        return await self._guard.browser.enter(
            request, proved.claims, session.factors, PASSWORD + "/changed", keep=session.kept
        )

    async def changed(self, request: Request) -> Answer:
        found = await self._guard.enter(request)
        if isinstance(found, Answer):
            return found
        t = texts(request)
        return page.message(
            200, t, t("password.changed"), (t("password.changed.text"),), links=((HOME, t("account.back")),)
        )

    def _closed(self, request: Request, claims: Claims) -> Answer | None:
        if limited(claims, "hide_change_password"):
            return denied(request, "hide_change_password")
        if self._passwords.can(claims.login):
            return None
        t = texts(request)
        back = ((HOME, t("account.back")),)
        return page.message(404, t, t("password.title"), (t("password.elsewhere"),), links=back)

    def _page(self, request: Request, claims: Claims, found: Any, status: int, alert: tuple[str, ...] = ()) -> Answer:
        t, form = texts(request), self._guard.form(found)
        body = form_page(t, claims.user, form, PASSWORD, alert, back=HOME)
        return page.page(status, body, script=assets.sources(self._guard.browser.origin, "capslock.js"))


def form_page(
    t: Texts,
    user: str,
    form: str,
    action: str,
    alert: tuple[str, ...],
    *,
    back: str = "",
    target: str = "",
    code: bool = False,
    asked: str = "",
    options: str = "",
) -> bytes:
    """The form for a new password; it may run capslock.js. `target`: where a login goes on to; `code`: a second factor
    is asked for too, and with `options` (which `asked` names) a passkey does as well, by passkey.js."""
    return page.render(
        "account_password.html",
        t,
        user=user,
        form=form,
        action=action,
        alert=alert,
        back=back,
        target=target,
        code=code,
        asked=asked,
        options=options,
    )


def read(fields: Mapping[str, Any]) -> Wanted:
    return Wanted(*(text(fields.get(name)) for name in ("password", "new", "again")))


def said(outcome: Unfit | Turned, t: Texts) -> tuple[str, ...]:
    """Why the password stays as it is, in words."""
    if isinstance(outcome, Turned):
        return alert(outcome, t)
    return (t(f"password.{outcome.why}", n=outcome.least),)


def write(audit: Any, claims: Claims, address: str, **more: str) -> None:
    who = {"user": claims.user, "login": claims.login, "tenant": claims.tenant}
    audit.write("password_changed", {**who, **more, "address": address})


async def end_all(sessions: Sessions, claims: Claims) -> None:
    """End all sessions of this very user. StoreError: it cannot be told; the password has changed all the same."""
    try:
        if claims.id:
            await sessions.end_all_of(claims.login, claims.id)
        else:
            await sessions.end_user(claims.user, claims.login)
    except StoreError as error:
        log.error("sessions of %s after a new password: %s", claims.user, error)
        raise
