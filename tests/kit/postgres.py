"""A real PostgreSQL of the tests' own: a plain process on a free loopback port. It refuses to run as root."""

from __future__ import annotations

import contextlib
import getpass
import glob
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kit.servers import free_port, need, running

PASSWORD = "p@ss/word:1"
ENCODED = "p%40ss%2Fword%3A1"
_numbers = count(1)


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    port: int
    pid: int

    def fresh(self, query: str = "") -> str:
        """The URL of a new, empty database, as an operator writes it."""
        name = f"authgw{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} OWNER authgw")
        return f"postgresql://authgw:{ENCODED}@127.0.0.1:{self.port}/{name}{query}"

    def sql(self, *statements: str) -> None:
        """As the administrator."""
        address = f"host=127.0.0.1 port={self.port} dbname=postgres user=root password='{PASSWORD}'"
        with contextlib.closing(_connected(address)) as database:
            for statement in statements:
                database.execute(statement.encode())


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A server in a folder that its account can reach, gone at the end."""
    bin = os.pathsep.join(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True))
    initdb, program = need("initdb", bin), need("postgres", bin)
    account = "postgres" if getpass.getuser() == "root" else None
    folder = Path(tempfile.mkdtemp(prefix="authgw-postgres-"))
    data, secret, port = folder / "data", folder / "password", free_port()
    try:
        secret.write_text(PASSWORD)
        if account:
            shutil.chown(folder, account, account)
            shutil.chown(secret, account, account)
        made = [initdb, "-D", str(data), "-U", "root", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N"]
        run: dict[str, Any] = {"user": account, "group": account, "extra_groups": []} if account else {}
        subprocess.run([*made, f"--pwfile={secret}"], check=True, capture_output=True, cwd=folder, **run)
        command = [program, "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        command += ["-c", "unix_socket_directories=", "-c", "fsync=off"]
        with running(command, port, folder / "postgres.log", user=account) as process:
            server = Postgres(port, process.pid)
            server.sql(f"CREATE USER authgw PASSWORD '{PASSWORD}'")
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def real_postgresql() -> Iterator[Postgres]:
    """One server for all tests of a process: each takes a `fresh` database."""
    with postgres() as server:
        yield server


def _connected(address: str, seconds: float = 10.0) -> psycopg.Connection[tuple[object, ...]]:
    """It listens a moment before it lets anybody in."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return psycopg.connect(address, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
