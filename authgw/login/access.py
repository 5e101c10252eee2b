"""Access tokens of providers on php/api.php: scripts that sign in at the provider, where the operator allows it.

A token is verified at every use, by the plugin. What is remembered for a minute is only that this very person was let
in with these very rights. Guesses make their address wait, but for tokens that have opened something before.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from authgw.contract import Bearing, Failed, Granted, NotMine, Rejected
from authgw.doors import API, Visitor
from authgw.errors import StoreError
from authgw.login.chain import PLUGIN_SECONDS, guarded
from authgw.login.front import Front
from authgw.login.outcome import LoggedIn, Turned, turned
from authgw.login.throttle import Throttle, Wait
from authgw.login.verified import MAX_ENTRIES
from authgw.reasons import Reason

log = logging.getLogger("authgw.login")


class AccessTokens:
    """`audit` hears of tokens that are refused."""

    def __init__(
        self,
        front: Front,
        throttle: Throttle,
        *,
        audit: Callable[[str, Mapping[str, Any]], None],
        seconds: float = PLUGIN_SECONDS,
    ) -> None:
        self._front = front
        self._bearing = tuple(
            instance for instance in front.instances if isinstance(instance.plugin, Bearing) and instance.plugin.bearer
        )
        self._throttle = throttle
        self._audit = audit
        self._seconds = seconds
        self._opened: OrderedDict[bytes, None] = OrderedDict()

    def takes(self, text: str) -> bool:
        """Whether this may be an access token of a provider's: three parts, and some login wants such."""
        return bool(self._bearing) and text.count(".") == 2

    async def enter(self, text: str, address: str) -> Visitor | Turned:
        """Who brings this token: the first login whose provider it is decides. It opens php/api.php alone."""
        name = hashlib.sha256(text.encode()).digest()
        if name not in self._opened and (waits := self._throttle.held(address)) is not None:
            return self._refused(_late(waits), "", address)
        found = await self._found(text, name, address)
        if not isinstance(found, LoggedIn):
            return found
        self._opened[name] = None
        if len(self._opened) > MAX_ENTRIES:
            self._opened.popitem(last=False)
        return Visitor(found.claims, None, only=API)

    async def _found(self, text: str, name: bytes, address: str) -> LoggedIn | Turned:
        for instance in self._bearing:
            plugin = instance.plugin
            assert isinstance(plugin, Bearing)
            outcome = await guarded(instance, partial(plugin.bear, text), self._seconds)
            match outcome:
                case NotMine():
                    continue
                case Granted():
                    return await self._front.borne(outcome, instance.name, text, address)
                case Failed():
                    log.error("login %s failed: %s", instance.name, outcome.reason)
                    return self._refused(turned(Reason.LOGIN_FAILED), instance.name, address)
                case Rejected():
                    log.info("login %s: access token: %s", instance.name, outcome.reason)
                    return self._refused(await self._guessed(name, address), instance.name, address)
        return self._refused(await self._guessed(name, address), "", address)

    async def _guessed(self, name: bytes, address: str) -> Turned:
        """A token that opens nothing is counted; those that have opened something may have expired since."""
        try:
            waits = None if name in self._opened else await self._throttle.refused(address, name)
        except StoreError as error:
            log.error("login: %s", error)
            return turned(Reason.STORE_UNAVAILABLE)
        return turned(Reason.NOT_ADMITTED) if waits is None else _late(waits)

    def _refused(self, verdict: Turned, login: str, address: str) -> Turned:
        event = {"user": "", "origin": "bearer", "address": address, "login": login}
        self._audit("login", {**event, "outcome": "refused", "reason": verdict.reason.value})
        return verdict


def _late(waits: Wait) -> Turned:
    return turned(waits.reason, retry_after=waits.seconds)
