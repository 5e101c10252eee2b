"""One provider: what it says about itself, its keys, and the exchange of codes and refresh tokens for tokens.

Nothing is asked before it is needed. What the provider says about itself and its keys is remembered for an hour; a key
that is not known is looked for at once, but not twice within half a minute, however many strangers' tokens name such.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import httpx2
import msgspec
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from authgw_plugins import oidc_tokens
from authgw_plugins.oidc_config import OidcConfig
from authgw_plugins.oidc_tokens import Expected, Key, UnknownKey, Wrong
from authgw_plugins.oidc_wire import Unanswered, Wire, trouble, wrong_url

REMEMBERED_SECONDS = 3600.0
KEYS_SECONDS = 30.0
RETRY_SECONDS = 5.0
MAX_KEPT = 16 * 1024


class Refused(Exception):
    """The provider does not take this code or refresh token (any more)."""


class Metadata(msgspec.Struct, frozen=True):
    """OpenID Connect Discovery 1.0, 3, as far as it is used. Absent addresses are empty."""

    authorization: str
    token: str
    jwks: str
    userinfo: str
    end_session: str
    states_issuer: bool
    secret_by_post: bool


class Tokens(msgspec.Struct, frozen=True):
    """What the token endpoint gave. Never shown."""

    access: str
    id: str
    refresh: str

    def __repr__(self) -> str:
        return "Tokens()"


class Provider:
    """`clock`: seconds that never go back. Every async method raises Unanswered."""

    def __init__(self, config: OidcConfig, wire: Wire, secret: str, clock: Callable[[], float]) -> None:
        self._config = config
        self._wire = wire
        self._secret = secret
        self._clock = clock
        self._asking = asyncio.Lock()
        self._metadata: Metadata | None = None
        self._known_at = 0.0
        self._failed: tuple[float, str] | None = None
        self._keys: tuple[Key, ...] = ()
        self._keys_at: float | None = None
        self._keys_failed: tuple[float, str] | None = None

    async def metadata(self) -> Metadata:
        async with self._asking:
            now = self._clock()
            if self._metadata is not None and now - self._known_at < REMEMBERED_SECONDS:
                return self._metadata
            if self._failed is not None and now - self._failed[0] < RETRY_SECONDS:
                raise Unanswered(self._failed[1])
            try:
                url = self._config.issuer.rstrip("/") + "/.well-known/openid-configuration"
                self._metadata = _metadata(await self._wire.get(url), self._config.issuer)
            except Unanswered as error:
                self._failed = (now, str(error))
                raise
            self._known_at, self._failed = now, None
            return self._metadata

    async def claims(self, token: object, expected: Expected, now: float, *, ours: bool = False) -> dict[str, Any]:
        """The claims of a token of this provider's. Raises Wrong too. `ours`: the token endpoint gave it just now."""
        try:
            return oidc_tokens.verified(token, await self._known_keys(REMEMBERED_SECONDS), expected, now)
        except UnknownKey:
            pass
        try:
            keys = await self._known_keys(0.0 if ours else KEYS_SECONDS)
            return oidc_tokens.verified(token, keys, expected, now)
        except UnknownKey:
            raise Wrong("kid: is signed with a key that the provider does not publish") from None

    async def _known_keys(self, seconds: float) -> tuple[Key, ...]:
        """Its keys, as they were asked for up to so many seconds ago."""
        metadata = await self.metadata()
        async with self._asking:
            now = self._clock()
            if self._keys_at is not None and now - self._keys_at < seconds:
                return self._keys
            if self._keys_failed is not None and now - self._keys_failed[0] < RETRY_SECONDS:
                raise Unanswered(self._keys_failed[1])
            try:
                self._keys = oidc_tokens.keys(await self._wire.get(metadata.jwks))
            except Unanswered as error:
                self._keys_failed = (self._clock(), str(error))
                raise
            self._keys_at, self._keys_failed = self._clock(), None
            return self._keys

    async def key_count(self) -> int:
        """How many keys that can be used it publishes now."""
        found = await self._known_keys(KEYS_SECONDS)
        if not found:
            raise Unanswered("jwks_uri: the provider publishes no key that can be used")
        return len(found)

    async def of_code(self, code: str, verifier: str, callback: str) -> Tokens:
        """RFC 6749, 4.1.3, with the verifier of RFC 7636. Raises Refused."""
        return await self._exchange("authorization_code", code=code, code_verifier=verifier, redirect_uri=callback)

    async def of_refresh(self, token: str) -> Tokens:
        """RFC 6749, 6. Raises Refused."""
        return await self._exchange("refresh_token", refresh_token=token)

    async def userinfo(self, access: str) -> dict[str, Any]:
        """OpenID Connect Core 1.0, 5.3."""
        metadata = await self.metadata()
        if not metadata.userinfo:
            raise Unanswered("groups_from: the provider has no userinfo endpoint")
        return await self._wire.get(metadata.userinfo, access)

    async def _exchange(self, grant: str, **fields: str) -> Tokens:
        metadata = await self.metadata()
        client = self.client()
        try:
            said = await client.fetch_token(
                metadata.token, grant_type=grant, auth=self._auth(client, metadata), **fields
            )
        except OAuthError as error:
            if error.error == "invalid_grant":
                raise Refused("the provider answered invalid_grant") from None
            raise Unanswered(f"{metadata.token}: answered {str(error.error)[:60]!r}") from None
        except httpx2.HTTPStatusError as error:
            raise Unanswered(f"{metadata.token}: answered {error.response.status_code}") from None
        except (Unanswered, httpx2.RequestError, OSError, RuntimeError, ValueError) as error:
            raise Unanswered(f"{metadata.token}: {trouble(error)}") from None
        return _tokens(dict(said), metadata.token)

    def client(self) -> Any:
        """One for each exchange: authlib's client remembers the token that it fetched last."""
        return AsyncOAuth2Client(
            client_id=self._config.client_id,
            client_secret=self._secret or None,
            scope=" ".join(self._config.scopes),
            code_challenge_method="S256",
            **self._wire.options(),
        )

    def _auth(self, client: Any, metadata: Metadata) -> Any:
        """By the secret in the header, each half escaped (RFC 6749, 2.3.1), or in the body; without one, by name."""
        if self._secret and not metadata.secret_by_post:
            return httpx2.BasicAuth(quote_plus(self._config.client_id), quote_plus(self._secret))
        return client.client_auth("client_secret_post" if self._secret else "none")


