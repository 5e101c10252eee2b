"""One engine for each database of the process, lent to all parts: they share idle connections and wait for none."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from authgw.errors import ConfigError, Problem

BUSY_SECONDS = 4
"""How long a connection waits for anything: shorter than whoever asks."""
IDLE_CONNECTIONS = 2

_DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mysql+pymysql", "postgresql": "postgresql+psycopg"}
_lent: dict[str, tuple[sa.Engine, int]] = {}
_lock = threading.Lock()


def lend(url: str) -> sa.Engine:
    """The engine of this URL, nothing asked yet. ConfigError: unusable URL, or its driver is not installed."""
    with _lock:
        engine, borrowers = _lent.get(url) or (make(url), 0)
        _lent[url] = (engine, borrowers + 1)
        return engine


def give_back(url: str) -> None:
    """One borrower less; the last one closes the connections."""
    with _lock:
        engine, borrowers = _lent.pop(url)
        if borrowers > 1:
            _lent[url] = (engine, borrowers - 1)
            return
    engine.dispose()


def make(url: str, *, seconds: int = BUSY_SECONDS, pooled: bool = True) -> sa.Engine:
    """A new engine. `seconds`: the longest that a statement may take. ConfigError as in `lend`."""
    scheme, mark, rest = url.partition("://")
    try:
        at = sa.make_url(_DRIVERS.get(scheme, scheme) + mark + rest)
        engine = sa.create_engine(at, hide_parameters=True, **_options(at, seconds), **_pool(at, pooled))
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise ConfigError([Problem("database.url", "", _unusable(scheme, error))]) from None
    if at.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _write_ahead)
    return engine


def is_inside(at: sa.URL) -> bool:
    """Whether this is an SQLite database without a file."""
    return at.get_backend_name() == "sqlite" and at.database in (None, "", ":memory:")


def is_there(url: str) -> bool:
    """Whether there is something to ask: a server, or an SQLite file that was made already."""
    scheme, _, file = url.partition(":///")
    return scheme != "sqlite" or Path(file).exists()


def _options(at: sa.URL, seconds: int) -> dict[str, Any]:
    match at.get_backend_name():
        case "sqlite":
            return {"connect_args": {"timeout": seconds}}
        case "mysql":
            waits = {"connect_timeout": BUSY_SECONDS, "read_timeout": seconds, "write_timeout": seconds}
            # As PostgreSQL has it by default. InnoDB's own, under which two first insertions lock each other out,
            # is what none of the others has.
            return {"connect_args": {"charset": "utf8mb4", **waits}, "isolation_level": "READ COMMITTED"}
        case _:
            options = f"-c statement_timeout={seconds * 1000}"
            waits = {"connect_timeout": BUSY_SECONDS, "tcp_user_timeout": BUSY_SECONDS * 1000}
            return {"connect_args": {"options": options, **waits}}


def _pool(at: sa.URL, pooled: bool) -> dict[str, Any]:
    if is_inside(at):
        return {}
    if not pooled:
        return {"poolclass": NullPool}
    # Each part has one thread and so one connection at most: no part waits for a connection of another.
    return {"pool_size": IDLE_CONNECTIONS, "max_overflow": -1, "pool_pre_ping": True}


def _write_ahead(connection: Any, _record: Any) -> None:
    """Readers do not wait for a writer. Where it cannot be had, the file works without."""
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA journal_mode=WAL")


def _unusable(scheme: str, error: Exception) -> str:
    """Without the URL: it may hold a password."""
    if isinstance(error, ImportError) and scheme in _DRIVERS:
        extra = "postgresql" if scheme == "postgresql" else "mysql"
        return f"the driver for {scheme}:// is not installed; run: pip install 'authgw[{extra}]'"
    return "is not a database URL that can be used"
