"""The three kinds of tokens that a provider signs for this gateway, each with what it has to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from authgw.contract import Ending
from authgw_plugins import oidc_tokens
from authgw_plugins.oidc_config import OidcConfig
from authgw_plugins.oidc_provider import Provider, Tokens
from authgw_plugins.oidc_tokens import Expected, Wrong

# ID tokens come from the token endpoint itself, logout tokens at once: older ones are somebody's copies.
FRESH_SECONDS = 300.0
_ID_TOKEN = frozenset({"", "jwt"})
_LOGOUT_TOKEN = frozenset({"logout+jwt"})
_ACCESS_TOKEN = frozenset({"at+jwt"})


class Judge:
    """Every method raises Wrong, and Unanswered where the provider's keys cannot be had. `now`: seconds since 1970."""

    def __init__(self, config: OidcConfig, provider: Provider, now: Callable[[], float]) -> None:
        self._config = config
        self._provider = provider
        self._now = now

    async def identity(self, tokens: Tokens) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core 1.0, 3.1.3.7)."""
        claims = await self._claims(tokens.id, self._config.client_id, _ID_TOKEN, FRESH_SECONDS, ours=True)
        oidc_tokens.issued_to(claims, self._config.client_id)
        oidc_tokens.belongs(claims, tokens.id, tokens.access)
        return claims

    def recent(self, claims: Mapping[str, Any], *, again: bool) -> None:
        """OpenID Connect Core 1.0, 3.1.2.1: who asked for a recent login, or for one just now, looks at whether it was
        one."""
        most = FRESH_SECONDS if again else self._config.max_age
        if most is None:
            return
        at = oidc_tokens.number(claims, "auth_time")
        if at is None or self._now() - at > most + self._config.leeway:
            raise Wrong("auth_time: the login at the provider is older than max_age")

    async def logout(self, token: str) -> Ending:
        """A logout token (OpenID Connect Back-Channel Logout 1.0, 2.6)."""
        claims = await self._claims(token, self._config.client_id, _LOGOUT_TOKEN, FRESH_SECONDS)
        subject, session, once = oidc_tokens.logout(claims)
        # By then it is too old, or has expired, and is refused for that.
        until = self._now() + FRESH_SECONDS + 2 * self._config.leeway
        return Ending(subject, session, oidc_tokens.number(claims, "iat") or self._now(), once, until)

    async def access(self, token: str) -> dict[str, Any] | None:
        """The claims of an access token (RFC 9068) that was issued for this gateway. None: it is another issuer's."""
        config = self._config
        if token.count(".") != 2 or oidc_tokens.peek(token, 1).get("iss") != config.issuer:
            return None
        claims = await self._claims(token, config.bearer_audience or config.client_id, _ACCESS_TOKEN)
        if config.bearer_scope and config.bearer_scope not in str(claims.get("scope", "")).split():
            raise Wrong(f"scope: {config.bearer_scope} is not among those of the token")
        return claims

    async def _claims(
        self, token: str, audience: str, types: frozenset[str], fresh: float | None = None, *, ours: bool = False
    ) -> dict[str, Any]:
        config = self._config
        expected = Expected(config.issuer, audience, config.algorithms, types, config.leeway, fresh)
        return await self._provider.claims(token, expected, self._now(), ours=ours)
