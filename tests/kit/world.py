"""Everything at once: the look-alike over a folder of records, a store, and the gateway before them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.gateway import PROGRAM, SERVICE_PASSWORD, Gateway, User, gateway, started, write_secret
from kit.redis import redis_server
from kit.servers import free_port


@dataclass(frozen=True)
class World:
    """A running gateway, the look-alike's address, and the store's URL."""

    gateway: Gateway
    upstream: str
    store: str
    base: str = ""

    @property
    def url(self) -> str:
        """The GUI's address as its users know it."""
        return self.gateway.url + self.base


@contextlib.contextmanager
def lookalike(folder: Path, data: Path | None = None, base: str = "") -> Iterator[str]:
    """`authgw demo-upstream` on a free port, with the service account of `kit.gateway`; its address."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = folder / "lookalike.password"
    write_secret(secret, SERVICE_PASSWORD)
    command = [PROGRAM, "demo-upstream", "--port", str(free_port()), "--user", "authgw", "--password-file", str(secret)]
    command += [*(("--data", str(data)) if data else ()), *(("--base", base) if base else ())]
    with started(command, folder / "lookalike.log") as (_, url):
        yield url + base


@contextlib.contextmanager
def world(
    folder: Path,
    data: Path | None = None,
    *,
    users: Sequence[User] = (),
    store: str = "memory",
    base: str = "",
    **sections: Any,
) -> Iterator[World]:
    """All together in `folder`. `data`: None for the records that come along. `store`: memory, redis, or a URL.

    `sections`: see `kit.gateway.configure`.
    """
    with contextlib.ExitStack() as stack:
        if store == "redis":
            store = stack.enter_context(redis_server(folder)).url
        elif store == "memory":
            store = "memory://"
        upstream = stack.enter_context(lookalike(folder, data, base))
        sessions = {"store": store, **sections.pop("sessions", {})}
        found = stack.enter_context(gateway(folder, upstream, base=base, users=users, sessions=sessions, **sections))
        yield World(found, upstream, store, base)
