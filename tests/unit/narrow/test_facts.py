"""Look-ups shared by all users: what is asked at the same moment is asked once, and what came is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from authgw.errors import UpstreamError
from authgw.narrow.facts import CallFacts
from authgw.narrow.facts_teller import MAX_CACHED
from authgw.narrow.scope import Facts
from authgw.reasons import Reason
from authgw.upstream.turns import asker
from kit.facts import Counting


async def turns() -> None:
    """Let everything that is ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_one_call_asked_by_many_is_one_question() -> None:
    """Requests that ask for the same call at the same moment cause one question, also while it is under way."""
    teller = Counting()
    facts = CallFacts(teller, lambda: 0.0)
    teller.gate.clear()
    asked = [asyncio.create_task(facts.of(7)) for _ in range(20)]
    await turns()
    asked += [asyncio.create_task(facts.of(7)) for _ in range(20)]
    await turns()
    teller.gate.set()
    assert set(await asyncio.gather(*asked)) == {Facts(sensor=1)}
    assert teller.questions == [(7,)]


@pytest.mark.anyio
async def test_different_calls_of_one_moment_are_one_question() -> None:
    """Requests that ask for different calls in one turn of the loop share a question, up to its size."""
    teller = Counting(batch=4)
    facts = CallFacts(teller, lambda: 0.0)
    found = await asyncio.gather(facts.many([1, 2, 2000]), facts.many([2, 3]), facts.of(4), facts.of(1))
    assert found[0] == {1: Facts(sensor=1), 2: Facts(sensor=1), 2000: None}
    assert teller.questions == [(1, 2, 2000, 3), (4,)]


@pytest.mark.anyio
async def test_facts_and_misses_are_remembered_alike() -> None:
    """Neither a call nor its absence is asked for twice within the time, and both are afterwards."""
    now = [0.0]
    teller = Counting()
    facts = CallFacts(teller, lambda: now[0], ttl=10)
    for _ in range(2):
        assert await facts.many([1, 5000]) == {1: Facts(sensor=1), 5000: None}
        assert await facts.of(5000) is None
    now[0] = 9.9
    await facts.of(1)
    assert teller.questions == [(1, 5000)]
    now[0] = 10.0
    await facts.many([5000, 1])
    assert teller.questions == [(1, 5000), (5000, 1)]


@pytest.mark.anyio
async def test_an_error_reaches_all_who_wait_and_is_not_remembered() -> None:
    """Everybody in a failed question gets its reason, each an exception of his own; the next one asks again."""
    teller = Counting()
    facts = CallFacts(teller, lambda: 0.0)
    teller.failure = UpstreamError(Reason.UPSTREAM_REPLY_TIMEOUT, "late")
    failed = await asyncio.gather(facts.of(1), facts.many([1, 2]), return_exceptions=True)
    assert [getattr(error, "reason", None) for error in failed] == [Reason.UPSTREAM_REPLY_TIMEOUT] * 2
    assert failed[0] is not failed[1]
    teller.failure = None
    assert await facts.of(1) == Facts(sensor=1)
    assert teller.questions == [(1, 2), (1,)]


@pytest.mark.anyio
async def test_a_waiter_that_leaves_does_not_end_the_question() -> None:
    """With one client gone, also the one who asked first, the others get their answer, and it is remembered."""
    teller = Counting()
    facts = CallFacts(teller, lambda: 0.0)
    teller.gate.clear()
    first, listing, second = (
        asyncio.create_task(facts.of(1)),
        asyncio.create_task(facts.many([1, 2])),
        asyncio.create_task(facts.of(1)),
    )
    await turns()
    first.cancel()
    listing.cancel()
    await turns()
    assert first.cancelled()
    assert listing.cancelled()
    teller.gate.set()
    assert await second == Facts(sensor=1)
    assert await facts.of(2) == Facts(sensor=1)
    assert teller.questions == [(1, 2)]


@pytest.mark.anyio
async def test_what_changed_is_asked_anew() -> None:
    """After `forget` neither what was remembered nor an answer from before the change is believed."""
    teller = Counting()
    facts = CallFacts(teller, lambda: 0.0)
    await facts.of(1)
    teller.gate.clear()
    before = asyncio.create_task(facts.of(2))
    await turns()
    facts.forget([1, 2])
    teller.sensor = 9
    teller.gate.set()
    assert await before == Facts(sensor=1)
    assert await facts.many([1, 2]) == {1: Facts(sensor=9), 2: Facts(sensor=9)}
    assert teller.questions == [(1,), (2,), (1, 2)]


@pytest.mark.anyio
async def test_a_long_list_leaves_room_for_others() -> None:
    """Of a long list so many ids are under way at once as the teller says, so that a single call comes in between."""
    teller = Counting(batch=4, width=4)
    facts = CallFacts(teller, lambda: 0.0)
    teller.gate.clear()
    long = asyncio.create_task(facts.many(range(1, 13)))
    await turns()
    short = asyncio.create_task(facts.of(500))
    await turns()
    assert teller.questions == [(1, 2, 3, 4), (500,)]
    teller.gate.set()
    await short
    assert len(await long) == 12


@pytest.mark.anyio
async def test_memory_is_bounded() -> None:
    """What is remembered does not grow with the calls that were asked for; the oldest go first."""
    teller = Counting(batch=50_000, width=50_000)
    facts = CallFacts(teller, lambda: 0.0)
    await facts.many(range(1, MAX_CACHED + 2))
    await facts.of(MAX_CACHED + 1)
    assert len(teller.questions) == 1
    await facts.of(1)
    assert len(teller.questions) == 2


@pytest.mark.anyio
async def test_each_question_is_asked_for_its_own_user() -> None:
    """Look-ups of one moment are charged to whoever wanted them: nobody's many are taken for somebody else's."""
    teller = Asking()
    facts = CallFacts(teller, lambda: 0.0)

    async def as_user(name: str, call_id: int) -> None:
        asker.set(name)
        await facts.of(call_id)

    await asyncio.gather(as_user("alice", 1), as_user("bob", 2))
    assert teller.askers == {1: "alice", 2: "bob"}


class Asking(Counting):
    """Writes down on whose behalf it is asked."""

    def __init__(self) -> None:
        super().__init__(batch=1)
        self.askers: dict[int, str] = {}

    async def tell(self, call_ids: Sequence[int]) -> Mapping[int, Facts | None]:
        self.askers |= dict.fromkeys(call_ids, asker.get())
        return await super().tell(call_ids)
