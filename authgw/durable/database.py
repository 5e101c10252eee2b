"""The database of durable data, asked from threads. Each part of the gateway brings its tables and has its own thread.

Written for SQLite, MariaDB or MySQL, and PostgreSQL alike. What holds on all of them: a value that was read may be
another one by the time it is written. So changes carry their condition (`update … where`, then look at `rowcount`), and
a row that may be there already is inserted in a transaction of its own, for IntegrityError ends it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from authgw.durable import engine, schema
from authgw.errors import StoreError

ASK_SECONDS = 5.0
UPGRADE_SECONDS = 60
T = TypeVar("T")


class Database:
    """The tables of one part, in one schema version. Opened at first use; `close` it at the end.

    Every method raises StoreError where the database cannot be asked, and ConfigError where it was written by a newer
    version. `steps`: from each older version to the next, see `schema`.
    """

    def __init__(
        self, url: str, part: str, tables: sa.MetaData, version: int, steps: Sequence[schema.Step] = ()
    ) -> None:
        self._part, self._tables, self._version, self._steps = part, tables, version, tuple(steps)
        self._url = url
        self._ready = self._closed = False
        self.engine = engine.lend(url)
        # One thread and so one connection: a part is asked in order, and a slow one keeps no other waiting.
        self._thread = ThreadPoolExecutor(1, f"authgw-{part}")

    async def run(self, work: Callable[[], T]) -> T:
        """Work with `engine`, on the part's thread, file and tables made where they are absent."""

        def prepared() -> T:
            self._prepare()
            return work()

        try:
            call = asyncio.get_running_loop().run_in_executor(self._thread, prepared)
            return await asyncio.wait_for(call, ASK_SECONDS if self._ready else UPGRADE_SECONDS)
        except (SQLAlchemyError, OSError, TimeoutError, RuntimeError) as error:
            raise StoreError(f"database ({self._part}): {told(error)}") from error

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._thread.shutdown(wait=False)
        await asyncio.to_thread(engine.give_back, self._url)

    def _prepare(self) -> None:
        if self._ready:
            return
        at = self.engine.url
        if at.get_backend_name() == "sqlite":
            if not engine.is_inside(at) and at.database and not Path(at.database).exists():
                # Made here and not by SQLite, whose journal files take over the mode of this one.
                os.close(os.open(at.database, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            schema.bring_up(self.engine, self._part, self._tables, self._version, self._steps)
        else:
            patient = engine.make(self._url, seconds=UPGRADE_SECONDS, pooled=False)
            schema.bring_up(patient, self._part, self._tables, self._version, self._steps)
        self._ready = True


def told(error: BaseException) -> str:
    """What happened, in one line, without the statement and its values."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def said(error: BaseException) -> str:
    """The same in the server's own words. Of the MySQL driver's errors, a number and a text, that is the text."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    words = error.args[-1] if error.args and isinstance(error.args[-1], str) else error
    return " ".join(str(words).split())[:300]
