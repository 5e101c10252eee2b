"""HTTP to a provider: verified, timed out, never redirected, and never more than so many bytes."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx2

from authgw.contract import Problem, unreached
from authgw_plugins import strict

MAX_REPLY = 512 * 1024
MAX_SECRET = 4096
_IDLE_SECONDS = 2.0


class Unanswered(Exception):
    """The provider could not be asked, or answered nonsense. The text tells what, and nothing that it sent."""


class _Counted(httpx2.AsyncByteStream):
    """A reply's body that ends with an error where it is too long."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > MAX_REPLY:
                raise Unanswered(f"answered more than {MAX_REPLY} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Bounded(httpx2.AsyncBaseTransport):
    """Connections that outlive the clients that use them: each exchange has a client of its own, and no state in common
    with another person's."""

    def __init__(self, context: ssl.SSLContext, connections: int) -> None:
        limits = httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_IDLE_SECONDS
        )
        self._inner = httpx2.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise Unanswered("answered in a content encoding that was not asked for")
        return httpx2.Response(
            response.status_code, headers=response.headers, stream=_Counted(stream), extensions=response.extensions
        )

    async def end(self) -> None:
        await self._inner.aclose()


class Wire:
    """`seconds` is what each single exchange has, connecting and reading together with waiting for a connection."""

    def __init__(self, context: ssl.SSLContext, seconds: float, connections: int) -> None:
        self._transport = _Bounded(context, connections)
        self._seconds = seconds

    def options(self) -> dict[str, Any]:
        """What every client of this wire is made with: nothing of the environment, no redirects, no cookies."""
        return {
            "transport": self._transport,
            "trust_env": False,
            "follow_redirects": False,
            "timeout": self._seconds,
            "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        }

    async def get(self, url: str, token: str = "") -> dict[str, Any]:
        """The JSON object at an address. Raises Unanswered."""
        headers = {"Accept": "application/json", "User-Agent": "authgw"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = await httpx2.AsyncClient(**self.options()).get(url, headers=headers)
        except (Unanswered, httpx2.RequestError, OSError, RuntimeError) as error:
            raise Unanswered(f"{url}: {trouble(error)}") from None
        if response.status_code != 200:
            raise Unanswered(f"{url}: answered {response.status_code}")
        return as_object(response.content, url)

    async def close(self) -> None:
        await self._transport.end()


def as_object(text: bytes, what: str) -> dict[str, Any]:
    """JSON and nothing else: a key that comes twice, or a number that is none, is an error."""
    try:
        found = strict.loads(text)
    except (ValueError, RecursionError):
        raise Unanswered(f"{what}: is no JSON") from None
    if not isinstance(found, dict):
        raise Unanswered(f"{what}: is no JSON object")
    return found


def wrong_url(value: object) -> str:
    """What is wrong with an address of a provider, or nothing."""
    try:
        url = httpx2.URL(value) if isinstance(value, str) else None
    except (httpx2.InvalidURL, ValueError):
        url = None
    if url is None or url.scheme not in ("https", "http") or not url.host:
        return "must begin with https:// and name a host"
    if url.userinfo or url.fragment or not str(value).isascii() or not str(value).isprintable():
        return "must hold no user, password or fragment, and plain characters only"
    if url.scheme == "http" and not strict.is_loopback(url.host):
        return "must be https (http is for this machine only)"
    return ""


def trouble(error: Exception) -> str:
    """What a person can do about a connection that failed. Texts of the peer's making stay out of it."""
    cause: BaseException | None = error
    for _ in range(10):
        if isinstance(cause, Unanswered):
            return str(cause)
        if cause is None:
            break
        cause = cause.__cause__ or cause.__context__
    known = unreached(error, address="issuer", trust="ca_file", wait="seconds")
    if not known and isinstance(error, ValueError):
        return "answered what is no JSON"
    return known or f"failed: {type(error).__name__}"


def trust(path: Path | None) -> ssl.SSLContext | Problem:
    """Certificates and host names are verified, always."""
    try:
        return ssl.create_default_context(cafile=None if path is None else str(path))
    except (ssl.SSLError, OSError) as error:
        return Problem("ca_file", str(path), f"holds no certificate that can be read: {error.strerror or error}")


def secret(path: Path) -> str | Problem:
    """The one line of the client's secret."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET + 1).removesuffix(b"\n").removesuffix(b"\r").decode()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "no UTF-8"
        return Problem("client_secret_file", str(path), f"cannot be read: {why}")
    if not text.strip() or len(text) > MAX_SECRET or any(mark in text for mark in "\r\n\0"):
        return Problem("client_secret_file", str(path), "must hold the client's secret in one line, no more")
    return text
