"""The second factor: whether one is needed, whether it holds, and what a login comes to once it is in.

Wrong ones count like wrong passwords: the same names, the same addresses, the same lock-out.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from time import time
from typing import Any

import msgspec

from authgw.contract import Failed, Granted, Identity, NotMine
from authgw.errors import StoreError
from authgw.login import chain, gates
from authgw.login.factors import TOTP, Factors, Proof, Proved, who_of
from authgw.login.outcome import LoggedIn, Pending, Seen, Turned, nobody_asks, turned
from authgw.login.rights import Reading, Rights
from authgw.login.throttle import Throttle
from authgw.login.user import shown
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.rights.parse import Gates
from authgw.session.model import Session

__all__ = ["Proof", "Proved", "Second"]

log = logging.getLogger("authgw.login")


class Subject(msgspec.Struct, frozen=True):
    """Who proves a factor; that under which his failures count, and his own limit of them."""

    claims: Claims
    named: str
    max_attempts: int | None


class Second:
    """Over the same chain, throttle and rights as the front. `audit` gets an event for each try.

    `epoch`: the counter that rises when a user's sessions are ended. `seen` is told of everybody whose last factor is
    in. `now`: seconds since 1970.
    """

    def __init__(
        self,
        instances: Sequence[chain.Instance],
        throttle: Throttle,
        rights: Rights,
        factors: Factors,
        *,
        audit: Callable[[str, dict[str, Any]], None],
        epoch: Callable[[Claims], Awaitable[int]],
        now: Callable[[], float] = time,
        plugin_seconds: float = chain.PLUGIN_SECONDS,
        seen: Seen = nobody_asks,
    ) -> None:
        self._instances = tuple(instances)
        self._with_passwords = chain.with_passwords(instances)
        self._throttle = throttle
        self._rights = rights
        self.factors = factors
        self._audit = audit
        self._epoch = epoch
        self._now = now
        self._seconds = plugin_seconds
        self._seen = seen

    async def missing(self, reading: Reading, identity: Identity, named: str, first: tuple[str, ...]) -> Pending | None:
        """What is missing, if a second factor is: the dictionary wants one, or the user has enrolled one himself."""
        given = gates.secrets_of(reading.gates)
        enrolled = bool(given) or bool(await self.factors.kinds(who_of(reading.claims)))
        if not enrolled and not gates.needs_factor(reading.gates):
            return None
        epoch = await self._epoch(reading.claims)
        return Pending(reading.claims, identity, reading.gates, named, first, reading.max_attempts, epoch, enrolled)

    async def kinds(self, pending: Pending) -> frozenset[str]:
        """What this user can prove: of TOTP and PASSKEY."""
        found = await self.factors.kinds(who_of(pending.claims))
        return found | {TOTP} if gates.secrets_of(pending.gates) else found

    async def prove(self, pending: Pending, proof: Proof, address: str, *, origin: str) -> Proved | Turned:
        """Whether the proof holds. It is spent then, and a wrong one counts as a failed login."""
        who, secrets = Subject(pending.claims, pending.named, pending.max_attempts), gates.secrets_of(pending.gates)
        return await self._judged(who, secrets, proof, address, origin)

    async def step_up(self, session: Session, proof: Proof, address: str) -> Proved | Turned:
        """Somebody who is signed in proves a factor again, before he changes what guards his account."""
        claims, reading = session.claims, None
        named = chain.counted(claims, self._with_passwords)
        if session.remote is None:  # a provider's refresh token is not used up for this
            identity = Identity(claims.user, claims.id, claims.name, claims.tenant)
            outcome = await chain.refresh(self._instances, claims.login, identity, seconds=self._seconds)
            reading = self._rights.read(claims.login, outcome) if isinstance(outcome, Granted) else None
        if not isinstance(reading, Reading) or reading.claims.id != claims.id:
            return await self._judged(Subject(claims, named, None), (), proof, address, "step-up")
        who = Subject(claims, named, reading.max_attempts)
        return await self._judged(who, gates.secrets_of(reading.gates), proof, address, "step-up")

    async def complete(
        self, pending: Pending, factors: tuple[str, ...], address: str, *, origin: str
    ) -> LoggedIn | Turned:
        """All factors are in. What may have changed since the first one is asked again: a user who was blocked, whose
        sessions were ended or who is locked out meanwhile is not let in. One line of the trail."""
        claims = pending.claims
        event = {"user": shown(claims.user), "id": claims.id, "tenant": claims.tenant, "login": claims.login}
        event |= {"origin": origin, "address": address, "factors": list(factors)}
        event |= {"outcome": "refused", "reason": Reason.INTERNAL.value}
        try:
            try:
                verdict = await self._rejudged(pending, factors, address)
            except StoreError as error:
                log.error("login: %s", error)
                verdict = turned(Reason.STORE_UNAVAILABLE)
            granted = isinstance(verdict, LoggedIn)
            if isinstance(verdict, LoggedIn):
                await self._seen(verdict)
            event |= {"outcome": "granted" if granted else "refused"}
            event["reason"] = verdict.reason.value if isinstance(verdict, Turned) else ""
            return verdict
        finally:
            self._audit("login", event)

    async def _judged(
        self, who: Subject, secrets: Sequence[str], proof: Proof, address: str, origin: str
    ) -> Proved | Turned:
        claims = who.claims
        event: dict[str, Any] = {"user": shown(claims.user), "id": claims.id, "login": claims.login, "origin": origin}
        event |= {"address": address, "outcome": "refused", "reason": Reason.INTERNAL.value}
        try:
            verdict = await self._in_line(who, secrets, proof, address)
            if isinstance(verdict, Proved):
                event |= {"outcome": "proved", "reason": "", "factor": verdict.factor, "left": verdict.left}
            else:
                event["reason"] = verdict.reason.value
            return verdict
        finally:
            self._audit("factor", event)

    async def _in_line(self, who: Subject, secrets: Sequence[str], proof: Proof, address: str) -> Proved | Turned:
        try:
            named, attempts = who.named, who.max_attempts
            async with self._throttle.line(named) as admitted:
                if not admitted:
                    return turned(Reason.THROTTLED, retry_after=1)
                waits = await self._throttle.check(named, address) or await self._throttle.locked(named, attempts)
                if waits is not None:
                    return turned(waits.reason, retry_after=waits.seconds)
                verdict = await self.factors.verify(who_of(who.claims), proof, secrets[0] if secrets else None)
                if isinstance(verdict, Proved):
                    return verdict
                await self._throttle.failed(named, address, attempts)
                return turned(verdict)
        except StoreError as error:
            log.error("second factor: %s", error)
            return turned(Reason.STORE_UNAVAILABLE)

    async def _rejudged(self, pending: Pending, factors: tuple[str, ...], address: str) -> LoggedIn | Turned:
        if await self._epoch(pending.claims) != pending.epoch:
            return turned(Reason.ATTEMPT_OVER)
        waits = await self._throttle.locked(pending.named, pending.max_attempts)
        if waits is not None:
            return turned(waits.reason, retry_after=waits.seconds)
        found = await self._again(pending)
        if isinstance(found, Turned):
            return found
        claims, identity, known = found
        if not set(gates.secrets_of(known)) <= set(gates.secrets_of(pending.gates)):
            return turned(Reason.ATTEMPT_OVER)  # another factor is wanted by now than the one that is in
        stop = gates.pass_through(known, identity, address, self._now())
        if stop is not None:
            log.info("login %s: %s of %s: %s", claims.login, stop.reason, shown(claims.user), stop.detail)
            return turned(stop.reason, note=stop.note)
        return LoggedIn(claims, factors, remote=identity.remote or pending.identity.remote, gates=tuple(known))

    async def _again(self, pending: Pending) -> tuple[Claims, Identity, Sequence[Gates]] | Turned:
        """What the plugin says of this user now; what it said at first where it cannot tell without the password."""
        login = pending.claims.login
        outcome = await chain.refresh(self._instances, login, pending.identity, seconds=self._seconds)
        match outcome:
            case NotMine():
                return pending.claims, pending.identity, pending.gates
            case Failed():
                log.error("login %s failed: %s", login, outcome.reason)
                return turned(Reason.LOGIN_BUSY if outcome.busy else Reason.LOGIN_FAILED)
            case Granted():
                reading = self._rights.read(login, outcome)
                if isinstance(reading, Reading) and who_of(reading.claims).key == who_of(pending.claims).key:
                    return reading.claims, outcome.identity, reading.gates
                log.error("login %s: the rights of %s cannot be used any more", login, shown(pending.claims.user))
                return turned(Reason.RIGHTS_INVALID)
        return turned(Reason.ATTEMPT_OVER)
