"""The gateway's own pages on one clock, asked over HTTP on a real session room, and a browser before them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from starlette.applications import Starlette

from authgw.login import pages
from authgw.login.attempt import Attempts
from authgw.login.browser import Browser
from authgw.login.factor_pages import FactorPages
from authgw.login.steps import Steps
from authgw.login.underway import Underway
from authgw.session import cookie, store
from kit.logins import Desk
from kit.sessions import LIMITS, Clock, Room

ORIGIN = "http://127.0.0.1:8080"
OWN = {"sec-fetch-site": "same-origin"}


class Gateway:
    origin = ORIGIN
    base_path = "/demo"
    trusted_proxies = ()
    body_timeout = 5.0


class Trail:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def write(self, event: str, fields: Any) -> None:
        self.lines.append((event, dict(fields)))


class Site:
    """The pages on one clock, and a browser before them. `remember`: seconds of sessions that are kept."""

    def __init__(self, folder: Path, answer: Any, *, remember: float = 0.0) -> None:
        clock = Clock()
        self.desk = Desk(answer, clock=clock)
        limits = msgspec.structs.replace(LIMITS, remember=remember)
        self.room = Room(store.connect("memory://"), folder, clock, limits)
        self.trail = Trail()
        self.sensors: Any = {2: "London", 3: "Prague", 9: "secret site"}
        names = cookie.names(ORIGIN, "/demo")
        browser = Browser(self.room.sessions, Attempts(b"k" * 32, clock), names, Gateway(), remember=remember)
        self.steps = steps = Steps(browser, self.desk.second, Underway(self.room.handles, names, clock), clock)
        routes = [
            *pages.routes(browser, self.desk.front, steps.begin, self._names, self.trail),
            *FactorPages(browser, steps).routes(),
        ]
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(Starlette(routes=routes)), base_url=ORIGIN)

    async def _names(self) -> Any:
        if isinstance(self.sensors, Exception):
            raise self.sensors
        return self.sensors

    async def close(self) -> None:
        await self.client.aclose()
        await self.room.epochs.close()
        await self.desk.close()

    async def form(self, next: str = "") -> str:
        reply = await self.client.get("/authgw/login", params={"next": next} if next else {})
        found = re.search(r'name="form" value="([^"]+)"', reply.text)
        assert found is not None
        return found[1]

    async def login(self, user: str = "alice", password: str = "right", **more: str) -> httpx2.Response:
        fields = {"form": await self.form(), "user": user, "password": password, **more}
        return await self.client.post("/authgw/login", data=fields, headers=OWN)


def form_of(reply: httpx2.Response) -> str:
    found = re.search(r'name="form" value="([^"]+)"', reply.text)
    assert found is not None, reply.text
    return found[1]


async def post(site: Site, step: str, form: str, **fields: str) -> httpx2.Response:
    return await site.client.post(f"/authgw/login/{step}", data={"form": form, **fields}, headers=OWN)


async def submit(site: Site, step: str, **fields: str) -> httpx2.Response:
    """The page of a step, filled in and sent."""
    shown = await site.client.get(f"/authgw/login/{step}")
    assert shown.status_code == 200
    return await post(site, step, form_of(shown), **fields)
