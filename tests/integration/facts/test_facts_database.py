"""Facts from a real MariaDB that holds the product's tables, beside the GUI's own answers and the records."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from authgw.errors import UpstreamError
from authgw.facts.database import Database
from authgw.facts.teller import DatabaseFacts
from authgw.narrow.patterns import address_number
from authgw.narrow.scope import Facts
from authgw.reasons import Reason
from kit.call_tables import READER_PASSWORD, fill
from kit.facts import asking, telling
from kit.mariadb import MariaDb
from kit.world import lookalike
from oracle.data import VOIP, VOIP_V6, records_of
from oracle.formula import call_of

FOLDERS = {"voip": VOIP, "voip-v6": VOIP_V6}


def told(statement: str, connection: sa.Connection) -> tuple[Any, ...]:
    """The one row of a statement."""
    return tuple(connection.execute(sa.text(statement)).one())


def truth(folder: Path) -> dict[int, Facts]:
    """The records' facts, read by the oracle."""
    found = {}
    for call in map(call_of, records_of(folder)):
        caller_ip, called_ip = (None if text is None else address_number(text) for text in call.addresses)
        found[call.id] = Facts(
            sensor=call.sensor, caller=call.numbers[0], called=call.numbers[1], caller_ip=caller_ip,
            called_ip=called_ip, caller_domain=call.domains[0], called_domain=call.domains[1], vlan=call.vlan,
            connected=call.connected, headers=dict(call.headers),
        )  # fmt: skip
    return found


@pytest.mark.anyio
@pytest.mark.parametrize("name", FOLDERS)
async def test_the_database_tells_what_the_gui_tells(name: str, urls: dict[str, str], tmp_path: Path) -> None:
    """Every fact of every call, vlan and headers among them, and misses: database = SINGLEROW = the records."""
    expected: dict[int, Facts | None] = {**truth(FOLDERS[name]), 10**6: None, 2**62: None}
    with lookalike(tmp_path, FOLDERS[name]) as url:
        async with asking(url) as gui:
            by_gui = await gui.tell(list(expected))
    async with telling(urls[name]) as database:
        by_database = await database.tell(list(expected))
    assert by_database == expected
    assert by_gui == expected


@pytest.mark.anyio
async def test_the_connection_only_reads(real_mariadb: MariaDb) -> None:
    """An account with every right still cannot change anything, and statements but SELECT are not even sent."""
    url = real_mariadb.fresh()
    await asyncio.to_thread(real_mariadb.sql, f"create table {url.rpartition('/')[2]}.t (a int)")
    database = Database(url, seconds=5, threads=1, clock=time.monotonic)
    try:
        for statement in ("insert into t values (1)", "set session transaction read write"):
            with pytest.raises(UpstreamError, match="SELECT only"):
                await database.run(partial(told, statement))

        def insert(connection: sa.Connection) -> None:
            raw = connection.connection.cursor()
            raw.execute("insert into t values (1)")

        with pytest.raises(Exception, match="READ ONLY"):
            await database.run(insert)
        settings = await database.run(partial(told, "select @@time_zone, @@sql_mode, @@character_set_client"))
        assert settings == ("+00:00", "", "utf8mb4")
    finally:
        await database.close()


@pytest.mark.anyio
async def test_a_slow_statement_ends_in_time_and_does_not_hold_the_loop(urls: dict[str, str]) -> None:
    """A statement that takes too long is a failure with a reason; meanwhile everything else goes on."""
    database = Database(urls["voip"], seconds=0.5, threads=1, clock=time.monotonic)
    try:
        slow = asyncio.create_task(database.run(partial(told, "select sleep(20)")))
        ticks = 0
        while not slow.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert ticks > 10
        with pytest.raises(UpstreamError) as failed:
            slow.result()
        assert failed.value.reason is Reason.FACTS_UNAVAILABLE
        assert await database.run(partial(told, "select 1")) == (1,)
    finally:
        await database.close()


@pytest.mark.anyio
async def test_whoever_finds_no_connection_is_told_in_time(urls: dict[str, str]) -> None:
    """With every connection busy for longer than the bound, the next question fails with a reason."""
    database = Database(urls["voip"], seconds=0.3, threads=1, clock=time.monotonic)
    try:
        busy = asyncio.create_task(database.run(lambda connection: time.sleep(0.8)))
        await asyncio.sleep(0)
        with pytest.raises(UpstreamError) as failed:
            await database.run(partial(told, "select 1"))
        assert failed.value.reason is Reason.UPSTREAM_BUSY
        await busy
    finally:
        await database.close()


@pytest.mark.anyio
@pytest.mark.parametrize("wrong", ["password", "database", "port"])
async def test_what_cannot_be_asked_is_said_without_the_password(wrong: str, urls: dict[str, str]) -> None:
    """A wrong password, database or port is a failure with its reason, in words that hold no secret."""
    url = urls["voip"]
    if wrong == "password":
        url = url.replace(READER_PASSWORD, "not-the-secret")
    elif wrong == "database":
        url = url.replace("facts_voip", "nowhere")
    else:
        url = url.replace(url.rpartition(":")[2].partition("/")[0], "1")
    async with telling(url) as database:
        with pytest.raises(UpstreamError) as failed:
            await database.tell([1])
        assert failed.value.reason is Reason.FACTS_UNAVAILABLE
        assert "secret" not in str(failed.value)
        assert "secret" not in str(await database.check())


@pytest.mark.anyio
async def test_a_column_that_the_account_may_not_read_is_named(real_mariadb: MariaDb, urls: dict[str, str]) -> None:
    """An account that sees less than the scopes need is told which columns it lacks."""
    real_mariadb.sql(
        "create user if not exists blind@'%' identified by 'blind'",
        "grant select (ID, calldate, caller) on facts_voip.cdr to blind@'%'",
        "grant select on facts_voip.cdr_next to blind@'%'",
    )
    url = urls["voip"].replace("reader:reader-secret", "blind:blind")
    async with telling(url) as database:
        said = await database.check()
    assert said is not None
    assert "cdr.vlan" in said
    assert "cdr.caller," not in said


@pytest.mark.anyio
async def test_a_header_recorded_from_now_on_is_found(real_mariadb: MariaDb, tmp_path: Path) -> None:
    """A column that the sniffer adds is seen after a minute; one that it drops is noticed at once, not believed."""
    (tmp_path / "cdr.jsonl").write_text(msgspec.json.encode(records_of(VOIP)[0]).decode() + "\n")
    now = [0.0]
    url = fill(real_mariadb, "facts_changing", tmp_path)
    database = DatabaseFacts(Database(url, seconds=5, threads=1, clock=time.monotonic), {}, lambda: now[0])
    try:
        assert set((await headers(database)).keys()) == {"x-tenant"}
        real_mariadb.sql("alter table facts_changing.cdr_next add `custom_header__X-New` varchar(255) default 'n'")
        assert set((await headers(database)).keys()) == {"x-tenant"}
        now[0] = 61.0
        assert (await headers(database))["x-new"] == "n"
        real_mariadb.sql("alter table facts_changing.cdr_next drop `custom_header__X-New`")
        with pytest.raises(UpstreamError):
            await headers(database)
        assert set((await headers(database)).keys()) == {"x-tenant"}
    finally:
        await database.close()


async def headers(database: DatabaseFacts) -> dict[str, str | None]:
    """The headers of the only call."""
    (facts,) = (await database.tell([records_of(VOIP)[0]["ID"]])).values()
    assert facts is not None
    assert isinstance(facts.headers, dict)
    return facts.headers
