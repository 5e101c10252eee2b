"""Composition root: settings in, ASGI app out.

    intake/     bytes to one canonical request          narrow/     scope in, rows and objects out
    session/    cookie to claims                        upstream/   asking the GUI
    login/      how a session comes to exist            audit/      what was done, by whom
    rights/     the permission dictionary to claims     ui/         pages
    catalogue/  which call is this                      cli/        commands
    policy/     may they                                demo/       a VoIPmonitor look-alike
    durable/    the database, values sealed in it       facts/      the product's database, read only
    account/    people's own pages, API tokens

`gate.py` calls them in the order of a request's path. Nothing here has effects before the server starts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from authgw.account import assemble as account
from authgw.account.seen import Seen
from authgw.audit.log import Audit
from authgw.catalogue.load import load as load_catalogue
from authgw.catalogue.match import Catalogue
from authgw.doors import ApiTokens, Doors
from authgw.durable.tokens import Tokens
from authgw.edge import App
from authgw.errors import ConfigError, Problem, StoreError, collected
from authgw.facts.assemble import call_facts, unready
from authgw.gate import Gate
from authgw.intake.limits import Limits
from authgw.intake.read import Heads
from authgw.login import assemble, pages, redirect
from authgw.login.access import AccessTokens
from authgw.login.attempt import Attempts
from authgw.login.browser import Browser
from authgw.login.confirm import Confirm
from authgw.login.factor_pages import FactorPages
from authgw.login.leave import Leave
from authgw.login.steps import Steps
from authgw.login.underway import Underway
from authgw.narrow.facts import CallFacts
from authgw.narrow.job import Bounds
from authgw.narrow.judge import Judges
from authgw.narrow.run import Narrow, Outside
from authgw.narrow.sensors import Sensors
from authgw.parts import Parts
from authgw.policy.decide import Rules
from authgw.services import Services
from authgw.session import cache, cookie, keys, store
from authgw.session.epochs import Epochs
from authgw.session.handles import Handles
from authgw.session.links import Links
from authgw.session.model import SessionLimits
from authgw.session.sessions import Sessions
from authgw.settings import Settings
from authgw.shares import Shares
from authgw.upstream import location
from authgw.upstream.account import Account
from authgw.upstream.anonymous import Anonymous
from authgw.upstream.assemble import upstream_of
from authgw.upstream.client import Base


class Opens(Protocol):
    """Something with a life: opened before the first request, closed after the last."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class Part:
    """Something that only has to be closed."""

    def __init__(self, close: Callable[[], Awaitable[None]]) -> None:
        self._close = close

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        await self._close()


class Gateway:
    """The ASGI app, and what is opened before it serves and closed after. Both may be called more than once."""

    def __init__(self, app: App, parts: Sequence[Opens], warnings: Sequence[str], has_sockets: bool = False) -> None:
        self.app = app
        self.has_sockets = has_sockets
        self.warnings = tuple(warnings)
        self._parts = tuple(parts)
        self._open: list[Opens] = []

    async def open(self) -> None:
        try:
            for part in self._parts[len(self._open) :]:
                await part.open()
                self._open.append(part)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        while self._open:
            await self._open.pop().close()


