"""A database server that stops answering, ends and comes back: errors meanwhile, the event loop never waits."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from authgw.durable.database import Database
from authgw.errors import StoreError
from authgw.session.epochs import Epochs
from kit.mariadb import MariaDb, mariadb
from kit.servers import free_port
from kit.sessions import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MariaDb]:
    with mariadb(tmp_path) as found:
        yield found


async def test_a_server_that_was_away_is_asked_again(tmp_path: Path) -> None:
    """While the server is down every question is an error, at once; when it is back nothing was forgotten."""
    port, clock = free_port(), Clock()
    with mariadb(tmp_path, port=port) as server:
        epochs = Epochs(server.fresh(), clock)
        assert await epochs.bump("static", "id:1") == 1
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"database \(epochs\)"):
        await epochs.current("static", "id:1", fresh=True)
    with pytest.raises(StoreError):
        await epochs.bump("static", "id:1")
    assert time.monotonic() - began < 3
    with mariadb(tmp_path, port=port):
        assert await epochs.current("static", "id:1", fresh=True) == 1
        assert await epochs.bump("static", "id:1") == 2
    await epochs.close()


async def test_a_server_that_hangs_holds_nothing_up(server: MariaDb) -> None:
    """A server that takes questions and never answers: StoreError within its time, other work goes on meanwhile."""
    epochs = Epochs(server.fresh(), Clock())
    await epochs.bump("static", "id:1")
    ticks = 0
    os.kill(server.pid, signal.SIGSTOP)
    try:
        asked = asyncio.create_task(epochs.current("static", "id:1", fresh=True))
        while not asked.done():
            await asyncio.sleep(0.01)
            ticks += 1
        with pytest.raises(StoreError):
            asked.result()
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert ticks > 50
    await epochs.close()


async def test_one_slow_part_starves_no_other(server: MariaDb) -> None:
    """With a part whose every question is slow, the epochs answer as fast as ever."""
    url = server.fresh()
    slow = Database(url, "slow", sa.MetaData(), 1)
    epochs = Epochs(url, Clock())
    await epochs.open()

    def sleep() -> None:
        with slow.engine.connect() as database:
            database.execute(sa.text("SELECT SLEEP(1.5)"))

    waiting = [asyncio.create_task(slow.run(sleep)) for _ in range(3)]
    began = time.monotonic()
    for _ in range(10):
        await epochs.current("static", "id:1", fresh=True)
    assert time.monotonic() - began < 1
    assert not any(task.done() for task in waiting)
    await asyncio.gather(*waiting)
    await epochs.close()
    await slow.close()
