"""`authgw check --connect`: every backend of a configuration tried for real, nothing left behind."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

import msgspec
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from authgw.contract import Failed, Probe, Probed
from authgw.durable import probe as durable
from authgw.durable.parts import PARTS
from authgw.errors import AuthgwError, StoreError
from authgw.facts.assemble import database_facts
from authgw.login.assemble import Chain
from authgw.session import store
from authgw.settings import Settings
from authgw.unreached import unreached
from authgw.upstream.assemble import upstream_of

PROBE_SECONDS = 15.0


class Tried(msgspec.Struct, frozen=True):
    """`what`: the setting that names it; `said`: what was seen, or what was wrong and what to do."""

    what: str
    fine: bool
    said: str
    seconds: float

    def __str__(self) -> str:
        return f"{'ok  ' if self.fine else 'FAIL'}  {self.what}: {self.said} ({self.seconds * 1000:.0f} ms)"


async def tried(settings: Settings, chain: Chain, seconds: float = PROBE_SECONDS) -> AsyncIterator[Tried]:
    """Each backend, one after another. `chain` must be open."""
    for probe in [*_own(settings), *_logins(chain)]:
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                said = await probe.run()
        except TimeoutError:
            said = Failed(f"no answer within {seconds:g} s; see {probe.what.partition(' ')[0]}")
        except AuthgwError as error:
            said = Failed(" ".join(str(error).split()))
        except Exception as error:
            said = Failed(f"raised {type(error).__name__}: look at the gateway's log of a login")
        fine = isinstance(said, str)
        yield Tried(probe.what, fine, said.reason if isinstance(said, Failed) else said, time.monotonic() - began)


def _own(settings: Settings) -> Sequence[Probe]:
    """What the gateway itself depends on."""

    async def sessions() -> str:
        if not store.is_shared(settings.sessions.store):
            return "inside the process, nothing to reach"
        redis = store.connect(settings.sessions.store)
        try:
            return await store.probe(redis, secrets.token_hex(16).encode())
        except StoreError as error:
            raise StoreError(_redis(error)) from error
        finally:
            await redis.aclose()

    async def database() -> str:
        try:
            return await asyncio.to_thread(durable.probe, settings.database.url, PARTS)
        except StoreError as error:
            known = unreached(error.__cause__ or error, address="database.url", trust="ssl_ca in database.url")
            more = "see database.url: name, password, and the account's rights"
            raise StoreError(known or f"{error}; {more}") from error

    async def upstream() -> str | Failed:
        asked = upstream_of(settings)
        try:
            wrong = await asked.check()
        finally:
            await asked.close()
        told = "reached" if settings.upstream.identity == "none" else "reached, the service account logged in"
        if wrong is None:
            return told
        known = unreached(wrong, address="upstream.url", trust="upstream.ca_file", wait="upstream.connect_timeout")
        return Failed(known or f"{wrong.rstrip('.')}; see upstream.url, username and password_file")

    async def facts() -> str | Failed:
        asked = database_facts(settings)
        assert asked is not None
        try:
            wrong = await asked.check()
        finally:
            await asked.close()
        if wrong is None:
            return "connected, its tables are known"
        known = unreached(wrong, address="facts.url", trust="ssl_ca in facts.url", wait="facts.timeout")
        return Failed(known or f"{wrong}; see facts.url")

    async def audit() -> str | Failed:
        return _appendable(settings)

    places = [
        Probe(f"sessions.store {_place(settings.sessions.store)}", sessions),
        Probe(f"database.url {_place(settings.database.url)}", database),
        Probe(f"upstream.url {settings.upstream.url}", upstream),
        Probe(f"audit.file {settings.audit.file}", audit),
    ]
    return [*places, Probe(f"facts.url {_place(settings.facts.url)}", facts)] if settings.facts.url else places


def _logins(chain: Chain) -> Sequence[Probe]:
    """What the logins depend on, as each says. One that says nothing was opened, and that is what is known."""

    async def opened() -> str:
        return "opened; nothing more can be tried without a password of a user"

    found: list[Probe] = []
    for instance in chain.instances:
        own = instance.plugin.probes() if isinstance(instance.plugin, Probed) else [Probe("", opened)]
        found += [Probe(f"login.{instance.name} {one.what}".rstrip(), one.run) for one in own]
    return found


def _redis(error: Exception) -> str:
    cause = error.__cause__ or error
    if not isinstance(cause, RedisError | OSError | StoreError):  # the client's parser has stumbled
        return "what answers there speaks another protocol; see sessions.store"
    if isinstance(cause, AuthenticationError | NoPermissionError):
        return f"it does not take this name and password, or not for what sessions need ({cause}); see sessions.store"
    known = unreached(cause, address="sessions.store", trust="ssl_ca_certs in sessions.store")
    return known or f"{cause}; see sessions.store"


def _place(url: str) -> str:
    """Scheme, host, port and path of a URL: no name, no password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _appendable(settings: Settings) -> str | Failed:
    """Nothing is written: the file is opened where it is there, else its folder is looked at."""
    file = settings.audit.file
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
    except FileNotFoundError:
        if os.access(file.parent, os.W_OK | os.X_OK):
            return "can be made"
        return Failed("is not there, and its folder cannot be written by this account")
    except OSError as error:
        return Failed(f"cannot be written: {error.strerror}; give the file to this account, or name another")
    return "can be appended to"
