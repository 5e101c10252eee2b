"""API tokens in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from authgw.account.token import Kind, digest
from authgw.durable.tokens import Tokens
from authgw.session.keys import Key, Keys
from kit.tokens import Booth, People

pytestmark = pytest.mark.anyio


@pytest.fixture
async def booth(tmp_path: Path) -> AsyncIterator[Booth]:
    people = People(
        alice={"password": "right", "id": 101, "can_cdr": True, "tenant": "acme", "secret": "JBSWY3DPEHPK3PXP"},
        bob={"password": "other", "id": 102},
    )
    made = Booth(tmp_path, people)
    yield made
    await made.close()


async def test_made_and_found(booth: Booth) -> None:
    """A token is found by its digest, with all that was said of it, and listed to its owner alone."""
    text, token = await booth.make(kind=Kind.NARROWED, flags=("can_cdr",), days=7)
    assert await booth.tokens.find(digest(text)) == token
    assert (token.kind, token.expires - token.created) == (Kind.NARROWED, 7 * 86_400)
    assert token.flags == {"can_cdr"}
    assert [one.token for one in await booth.tokens.of((await booth.owner()).claims)] == [token]
    assert await booth.tokens.of((await booth.owner("bob")).claims) == []
    assert await booth.tokens.find(digest(text + "x")) is None


async def test_the_database_tells_nothing(booth: Booth, tmp_path: Path) -> None:
    """Neither token nor owner, tenant, name or second factor can be read from the file."""
    text, _ = await booth.make(name="secret-purpose")
    with sqlite3.connect(tmp_path / "authgw.db") as database:
        data = "\n".join(database.iterdump()).encode()
    for word in (text, text[4:], digest(text).hex(), "alice", "acme", "secret-purpose", "JBSWY3DP"):
        assert word.encode() not in data
        assert word.encode().hex().upper().encode() not in data


@pytest.mark.parametrize("column", ["record", "hash", "id"])
async def test_rows_that_were_written_elsewhere(booth: Booth, tmp_path: Path, column: str) -> None:
    """A record under another row, or a hash before another record, opens nothing."""
    text, token = await booth.make()
    other_text, other = await booth.make("bob")
    with sqlite3.connect(tmp_path / "authgw.db") as database:
        if column == "id":
            database.execute("update authgw_token set id = 'elsewhere' where id = ?", (token.id,))
        else:
            swap = f"update authgw_token set {column} = ? where id = ?"
            mine, his = (
                database.execute(f"select {column} from authgw_token where id = ?", (one.id,)).fetchone()[0]
                for one in (token, other)
            )
            if column == "hash":
                database.execute(swap, ("x", token.id))
            database.execute(swap, (mine, other.id))
            database.execute(swap, (his, token.id))
    found = await booth.tokens.find(digest(text))
    assert found is None
    if column != "id":
        assert await booth.tokens.find(digest(other_text)) is None


async def test_no_more_than_allowed(booth: Booth) -> None:
    """A user has so many tokens and no more; one that expired makes room."""
    await booth.make(days=1, most=2)
    await booth.make(days=30, most=2)
    reading = await booth.owner()
    more = {"name": "x", "kind": Kind.FULL, "flags": (), "seconds": 60.0, "most": 2}
    assert await booth.tokens.make(reading.claims, reading.gates, **more) is None  # type: ignore[arg-type]
    booth.clock.now += 86_401
    assert await booth.tokens.make(reading.claims, reading.gates, **more) is not None  # type: ignore[arg-type]


async def test_used_is_coarse(booth: Booth) -> None:
    """The last use is kept to ten minutes, so that calls do not write each time."""
    _, token = await booth.make()
    began = booth.clock.now
    for seconds, noted in ((1, began + 1), (599, began + 1), (602, began + 602)):
        booth.clock.now = began + seconds
        await booth.tokens.used(token)
        (kept,) = await booth.tokens.all()
        assert kept.used == noted


async def test_after_a_new_key(booth: Booth) -> None:
    """What an older key of the file sealed is found as long as the file has that key, and no longer."""
    text, token = await booth.make()
    old, new = booth.keys.current, Key("k2", b"2" * 32)
    for file, found in ((Keys((new, old)), token), (Keys((new,)), None)):
        tokens = Tokens(booth.url, file, booth.epochs, booth.clock)
        assert await tokens.find(digest(text)) == found
        await tokens.close()


async def test_a_login_renews_the_rights(booth: Booth) -> None:
    """What the owner may is as of his last login, in this tenant; second factors' secrets are never kept."""
    text, _ = await booth.make()
    booth.clock.now += 3600
    booth.people.users["alice"]["can_pcap"] = True
    reading = await booth.owner()
    await booth.tokens.renew(reading.claims, reading.gates)
    renewed = await booth.tokens.find(digest(text))
    assert renewed is not None
    assert (renewed.owner, renewed.seen) == (reading.claims, booth.clock.now)
    assert all(gate.secret is None for gate in renewed.gates)
    booth.people.users["alice"]["tenant"] = "globex"
    elsewhere = await booth.owner()
    await booth.tokens.renew(elsewhere.claims, elsewhere.gates)
    assert await booth.tokens.find(digest(text)) == renewed
