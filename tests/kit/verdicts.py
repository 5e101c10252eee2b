"""What a configuration of a login comes to: the settings that are refused, or the verdict on somebody."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from authgw.contract import NotMine
from authgw.errors import ConfigError
from authgw.login import assemble
from authgw.login.chain import Instance
from authgw.settings import load
from kit.gateway import configure
from kit.logins import Desk

NAME = "it"
IN = "in"


@contextlib.asynccontextmanager
async def front(folder: Path, options: Mapping[str, Any]) -> AsyncIterator[tuple[Desk, Instance]]:
    """A front over the one login [login.it] of a configuration, as the gateway reads it. ConfigError: it is refused."""
    chain: dict[str, Any] = {"login": {"chain": [NAME, "static"]}, f"login_{NAME}": dict(options)}
    made = await assemble.opened(load(configure(folder, "http://127.0.0.1:9", port=1, **chain), {}))
    desk = Desk(NotMine(), more=made.instances[:1])
    try:
        yield desk, made.instances[0]
    finally:
        await desk.close()
        await made.close()


async def verdict(folder: Path, options: Mapping[str, Any], user: str, password: str) -> str:
    """`in`, the reason why not, or the first setting or file that is refused."""
    try:
        async with front(folder, options) as (desk, _):
            return told(await desk.login(user, password))
    except ConfigError as error:
        return refused(error)


def told(found: Any) -> str:
    return str(found.reason.value) if hasattr(found, "reason") else IN


def refused(error: ConfigError) -> str:
    """`authgw.toml: login.it.threads`, `users.toml`: what is told to be wrong, and where."""
    problem = error.problems[0]
    return f"{Path(problem.source).name}: {problem.where}".removesuffix(": ")
