"""A real MariaDB of the tests' own: a plain process on a free loopback port, its data in a temporary folder."""

from __future__ import annotations

import contextlib
import getpass
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pymysql
import pytest

from kit.servers import free_port, need, running

PASSWORD = "p@ss/word:1"
ENCODED = "p%40ss%2Fword%3A1"
_numbers = count(1)


@dataclass(frozen=True)
class MariaDb:
    """A running server. `pid` is for tests that stop or end it; `data` comes back when it is started again on it."""

    port: int
    pid: int
    data: Path

    def fresh(self, query: str = "") -> str:
        """The URL of a new, empty database, as an operator writes it."""
        name = f"authgw{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return f"mariadb://authgw:{ENCODED}@127.0.0.1:{self.port}/{name}{query}"

    def sql(self, *statements: str) -> None:
        """As the administrator."""
        with contextlib.closing(_connected(self.port, "root")) as database, database.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            database.commit()


@contextlib.contextmanager
def mariadb(folder: Path, *, port: int | None = None, extra: Sequence[str] = ()) -> Iterator[MariaDb]:
    """A server over `folder`, whose data it makes or finds there. `extra`: more options."""
    folder.mkdir(exist_ok=True)
    program, data = need("mariadbd"), folder / "data"
    port, known = port or free_port(), data.exists()
    user = f"--user={getpass.getuser()}"
    if not known:
        made = [need("mariadb-install-db"), "--no-defaults", f"--datadir={data}", user, "--skip-test-db"]
        subprocess.run([*made, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
    command = [program, "--no-defaults", f"--datadir={data}", user, "--bind-address=127.0.0.1", f"--port={port}"]
    command += [f"--socket={folder / 's'}", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
    with running([*command, "--skip-name-resolve", *extra], port, folder / "mariadb.log") as process:
        server = MariaDb(port, process.pid, data)
        if not known:
            # Debian's mariadb-install-db makes root without a password for the loopback names, not for its address.
            server.sql(f"CREATE USER authgw@'%' IDENTIFIED BY '{PASSWORD}'", "GRANT ALL ON `authgw%`.* TO authgw@'%'")
        yield server


@pytest.fixture(scope="session")
def real_mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """One server for all tests of a process: each takes a `fresh` database."""
    with mariadb(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


def _connected(port: int, user: str, seconds: float = 10.0) -> pymysql.Connection[pymysql.cursors.Cursor]:
    """It listens a moment before it lets anybody in."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return pymysql.connect(host="127.0.0.1", port=port, user=user, connect_timeout=5)
        except pymysql.err.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
