"""Facts of many calls by a list of their time: asked where it may be of use, never relied on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from authgw.errors import UpstreamError
from authgw.narrow.facts_outline import LEAST, LONGEST, Outlines
from authgw.narrow.scope import Facts
from authgw.reasons import Reason
from kit.facts import Counting

NOON = datetime(2026, 11, 23, 12)


def calls(count: int, step: timedelta = timedelta(seconds=1)) -> dict[int, datetime]:
    return {number: NOON + step * number for number in range(count)}


def told(*numbers: int) -> Mapping[int, Facts]:
    return {number: Facts(sensor=number) for number in numbers}


@pytest.mark.anyio
async def test_calls_close_together_are_one_list() -> None:
    """One question for the time from the first to the last; calls that it does not tell of are left open."""
    teller = Counting(batch=1)
    teller.listed = told(0, 1, 2, 777)
    found = await Outlines(teller, lambda: 0.0).of(calls(10))
    assert found == told(0, 1, 2)
    assert [(since, until) for since, until, _ in teller.lists] == [(NOON, NOON + timedelta(seconds=9))]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("batch", "dates"),
    [(1, calls(LEAST - 1)), (1, calls(LEAST, LONGEST)), (500, calls(100)), (1, {})],
)
async def test_no_list_where_it_is_of_no_use(batch: int, dates: dict[int, datetime]) -> None:
    """Few calls, calls far apart, and a teller that answers about many ids at once: nothing is asked."""
    teller = Counting(batch=batch)
    assert await Outlines(teller, lambda: 0.0).of(dates) == {}
    assert teller.lists == []


@pytest.mark.anyio
async def test_the_same_list_is_asked_once() -> None:
    """Requests of one moment share it, also if the first of them leaves; then it is remembered for a while."""
    now = [0.0]
    teller = Counting(batch=1)
    teller.listed = told(*range(10))
    outlines = Outlines(teller, lambda: now[0], ttl=10)
    first, second = asyncio.create_task(outlines.of(calls(10))), asyncio.create_task(outlines.of(calls(10)))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == told(*range(10))
    assert await outlines.of(calls(10)) == told(*range(10))
    assert len(teller.lists) == 1
    outlines.forget(3)
    assert 3 not in await outlines.of(calls(4))
    now[0] = 10.0
    await outlines.of(calls(10))
    assert len(teller.lists) == 2


@pytest.mark.anyio
async def test_a_list_that_fails_leaves_everything_open() -> None:
    """It would only have saved questions: those say what is wrong, and the list is asked for again next time."""
    teller = Counting(batch=1)
    teller.failure = UpstreamError(Reason.UPSTREAM_MALFORMED, "no list")
    outlines = Outlines(teller, lambda: 0.0)
    assert await outlines.of(calls(10)) == {}
    assert await outlines.of(calls(10)) == {}
    assert len(teller.lists) == 2
