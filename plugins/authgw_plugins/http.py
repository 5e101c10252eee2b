"""The `http` login: credentials are posted to the operator's own service, which answers the permission dictionary.

    [login.portal]
    plugin = "http"
    url = "https://portal.example.com/authgw/login"
    secret_file = "portal.secret"

The request is a POST of {"user", "password", "otp", "address"} as JSON, with a header that proves where it comes from:

    X-Authgw-Signature: t=SECONDS,v1=HEX        HEX = HMAC-SHA256 of "SECONDS.BODY" under the secret, in hexadecimal

The answer: 200 with the dictionary, or with {"dictionary": …, "tenant": …}. 401, 403, null, false and {"error": …}: the
credentials are wrong. 404: not a user of this service. Anything else is a failure, never a rejection.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import ssl
import stat
from collections.abc import Callable, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from time import time
from typing import Any, ClassVar

import httpx2
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from authgw import contract
from authgw.contract import (
    ConfigError,
    Credentials,
    Failed,
    Identity,
    NotMine,
    Outcome,
    Probe,
    Problem,
    Rejected,
    unreached,
)
from authgw_plugins import answers, strict

MAX_REPLY = 256 * 1024
MIN_SECRET = 16
MAX_SECRET = 4096
# Shorter than a server's patience with idle connections: none is closed while it is being used again.
_IDLE_SECONDS = 2.0
log = logging.getLogger("authgw.login.http")


class HttpConfig(contract.Config):
    """`url`: https, or http on the loopback. `secret_file`: one line, known to the service too; it signs requests.

    `ca_file`: certificates that are trusted instead of the system's. `seconds`: for connecting, asking and reading
    together. `connections` at the same time, `waiting` logins more in line.
    """

    url: str
    secret_file: Path
    ca_file: Path | None = None
    seconds: float = Field(default=5.0, gt=0, le=9.0)
    connections: int = Field(default=10, ge=1, le=1000)
    waiting: int = Field(default=128, ge=0, le=10_000)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        wrong = _wrong_url(value)
        if wrong:
            raise PydanticCustomError("url", "{wrong}", {"wrong": wrong})
        return value


class Http:
    """Asks the service at every login. Nothing is asked at `open`: a service that is down stops no start."""

    Config: ClassVar[type[contract.Config]] = HttpConfig

    def __init__(self, config: HttpConfig, clock: Callable[[], float] = time) -> None:
        self._config = config
        self._clock = clock
        self._secret = b""
        self._client: httpx2.AsyncClient | None = None
        self._free = asyncio.Semaphore(config.connections)
        self._present = 0

    async def open(self) -> None:
        problems: list[Problem] = []
        secret = _secret(self._config.secret_file)
        if isinstance(secret, Problem):
            problems.append(secret)
        else:
            self._secret = secret
        context = _trust(self._config.ca_file)
        if isinstance(context, Problem):
            problems.append(context)
        if problems or isinstance(context, Problem):
            raise ConfigError(problems)
        most = self._config.connections
        self._client = httpx2.AsyncClient(
            verify=context,
            # Nothing of the environment: a proxy named there would see the passwords.
            trust_env=False,
            follow_redirects=False,
            timeout=self._config.seconds,
            limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=_IDLE_SECONDS),
            # A cookie that came with one login must not go out with the next.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def login(self, credentials: Credentials) -> Outcome:
        client = self._client
        if client is None:
            return Failed("http: is not open")
        if self._present >= self._config.connections + self._config.waiting:
            return Failed("http: connections: all of them are in use and the line is full", busy=True)
        self._present += 1
        asked = False
        try:
            async with asyncio.timeout(self._config.seconds), self._free:
                asked = True
                return await self._ask(client, credentials)
        except (TimeoutError, httpx2.TimeoutException):
            what = "no answer" if asked else "no free connection"
            return self._failed(f"{what} within seconds = {self._config.seconds:g}", busy=not asked)
        except (httpx2.RequestError, OSError, RuntimeError) as error:
            return self._failed(_trouble(error))
        finally:
            self._present -= 1

    async def refresh(self, identity: Identity) -> Outcome:
        """The service is asked with a password only."""
        return NotMine()

    def probes(self) -> Sequence[Probe]:
        return [Probe(self._config.url, self._reach)]

    async def _reach(self) -> str | Failed:
        """Asks for nothing: a HEAD without a signature. Whatever the service answers, it was reached."""
        if self._client is None:
            return Failed("is not open")
        try:
            async with asyncio.timeout(self._config.seconds):
                response = await self._client.head(self._config.url)
        except (TimeoutError, httpx2.TimeoutException):
            return Failed(f"no answer within seconds = {self._config.seconds:g}")
        except (httpx2.RequestError, OSError, RuntimeError) as error:
            return Failed(_trouble(error))
        return f"reached (status {response.status_code} to a HEAD); a password only shows at a login"

    async def _ask(self, client: httpx2.AsyncClient, credentials: Credentials) -> Outcome:
        body = json.dumps(
            {
                "user": credentials.user,
                "password": credentials.password,
                "otp": credentials.otp,
                "address": credentials.address,
            }
        ).encode()
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "authgw",
            "X-Authgw-Signature": signature(self._secret, int(self._clock()), body),
        }
        async with client.stream("POST", self._config.url, content=body, headers=headers) as response:
            return await self._answer(response, credentials)

    async def _answer(self, response: httpx2.Response, credentials: Credentials) -> Outcome:
        status = response.status_code
        if status in (401, 403):
            return Rejected(f"status {status}")
        if status == 404:
            return NotMine()
        if 300 <= status < 400:
            return self._failed(f"answered {status}; redirects are not followed, name the last address")
        if status != 200:
            return self._failed(f"answered {status}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            return self._failed("answered in a content encoding that was not asked for")
        reply = bytearray()
        async for chunk in response.aiter_raw():
            reply += chunk
            if len(reply) > MAX_REPLY:
                return self._failed(f"answered more than {MAX_REPLY} bytes")
        try:
            said = strict.loads(bytes(reply))
        except (ValueError, RecursionError):
            return self._failed("answered 200 with what is no JSON")
        return self._verdict(said, credentials)

    def _verdict(self, said: Any, credentials: Credentials) -> Outcome:
        tenant: Any = ""
        if isinstance(said, dict) and "dictionary" in said:
            if said.keys() - {"dictionary", "tenant"}:
                return self._failed('answered keys beside "dictionary" and "tenant"')
            said, tenant = said["dictionary"], said.get("tenant")
        if said is None or said is False:
            return Rejected("rejected")
        if not isinstance(said, dict):
            return self._failed(f"answered a JSON {type(said).__name__}, not an object of permissions")
        if tenant is not None and not (isinstance(tenant, str) and len(tenant) <= 256 and tenant.isprintable()):
            return self._failed("answered a tenant that is no label")
        return answers.outcome(credentials, said, tenant or "")

    def _failed(self, what: str, *, busy: bool = False) -> Failed:
        return Failed(f"http: url {self._config.url}: {what}", busy=busy)


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """The header's value. `seconds` since 1970: by it the service refuses what is older than a few minutes."""
    return f"t={seconds},v1={hmac.new(secret, b'%d.%b' % (seconds, body), 'sha256').hexdigest()}"


