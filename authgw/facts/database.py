"""The product's database, asked from threads and for nothing but SELECT.

Each connection is told that it only reads, how long a statement may take, and how text and time are to be written,
whatever the server's defaults are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from authgw.errors import ConfigError, Problem, UpstreamError
from authgw.reasons import Reason
from authgw.upstream.turns import Turns, asker

# After a connection that could not be made, nobody else tries for so long.
PAUSE = 1.0
T = TypeVar("T")


class Database:
    """At most `threads` connections, each asked one statement at a time; whoever comes too late waits in
    turn by user.

    `seconds`: for a free connection, for connecting, and for each statement. `clock`: seconds that never go back.
    """

    def __init__(self, url: str, *, seconds: float, threads: int, clock: Callable[[], float]) -> None:
        self._seconds, self._clock = seconds, clock
        self._turns = Turns(threads)
        self._threads = ThreadPoolExecutor(threads, "authgw-facts")
        self._engine = _engine(url, seconds, threads)
        self._failed: tuple[float, str] | None = None

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Work with a connection, on a thread. Raises `UpstreamError`, without secrets: FACTS_UNAVAILABLE, or
        UPSTREAM_BUSY where none became free."""
        who = asker.get()
        await self._turns.take(who, self._seconds, "connection to the database")
        call = asyncio.get_running_loop().run_in_executor(self._threads, self._work, work)
        call.add_done_callback(partial(self._freed, who))
        try:
            # A thread cannot be stopped: it ends by its own bounds, and keeps its place in line until then.
            async with asyncio.timeout(3 * self._seconds):
                return await asyncio.shield(call)
        except TimeoutError:
            raise _unavailable("the database did not answer in time") from None

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._engine.dispose)

    def _freed(self, who: str, call: asyncio.Future[Any]) -> None:
        self._turns.give(who)
        if not call.cancelled():
            call.exception()  # seen, even if nobody waits any more

    def _work(self, work: Callable[[sa.Connection], T]) -> T:
        with self._connected() as connection:
            try:
                return work(connection)
            except (SQLAlchemyError, OSError, ValueError) as error:
                raise _unavailable(f"the database did not answer: {_told(error)}") from None

    def _connected(self) -> sa.Connection:
        if self._failed is not None and self._clock() < self._failed[0]:
            raise _unavailable(self._failed[1])
        try:
            connection = self._engine.connect()
        except (SQLAlchemyError, OSError, ValueError) as error:
            self._failed = (self._clock() + PAUSE, f"no connection to the database: {_told(error)}")
            raise _unavailable(self._failed[1]) from None
        self._failed = None
        return connection


def _engine(url: str, seconds: float, threads: int) -> sa.Engine:
    """Raises `ConfigError` where the driver is not installed."""
    _, mark, rest = url.partition("://")
    waits = {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}
    try:
        engine = sa.create_engine(
            f"mysql+pymysql{mark}{rest}",
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            pool_size=threads,
            max_overflow=0,
            pool_pre_ping=True,
            pool_reset_on_return=None,
            connect_args={"charset": "utf8mb4", **waits},
        )
    except ImportError:
        message = "the driver for MariaDB and MySQL is not installed; run: pip install 'authgw[mysql]'"
        raise ConfigError([Problem("facts.url", "", message)]) from None
    sa.event.listen(engine, "connect", lambda connection, _record: _prepare(connection, seconds))
    sa.event.listen(engine, "before_cursor_execute", _only_select)
    return engine


def _prepare(connection: Any, seconds: float) -> None:
    """What holds for every statement of this connection. A server that does not know a setting is not asked."""
    mariadb = "mariadb" in connection.get_server_info().lower()
    limit = f"max_statement_time = {seconds:g}" if mariadb else f"max_execution_time = {round(seconds * 1000)}"
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION time_zone = '+00:00', sql_mode = '', {limit}")
        cursor.execute("SET SESSION TRANSACTION READ ONLY")


def _only_select(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if not statement.lstrip().upper().startswith("SELECT"):
        raise ValueError("the facts database is asked by SELECT only")


def _unavailable(detail: str) -> UpstreamError:
    return UpstreamError(Reason.FACTS_UNAVAILABLE, detail)


def _told(error: BaseException) -> str:
    """What happened, in one line, without the statement and its values."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
