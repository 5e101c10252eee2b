"""What a login comes to: somebody with claims, somebody who lacks a factor, or a refusal with its status and words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from authgw.contract import Identity
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.rights.parse import Gates
from authgw.session.model import Remote


class LoggedIn(msgspec.Struct, frozen=True):
    """Every factor is in. `factors` as sessions record them; `warnings` about the dictionary, for the log.

    `remote`: what a login at a provider leaves with the session. `gates`: those that were passed.
    """

    claims: Claims
    factors: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    remote: Remote | None = None
    gates: tuple[Gates, ...] = ()


Seen = Callable[[LoggedIn], Awaitable[None]]


async def nobody_asks(_verdict: LoggedIn) -> None:
    """For where nobody wants to know who has logged in."""


class Pending(msgspec.Struct, frozen=True):
    """The first factor is in, and another one is needed: nobody yet, and no session comes of it as it is.

    `named`: that under which failures count; `first`: the factors so far; `epoch`: the user's at that time.
    `enrolled`: he has a factor to prove; otherwise he must enrol one first.
    """

    claims: Claims
    identity: Identity
    gates: tuple[Gates, ...]
    named: str
    first: tuple[str, ...]
    max_attempts: int | None
    epoch: int
    enrolled: bool

    @property
    def reason(self) -> Reason:
        """What is missing."""
        return Reason.SECOND_FACTOR_NEEDED if self.enrolled else Reason.ENROLMENT_NEEDED


class Lapsed(msgspec.Struct, frozen=True):
    """Whose right password has expired. `proof`: he has a second factor, which he proves before he changes it."""

    claims: Claims
    proof: Pending | None


class Turned(msgspec.Struct, frozen=True):
    """No login. `text` is for API clients, in the product's words where it has some; `note` is what an administrator
    wrote for the person (the reason of a block). `retry_after`: seconds, 0 for none. `expired`: whose password was
    right, and has expired."""

    reason: Reason
    status: int
    text: str
    retry_after: int = 0
    note: str = ""
    expired: Lapsed | None = None


BUSY_SECONDS = 5

_ADMINISTRATOR = "Ask your administrator."
_PRODUCT_2FA = "2FA PIN code verification failed. "
_ANSWERS: dict[Reason, tuple[int, str, int]] = {
    Reason.EMPTY_CREDENTIALS: (400, "user must be set", 0),
    Reason.USER_MALFORMED: (400, "Invalid username or password.", 0),
    Reason.BAD_CREDENTIALS: (401, "Invalid username or password.", 0),
    Reason.BLOCKED: (401, "Your account is blocked.", 0),
    Reason.ADDRESS_NOT_ALLOWED: (401, "Your remote address not allowed in your account.", 0),
    Reason.PASSWORD_EXPIRED: (401, "Your password has expired. " + _ADMINISTRATOR, 0),
    Reason.SECOND_FACTOR_NEEDED: (401, "A second factor is needed: send its code as otp or code2fa.", 0),
    Reason.SECOND_FACTOR_WRONG: (401, _PRODUCT_2FA + "Check the code and try again.", 0),
    Reason.SECOND_FACTOR_CLOCK: (401, _PRODUCT_2FA + "The clock of the device that shows the code is wrong.", 0),
    Reason.SECOND_FACTOR_USED: (401, _PRODUCT_2FA + "This code was used already; wait for the next one.", 0),
    Reason.RECOVERY_WRONG: (401, _PRODUCT_2FA + "This recovery code is wrong or was used already.", 0),
    Reason.PASSKEY_REFUSED: (401, "This passkey was not accepted.", 0),
    Reason.TOO_MANY_FACTORS: (400, "There are too many second factors already. Remove one first.", 0),
    Reason.ENROLMENT_NEEDED: (
        401,
        "Your account needs a second factor and has none yet. Sign in in a browser first, to set it up.",
        0,
    ),
    Reason.TOKEN_NEEDED: (
        401,
        "Your account has a second factor: use an API token in place of user and password.",
        0,
    ),
    Reason.ATTEMPT_OVER: (401, "This login is over. Log in again.", 0),
    Reason.RIGHTS_INVALID: (401, "The permissions of your account cannot be used. " + _ADMINISTRATOR, 0),
    Reason.NOT_ADMITTED: (401, "Your account is not allowed in here. " + _ADMINISTRATOR, 0),
    Reason.PROVIDER_REFUSED: (401, "The sign-in service has not signed you in.", 0),
    Reason.LOGIN_EXPIRED: (400, "This sign-in has expired or was used already.", 0),
    Reason.THROTTLED: (429, "Too many failed logins. Try again later.", 1),
    Reason.LOCKED_OUT: (429, "Too many failed logins. Try again later.", 1),
    Reason.LOGIN_FAILED: (503, "The login service cannot be reached. Try again later.", BUSY_SECONDS),
    Reason.LOGIN_BUSY: (503, "Too many logins at once. Try again later.", BUSY_SECONDS),
    Reason.STORE_UNAVAILABLE: (503, "Sessions cannot be stored at the moment. Try again later.", BUSY_SECONDS),
}


def turned(reason: Reason, *, text: str = "", note: str = "", retry_after: int = 0) -> Turned:
    """The refusal for a reason, with the words and the status that belong to it."""
    status, said, retry = _ANSWERS[reason]
    said = text or (f"{said} {note}" if note else said)
    return Turned(reason, status, said, retry_after or retry, note)
