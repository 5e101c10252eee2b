"""Access tokens of providers on php/api.php: scripts that sign in at the provider, where the operator allows it.

A token is verified at every use, by the plugin. What is remembered for a minute is only that this very person was let
in with these very rights.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from authgw.contract import Bearing, Failed, Granted, NotMine, Rejected
from authgw.doors import API, Visitor
from authgw.login.chain import PLUGIN_SECONDS, guarded
from authgw.login.front import Front
from authgw.login.outcome import LoggedIn, Turned, turned
from authgw.reasons import Reason

log = logging.getLogger("authgw.login")


class AccessTokens:
    """`audit` hears of tokens that are refused."""

    def __init__(
        self,
        front: Front,
        *,
        audit: Callable[[str, Mapping[str, Any]], None],
        seconds: float = PLUGIN_SECONDS,
    ) -> None:
        self._front = front
        self._bearing = tuple(
            instance for instance in front.instances if isinstance(instance.plugin, Bearing) and instance.plugin.bearer
        )
        self._audit = audit
        self._seconds = seconds

    def takes(self, text: str) -> bool:
        """Whether this may be an access token of a provider's: three parts, and some login wants such."""
        return bool(self._bearing) and text.count(".") == 2

    async def enter(self, text: str, address: str) -> Visitor | Turned:
        """Who brings this token: the first login whose provider it is decides. It opens php/api.php alone."""
        found = await self._found(text, address)
        return Visitor(found.claims, None, only=API) if isinstance(found, LoggedIn) else found

    async def _found(self, text: str, address: str) -> LoggedIn | Turned:
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
                    return self._refused(turned(Reason.NOT_ADMITTED), instance.name, address)
        return self._refused(turned(Reason.NOT_ADMITTED), "", address)

    def _refused(self, verdict: Turned, login: str, address: str) -> Turned:
        event = {"user": "", "origin": "bearer", "address": address, "login": login}
        self._audit("login", {**event, "outcome": "refused", "reason": verdict.reason.value})
        return verdict
