"""What logins tell of people who have API tokens, or make one: their rights as of that moment, and their gates."""

from __future__ import annotations

import logging
from collections import OrderedDict

from authgw.account.token import key_of
from authgw.durable.tokens import Tokens
from authgw.errors import StoreError
from authgw.login.outcome import LoggedIn
from authgw.rights.claims import Claims
from authgw.rights.parse import Gates

MAX_OWNERS = 10_000
log = logging.getLogger("authgw.tokens")


class Seen:
    """Gates are remembered in this process, for a token that is made after a login elsewhere than here."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._gates: OrderedDict[tuple[str, str], tuple[Gates, ...]] = OrderedDict()

    async def __call__(self, verdict: LoggedIn) -> None:
        """Somebody has logged in. A database that is away keeps nobody out: his tokens' rights stay as old as they
        are."""
        key = key_of(verdict.claims)
        self._gates.pop(key, None)
        self._gates[key] = verdict.gates
        if len(self._gates) > MAX_OWNERS:
            self._gates.popitem(last=False)
        try:
            await self._tokens.renew(verdict.claims, verdict.gates)
        except StoreError as error:
            log.error("tokens of %s: %s", verdict.claims.user, error)

    def gates(self, claims: Claims) -> tuple[Gates, ...] | None:
        """Those that stood before his last login here; None: this process has seen none."""
        return self._gates.get(key_of(claims))
