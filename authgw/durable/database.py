"""The database of durable data, asked from a thread of its own. Each part of the gateway brings its tables."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from authgw.errors import ConfigError, Problem, StoreError

ASK_SECONDS = 5.0
T = TypeVar("T")

_schema = sa.Table(
    "authgw_schema",
    sa.MetaData(),
    sa.Column("part", sa.String(32), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)


class Database:
    """The tables of one part, in one schema version. Opened at first use; `close` it at the end.

    Every method raises StoreError where the database cannot be asked, and ConfigError where it was written by a newer
    version.
    """

    def __init__(self, url: str, part: str, tables: sa.MetaData, version: int) -> None:
        self._part, self._tables, self._version = part, tables, version
        self._ready = False
        # One thread, one connection: the database is asked a few times a second at most, and in order.
        self._thread = ThreadPoolExecutor(1, f"authgw-{part}")
        try:
            self._url = sa.make_url(url)
            self.engine = sa.create_engine(self._url, pool_size=1, max_overflow=0, pool_pre_ping=True)
        except TypeError:  # SQLite in memory has a pool without these settings
            self.engine = sa.create_engine(self._url)
        except (SQLAlchemyError, ImportError) as error:
            raise ConfigError([Problem("database.url", "", str(error))]) from error

    async def run(self, work: Callable[[], T]) -> T:
        """Work with `engine`, on the database's thread, file and tables made where they are absent."""

        def prepared() -> T:
            self._prepare()
            return work()

        try:
            call = asyncio.get_running_loop().run_in_executor(self._thread, prepared)
            return await asyncio.wait_for(call, ASK_SECONDS)
        except (SQLAlchemyError, OSError, TimeoutError, RuntimeError) as error:
            raise StoreError(f"{self._part}: {type(error).__name__}: {error}") from error

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
        self._thread.shutdown(wait=False)

    def _prepare(self) -> None:
        if self._ready:
            return
        file = self._url.database
        if self._url.get_backend_name() == "sqlite" and file and file != ":memory:" and not Path(file).exists():
            # Made here and not by SQLite, whose journal files take over the mode of this one.
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        with self.engine.begin() as database:
            for table in (_schema, *self._tables.sorted_tables):
                database.execute(CreateTable(table, if_not_exists=True))
            version = database.scalar(sa.select(_schema.c.version).where(_schema.c.part == self._part))
            if version is not None and version > self._version:
                message = f"the database is of version {version}; this program knows up to {self._version}"
                raise ConfigError([Problem("database.url", "", message)])
        if version is None:
            self._mark_version()
        self._ready = True

    def _mark_version(self) -> None:
        try:
            with self.engine.begin() as database:
                database.execute(_schema.insert().values(part=self._part, version=self._version))
        except IntegrityError:
            return  # another instance was first