def _metadata(document: dict[str, Any], issuer: str) -> Metadata:
    if document.get("issuer") != issuer:
        raise Unanswered(f"issuer: the provider calls itself {str(document.get('issuer'))[:200]!r}; write it so")
    found = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"):
        value = document.get(name, "")
        if wrong := wrong_url(value) if value else ("" if name in _OPTIONAL else "is missing"):
            raise Unanswered(f"the provider's {name} {wrong}")
        if value and value.startswith("http:") and not issuer.startswith("http:"):
            raise Unanswered(f"the provider's {name} must be https, as its issuer is")
        found[name] = value
    challenges = document.get("code_challenge_methods_supported", ["S256"])
    if not isinstance(challenges, list) or "S256" not in challenges:
        raise Unanswered("the provider does not know PKCE with S256")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    by_post = isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
    return Metadata(
        found["authorization_endpoint"],
        found["token_endpoint"],
        found["jwks_uri"],
        found["userinfo_endpoint"],
        found["end_session_endpoint"],
        document.get("authorization_response_iss_parameter_supported") is True,
        by_post,
    )


_OPTIONAL = frozenset({"userinfo_endpoint", "end_session_endpoint"})


def _tokens(said: dict[str, Any], where: str) -> Tokens:
    if str(said.get("token_type", "")).lower() != "bearer":
        raise Unanswered(f"{where}: token_type is not Bearer")
    found = [said.get(name, "") for name in ("access_token", "id_token", "refresh_token")]
    if not found[0] or not all(isinstance(each, str) and len(each) <= oidc_tokens.MAX_TOKEN for each in found):
        raise Unanswered(f"{where}: answered no tokens")
    if len(found[2]) > MAX_KEPT:
        raise Unanswered(f"{where}: the refresh token is longer than {MAX_KEPT} characters")
    return Tokens(*found)
