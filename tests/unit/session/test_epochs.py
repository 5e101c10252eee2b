"""Epochs: counters that only rise, believed for less than a second, never guessed."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from authgw.errors import ConfigError, StoreError
from authgw.session.epochs import Epochs
from kit.sessions import Clock

pytestmark = pytest.mark.anyio
Make = Callable[[], Epochs]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def make(tmp_path: Path, clock: Clock, anyio_backend: str) -> AsyncIterator[Make]:
    made: list[Epochs] = []

    def one() -> Epochs:
        made.append(Epochs(f"sqlite:///{tmp_path / 'authgw.db'}", clock))
        return made[-1]

    yield one
    for epochs in made:
        await epochs.close()


async def test_a_counter_starts_at_nothing_and_rises_by_one(make: Make) -> None:
    """An unknown user's epoch is 0; each bump makes it one more, for him alone."""
    epochs = make()
    assert await epochs.current("static", "id:1") == 0
    assert await epochs.bump("static", "id:1") == 1
    assert await epochs.bump("static", "id:1") == 2
    assert await epochs.current("static", "id:1") == 2
    assert await epochs.current("static", "id:2") == 0
    assert await epochs.current("corp", "id:1") == 0


async def test_another_process_notices_within_a_second(make: Make, clock: Clock) -> None:
    """A value read before a bump elsewhere is believed for less than a second more, or not at all if asked freshly."""
    one, other = make(), make()
    assert await other.current("static", "id:1") == 0
    await one.bump("static", "id:1")
    assert await one.current("static", "id:1") == 1
    assert await other.current("static", "id:1") == 0
    assert await other.current("static", "id:1", fresh=True) == 1
    await one.bump("static", "id:1")
    clock.now += 1
    assert await other.current("static", "id:1") == 2


async def test_a_clock_set_back_does_not_prolong_belief(make: Make, clock: Clock) -> None:
    """After the clock jumped back a cached value is asked anew."""
    one, other = make(), make()
    await other.current("static", "id:1")
    await one.bump("static", "id:1")
    clock.now -= 3600
    assert await other.current("static", "id:1") == 1


async def test_cached_values_do_not_ask(make: Make, tmp_path: Path) -> None:
    """Within the second the database is left alone: it could as well be gone."""
    epochs = make()
    await epochs.bump("static", "id:1")
    (tmp_path / "authgw.db").rename(tmp_path / "away.db")
    assert await epochs.current("static", "id:1") == 1


async def test_totals_change_when_any_part_does(make: Make) -> None:
    """The sum over several counters rises with each of them, and a name given twice counts once."""
    epochs = make()
    names = [("", "user:alice"), ("static", "user:alice"), ("static", "id:1")]
    seen = [await epochs.total(names)]
    for login, key in names:
        await epochs.bump(login, key)
        seen.append(await epochs.total(names))
    assert seen == [0, 1, 2, 3]
    assert await epochs.total([names[0], names[0]]) == 1
    assert await epochs.total([names[0], names[0]], fresh=True) == 1
    assert await epochs.holds(names, 3)
    assert not await epochs.holds(names, 2)
    assert not await epochs.holds(names, 4)


async def test_bumps_at_once_all_count(make: Make) -> None:
    """Of many bumps in several processes at the same time none is lost."""
    one, other = make(), make()
    values = await asyncio.gather(*((one if n % 2 else other).bump("static", "id:1") for n in range(20)))
    assert sorted(values) == list(range(1, 21))


async def test_the_file_is_made_for_the_service_alone(make: Make, tmp_path: Path) -> None:
    """The database appears at first use with mode 0600 and says which version it is."""
    await make().open()
    assert stat.S_IMODE((tmp_path / "authgw.db").stat().st_mode) == 0o600
    with sqlite3.connect(tmp_path / "authgw.db") as database:
        assert database.execute("SELECT part, version FROM authgw_schema").fetchall() == [("epochs", 1)]
    database.close()
    await make().open()


async def test_a_newer_database_is_refused(make: Make, tmp_path: Path) -> None:
    """What a later version wrote is not read by this one."""
    await make().open()
    with sqlite3.connect(tmp_path / "authgw.db") as database:
        database.execute("UPDATE authgw_schema SET version = 2")
    database.close()
    with pytest.raises(ConfigError, match="version 2"):
        await make().open()


async def test_a_database_that_cannot_be_asked_is_an_error(tmp_path: Path, clock: Clock) -> None:
    """A folder that is not there, a file that is no database: StoreError, never an epoch of 0."""
    (tmp_path / "text.db").write_text("this is not a database, whatever it may look like" * 40)
    for file in (tmp_path / "no" / "where.db", tmp_path / "text.db"):
        epochs = Epochs(f"sqlite:///{file}", clock)
        for question in (epochs.current("", "id:1"), epochs.bump("", "id:1"), epochs.open()):
            with pytest.raises(StoreError):
                await question
        await epochs.close()


async def test_a_database_lost_while_running_is_an_error(make: Make, tmp_path: Path, clock: Clock) -> None:
    """Tables that disappear under the gateway make it refuse, not forget."""
    epochs = make()
    await epochs.bump("static", "id:1")
    with sqlite3.connect(tmp_path / "authgw.db") as database:
        database.execute("DROP TABLE authgw_epoch")
    database.close()
    clock.now += 2
    with pytest.raises(StoreError):
        await epochs.current("static", "id:1")


async def test_long_and_odd_names_are_kept_apart(make: Make) -> None:
    """Names of any length and alphabet have counters of their own."""
    epochs = make()
    names = ["user:" + "x" * 500, "user:" + "x" * 501, "user:Ünï", "user:ünï", "user:'; DROP TABLE x --", "user:a\x00b"]
    for name in names:
        assert await epochs.bump("static", name) == 1
    assert await epochs.total([("static", name) for name in names], fresh=True) == len(names)


@pytest.mark.parametrize("url", ["", "nonsense", "nosuch://x", "sqlite+nosuch:///x"])
def test_an_unusable_url_is_a_located_error(url: str, clock: Clock) -> None:
    """A database URL that means nothing stops the start and names the setting."""
    with pytest.raises(ConfigError, match=r"database\.url"):
        Epochs(url, clock)


@pytest.mark.parametrize("odd", ["sub:\ud800", "sub:" + "x" * 300 + "\udfff", "sub:\0"])
async def test_a_name_that_no_database_takes_harms_nobody_else(make: Make, odd: str) -> None:
    """Asked about together with others, in one question: everybody is answered, and it counts as any other name."""
    epochs = make()
    await epochs.bump("static", "id:1")
    asked = (epochs.current("static", "id:1", fresh=True), epochs.current("static", odd, fresh=True))
    assert list(await asyncio.gather(*asked)) == [1, 0]
    assert await epochs.bump("static", odd) == 1
    assert await make().current("static", odd) == 1
