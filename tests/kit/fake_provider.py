"""A provider whose every token is the test's own: what it signs, with which key, and what it says about itself."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwk, jwt

from authgw.contract import Begun, Outcome
from authgw_plugins.oidc import Oidc
from authgw_plugins.oidc_config import OidcConfig
from kit.loopback import Asked, Line, reply, serving
from kit.sessions import Clock
from kit.sso import MAPPING

NOW = 1_700_000_000.0
CALLBACK = "https://gateway.example/authgw/oidc/sso/callback"
CLIENT = "authgw"
KEY = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER_KEY = jwk.RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
CURVE = jwk.ECKey.generate_key("P-256", {"kid": "curve"})
Claims = dict[str, Any]


def signed(claims: Claims, key: Any = KEY, **header: Any) -> str:
    """A token as a provider signs it; `header` adds to the header."""
    algorithm = {"RSA": "RS256", "EC": "ES256", "oct": "HS256"}[key.key_type]
    head = {"alg": algorithm, "kid": key.kid, **header}
    return jwt.encode(head, claims, key, [head["alg"]], default_type=None)


def by_hand(claims: Claims, sign: Callable[[bytes], bytes], **header: Any) -> str:
    """A token that no library would make: `sign` gets what is to be signed."""
    made = unsigned(claims, **header).removesuffix(".")
    return made + "." + base64.urlsafe_b64encode(sign(made.encode())).decode().rstrip("=")


def unsigned(claims: Claims, **header: Any) -> str:
    """A token that says alg none, or whatever the test says."""
    parts = [json.dumps({"alg": "none", **header}), json.dumps(claims)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."


@dataclass
class Fake:
    """What it answers, for the test to change. `tokens`: makes the token endpoint's answer of the claims."""

    url: str = ""
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    keys: list[Any] = field(default_factory=lambda: [KEY, CURVE])
    says: dict[str, Any] = field(default_factory=dict)
    claims: Claims = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: KEY)
    raw_token: str | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    replies: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    nonce: str = ""

    def count(self, path: str) -> int:
        return sum(one.path == path for one in self.asked)

    def metadata(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "jwks"}
        return {
            "issuer": self.url,
            **{name: f"{self.url}/{path}" for name, path in names.items()},
            "userinfo_endpoint": f"{self.url}/userinfo",
            "end_session_endpoint": f"{self.url}/end",
            **self.says,
        }

    def id_token(self, **claims: Any) -> str:
        """An ID token that is right but for what the test has changed; a claim of None is left out."""
        right: Claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "sub-alice",
            "exp": int(self.clock.now) + 300,
            "iat": int(self.clock.now),
            "nonce": self.nonce,
            "sid": "sid-1",
            "preferred_username": "alice",
            "groups": ["noc-acme"],
        }
        made = {name: value for name, value in {**right, **self.claims, **claims}.items() if value is not None}
        return signed(made, self.key, **self.header)

    async def talk(self, line: Line) -> None:
        while (asked := await line.asked()) is not None:
            self.asked.append(asked)
            await line.say(self.replies.get(asked.path) or self._reply(asked))

    def _reply(self, asked: Asked) -> bytes:
        match asked.path:
            case "/.well-known/openid-configuration":
                return _json(self.metadata())
            case "/jwks":
                return _json({"keys": [key.as_dict(private=False) for key in self.keys]})
            case "/token":
                token = self.id_token() if self.raw_token is None else self.raw_token
                refresh = f"refresh-{self.count('/token')}"
                said = {"access_token": "at", "token_type": "Bearer", "id_token": token, "refresh_token": refresh}
                made = {name: value for name, value in {**said, **self.answers}.items() if value is not None}
                return _json(made, "400 Bad Request" if "error" in made else "200 OK")
            case "/userinfo" if self.userinfo is not None:
                return _json(self.userinfo)
        return reply(status="404 Not Found")


def _json(value: Any, status: str = "200 OK") -> bytes:
    return reply(json.dumps(value).encode(), "Content-Type: application/json", status=status)


@dataclass
class Desk:
    """The plugin before a provider of the test's own."""

    fake: Fake
    plugin: Oidc

    async def begin(self, state: str = "state-1") -> tuple[Begun, dict[str, str]]:
        """Off to the provider; the fields that it is asked with. Its next token is an answer to that."""
        begun = await self.plugin.begin(CALLBACK, state)
        assert isinstance(begun, Begun), begun
        fields = {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}
        self.fake.nonce = fields["nonce"]
        return begun, fields

    async def finish(self, begun: Begun | None = None, answer: Mapping[str, str] | None = None) -> Outcome:
        """Back from the provider."""
        begun = begun or (await self.begin())[0]
        return await self.plugin.finish(CALLBACK, begun.kept, {"code": "code-1", "state": "state-1", **(answer or {})})


@asynccontextmanager
async def desk(
    folder: Path, options: Mapping[str, Any] | None = None, *, tls: ssl.SSLContext | None = None, **settings: Any
) -> AsyncIterator[Desk]:
    """`options` of the login, `settings` of the provider."""
    fake = Fake(**settings)
    mapping, secret = folder / "mapping.toml", folder / "client.secret"
    mapping.write_text(MAPPING)
    mapping.chmod(0o600)
    secret.write_text("the secret\n")
    async with serving(fake.talk, tls) as server:
        fake.url = f"http{'s' if tls else ''}://127.0.0.1:{server.port}"
        config = {"issuer": fake.url, "client_id": CLIENT, "client_secret_file": secret, "mapping": mapping}
        plugin = Oidc(OidcConfig(**{**config, **(options or {})}), now=fake.clock, clock=fake.clock)
        await plugin.open()
        try:
            yield Desk(fake, plugin)
        finally:
            await plugin.close()
