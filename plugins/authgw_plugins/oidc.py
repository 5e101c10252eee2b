"""The `oidc` login: people sign in at an OpenID provider (Keycloak, Entra, Okta, …), its groups mapped to rights.

    [login.keycloak]
    plugin = "oidc"
    title = "Example SSO"
    issuer = "https://sso.example.com/realms/voip"
    client_id = "authgw"
    client_secret_file = "oidc.secret"
    groups_claim = "groups"
    mapping = "mapping.toml"

Authorization code flow with PKCE, state, nonce and the issuer in the answer (RFC 9207). A provider that is down keeps
nobody from starting the gateway: it is asked when somebody wants in.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

import msgspec

from authgw import contract
from authgw.contract import (
    Begun,
    Compare,
    ConfigError,
    Credentials,
    Ending,
    Failed,
    Identity,
    Known,
    MappingFile,
    NotMine,
    Outcome,
    Probe,
    Problem,
    Rejected,
    Remote,
    mapped,
)
from authgw_plugins import oidc_person, oidc_tokens, oidc_wire
from authgw_plugins.oidc_config import OidcConfig
from authgw_plugins.oidc_judge import Judge
from authgw_plugins.oidc_provider import Provider, Refused, Tokens
from authgw_plugins.oidc_tokens import Wrong
from authgw_plugins.oidc_wire import Unanswered, Wire

MAX_HINT = 4096


class _Sent(msgspec.Struct, frozen=True):
    """What is kept while the browser is away."""

    nonce: str
    verifier: str
    again: bool


class _Kept(msgspec.Struct, frozen=True):
    """What is kept with the session: for asking again, and for signing out at the provider."""

    refresh: str
    id: str


class _Opened(msgspec.Struct, frozen=True):
    provider: Provider
    judge: Judge
    mapping: MappingFile


class Oidc:
    """`now`: seconds since 1970, `clock`: seconds that never go back."""

    Config: ClassVar[type[contract.Config]] = OidcConfig

    def __init__(
        self,
        config: OidcConfig,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        entropy: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._config = config
        self._now = now
        self._clock = clock
        self._entropy = entropy
        self._wire: Wire | None = None
        self._opened: _Opened | None = None

    @property
    def title(self) -> str:
        return self._config.title

    @property
    def auto(self) -> bool:
        return self._config.auto

    @property
    def bearer(self) -> bool:
        return self._config.bearer

    async def open(self) -> None:
        """Reads the files. The provider is not asked yet."""
        config = self._config
        problems: list[Problem] = []
        mapping: MappingFile | None = None
        try:
            mapping = await asyncio.to_thread(MappingFile, config.mapping, Compare.TEXT)
        except ConfigError as error:
            problems += error.problems
        file = config.client_secret_file
        secret = "" if file is None else await asyncio.to_thread(oidc_wire.secret, file)
        context = await asyncio.to_thread(oidc_wire.trust, config.ca_file)
        problems += [each for each in (secret, context) if isinstance(each, Problem)]
        if problems or mapping is None or isinstance(secret, Problem) or isinstance(context, Problem):
            raise ConfigError(problems)
        self._wire = Wire(context, config.seconds, config.connections)
        provider = Provider(config, self._wire, secret, self._clock)
        self._opened = _Opened(provider, Judge(config, provider, self._now), mapping)

    async def close(self) -> None:
        wire, self._wire, self._opened = self._wire, None, None
        if wire is not None:
            await wire.close()

    def version(self) -> str:
        return self._opened.mapping.version() if self._opened else ""

    async def login(self, credentials: Credentials) -> Outcome:
        """Passwords are the provider's business."""
        return NotMine()

    async def begin(self, callback: str, state: str, *, again: bool = False) -> Begun | Failed:
        sent = _Sent(self._entropy(32), self._entropy(48), again)
        try:
            provider = self._ready().provider
            metadata = await provider.metadata()
        except Unanswered as error:
            return self._failed(error)
        more: dict[str, object] = {"prompt": self._config.prompt, "max_age": self._config.max_age}
        more |= {"prompt": "login", "max_age": 0} if again else {}
        address, _ = provider.client().create_authorization_url(
            metadata.authorization,
            state=state,
            code_verifier=sent.verifier,
            redirect_uri=callback,
            nonce=sent.nonce,
            **{name: str(value) for name, value in more.items() if value is not None},
        )
        return Begun(address, msgspec.msgpack.encode(sent))

    async def finish(self, callback: str, kept: bytes, answer: Mapping[str, str]) -> Outcome:
        sent = msgspec.msgpack.decode(kept, type=_Sent)
        try:
            ready = self._ready()
            metadata = await ready.provider.metadata()
            if "iss" in answer or metadata.states_issuer:
                oidc_tokens.same(answer, "iss", self._config.issuer)
            if "error" in answer or not answer.get("code"):
                return Rejected(f"the provider answered {answer.get('error', 'no code')[:60]!r}")
            tokens = await ready.provider.of_code(answer["code"], sent.verifier, callback)
            claims = await ready.judge.identity(tokens)
            oidc_tokens.same(claims, "nonce", sent.nonce)
            ready.judge.recent(claims, again=sent.again)
            return await self._person(ready, claims, tokens.access, _remote(claims, tokens))
        except (Wrong, Refused) as error:
            return Rejected(str(error))
        except (Unanswered, ConfigError) as error:
            return self._failed(error)

    async def refresh(self, identity: Identity) -> Outcome:
        """By the refresh token, which is used once where the provider gives a new one. Without one: cannot tell."""
        remote = identity.remote
        kept = msgspec.msgpack.decode(remote.kept, type=_Kept) if remote and remote.kept else None
        if remote is None or kept is None or not kept.refresh:
            return NotMine()
        held: Remote | None = None
        try:
            ready = self._ready()
            tokens = await ready.provider.of_refresh(kept.refresh)
            # The old one may be worth nothing any more, whatever else goes wrong.
            held = msgspec.structs.replace(remote, kept=_kept(tokens.refresh or kept.refresh, tokens.id or kept.id))
            signed = bool(tokens.id)
            claims = await (ready.judge.identity(tokens) if signed else ready.provider.userinfo(tokens.access))
            oidc_tokens.same(claims, "sub", remote.subject)
            outcome = await self._person(ready, claims, tokens.access, held, signed=signed)
        except (Wrong, Refused) as error:
            return Rejected(str(error))
        except (Unanswered, ConfigError) as error:
            return msgspec.structs.replace(self._failed(error), remote=held)
        if isinstance(outcome, contract.Granted) and outcome.identity.id != identity.id:
            return Rejected("has another id now")
        return outcome

    async def leave(self, remote: Remote, back: str) -> str | None:
        try:
            metadata = await self._ready().provider.metadata()
        except Unanswered:
            return None
        if not metadata.end_session:
            return None
        hint = msgspec.msgpack.decode(remote.kept, type=_Kept).id if remote.kept else ""
        fields = {"client_id": self._config.client_id, "post_logout_redirect_uri": back}
        fields |= {"id_token_hint": hint} if 0 < len(hint) <= MAX_HINT else {}
        return metadata.end_session + ("&" if "?" in metadata.end_session else "?") + urlencode(fields)

    async def ended(self, token: str) -> Ending | Rejected | Failed:
        try:
            return await self._ready().judge.logout(token)
        except Wrong as error:
            return Rejected(str(error))
        except Unanswered as error:
            return self._failed(error)

    async def bear(self, token: str) -> Outcome:
        """An access token that was issued for this gateway. Others' tokens are not this login's."""
        try:
            ready = self._ready()
            claims = await ready.judge.access(token)
            return NotMine() if claims is None else self._mapped(ready, claims, claims, None)
        except Wrong as error:
            return Rejected(str(error))
        except (Unanswered, ConfigError) as error:
            return self._failed(error)

    async def explain(self, user: str, groups: Sequence[str] | None) -> Known | None:
        """Of the mapping alone: a provider tells nothing of people who are not there."""
        if groups is None or self._opened is None:
            return None
        mapping = self._opened.mapping.current()
        return Known(mapped(mapping, Identity(user, 1), groups), "nobody, id 1 stands for his", groups, mapping)

    def probes(self) -> Sequence[Probe]:
        return (Probe(f"provider {self._config.issuer}", self._probe),)

    async def _probe(self) -> str | Failed:
        try:
            count = await self._ready().provider.key_count()
        except Unanswered as error:
            return self._failed(error)
        return f"is what it calls itself, and signs with one of {count} keys"

    async def _person(
        self, ready: _Opened, claims: Mapping[str, Any], access: str, remote: Remote, *, signed: bool = True
    ) -> Outcome:
        """The person of an ID token; not `signed`: of userinfo, where a refresh brought no ID token."""
        told: Mapping[str, Any] = claims
        if signed and self._config.groups_from == "userinfo":
            told = await ready.provider.userinfo(access)
            oidc_tokens.same(told, "sub", remote.subject)
        return self._mapped(ready, {**told, **claims}, told, remote)

    def _mapped(
        self, ready: _Opened, claims: Mapping[str, Any], groups: Mapping[str, Any], remote: Remote | None
    ) -> Outcome:
        config = self._config
        number = oidc_person.number(claims, config, oidc_tokens.subject(claims))
        name = oidc_person.display_name(claims, config)
        identity = Identity(oidc_person.user(claims, config), number, name, remote=remote)
        return mapped(ready.mapping.current(), identity, oidc_person.groups(groups, config))

    def _ready(self) -> _Opened:
        if self._opened is None:
            raise Unanswered("was not opened")
        return self._opened

    def _failed(self, error: Exception) -> Failed:
        return Failed(f"issuer {self._config.issuer}: {error}")


def _remote(claims: Mapping[str, Any], tokens: Tokens) -> Remote:
    """What an ID token says of the session at the provider. Raises Wrong."""
    session = claims.get("sid", "")
    if not isinstance(session, str) or len(session) > 255:
        raise Wrong("sid: is no text of up to 255 characters")
    issued = oidc_tokens.number(claims, "iat") or 0.0
    return Remote(oidc_tokens.subject(claims), session, issued, _kept(tokens.refresh, tokens.id))


def _kept(refresh: str, id: str) -> bytes:
    return msgspec.msgpack.encode(_Kept(refresh, id if len(id) <= MAX_HINT else ""))
