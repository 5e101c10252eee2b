"""Work that is given up when nobody waits for it, and only then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from authgw.watch import SLOWEST, ClientGone, SessionEnded, Watch, Work

pytestmark = pytest.mark.anyio


class Client:
    """Says nothing until it leaves."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.asked = 0

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        await self.left.wait()
        return {"type": "http.disconnect"}


@pytest.fixture
def client(anyio_backend: str) -> Client:
    return Client()


async def look_until(watch: Watch, done: asyncio.Task[Any]) -> None:
    """What the timer does, as often as it takes."""
    for _ in range(20):
        for work in tuple(watch.under_way):
            work.look()
        await asyncio.sleep(0)
        if done.done():
            return


async def test_work_that_is_quick_is_never_looked_at(client: Client) -> None:
    """Its outcome is handed on, nobody listens for the client, and nothing of it is left."""
    watch = Watch()

    async def quick() -> int:
        return 7

    assert await watch.work(client.receive, 1.0).over(quick()) == 7
    assert client.asked == 0
    assert not watch.under_way


async def test_work_of_a_client_that_leaves_is_given_up(client: Client) -> None:
    """It is cancelled where it waits, cleans up after itself, and its caller hears that the client is gone."""
    watch, cleaned = Watch(), False

    async def endless() -> None:
        nonlocal cleaned
        try:
            await asyncio.Event().wait()
        finally:
            cleaned = True

    async def serve() -> str:
        try:
            await watch.work(client.receive, 1.0).over(endless())
        except ClientGone:
            return "gone"
        return "done"

    served = asyncio.create_task(serve())
    client.left.set()
    await look_until(watch, served)
    assert await served == "gone"
    assert cleaned
    assert not watch.under_way


async def test_being_stopped_is_not_taken_for_a_client_that_left(client: Client) -> None:
    """A task that somebody else cancels stays cancelled, also where its client leaves at the same time."""
    watch = Watch()
    for leaves in (False, True):
        served = asyncio.create_task(watch.work(client.receive, 1.0).over(asyncio.Event().wait()))
        await asyncio.sleep(0)
        if leaves:
            (work,) = watch.under_way
            work.give_up(ClientGone)
        served.cancel()
        with pytest.raises(asyncio.CancelledError):
            await served


async def test_a_client_that_takes_nothing_is_given_up(client: Client) -> None:
    """A piece that is not taken within the patience ends the work; pieces that are taken do not add up."""
    watch = Watch()
    work = watch.work(client.receive, 0.0)
    taken = 0

    async def stream() -> None:
        nonlocal taken
        for _ in range(3):
            await work.offer(asyncio.sleep(0))
            taken += 1
        await work.offer(asyncio.Event().wait())  # type: ignore[arg-type]

    async def serve() -> None:
        with pytest.raises(ClientGone):
            await work.over(stream())

    served = asyncio.create_task(serve())
    for _ in range(100):
        await asyncio.sleep(0)
    assert taken == 3
    await look_until(watch, served)
    await served


async def test_work_of_a_session_that_ends_is_given_up(client: Client) -> None:
    """It is asked after while the work goes on; once it has ended, the work ends with that."""
    watch, answers = Watch(), [True, False]

    async def still() -> bool:
        return answers.pop(0)

    async def serve() -> None:
        with pytest.raises(SessionEnded):
            await watch.work(client.receive, 1.0, still).over(asyncio.Event().wait())

    served = asyncio.create_task(serve())
    await look_until(watch, served)
    await asyncio.wait_for(served, 10)
    assert answers == []


async def test_a_client_that_trickles_is_given_up(client: Client) -> None:
    """Each piece is taken in time, but all of them far too slowly: whoever takes as much as he should is left alone."""
    for size, given_up in ((10 * SLOWEST, False), (1, True)):
        watch = Watch()
        work = watch.work(client.receive, 0.2)

        async def stream(work: Work = work, size: int = size) -> None:
            for _ in range(9):
                await work.offer(asyncio.sleep(0.03), size)

        served = asyncio.create_task(work.over(stream()))
        while not served.done():
            work.look()
            await asyncio.wait([served], timeout=0.001)
        assert isinstance(served.exception(), ClientGone) is given_up


async def test_a_server_that_knows_the_client_gone_says_so(client: Client) -> None:
    """An OSError of the server while a piece is sent is the client's leaving."""
    work = Watch().work(client.receive, 1.0)

    async def broken() -> None:
        raise ConnectionResetError

    with pytest.raises(ClientGone):
        await work.over(work.offer(broken()))


async def test_an_error_of_the_work_stays_an_error(client: Client) -> None:
    """What goes wrong in the work reaches the caller as it is."""
    watch = Watch()

    async def failing() -> None:
        raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        await watch.work(client.receive, 1.0).over(failing())
    assert not watch.under_way
