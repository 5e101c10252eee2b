"""Places at the upstream, taken in turn."""

from __future__ import annotations

import asyncio

import pytest

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.turns import Turns

pytestmark = pytest.mark.anyio
LONG = 60.0


async def taken(turns: Turns, order: list[str], who: str) -> None:
    await turns.take(who, LONG, "place")
    order.append(who)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_wait_are_served_in_turn() -> None:
    """One asks for ten things and another for one: the other one is served second, not eleventh."""
    turns, order = Turns(1), list[str]()
    await turns.take("x", LONG, "place")
    waiting = [asyncio.create_task(taken(turns, order, who)) for who in ["a"] * 3 + ["b"] + ["a"] * 2 + ["c"]]
    await settle()
    turns.give("x")
    for _ in waiting:
        await settle()
        turns.give(order[-1])
    await asyncio.gather(*waiting)
    assert order == ["a", "b", "c", "a", "a", "a", "a"]


async def test_one_asker_does_not_hold_every_place() -> None:
    """Beyond his share he waits although places are free, and somebody else does not."""
    turns, order = Turns(3, share=2), list[str]()
    await turns.take("a", LONG, "place")
    await turns.take("a", LONG, "place")
    third = asyncio.create_task(taken(turns, order, "a"))
    await settle()
    assert order == []
    await turns.take("b", LONG, "place")
    assert turns.free == 0
    turns.give("a")
    await third
    assert order == ["a"]


async def test_a_place_passes_by_who_has_just_given_up() -> None:
    """A place that becomes free at the very moment in which somebody gives up goes to whoever stands behind him."""
    turns, order = Turns(1), list[str]()
    await turns.take("a", LONG, "place")
    first, second = (asyncio.create_task(taken(turns, order, "b")) for _ in range(2))
    await settle()
    first.cancel()
    turns.give("a")
    await settle()
    assert order == ["b"]
    assert second.done()


async def test_waiting_ends_in_time_and_leaves_nothing_behind() -> None:
    """Whoever waits too long hears that it is busy; the place he did not get goes to the next."""
    turns = Turns(1)
    await turns.take("a", LONG, "place")
    with pytest.raises(UpstreamError) as busy:
        await turns.take("b", 0.01, "place")
    assert busy.value.reason is Reason.UPSTREAM_BUSY
    turns.give("a")
    await turns.take("c", LONG, "place")
    turns.give("c")
    assert turns.free == 1


async def test_a_place_given_to_somebody_who_left_goes_on() -> None:
    """Cancelled before, at or after the very moment the place was given to him: it is not lost."""
    for moments in range(4):
        turns, order = Turns(1), list[str]()
        await turns.take("a", LONG, "place")
        leaving = asyncio.create_task(turns.take("b", LONG, "place"))
        staying = asyncio.create_task(taken(turns, order, "c"))
        await settle()
        if moments == 0:
            leaving.cancel()
        turns.give("a")
        if moments == 1:
            leaving.cancel()
        for _ in range(moments):
            await asyncio.sleep(0)
        if moments >= 2:
            leaving.cancel()
        await settle()
        if leaving.done() and not leaving.cancelled():
            turns.give("b")
        await staying
        turns.give("c")
        assert turns.free == 1
