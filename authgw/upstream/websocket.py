"""A WebSocket to the GUI, opened with a session of the service account."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.settings import Settings
from authgw.upstream import wire
from authgw.upstream.assemble import context_of
from authgw.upstream.wire import Base

MAX_MESSAGE = 1 << 20


class _Direct(connect):
    """Goes where it is told and nowhere else: a redirect would take the service account's cookie along."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Lender(Protocol):
    """Lends the cookie header of a service session for as long as it is needed; empty where there is none."""

    def cookie(self) -> AbstractAsyncContextManager[str]: ...


class Dialler:
    """`seconds`: for the handshake, and for the closing one."""

    def __init__(self, base: Base, context: ssl.SSLContext | None, lender: Lender, seconds: float) -> None:
        self._base, self._context, self._lender, self._seconds = base, context, lender, seconds

    @contextlib.asynccontextmanager
    async def open(
        self, path: str, fields: Sequence[tuple[str, str]], subprotocols: Sequence[str]
    ) -> AsyncIterator[ClientConnection]:
        """`path` is below the base path. Raises `UpstreamError` where it cannot be opened."""
        base = self._base
        target = wire.target(base.path, path, wire.form(fields)).decode("ascii")
        scheme, origin = ("wss", "https") if base.tls else ("ws", "http")
        async with self._lender.cookie() as cookie:
            try:
                connection = await _Direct(
                    f"{scheme}://{base.authority}{target}",
                    origin=f"{origin}://{base.authority}",  # type: ignore[arg-type]
                    additional_headers={"Cookie": cookie} if cookie else {},
                    subprotocols=subprotocols or None,  # type: ignore[arg-type]
                    user_agent_header=None,
                    compression=None,
                    open_timeout=self._seconds,
                    close_timeout=self._seconds,
                    max_size=MAX_MESSAGE,
                    proxy=None,
                    ssl=self._context,
                )
            except InvalidStatus as error:
                status = error.response.status_code
                raise UpstreamError(Reason.UPSTREAM_STATUS, f"a WebSocket was answered with {status}") from None
            except TimeoutError:
                raise UpstreamError(Reason.UPSTREAM_CONNECT_TIMEOUT, "a WebSocket was not opened in time") from None
            except (WebSocketException, OSError) as error:
                raise UpstreamError(
                    Reason.UPSTREAM_UNREACHABLE, f"no WebSocket to the GUI: {type(error).__name__}"
                ) from None
            try:
                yield connection
            finally:
                await connection.close()


def dialler_of(settings: Settings, lender: Lender) -> Dialler:
    """Opens WebSockets to the GUI of the settings."""
    ours = settings.upstream
    return Dialler(Base.from_url(ours.url), context_of(settings), lender, ours.connect_timeout)
