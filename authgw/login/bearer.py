"""API tokens at the door: a token in, its owner's claims of now out, as far as the token goes.

Rights are the owner's current ones, asked of his login plugin, never above them. What was found is remembered for up
to a minute in this process; expiry, epochs, lock-out and gates are checked at every use all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from authgw.account.token import Token, counter, digest, is_same, narrowed, subject
from authgw.contract import Failed, Granted, Identity, NotMine
from authgw.durable.tokens import Tokens
from authgw.errors import StoreError
from authgw.login import chain, gates
from authgw.login.outcome import Turned, turned
from authgw.login.rights import Reading, Rights
from authgw.login.throttle import Throttle
from authgw.login.user import shown
from authgw.login.verified import MAX_ENTRIES, MAX_SECONDS
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.rights.parse import Gates
from authgw.session.epochs import Epochs

log = logging.getLogger("authgw.login")

# For how long a token that is in no database is taken to be in none.
UNKNOWN_SECONDS = 10.0
INVALID = Turned(Reason.TOKEN_INVALID, 401, "Invalid token.")
_EXPIRED = Turned(Reason.TOKEN_EXPIRED, 401, "Your token has expired. Make a new one on your account page.")
_OLD = Turned(Reason.TOKEN_RIGHTS_OLD, 401, "The rights of your token are too old. Sign in once to renew them.")


class Bearer(msgspec.Struct, frozen=True):
    """Whose token it is, with the claims that it opens."""

    claims: Claims
    token: Token


class Standing(msgspec.Struct, frozen=True):
    """What the owner may at this time, and what has to hold at every use."""

    claims: Claims
    gates: tuple[Gates, ...]
    identity: Identity
    max_attempts: int | None


class _Known(msgspec.Struct, frozen=True):
    token: Token
    standing: Standing
    version: str
    counted: int
    at: float


class TokenLogin:
    """`rights_age`: seconds for which the owner's rights of his last login count where his plugin cannot tell.

    `now`: seconds since 1970; `clock`: seconds that never go back. `audit` gets the fields of a login event.
    """

    def __init__(
        self,
        tokens: Tokens,
        epochs: Epochs,
        instances: Sequence[chain.Instance],
        rights: Rights,
        throttle: Throttle,
        *,
        rights_age: float,
        audit: Callable[[dict[str, Any]], None],
        now: Callable[[], float],
        clock: Callable[[], float],
        plugin_seconds: float = chain.PLUGIN_SECONDS,
    ) -> None:
        self._tokens = tokens
        self._epochs = epochs
        self._instances = tuple(instances)
        self._with_passwords = chain.with_passwords(instances)
        self._rights = rights
        self._throttle = throttle
        self._rights_age = rights_age
        self._audit = audit
        self._now = now
        self._clock = clock
        self._seconds = plugin_seconds
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._asking: dict[tuple[str, float, int, str], asyncio.Task[Standing | Turned]] = {}

    async def enter(self, text: str, address: str) -> Bearer | Turned:
        """What a token opens from this address, or why not. `text`: whatever came in the place of a token."""
        try:
            name = digest(text)
            seen = name in self._known
            return await self._remembered(name, address) or await self._recorded(name, address, seen)
        except StoreError as error:
            log.error("token: %s", error)
            return turned(Reason.STORE_UNAVAILABLE)

    async def _remembered(self, name: bytes, address: str) -> Bearer | None:
        """A token that was found before, and for which everything still holds."""
        known = self._known.get(name)
        if known is None:
            return None
        token = known.token
        counted = await self._epochs.total([*subject(token.owner), counter(token.owner)])
        if (
            self._is_current(known, chain.version(self._instances), counted)
            and await self._stops(token, known.standing, address) is None
        ):
            self._known.move_to_end(name)
            return Bearer(narrowed(known.standing.claims, token.kind, token.flags), token)
        self._known.pop(name, None)
        return None

    async def _recorded(self, name: bytes, address: str, seen: bool) -> Bearer | Turned:
        """A token that has to be looked up. Leaves one audit event. `seen`: it has opened something here before, so it
        waits for nobody's guesses."""
        began = self._clock()
        event: dict[str, Any] = {"user": "", "origin": "token", "address": address, "login": ""}
        event |= {"outcome": "refused", "reason": Reason.INTERNAL.value}
        try:
            verdict = await self._asked(name, address, event, seen)
            event["reason"] = verdict.reason.value if isinstance(verdict, Turned) else ""
            if isinstance(verdict, Bearer):
                event["outcome"] = "granted"
            return verdict
        except StoreError:
            event["reason"] = Reason.STORE_UNAVAILABLE.value
            raise
        finally:
            event["ms"] = round((self._clock() - began) * 1000, 1)
            self._audit(event)

    async def _asked(self, name: bytes, address: str, event: dict[str, Any], seen: bool) -> Bearer | Turned:
        version = chain.version(self._instances)
        if self._clock() < self._unknown.get(name, 0.0):
            return INVALID
        if not seen and (waits := await self._throttle.check_tokens(address)) is not None:
            return turned(waits.reason, retry_after=waits.seconds)
        token = await self._tokens.find(name)
        if token is None:
            self._forget(name)
            waits = await self._throttle.refused(address, name)
            return INVALID if waits is None else turned(waits.reason, retry_after=waits.seconds)
        owner = token.owner
        event |= {"user": shown(owner.user), "login": owner.login, "id": owner.id, "tenant": owner.tenant}
        event["token"] = f"{token.id} {token.name}"
        if not await self._epochs.holds(subject(owner), token.epoch):
            return INVALID
        counted = await self._epochs.total([*subject(owner), counter(owner)])
        standing = await self._shared(name, token, counted, version)
        if isinstance(standing, Turned):
            return standing
        if (stop := await self._stops(token, standing, address)) is not None:
            return stop
        await self._tokens.used(token)
        return Bearer(narrowed(standing.claims, token.kind, token.flags), token)

    def _forget(self, name: bytes) -> None:
        """There is no such token: nobody can make one that is guessed already, so it is not looked for every time."""
        self._unknown[name] = self._clock() + UNKNOWN_SECONDS
        if len(self._unknown) > MAX_ENTRIES:
            self._unknown.popitem(last=False)

    async def _stops(self, token: Token, standing: Standing, address: str) -> Turned | None:
        """What is checked at every use: expiry, lock-out, and the gates but for the second factor.

        The token was made behind that one; it is what takes its place on api.php.
        """
        if not token.created <= self._now() < token.expires:
            return _EXPIRED
        waits = await self._throttle.locked(chain.counted(token.owner, self._with_passwords), standing.max_attempts)
        if waits is not None:
            return turned(waits.reason, retry_after=waits.seconds)
        behind = [msgspec.structs.replace(gate, req_2fa=False, secret=None) for gate in standing.gates]
        stop = gates.pass_through(behind, standing.identity, address, self._now())
        return None if stop is None else turned(stop.reason, note=stop.note)

    async def gates_of(self, owner: Claims) -> tuple[Gates, ...] | None:
        """The gates before a user's account, where his plugin can tell them without his password."""
        identity = Identity(owner.user, owner.id, owner.name, owner.tenant)
        outcome = await chain.refresh(self._instances, owner.login, identity, seconds=self._seconds)
        reading = self._rights.read(owner.login, outcome) if isinstance(outcome, Granted) else None
        return reading.gates if isinstance(reading, Reading) else None

    def _is_current(self, known: _Known, version: str, counted: int) -> bool:
        young = 0 <= self._clock() - known.at < MAX_SECONDS
        return young and (known.version, known.counted) == (version, counted)

    async def _shared(self, name: bytes, token: Token, counted: int, version: str) -> Standing | Turned:
        """One question to the plugin for all who use a token for the first time at the same moment. Whoever comes after
        something has changed asks anew."""
        known = self._known.get(name)
        if known is not None and known.token == token and self._is_current(known, version, counted):
            return known.standing
        asked = (token.id, token.seen, counted, version)
        task = self._asking.get(asked)
        if task is None:
            task = self._asking[asked] = asyncio.create_task(self._learnt(name, token, counted, version))
            task.add_done_callback(lambda _: self._asking.pop(asked, None))
        # Shielded: one client that leaves must not take the answer from the others.
        return await asyncio.shield(task)

    async def _learnt(self, name: bytes, token: Token, counted: int, version: str) -> Standing | Turned:
        standing = await self._standing(token)
        if isinstance(standing, Standing):
            self._known[name] = _Known(token, standing, version, counted, self._clock())
            if len(self._known) > MAX_ENTRIES:
                self._known.popitem(last=False)
        return standing

    async def _standing(self, token: Token) -> Standing | Turned:
        """The owner's rights of now, or those of his last login where nobody can tell."""
        owner = token.owner
        identity = Identity(owner.user, owner.id, owner.name, owner.tenant)
        outcome = await chain.refresh(self._instances, owner.login, identity, seconds=self._seconds)
        if isinstance(outcome, Granted):
            reading = self._rights.read(owner.login, outcome)
            if not isinstance(reading, Reading):
                log.error("token of %s: the rights cannot be used: %s", shown(owner.user), "; ".join(reading))
                return turned(Reason.RIGHTS_INVALID)
            if not is_same(owner, reading.claims):
                return INVALID
            return Standing(reading.claims, reading.gates, outcome.identity, reading.max_attempts)
        if isinstance(outcome, NotMine):
            if not 0 <= self._now() - token.seen <= self._rights_age:
                return _OLD
            return Standing(owner, token.gates, identity, None)
        if isinstance(outcome, Failed):
            log.error("login %s could not tell about the owner of a token: %s", owner.login, outcome.reason)
            return turned(Reason.LOGIN_BUSY if outcome.busy else Reason.LOGIN_FAILED)
        return INVALID