async def create(settings: Settings) -> Gateway:
    """The gateway, its login plugins open already: their files are read together with all others, and nothing is
    made or written before they are fine. Raises `ConfigError` with every mistake in the files the settings name."""
    problems: list[Problem] = []
    catalogue, chain = None, None
    with collected(problems):
        catalogue = load_catalogue(settings.policy.files, settings.folder)
    with collected(problems):
        chain = await assemble.opened(settings)
    if catalogue is None or chain is None:
        if chain is not None:
            await chain.close()
        raise ConfigError(problems)
    upstream = upstream_of(settings)
    key_file = keys.load(settings.gateway.key_file)
    redis = store.connect(settings.sessions.store)
    epochs = Epochs(settings.database.url, time.time)
    ours = settings.sessions
    lifetimes = SessionLimits(ours.idle, ours.absolute, ours.per_user, ours.refresh, ours.unconfirmed, ours.remember)
    sessions = Sessions(redis, key_file, epochs, lifetimes, time.time, grace=settings.sessions.grace)
    sessions.coherence = heard = cache.coherence(settings.sessions.store, redis, sessions.memory)
    audit = Audit(settings.audit.file, time.time)
    names = cookie.names(settings.gateway.public_url, settings.gateway.base_path)
    failures = assemble.counting(settings, key_file)
    factor_store = assemble.factor_store(settings, key_file)
    factors = assemble.factors_of(settings, factor_store, epochs, audit)
    tokens = Tokens(settings.database.url, key_file, epochs, time.time)
    seen = Seen(tokens)
    front = assemble.front(chain, factors, epochs, failures, audit, seen)
    token_login = account.token_login(settings, chain, tokens, epochs, failures, audit)
    bypass = assemble.Bypass(front, sessions, names)
    access = AccessTokens(front, failures, audit=audit.write)
    doors = Doors(
        sessions, names, front, bypass, audit, [ApiTokens(token_login), access], Leave(front, settings.gateway.origin)
    )
    links = Links(settings.database.url, key_file.derive_all("links"), time.time)
    facts = call_facts(settings, upstream)
    handles = Handles(redis, key_file, time.time)
    parts = _parts(settings, catalogue, upstream, facts, doors, audit, links, handles)
    has_sockets = any(entry.reply == "websocket" for entry in catalogue.entries)
    if has_sockets:
        # A library that few sites have any use for (1 MB).
        from authgw.sockets import Sockets
        from authgw.upstream.websocket import dialler_of

        parts.sockets = Sockets(parts, dialler_of(settings, upstream))
    attempts = Attempts(key_file.derive("login-form"), time.time)
    browser = Browser(sessions, attempts, names, settings.gateway, remember=ours.remember)
    steps = Steps(browser, front.second, Underway(handles, names, time.time), time.time)
    sensor_names = parts.narrow.sensors.names
    expired = account.expired(browser, front, handles, audit)
    own = pages.routes(browser, front, steps.begin, sensor_names, audit, expired)
    own += FactorPages(browser, steps).routes()
    own += redirect.routes(browser, front, steps.begin, account.proved(redis, key_file), handles, audit)
    own += account.routes(
        settings, browser, front, tokens, token_login, seen, redis, key_file, handles, sensor_names, audit
    )
    sessions.renew_by(Confirm(chain.instances, chain.rights, audit=audit.write, now=time.time))
    behind = Starlette(routes=[*own, *_health(sessions, epochs, upstream, facts, audit)])
    behind.router.redirect_slashes = False
    closing = [Part(close=each.close) for each in (upstream, facts, front, chain)]
    durable = (audit, epochs, links, factor_store, tokens)
    gate = Gate(behind, parts)
    gateway = Gateway(gate, [Part(close=redis.aclose), *closing, *durable, heard], chain.warnings, has_sockets)
    behind.router.lifespan_context = _lifespan(gateway)
    return gateway


def _parts(
    settings: Settings,
    catalogue: Catalogue,
    upstream: Account | Anonymous,
    facts: CallFacts,
    doors: Doors,
    audit: Audit,
    links: Links,
    handles: Handles,
) -> Parts:
    base = Base.from_url(settings.upstream.url)
    public_url = settings.gateway.public_url
    ours = settings.upstream
    bounds = Bounds(settings.policy.scan_days, settings.policy.scan_timeout, ours.max_reply, max(1, ours.pool // 2))
    narrow = Narrow(
        upstream,
        facts,
        Sensors(upstream, time.monotonic, settings.upstream.sensors),
        Judges(settings.policy.number_match),
        bounds,
        now=datetime.now,
        outside=Outside(base.path, public_url, lambda target, path: location.public(target, path, base, public_url)),
        links=links,
    )
    limits = Limits(max_body=settings.gateway.max_body, trusted_proxies=settings.gateway.trusted_proxies)
    return Parts(
        limits=limits,
        heads=Heads(limits),
        body_seconds=settings.gateway.body_timeout,
        base_path=settings.gateway.base_path,
        catalogue=catalogue,
        rules=_rules(settings),
        doors=doors,
        narrow=narrow,
        audit=audit,
        services=Services(handles),
        shares=Shares(links, doors, narrow, _rules(settings)),
        always_200=settings.policy.refusals == "200",
    )


def _rules(settings: Settings) -> Rules:
    return Rules(settings.upstream.pages, settings.gateway.origin)


def _lifespan(gateway: Gateway) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await gateway.open()
        try:
            yield
        finally:
            await gateway.close()

    return lifespan


def _health(
    sessions: Sessions, epochs: Epochs, upstream: Account | Anonymous, facts: CallFacts, audit: Audit
) -> list[Route]:
    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        """What is missing, by name; no addresses, no secrets."""
        missing: dict[str, str] = {}
        try:
            await sessions.ping()
        except StoreError:
            missing["sessions"] = "the session store cannot be asked"
        try:
            await epochs.current("", "", fresh=True)
        except StoreError:
            missing["database"] = "the database cannot be asked"
        if (trouble := await upstream.check()) is not None:
            missing["upstream"] = trouble
        if (trouble := await unready(facts)) is not None:
            missing["facts"] = trouble
        if audit.failed:
            missing["audit"] = "the audit file cannot be written"
        return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)

    return [Route("/authgw/healthz", healthz), Route("/authgw/readyz", readyz)]
