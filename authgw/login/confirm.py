"""Does the login of a session still stand? The plugin that let it in is asked, and its answer read like a login."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from authgw.contract import Failed, Granted, Identity, NotMine, Rejected
from authgw.login import chain, gates
from authgw.login.chain import PLUGIN_SECONDS, Instance
from authgw.login.rights import Reading, Rights
from authgw.rights.lessen import lessened
from authgw.session.model import Confirmed, Over, Session, Unanswered, Untold


class Confirm:
    """Asks about one session. `audit` hears of those that are over. `now`: seconds since 1970."""

    def __init__(
        self,
        instances: Sequence[Instance],
        rights: Rights,
        *,
        audit: Callable[[str, Mapping[str, Any]], None],
        now: Callable[[], float],
        seconds: float = PLUGIN_SECONDS,
    ) -> None:
        self._instances = tuple(instances)
        self._rights = rights
        self._audit = audit
        self._now = now
        self._seconds = seconds

    async def __call__(self, session: Session) -> Confirmed | Over | Unanswered | Untold:
        answer = await self._answer(session)
        if isinstance(answer, Over):
            claims = session.claims
            who = {"user": claims.user, "login": claims.login, "tenant": claims.tenant, "session": session.handle}
            self._audit("session_over", {**who, "address": session.address, "reason": answer.reason})
        return answer

    async def _answer(self, session: Session) -> Confirmed | Over | Unanswered | Untold:
        claims = session.claims
        if all(instance.name != claims.login for instance in self._instances):
            return Over(f"the login {claims.login} is no longer in the chain")
        identity = Identity(claims.user, claims.id, claims.name, claims.tenant, remote=session.remote)
        outcome = await chain.refresh(self._instances, claims.login, identity, seconds=self._seconds)
        match outcome:
            case NotMine():
                return Untold()
            case Rejected():
                return Over(outcome.reason or "is no longer allowed in")
            case Failed():
                return Unanswered(outcome.reason, outcome.remote)
            case Granted():
                return self._read(session, outcome)

    def _read(self, session: Session, granted: Granted) -> Confirmed | Over:
        """As at a login: rights that cannot be used, or a gate that is shut now, end the session."""
        reading = self._rights.read(session.claims.login, granted)
        if not isinstance(reading, Reading):
            return Over("; ".join(reading))
        stop = gates.pass_through(reading.gates, granted.identity, session.address, self._now())
        if stop is not None:
            return Over(f"{stop.reason}: {stop.detail}")
        if gates.needs_factor(reading.gates) and len(session.factors) < 2:
            return Over("needs a second factor now")
        claims = lessened(session.claims, reading.claims)
        if claims is None:
            return Over("is somebody else, or has other rights now; they come with the next login")
        return Confirmed(claims, granted.identity.remote or session.remote)
