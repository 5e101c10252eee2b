"""Tables on every database: made once, upgraded step by step, never written by two versions at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from authgw.durable import engine
from authgw.durable.database import Database
from authgw.durable.schema import Step, add_column
from authgw.errors import ConfigError, StoreError

pytestmark = pytest.mark.anyio


def tables(version: int) -> sa.MetaData:
    """A part as three versions of a program have it: version 2 adds a column, version 3 a table with an index."""
    metadata = sa.MetaData()
    more = [sa.Column("note", sa.String(40), server_default="none", nullable=False)] if version > 1 else []
    sa.Table("t_item", metadata, sa.Column("name", sa.String(191), primary_key=True), *more)
    if version > 2:
        part = sa.Column("item", sa.String(191), index=True)
        sa.Table("t_part", metadata, sa.Column("number", sa.BigInteger, primary_key=True), part)
    return metadata


def steps(version: int) -> list[Step]:
    found: list[Step] = []
    if version > 1:
        found.append(add_column(tables(version).tables["t_item"].c.note))
    if version > 2:
        found.append(third)
    return found


def third(database: sa.Connection) -> None:
    database.execute(sa.text("UPDATE t_item SET note = 'third'"))


async def opened(url: str, version: int, extra: Sequence[Step] | None = None) -> None:
    database = Database(url, "test", tables(version), version, steps(version) if extra is None else extra)
    try:
        await database.run(lambda: None)
    finally:
        await database.close()


def ask(url: str, text: str) -> list[tuple[object, ...]]:
    """What the database itself says, on a connection of the test's own."""
    own = engine.make(url, pooled=False)
    with own.begin() as database:
        found = database.execute(sa.text(text))
        return [tuple(row) for row in found] if found.returns_rows else []


def versions(url: str) -> list[tuple[object, ...]]:
    return ask(url, "SELECT part, version FROM authgw_schema")


@pytest.mark.parametrize("start", [1, 2])
async def test_older_tables_are_upgraded(url: str, start: int) -> None:
    """What was written by an older version is there afterwards, in the newest shape, whichever version it was."""
    await opened(url, start)
    ask(url, "INSERT INTO t_item (name) VALUES ('old')")
    await opened(url, 3)
    assert versions(url) == [("test", 3)]
    assert ask(url, "SELECT name, note FROM t_item") == [("old", "third")]
    assert ask(url, "SELECT number, item FROM t_part") == []


async def test_an_interrupted_upgrade_is_finished(url: str) -> None:
    """A program that dies between the change and the version written after it leaves nothing half done."""
    await opened(url, 1)
    ask(url, "INSERT INTO t_item (name) VALUES ('old')")

    def dies(database: sa.Connection) -> None:
        steps(2)[0](database)
        if database.dialect.name == "sqlite":
            database.commit()  # as on MariaDB, which cannot take it back
        raise KeyError("power cut")

    with pytest.raises(KeyError):
        await opened(url, 2, [dies])
    assert versions(url) == [("test", 1)]
    await opened(url, 3)
    assert versions(url) == [("test", 3)]
    assert ask(url, "SELECT name, note FROM t_item") == [("old", "third")]


async def test_an_interrupted_first_start_is_finished(url: str) -> None:
    """Tables without a version are what a first start left behind: a newer program takes them over as well."""
    await opened(url, 1)
    ask(url, "DELETE FROM authgw_schema")
    await opened(url, 2)
    assert versions(url) == [("test", 2)]
    assert ask(url, "SELECT name, note FROM t_item") == []


@pytest.mark.parametrize("start", [0, 1], ids=["first start", "upgrade"])
async def test_many_start_at_once(url: str, start: int) -> None:
    """Of several instances that start together each finds the tables ready, and every step is done once."""
    if start:
        await opened(url, start)
        ask(url, "INSERT INTO t_item (name) VALUES ('old')")
    done: list[str] = []

    def counted(database: sa.Connection) -> None:
        steps(2)[0](database)
        done.append("step")

    await asyncio.gather(*(opened(url, 2, [counted]) for _ in range(6)))
    assert done == ["step"]
    assert versions(url) == [("test", 2)]


async def test_a_newer_database_stops_the_start(url: str) -> None:
    """What a newer version wrote is not touched; the message names both versions and the setting."""
    await opened(url, 3)
    with pytest.raises(ConfigError, match=r"database\.url.*version 3.*up to 2"):
        await opened(url, 2)
    assert versions(url) == [("test", 3)]


async def test_keys_are_compared_letter_by_letter(url: str) -> None:
    """Alice, alice, an accent and a blank at the end are different keys, on every database."""
    names = ["alice", "Alice", "alíce", "alice ", "ALICE", "ａlice", "stra\u00dfe", "strasse", "🙂" * 190]
    database = Database(url, "test", tables(1), 1)
    item = tables(1).tables["t_item"]

    def work() -> list[str]:
        with database.engine.begin() as connection:
            for name in names:
                connection.execute(item.insert().values(name=name))
        with database.engine.connect() as connection:
            return [
                found
                for name in names
                for found in connection.scalars(sa.select(item.c.name).where(item.c.name == name))
            ]

    assert await database.run(work) == names
    await database.close()


async def test_an_error_is_told_without_values(url: str) -> None:
    """What the database refuses is a StoreError with the database's reason, without the statement's values."""
    database = Database(url, "test", tables(1), 1)
    item = tables(1).tables["t_item"]

    def work() -> None:
        with database.engine.begin() as connection:
            connection.execute(item.insert().values(name="secret-value"))
            connection.execute(sa.text("SELECT item FROM nowhere WHERE x = :x"), {"x": "secret-value"})

    with pytest.raises(StoreError, match=r"^database \(test\): .*nowhere") as raised:
        await database.run(work)
    assert "secret-value" not in str(raised.value)
    await database.close()
