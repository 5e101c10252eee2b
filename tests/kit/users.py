"""Users of a running gateway, made from nothing but what they may do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2

from authgw.rights.claims import Claims, Grant
from authgw.session.model import Kind
from kit.claims_in import put, sessions_of
from kit.world import World, world

COOKIES = {Kind.API: "PHPSESSID", Kind.BROWSER: "authgw"}
# Shorter than a server's patience with idle connections: none is closed while it is being used again.
LIMITS = httpx2.Limits(keepalive_expiry=1.0)


class Users:
    """Sessions of one gateway, by what they may; each is made once."""

    def __init__(self, site: World, http: httpx2.Client) -> None:
        self.site, self.http = site, http
        self._cookies: dict[tuple[Kind, tuple[Grant, ...]], str] = {}

    def ask(
        self, grants: tuple[Grant, ...], path: str, fields: Mapping[str, Any], *, get: bool = False,
        kind: Kind = Kind.API,
    ) -> httpx2.Response:  # fmt: skip
        """The request, as a user with just these grants sends it; by GET, or as a form by POST."""
        headers = {"cookie": self.cookie(grants, kind)}
        if get:
            return self.http.get(path, params=dict(fields), headers=headers)
        return self.http.post(path, data=dict(fields), headers=headers)

    def cookie(self, grants: tuple[Grant, ...], kind: Kind = Kind.API) -> str:
        """The cookie header of his session."""
        if (kind, grants) not in self._cookies:
            number = len(self._cookies) + 1
            sid = asyncio.run(self._start(Claims("static", f"user{number}", number, grants), kind))
            self._cookies[kind, grants] = f"{COOKIES[kind]}={sid}"
        return self._cookies[kind, grants]

    async def _start(self, claims: Claims, kind: Kind) -> str:
        async with sessions_of(self.site) as sessions:
            return await put(sessions, claims, kind)


@contextlib.contextmanager
def users_of(folder: Path, **given: Any) -> Iterator[Users]:
    """A world of their own, with a store that tests can write to. `given`: see `kit.world.world`."""
    with (
        world(folder, store="redis", **given) as found,
        httpx2.Client(base_url=found.url, timeout=30, limits=LIMITS) as http,
    ):
        yield Users(found, http)