def _wrong_url(value: str) -> str:
    """What is wrong with an address, or nothing. The address itself is not told: it may hold a secret."""
    try:
        url = httpx2.URL(value)
    except (httpx2.InvalidURL, TypeError, ValueError):
        return "is no URL"
    if url.scheme not in ("https", "http") or not url.host:
        return "must begin with https:// and name a host"
    if url.userinfo or url.query or url.fragment:
        return "must hold no user, password, query or fragment; secret_file is what signs requests"
    if url.scheme == "http" and not strict.is_loopback(url.host):
        return "must be https: passwords go there (http is for the loopback only)"
    return ""


def _secret(path: Path) -> bytes | Problem:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            data = file.read(MAX_SECRET + 1)
    except OSError as error:
        return Problem("secret_file", str(path), f"cannot be read: {error.strerror}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Problem("secret_file", str(path), f"others can write it; run: chmod 600 {path}")
    if mode & stat.S_IROTH:
        log.warning("secret_file %s: everybody can read it; run: chmod 600 %s", path, path)
    secret = data.removesuffix(b"\n").removesuffix(b"\r")
    if b"\n" in secret or not MIN_SECRET <= len(secret) <= MAX_SECRET:
        message = f"must hold one line of at least {MIN_SECRET} bytes; make one with: openssl rand -hex 32"
        return Problem("secret_file", str(path), message)
    return secret


def _trust(path: Path | None) -> ssl.SSLContext | Problem:
    """Certificates and host names are verified, always."""
    try:
        return ssl.create_default_context(cafile=None if path is None else str(path))
    except ssl.SSLError:
        return Problem("ca_file", str(path), "holds no certificate in PEM form")
    except OSError as error:
        return Problem("ca_file", str(path), f"cannot be read: {error.strerror}")


def _trouble(error: Exception) -> str:
    """What a person can do about a connection that failed. Texts of the peer's making stay out of it."""
    known = unreached(error, address="url", trust="ca_file", wait="seconds")
    return known or f"the exchange failed: {type(error).__name__}"
