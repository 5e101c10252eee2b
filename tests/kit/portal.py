"""An operator's own login service on the loopback, and the http login that asks it."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from authgw.contract import Credentials, Outcome
from authgw_plugins.http import Http, HttpConfig
from kit.loopback import Asked, Line, reply, serving

WHO = Credentials("alice", "correct-horse", "123456", "192.0.2.7")
SECRET = "0123456789abcdef-shared"
NOW = 1_700_000_000
GRANT = {"id": 101, "username": "alice", "can_cdr": True}
Talk = Callable[[Line], Awaitable[None]]


def config(folder: Path, url: str, **more: Any) -> HttpConfig:
    secret = folder / "portal.secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    return HttpConfig(url=url, secret_file=secret, **more)


@asynccontextmanager
async def opened(settings: HttpConfig) -> AsyncIterator[Http]:
    plugin = Http(settings, lambda: NOW + 0.9)
    await plugin.open()
    try:
        yield plugin
    finally:
        await plugin.close()


def always(data: bytes, seen: list[Asked] | None = None) -> Talk:
    """A service that answers every request with the same bytes."""

    async def talk(line: Line) -> None:
        while (asked := await line.asked()) is not None:
            if seen is not None:
                seen.append(asked)
            await line.say(data)

    return talk


async def answer(folder: Path, talk: Talk, *, tls: ssl.SSLContext | None = None, **more: Any) -> Outcome:
    async with serving(talk, tls) as server:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}/login"
        async with opened(config(folder, url, **more)) as plugin:
            return await plugin.login(WHO)


def service(right: dict[str, str]) -> Talk:
    """A small real service: verifies the signature over what it received, then the password."""

    async def talk(line: Line) -> None:
        while (asked := await line.asked()) is not None:
            parts = dict(part.split("=", 1) for part in asked.headers["x-authgw-signature"].split(","))
            signed = parts["t"].encode() + b"." + asked.body
            good = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
            body = json.loads(asked.body)
            if not hmac.compare_digest(good, parts["v1"]):
                await line.say(reply(status="400 Bad Request"))
            elif body["user"] not in right:
                await line.say(reply(status="404 Not Found"))
            elif right[body["user"]] != body["password"]:
                await line.say(reply(b"null"))
            else:
                await line.say(reply(json.dumps({**GRANT, "username": body["user"]}).encode()))

    return talk
