"""`module=bypass_login`: the product's login for scripts, answered here and never forwarded."""

from __future__ import annotations

from typing import Protocol

from authgw.answer import Answer, as_json
from authgw.contract import Credentials
from authgw.errors import StoreError
from authgw.intake.request import Request
from authgw.login.factors import Code
from authgw.login.front import Front
from authgw.login.outcome import LoggedIn, Pending, Turned, turned
from authgw.login.second import Second
from authgw.login.user import judge
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.session.model import Kind, Session

# The GUI's version that clients are told; the vendor's own example.
VM_VERSION = 240034
_AGENT = 256


class Starter(Protocol):
    """What is needed of the sessions."""

    async def start(
        self, claims: Claims, kind: Kind, *, address: str, agent: str, factors: tuple[str, ...]
    ) -> tuple[str, Session]: ...


async def bypass_login(
    request: Request, front: Front, sessions: Starter, cookie_name: str, version: int = VM_VERSION
) -> Answer:
    """Logs in by `user` and `pass` and gives the session id in the body. Never sets a cookie.

    A second factor may come as `otp` or `code2fa`. Failure: 400, 401, 429 or 503, always JSON.
    """
    user, password = request.fields.get("user", ""), request.fields.get("pass", "")
    otp = request.fields.get("otp") or request.fields.get("code2fa")
    if not isinstance(user, str) or not isinstance(password, str):
        reason = judge(user, password)
        return refusal(turned(reason if isinstance(reason, Reason) else Reason.USER_MALFORMED))
    credentials = Credentials(user, password, otp if isinstance(otp, str) and otp else None, request.address)
    verdict = await front.login(credentials, origin="bypass_login")
    if isinstance(verdict, Pending):
        verdict = await _second(front.second, verdict, credentials)
    if isinstance(verdict, Turned):
        return refusal(verdict)
    agent = request.headers.get("user_agent", "")[:_AGENT]
    try:
        sid, _ = await sessions.start(
            verdict.claims, Kind.API, address=request.address, agent=agent, factors=verdict.factors
        )
    except StoreError:
        return refusal(turned(Reason.STORE_UNAVAILABLE))
    said = {"SID": sid, "cookie_name": cookie_name, "success": True, "_vm_version": version, "_debug": False}
    return as_json(200, said)


async def _second(second: Second, pending: Pending, credentials: Credentials) -> LoggedIn | Turned:
    """The code that came along. That there is none does not count as a failure; a user without a factor enrols one in
    a browser."""
    if not pending.enrolled or credentials.otp is None:
        return turned(pending.reason)
    proved = await second.prove(pending, Code(credentials.otp), credentials.address, origin="bypass_login")
    if isinstance(proved, Turned):
        return proved
    factors = (*pending.first, proved.factor)
    return await second.complete(pending, factors, credentials.address, origin="bypass_login")


def refusal(verdict: Turned) -> Answer:
    """The product's form of a failed login; also for a login request that could not be read."""
    headers = (("retry-after", str(verdict.retry_after)),) if verdict.retry_after else ()
    return as_json(verdict.status, {"success": False, "error": verdict.text}, headers)
