"""Tables as this version has them: made where they are absent, upgraded step by step where they are older.

Not every database takes back what was done to its tables when a transaction fails (MariaDB does not). So nothing is
done twice at once, the version is written last, and what a crash interrupted is done again from the last version that
was written: a step finds its own work done and does nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from authgw.errors import ConfigError, Problem, StoreError

Step = Callable[[sa.Connection], None]
"""From one version to the next. Called again after a crash: does only what is not done yet (see `add_column`)."""

LOCK_SECONDS = 50
_PART_LENGTH = 32
_POSTGRES_LOCK = 0x61757468  # "auth": any number that no other program on this database takes

_schema = sa.Table(
    "authgw_schema",
    sa.MetaData(),
    sa.Column("part", sa.String(_PART_LENGTH), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)


def bring_up(engine: sa.Engine, part: str, tables: sa.MetaData, version: int, steps: Sequence[Step] = ()) -> None:
    """Leave the tables of a part in `version`. `steps[0]` leads from version 1 to 2, and so on.

    ConfigError: a newer version wrote them.
    """
    if len(steps) != version - 1:
        raise ValueError(f"{part}: version {version} needs {version - 1} steps")
    with engine.connect() as database:
        if _found(database, part, version) == version and not _missing(database, tables):
            return
    with _alone(engine) as database:
        _make(database, _schema)
        found = _found(database, part, version)
        for table in _missing(database, tables):
            _make(database, table)
        for at in range(found or 1, version):
            steps[at - 1](database)
            _mark(database, part, at + 1)
        for table in tables.sorted_tables:
            for index in table.indexes:
                index.create(database, checkfirst=True)
        _mark(database, part, version)


def add_column(column: sa.Column[Any]) -> Step:
    """A step that adds a column as its table has it now. It must take NULL, or have a `server_default`."""

    def step(database: sa.Connection) -> None:
        table = column.table
        if column.name not in {known["name"] for known in sa.inspect(database).get_columns(table.name)}:
            told = sa.schema.CreateColumn(column).compile(dialect=database.dialect)
            database.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {told}")

    return step


def versions(database: sa.Connection) -> dict[str, int]:
    """The version that each part's tables are of; empty where nothing was ever written."""
    if not sa.inspect(database).has_table(_schema.name):
        return {}
    return {row.part: row.version for row in database.execute(sa.select(_schema))}


def newer(part: str, found: Mapping[str, int], known: int) -> list[Problem]:
    """The mistake of starting an old program on a database that a newer one has written."""
    if found.get(part, known) <= known:
        return []
    message = (
        f"the tables of {part} are of version {found[part]}, written by a newer authgw; this one knows up to {known}: "
        "start the newer one, or restore the database as it was before"
    )
    return [Problem("database.url", "", message)]


def write_and_forget(database: sa.Connection, part: str) -> None:
    """Write a row and take it back: whether this account may."""
    database.execute(_schema.insert().values(part=part[:_PART_LENGTH], version=0))
    database.rollback()


def _found(database: sa.Connection, part: str, known: int) -> int | None:
    """The version that the tables are of, None where that was never written."""
    found = versions(database)
    if problems := newer(part, found, known):
        raise ConfigError(problems)
    return found.get(part)


def _missing(database: sa.Connection, tables: sa.MetaData) -> list[sa.Table]:
    there = sa.inspect(database)
    return [table for table in tables.sorted_tables if not there.has_table(table.name)]


def _make(database: sa.Connection, table: sa.Table) -> None:
    if database.dialect.name == "mysql":
        # Keys are compared byte by byte, as the other databases do; the default takes Alice for alice.
        is_mariadb = getattr(database.dialect, "is_mariadb", False)
        collation = "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"
        table.kwargs.update({"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": collation})
    table.create(database, checkfirst=True)


def _mark(database: sa.Connection, part: str, version: int) -> None:
    row = _schema.c.part == part
    if database.execute(_schema.update().where(row).values(version=version)).rowcount == 0:
        database.execute(_schema.insert().values(part=part, version=version))


@contextlib.contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction, one at a time for all instances on this database."""
    with engine.connect() as database:
        match database.dialect.name:
            case "sqlite":
                database.exec_driver_sql("BEGIN IMMEDIATE")
            case "mysql":
                # Belongs to the connection, and lasts beyond the commit that every CREATE TABLE implies.
                lock = sa.text("SELECT GET_LOCK(CONCAT('authgw ', SHA1(DATABASE())), :seconds)")
                if database.scalar(lock, {"seconds": LOCK_SECONDS}) != 1:
                    raise StoreError("another instance has been upgrading the database for too long")
            case _:
                database.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
        yield database
        database.commit()
