"""The login of a gateway, put together from its settings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from authgw.answer import Answer
from authgw.audit.log import Audit
from authgw.contract import Granted, Identity
from authgw.durable.factors import FactorStore
from authgw.errors import ConfigError, Problem, collected
from authgw.intake.request import Request
from authgw.login import registry, throttle
from authgw.login.bypass import bypass_login
from authgw.login.chain import Instance
from authgw.login.factors import Factors, counter, who_of
from authgw.login.front import Front
from authgw.login.outcome import Seen
from authgw.login.passkeys import relying
from authgw.login.rights import Reading, Rights
from authgw.login.second import Second
from authgw.login.user import canonical
from authgw.rights import groups
from authgw.rights.claims import Claims
from authgw.session.cookie import Names
from authgw.session.epochs import Epochs
from authgw.session.keys import Keys
from authgw.session.record import subject
from authgw.session.sessions import Sessions
from authgw.settings import Settings


class Chain(msgspec.Struct, frozen=True):
    """The configured plugins, open, and how their dictionaries are read. `warnings`: about users in their files."""

    instances: tuple[Instance, ...]
    rights: Rights
    warnings: tuple[str, ...] = ()

    async def close(self) -> None:
        await registry.close_all(self.instances)


async def opened(settings: Settings) -> Chain:
    """`ConfigError`: every mistake in the group templates, in the plugins' options and in the files of each plugin that
    has none of these; then none stays open."""
    source, problems = str(settings.file), list[Problem]()
    rights: Rights | None = None
    instances: tuple[Instance, ...] = ()
    warnings: tuple[str, ...] = ()
    with collected(problems):
        templates: Any = {} if settings.groups.file is None else groups.load(settings.groups.file)
        rights = Rights(templates, strict=settings.policy.strict_rights)
    with collected(problems):
        instances, wrong = registry.build(
            settings.login.instances, folder=settings.folder, source=source, own=settings.login.folder
        )
        problems += wrong
    with collected(problems):
        warnings = await registry.open_all(instances, rights, source=source)
        if problems:
            await registry.close_all(instances)
    if problems or rights is None:
        raise ConfigError(problems)
    return Chain(instances, rights, warnings)


def counting(settings: Settings, keys: Keys) -> throttle.Throttle:
    """The one count of failures, of every way in."""
    limits = throttle.Limits(
        user_failures=settings.throttle.user_failures,
        address_failures=settings.throttle.address_failures,
        pair_failures=settings.throttle.pair_failures,
        max_attempts=settings.throttle.max_bad_login_attempt,
        window=max(1, round(settings.throttle.window)),
    )
    counted = throttle.storage(settings.sessions.store, time.time)
    return throttle.Throttle(counted, keys.derive("throttle"), limits, time.time)


def front(
    chain: Chain, factors: Factors, epochs: Epochs, failures: throttle.Throttle, audit: Audit, seen: Seen
) -> Front:
    """The one way in for pages, bypass_login and api.php. `seen` is told of everybody who has logged in."""
    second = Second(
        chain.instances,
        failures,
        chain.rights,
        factors,
        audit=audit.write,
        epoch=lambda claims: epochs.total(subject(claims), fresh=True),
        seen=seen,
    )
    return Front(
        chain.instances,
        failures,
        chain.rights,
        second,
        audit=lambda event: audit.write("login", event),
        epoch=lambda claims: epochs.total([*subject(claims), counter(who_of(claims))]),
        seen=seen,
    )


def factor_store(settings: Settings, keys: Keys) -> FactorStore:
    return FactorStore(settings.database.url, keys)


def factors_of(settings: Settings, store: FactorStore, epochs: Epochs, audit: Audit, by: str = "user") -> Factors:
    """Second factors, changed by the user himself or by somebody else. A change is felt by remembered credentials
    within a second, on every instance."""
    ours = settings.gateway
    name = f"VoIPmonitor {urlsplit(ours.public_url).hostname or ''}"
    return Factors(
        store,
        name,
        relying(ours.public_url, ours.origin, name),
        audit=lambda event, fields: audit.write(event, {**fields, "by": by}),
        changed=lambda who: epochs.bump(*counter(who)),
        now=time.time,
    )


class Bypass:
    """`module=bypass_login` as the gate calls it."""

    def __init__(self, front: Front, sessions: Sessions, names: Names) -> None:
        self._front = front
        self._sessions = sessions
        self._cookie_name = names.api[0]

    async def __call__(self, request: Request) -> Answer:
        return await bypass_login(request, self._front, self._sessions, self._cookie_name)


async def claims_of(settings: Settings, user: str) -> Claims | str:
    """The claims a user would get, without his password; or why that cannot be told. `ConfigError`: as `opened`."""
    name = canonical(user)
    if name is None:
        return f"{user!r} cannot be a user's name"
    chain = await opened(settings)
    try:
        return await _first(chain.instances, chain.rights, name)
    finally:
        await chain.close()


async def _first(instances: Sequence[Instance], rights: Rights, user: str) -> Claims | str:
    for instance in instances:
        outcome = await instance.plugin.refresh(Identity(user, 0))
        if isinstance(outcome, Granted):
            reading = rights.read(instance.name, outcome)
            return reading.claims if isinstance(reading, Reading) else "; ".join(reading)
    asked = ", ".join(instance.name for instance in instances)
    return f"no login plugin that can tell without a password knows {user!r} (asked: {asked})"
