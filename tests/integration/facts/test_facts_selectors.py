"""Calls by Call-ID or custom header, found in a real MariaDB, beside the GUI's answers and the records."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from authgw.facts import statements
from authgw.facts.database import Database
from authgw.facts.schema import Column, Header, Layout
from authgw.narrow.facts_teller import Found
from kit.call_tables import fill
from kit.facts import asking, telling
from kit.mariadb import MariaDb
from kit.world import lookalike
from oracle.data import HEADER, VOIP, VOIP_V6, Record, records_of

FOLDERS = {"voip": VOIP, "voip-v6": VOIP_V6}
DAY = datetime(2026, 11, 23)


def found(records: list[Record]) -> list[Found]:
    rows = [Found(record["ID"], record["fbasename"], datetime.fromisoformat(record["calldate"])) for record in records]
    return sorted(rows, key=lambda row: (row.began, row.id))


@pytest.mark.anyio
@pytest.mark.parametrize("name", FOLDERS)
async def test_every_call_id_is_found_as_the_gui_finds_it(name: str, urls: dict[str, str], tmp_path: Path) -> None:
    """Each Call-ID gives its calls, several where it was recorded twice: database = GUI = the records."""
    records = records_of(FOLDERS[name])
    with lookalike(tmp_path, FOLDERS[name]) as url:
        async with asking(url) as gui, telling(urls[name]) as database:
            for call_id in {record["fbasename"] for record in records}:
                expected = found([record for record in records if record["fbasename"] == call_id])
                assert await database.with_call_id(call_id) == expected
                assert await gui.with_call_id(call_id) == expected
            for record in records[:20]:
                assert await database.one(record["ID"]) == await gui.one(record["ID"]) == found([record])[0]
            assert await database.one(10**6) is None


@pytest.mark.anyio
async def test_headers_are_found_by_their_exact_value(urls: dict[str, str]) -> None:
    """The day's calls with that value, from the time of day on; no other letter case, no wildcard, no other day."""
    records = [record for record in records_of(VOIP) if record[HEADER + "X-Tenant"] == "acme"]
    noon = sorted(datetime.fromisoformat(record["calldate"]) for record in records)[20]
    async with telling(urls["voip"]) as database:
        assert await database.with_header("x-tenant", "acme", DAY) == found(records)
        later = [record for record in records if datetime.fromisoformat(record["calldate"]) >= noon]
        assert await database.with_header("X-Tenant", "acme", noon) == found(later)
        for name, value, since in (
            ("X-Tenant", "ACME", DAY),
            ("X-Tenant", "acm%", DAY),
            ("X-Tenant", "acme ", DAY),
            ("X-Tenant", "", DAY),
            ("X-Nobody", "acme", DAY),
            ("X-Tenant", "acme", datetime(2026, 11, 24)),
            ("X-Tenant", "acme", datetime.max),
        ):
            assert await database.with_header(name, value, since) == []


@pytest.mark.anyio
@pytest.mark.parametrize("charset", ["latin1", "utf8mb4"])
async def test_texts_are_compared_byte_by_byte(charset: str, real_mariadb: MariaDb, tmp_path: Path) -> None:
    """Call-IDs that the database's collation takes for the same are different ones; signs of LIKE mean themselves."""
    odd = ["same@x", "SAME@x", "same@x ", "100%@x", "a_b@x", "aXb@x", "\\'@x", "é@x", "e@x", "?@x"]
    base = records_of(VOIP)[0]
    records = [{**base, "ID": at + 1, "fbasename": call_id} for at, call_id in enumerate(odd)]
    (tmp_path / "cdr.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, records)))
    url = fill(real_mariadb, f"facts_{charset}", tmp_path, charset=charset)
    async with telling(url) as database:
        for at, call_id in enumerate(odd):
            assert [row.id for row in await database.with_call_id(call_id)] == [at + 1], call_id
        for never in ("ž@x", "\U0001f4de@x"):
            # What the column cannot hold may come as what stands for it; whoever asked looks at the Call-ID.
            assert {row.call_id for row in await database.with_call_id(never)} <= {"?@x"}


@pytest.mark.anyio
async def test_a_header_in_a_table_of_its_own(real_mariadb: MariaDb, tmp_path: Path) -> None:
    """Where the settings say that a header is recorded elsewhere, it is a fact and can be selected by."""
    url = fill(real_mariadb, "facts_more", VOIP)
    first, second = records_of(VOIP)[:2]
    real_mariadb.sql(
        "create table facts_more.cdr_next_1 (cdr_ID bigint, calldate datetime(3), custom_header_3 varchar(99))",
        f"insert into facts_more.cdr_next_1 values ({first['ID']}, '{first['calldate']}', 'A-1')",
        "grant select on facts_more.cdr_next_1 to reader@'%'",
    )
    async with telling(url, headers={"X-Account": "cdr_next_1.custom_header_3"}) as database:
        told = await database.tell([first["ID"], second["ID"]])
        assert [facts and facts.headers for facts in told.values()] == [
            {"x-account": value, "x-tenant": record[HEADER + "X-Tenant"]}
            for value, record in (("A-1", first), (None, second))
        ]
        assert await database.with_header("X-Account", "A-1", DAY) == found([first])
        assert await database.with_header("X-Account", "a-1", DAY) == []


@pytest.mark.anyio
async def test_a_call_id_is_found_by_its_index(urls: dict[str, str]) -> None:
    """The database does not read all its calls for one Call-ID, whatever signs it holds."""
    column = Column("cdr_next", "fbasename", "latin1", "latin1_swedish_ci")
    layout = Layout(column, (Header("x-tenant", Column("cdr_next", "custom_header__X-Tenant")),))
    database = Database(urls["voip"], seconds=5, threads=1, clock=lambda: 0.0)

    def plan(connection: sa.Connection) -> list[str]:
        cursor = connection.connection.cursor()
        query = statements.by_call_id("ž@x", layout, 10).compile(connection)
        cursor.execute("explain " + str(query), query.params)
        return [row[5] for row in cursor.fetchall() if row[2] == "cdr_next"]

    try:
        assert await database.run(plan) == ["fbasename"]
    finally:
        await database.close()
