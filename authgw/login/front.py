"""The front: credentials in; claims, a missing factor or a refusal out. The one way in for pages, scripts and calls."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic, time
from typing import Any, Literal

import msgspec

from authgw.contract import Credentials, Granted
from authgw.errors import StoreError
from authgw.login import chain, gates
from authgw.login.outcome import Lapsed, LoggedIn, Pending, Seen, Turned, nobody_asks, turned
from authgw.login.rights import Reading, Rights
from authgw.login.second import Second
from authgw.login.throttle import Throttle
from authgw.login.user import Named, canonical, judge, shown
from authgw.login.verified import Cache, Verified
from authgw.reasons import Reason
from authgw.rights.claims import Claims

__all__ = ["Front", "LoggedIn", "Pending", "Turned"]

Origin = Literal["page", "bypass_login", "api", "redirect", "header", "bearer", "step_up"]
Verdict = LoggedIn | Pending | Turned
Epoch = Callable[[Claims], Awaitable[int]]
# Under what something verified is remembered: the chain's version, whose it is, and what was brought.
Slot = tuple[str, str, str]
_PASSWORD = ("pwd",)
log = logging.getLogger("authgw.login")


class Front:
    """Asks the throttle, then the chain, then the gates, and leaves one audit event for each login.

    `second` says whether another factor is needed, and takes it. `audit` gets the event's fields, never a password.
    `epoch` gives the counter that rises when a user's sessions are ended or his factors change. `seen` is
    told of everybody who has logged in. `now`: seconds since 1970, `clock`: seconds that never go back.
    """

    def __init__(
        self,
        instances: Sequence[chain.Instance],
        throttle: Throttle,
        rights: Rights,
        second: Second,
        *,
        audit: Callable[[dict[str, Any]], None],
        epoch: Epoch,
        verified: Cache | None = None,
        now: Callable[[], float] = time,
        clock: Callable[[], float] = monotonic,
        plugin_seconds: float = chain.PLUGIN_SECONDS,
        seen: Seen = nobody_asks,
    ) -> None:
        self._instances = tuple(instances)
        self._with_passwords = chain.with_passwords(instances)
        self._throttle = throttle
        self._rights = rights
        self.second = second
        self._audit = audit
        self._epoch = epoch
        self._verified = Cache(clock) if verified is None else verified
        self._now = now
        self._clock = clock
        self._seconds = plugin_seconds
        self._seen = seen

    @property
    def instances(self) -> tuple[chain.Instance, ...]:
        return self._instances

    async def open(self) -> None:
        """Nothing to do: failures are counted wherever the first one is."""

    async def close(self) -> None:
        """Give up the connections to where failures are counted. The plugins are closed by whoever opened them."""
        await self._throttle.close()

    async def login(self, credentials: Credentials, *, origin: Origin) -> Verdict:
        """One login, from the beginning. Nothing that was verified before counts."""
        named = judge(credentials.user, credentials.password)
        return await self._recorded(credentials, named, origin)

    async def begins(self, address: str) -> bool:
        """Whether a login at a provider may begin from this address: each is remembered for a while, for anybody."""
        return await self._throttle.begun(address)

    async def arrived(
        self, granted: Granted, login: str, address: str, *, origin: Origin, remember: Slot | None = None
    ) -> Verdict:
        """Somebody whom a provider or a proxy has identified: rights, gates, lock-out and second factor decide, as
        after a right password."""
        asked = Credentials(_name(granted), "", address=address)

        async def admit(event: dict[str, Any]) -> Verdict:
            event["login"] = login
            return await self._admit(asked, granted, login, (origin,), remember)

        return await self._written(asked, origin, admit)

    async def borne(self, granted: Granted, login: str, token: str, address: str) -> LoggedIn | Turned:
        """Somebody whose access token was judged just now: as `arrived`, and remembered as passwords are, so that the
        trail has one line for a minute of calls. A second factor cannot be asked for here either."""
        # What no name can hold keeps this apart from passwords.
        slot = (chain.version(self._instances), f"bearer\0{login}\0{address}\0{granted!r}", token)
        known = await self._known(slot, address)
        if known is not None:
            return known
        verdict = await self.arrived(granted, login, address, origin="bearer", remember=slot)
        return turned(verdict.reason) if isinstance(verdict, Pending) else verdict

    async def api(self, user: object, password: object, otp: str | None, address: str) -> LoggedIn | Turned:
        """Credentials that come with a call: as `login`, remembered for up to a minute. A second factor is not asked
        for at every call: such users have API tokens.

        What was verified before still passes the gates, the lock-out and the user's epoch at every use.
        """
        named = judge(user, password)
        credentials = Credentials(
            user if isinstance(user, str) else "", password if isinstance(password, str) else "", otp, address
        )
        if isinstance(named, Named):
            slot = (chain.version(self._instances), named.user, named.password)
            known = await self._known(slot, address, named.user)
            if known is not None:
                return known
        verdict = await self._recorded(credentials, named, "api")
        return turned(verdict.reason) if isinstance(verdict, Pending) else verdict

    async def _known(self, slot: Slot, address: str, typed: str = "") -> LoggedIn | Turned | None:
        """What was verified before and still holds. Otherwise it is forgotten, and the refusal a recorded one.

        `typed`: the name that came with a password.
        """
        entry = self._verified.find(*slot)
        if entry is None:
            return None
        try:
            if (
                await self._throttle.locked(typed or self._counted(entry.claims), entry.max_attempts) is None
                and gates.pass_through(entry.gates, entry.identity, address, self._now()) is None
                and await self._epoch(entry.claims) == entry.epoch
            ):
                return LoggedIn(entry.claims, entry.factors)
        except StoreError as error:
            log.error("login: %s", error)
            return turned(Reason.STORE_UNAVAILABLE)
        self._verified.drop(*slot)
        return None

    async def _recorded(self, credentials: Credentials, named: Named | Reason, origin: Origin) -> Verdict:
        async def judge(event: dict[str, Any]) -> Verdict:
            if not isinstance(named, Named):
                return _unasked(named, credentials)
            event["user"] = shown(named.user)
            return await self._in_line(msgspec.structs.replace(credentials, user=named.user), event, origin)

        return await self._written(credentials, origin, judge)

    def _counted(self, claims: Claims) -> str:
        return chain.counted(claims, self._with_passwords)

    async def _written(
        self, credentials: Credentials, origin: Origin, judge: Callable[[dict[str, Any]], Awaitable[Verdict]]
    ) -> Verdict:
        """What `judge` comes to, in one line of the trail, whatever happens. It may add to the line."""
        began = self._clock()
        event: dict[str, Any] = {"user": shown(credentials.user), "origin": origin, "address": credentials.address}
        event |= {"login": "", "outcome": "refused", "reason": Reason.INTERNAL.value}
        try:
            try:
                verdict = await judge(event)
            except StoreError as error:
                log.error("login: %s", error)
                verdict = turned(Reason.STORE_UNAVAILABLE)
            if isinstance(verdict, Pending) and origin in ("api", "bearer"):
                verdict = turned(Reason.TOKEN_NEEDED)
            event["reason"] = "" if isinstance(verdict, LoggedIn) else verdict.reason.value
            if isinstance(verdict, LoggedIn):
                await self._seen(verdict)
            if not isinstance(verdict, Turned):
                claims = verdict.claims
                event["outcome"] = "granted" if isinstance(verdict, LoggedIn) else "pending"
                event |= {"user": shown(claims.user), "id": claims.id, "tenant": claims.tenant}
            return verdict
        finally:
            event["ms"] = round((self._clock() - began) * 1000, 1)
            self._audit(event)

    async def _in_line(self, asked: Credentials, event: dict[str, Any], origin: Origin) -> Verdict:
        async with self._throttle.line(asked.user) as admitted:
            if not admitted:
                return turned(Reason.THROTTLED, retry_after=1)
            waits = await self._throttle.check(asked.user, asked.address)
            if waits is not None:
                return turned(waits.reason, retry_after=waits.seconds)
            return await self._ask(asked, event, origin)

    async def _ask(self, asked: Credentials, event: dict[str, Any], origin: Origin) -> Verdict:
        version = chain.version(self._instances)
        verdict = await chain.ask(self._instances, asked, seconds=self._seconds)
        event["login"] = verdict.login
        event["tried"] = [f"{one.instance}: {one.outcome}" for one in verdict.tried]
        for one in verdict.tried:
            if one.outcome == "failed":
                log.error("login %s failed: %s", one.instance, one.detail)
        if verdict.granted is None or verdict.reason is not None:
            if verdict.counts:
                await self._throttle.failed(asked.user, asked.address, verdict.max_attempts)
            return turned(verdict.reason or Reason.LOGIN_FAILED)
        remember = (version, asked.user, asked.password) if origin == "api" else None
        return await self._admit(asked, verdict.granted, verdict.login, _PASSWORD, remember)

    async def _admit(
        self,
        asked: Credentials,
        granted: Granted,
        login: str,
        first: tuple[str, ...],
        remember: Slot | None = None,
    ) -> Verdict:
        """Somebody is who he says. Rights, gates and lock-out decide whether that is enough, and for what.

        `remember`: under what that is remembered, where it is.
        """
        reading = self._rights.read(login, granted)
        if not isinstance(reading, Reading):
            log.error("login %s: the rights of %s cannot be used: %s", login, shown(asked.user), "; ".join(reading))
            return turned(Reason.RIGHTS_INVALID)
        # Before the rest is looked at: what changes meanwhile is not remembered as it was.
        epoch = await self._epoch(reading.claims) if remember else 0
        named = asked.user if first == _PASSWORD else self._counted(reading.claims)
        waits = await self._throttle.locked(named, reading.max_attempts)
        if waits is not None:
            return turned(waits.reason, retry_after=waits.seconds)
        stop = gates.pass_through(reading.gates, granted.identity, asked.address, self._now())
        if stop is not None:
            log.info("login %s: %s of %s: %s", login, stop.reason, shown(asked.user), stop.detail)
            verdict = turned(stop.reason, note=stop.note)
            if stop.reason is not Reason.PASSWORD_EXPIRED or first != _PASSWORD:
                return verdict
            missing = await self.second.missing(reading, granted.identity, named, first)
            lapsed = Lapsed(reading.claims, missing if missing is not None and missing.enrolled else None)
            return msgspec.structs.replace(verdict, expired=lapsed)
        pending = await self.second.missing(reading, granted.identity, named, first)
        if pending is not None:
            return pending
        if remember:
            known = (reading.claims, first, granted.identity, reading.gates, reading.max_attempts, epoch)
            self._verified.keep(*remember, Verified(*known))
        return LoggedIn(reading.claims, first, reading.warnings, granted.identity.remote, reading.gates)


def _name(granted: Granted) -> str:
    """The name of somebody whom a plugin has identified."""
    user = granted.identity.user if isinstance(granted.identity.user, str) else ""
    return canonical(user) or user


def _unasked(reason: Reason, credentials: Credentials) -> Turned:
    """Refused before any plugin was asked; with the product's words for the field that is missing."""
    if reason is Reason.EMPTY_CREDENTIALS and credentials.user.strip():
        return turned(reason, text="password must be set")
    return turned(reason)
