"""How somebody who is signed in proves once more who he is: by his password, a second factor, or at his provider."""

from __future__ import annotations

from urllib.parse import quote

from authgw.account.token import key_of
from authgw.contract import Credentials, Redirecting
from authgw.login import chain
from authgw.login.factors import PASSKEY, TOTP, Assertion, Code, Proved, RecoveryCode, who_of
from authgw.login.front import Front, LoggedIn, Pending
from authgw.login.outcome import Turned, turned
from authgw.login.redirect import start
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.session.cookie import Found


class Proofs:
    """Passwords and codes go through the one front, with its throttle and its trail."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._with_passwords = chain.with_passwords(front.instances)
        self._redirecting = {each.name: each.plugin for each in front.instances if isinstance(each.plugin, Redirecting)}

    def has_password(self, claims: Claims) -> bool:
        """Whether he signs in with a password here, and not at a provider or a proxy."""
        return claims.login in self._with_passwords

    async def has_code(self, found: Found) -> bool:
        """Whether he has a second factor, of his own or one that his login plugin supplies."""
        return TOTP in found.session.factors or bool(
            await self._front.second.factors.kinds(who_of(found.session.claims))
        )

    async def has_passkey(self, found: Found) -> bool:
        factors = self._front.second.factors
        return factors.take_passkeys and PASSKEY in await factors.kinds(who_of(found.session.claims))

    async def passkey_request(self, found: Found, challenge: bytes) -> str:
        """What the browser's script is asked with, as JSON."""
        return await self._front.second.factors.passkey_request(who_of(found.session.claims), challenge)

    def elsewhere(self, claims: Claims, target: str) -> tuple[str, str] | None:
        """Address and title of the provider that asks him instead, where his session is of one; then on to `target`."""
        plugin = self._redirecting.get(claims.login)
        return (
            None if plugin is None else (f"{start(claims.login)}?again=1&next={quote(target, safe='')}", plugin.title)
        )

    async def has_none(self, found: Found) -> bool:
        claims = found.session.claims
        return (
            not self.has_password(claims) and claims.login not in self._redirecting and not await self.has_code(found)
        )

    async def by_password(self, found: Found, password: str, address: str) -> LoggedIn | Pending | Turned:
        """Whether this is the password of the session's own user, of the login that he came by. Pending: it is; that
        a second factor would be needed to sign in is no matter where somebody is signed in."""
        claims = found.session.claims
        verdict = await self._front.login(Credentials(claims.user, password, None, address), origin="step_up")
        if not isinstance(verdict, Turned) and key_of(verdict.claims) != key_of(claims):
            return turned(Reason.BAD_CREDENTIALS)
        return verdict

    async def by_code(self, found: Found, code: str, address: str) -> Proved | Turned:
        """By a code of the app, or a recovery code."""
        return await self._front.second.step_up(found.session, read(code), address)

    async def by_passkey(self, found: Found, challenge: bytes, answer: str, address: str) -> Proved | Turned:
        """What the browser's device made of a challenge that this session was asked with."""
        return await self._front.second.step_up(found.session, Assertion(challenge, answer), address)


def read(code: str) -> Code | RecoveryCode:
    """What was typed where either kind of code will do."""
    return Code(code) if "".join(code.split()).isdigit() else RecoveryCode(code)
