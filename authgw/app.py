"""Composition root: settings in, ASGI app out.

    intake/     bytes to one canonical request          narrow/     scope in, rows and objects out
    session/    cookie to claims                        upstream/   asking the GUI
    login/      how a session comes to exist            audit/      what was done, by whom
    rights/     the permission dictionary to claims     ui/         pages
    catalogue/  which call is this                      cli/        commands
    policy/     may they                                demo/       a VoIPmonitor look-alike

`gate.py` calls them in the order of a request's path. Nothing here has effects before the server starts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from authgw.audit.log import Audit
from authgw.catalogue.load import load as load_catalogue
from authgw.catalogue.match import Catalogue
from authgw.doors import Doors
from authgw.errors import ConfigError, Problem, StoreError
from authgw.gate import Gate
from authgw.intake.limits import Limits
from authgw.login import assemble
from authgw.narrow.facts import CallFacts
from authgw.narrow.judge import Judges
from authgw.narrow.run import Bounds, Narrow
from authgw.narrow.sensors import Sensors
from authgw.parts import Parts
from authgw.policy.decide import Rules
from authgw.session import cookie, keys, store
from authgw.session.epochs import Epochs
from authgw.session.handles import Handles
from authgw.session.model import SessionLimits
from authgw.session.sessions import Sessions
from authgw.settings import Settings
from authgw.upstream import location
from authgw.upstream.account import Account, Anonymous
from authgw.upstream.client import Base, Client, ClientLimits


class Backends(msgspec.Struct, frozen=True):
    """What is opened when the server starts and closed when it ends."""

    upstream: Account | Anonymous
    sessions: Sessions
    epochs: Epochs
    audit: Audit
    login: assemble.Login


def create(settings: Settings) -> Starlette:
    """The gateway as an ASGI app. Raises `ConfigError` with every mistake in the files the settings name."""
    problems: list[Problem] = []
    with _collected(problems):
        catalogue = load_catalogue(settings.policy.files, settings.folder)
    with _collected(problems):
        key_file = keys.load(settings.gateway.key_file)
    with _collected(problems):
        chain = assemble.plugins(settings)
    if problems:
        raise ConfigError(problems)
    upstream = _upstream(settings)
    redis = store.connect(settings.sessions.store)
    epochs = Epochs(settings.database.url, time.time)
    lifetimes = SessionLimits(settings.sessions.idle, settings.sessions.absolute, settings.sessions.per_user)
    sessions = Sessions(redis, key_file, epochs, lifetimes, time.time, grace=settings.sessions.grace)
    audit = Audit(settings.audit.file, time.time)
    names = cookie.names(settings.gateway.public_url, settings.gateway.base_path)
    handles = Handles(redis, key_file, time.time)
    login = assemble.login(settings, chain, sessions, handles, epochs, key_file, names, audit)
    doors = Doors(sessions, names, login.front, login.bypass, audit)
    parts = _parts(settings, catalogue, upstream, doors, audit)
    backends = Backends(upstream, sessions, epochs, audit, login)
    return Starlette(
        middleware=[Middleware(Gate, parts=parts)],
        routes=[*login.routes(parts.narrow.sensors.names), *_health(backends)],
        lifespan=_lifespan(backends, redis.aclose),
    )


@contextlib.contextmanager
def _collected(problems: list[Problem]) -> Iterator[None]:
    """Go on after mistakes, so that all of them are reported together."""
    try:
        yield
    except ConfigError as error:
        problems.extend(error.problems)


def _upstream(settings: Settings) -> Account | Anonymous:
    ours = settings.upstream
    limits = ClientLimits(connect=ours.connect_timeout, reply=ours.reply_timeout, idle=ours.idle_timeout)
    client = Client(Base.from_url(ours.url), limits)
    if ours.identity == "none" or ours.username is None or ours.password is None:
        return Anonymous(client)
    return Account(client, ours.username, ours.password.get_secret_value(), pool_size=ours.pool)


def _parts(
    settings: Settings, catalogue: Catalogue, upstream: Account | Anonymous, doors: Doors, audit: Audit
) -> Parts:
    base = Base.from_url(settings.upstream.url)
    public_url = settings.gateway.public_url
    bounds = Bounds(settings.policy.scan_days, settings.policy.scan_timeout, settings.upstream.max_reply)
    narrow = Narrow(
        upstream,
        CallFacts(upstream, time.monotonic),
        Sensors(upstream, time.monotonic, settings.upstream.sensors),
        Judges(settings.policy.number_match),
        bounds,
        now=datetime.now,
        moved=lambda target, path: location.public(target, path, base, public_url),
    )
    return Parts(
        limits=Limits(max_body=settings.gateway.max_body, trusted_proxies=settings.gateway.trusted_proxies),
        body_seconds=settings.gateway.body_timeout,
        base_path=settings.gateway.base_path,
        catalogue=catalogue,
        rules=rules(settings),
        doors=doors,
        narrow=narrow,
        audit=audit,
        always_200=settings.policy.refusals == "200",
    )


def rules(settings: Settings) -> Rules:
    """The operator's choices that decisions depend on; `explain` uses the same."""
    return Rules(pages=settings.upstream.pages, origin=settings.gateway.origin)


def _lifespan(
    backends: Backends, close_store: Callable[[], Awaitable[None]]
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        backends.audit.open()
        await backends.epochs.open()
        await backends.login.open()
        try:
            yield
        finally:
            await backends.login.close()
            await backends.upstream.close()
            await backends.epochs.close()
            await close_store()
            backends.audit.close()

    return lifespan


def _health(backends: Backends) -> list[Route]:
    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        """What is missing, by name; no addresses, no secrets."""
        missing: dict[str, str] = {}
        try:
            await backends.sessions.ping()
        except StoreError:
            missing["sessions"] = "the session store or the database cannot be asked"
        if (trouble := await backends.upstream.check()) is not None:
            missing["upstream"] = trouble
        if backends.audit.failed:
            missing["audit"] = "the audit file cannot be written"
        return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)

    return [Route("/authgw/healthz", healthz), Route("/authgw/readyz", readyz)]
