"""A real redis-server of a test's own: on a free loopback port, in a folder of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kit.servers import free_port, need, running


@dataclass(frozen=True)
class RedisServer:
    """A running server. `url` is what a configuration would hold; `pid` is for tests that stop or end it."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@contextlib.contextmanager
def redis_server(
    folder: Path, *, port: int | None = None, persist: bool = False, extra: Sequence[str] = ()
) -> Iterator[RedisServer]:
    """A server that keeps nothing, or (`persist`) everything it was told, in `folder`. `extra`: more settings.

    Started again with the same folder and port, a persistent one comes back with what it held.
    """
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = [need("redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "yes", "--appendfsync", "always"] if persist else ["--appendonly", "no"]
    listens = int(extra[extra.index("--tls-port") + 1]) if "--tls-port" in extra else port
    with running([*command, *extra], listens, folder / "redis.log") as process:
        yield RedisServer(listens, process.pid)


@pytest.fixture(scope="session")
def real_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests of a process, holding nothing at its start: tests that share it empty it first."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server
