"""Second factors on every database: spent once whoever asks, kept apart letter by letter, and under a new key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from authgw.durable import engine, factors
from authgw.durable.factors import FactorStore, Stored, Who
from authgw.durable.sealed import Done, count, seal_anew
from authgw.errors import StoreError
from authgw.reasons import Reason
from authgw.session.keys import Key, Keys

pytestmark = pytest.mark.anyio
OLD, NEW = Key("k1", b"1" * 32), Key("k2", b"2" * 32)
ALICE = Who("static", "id:1", "alice")
APP = Stored("a1", "totp", "My phone ☎", b"\x00secret\xff" * 3, 0, 100, 0)
PASSKEY = Stored("p1", "passkey", "Key", b"x" * 3000, 7, 200, 150)


@pytest.fixture
async def stores(url: str) -> AsyncIterator[list[FactorStore]]:
    """What four processes on one database have."""
    found = [FactorStore(url, Keys((OLD,))) for _ in range(4)]
    yield found
    for one in found:
        await one.close()


async def test_what_was_kept_is_found_elsewhere(stores: list[FactorStore]) -> None:
    """Factors come back whole in another process, oldest first, and of one kind `alone` takes the others' place."""
    one, other, *_ = stores
    await one.add(ALICE, PASSKEY, alone=False)
    await one.add(ALICE, APP, alone=True)
    assert await other.of(ALICE) == (APP, PASSKEY)
    newer = msgspec.structs.replace(APP, id="a2", created=300)
    await other.add(ALICE, newer, alone=True)
    assert await one.of(ALICE) == (PASSKEY, newer)
    assert await one.remove(ALICE, "p1")
    assert not await other.remove(ALICE, "p1")
    assert await other.of(ALICE) == (newer,)


async def test_a_code_is_spent_once(stores: list[FactorStore]) -> None:
    """Of many processes that spend one time step, or one recovery code, exactly one succeeds; a first time too."""
    spent = await asyncio.gather(*(stores[n % 4].spend_step(ALICE, 1000) for n in range(40)))
    assert spent.count(True) == 1
    assert not await stores[0].spend_step(ALICE, 999)
    assert await stores[1].spend_step(ALICE, 1001)
    await stores[0].set_codes(ALICE, b"k" * 32, ["one", "two"])
    used = await asyncio.gather(*(stores[n % 4].spend_code(ALICE, "one") for n in range(40)))
    assert used.count(True) == 1
    assert await stores[2].codes_left(ALICE) == 1


async def test_one_factor_is_the_first(stores: list[FactorStore]) -> None:
    """Of many processes that each keep a first factor at the same moment one does, and nothing takes its place."""
    made = [msgspec.structs.replace(APP, id=f"a{n}", kind=("totp", "passkey")[n % 2]) for n in range(40)]
    kept = await asyncio.gather(*(stores[n % 4].add(ALICE, one, alone=True, first=True) for n, one in enumerate(made)))
    assert (kept.count(None), kept.count(Reason.ATTEMPT_OVER)) == (1, 39)
    assert await stores[0].of(ALICE) == (made[kept.index(None)],)
    assert await stores[1].add(ALICE, PASSKEY, alone=False) is None


async def test_a_sign_counter_only_rises(stores: list[FactorStore]) -> None:
    """A passkey's counter that is not higher than the last is a copy; 0 stays 0."""
    one, other, *_ = stores
    await one.add(ALICE, PASSKEY, alone=False)
    assert await other.touch(ALICE, "p1", 8, 500)
    assert not await one.touch(ALICE, "p1", 8, 501)
    assert (await one.of(ALICE))[0].uses == 8


async def test_no_more_than_one_may_have(stores: list[FactorStore]) -> None:
    """Of many processes that enrol a factor at the same moment so many succeed as the user may have; his app counts,
    and may be replaced all the same. What was refused is not kept."""
    keys = [msgspec.structs.replace(PASSKEY, id=f"p{n}") for n in range(12)]
    told = await asyncio.gather(*(stores[n % 4].add(ALICE, one, alone=False, most=3) for n, one in enumerate(keys)))
    assert (told.count(None), told.count(Reason.TOO_MANY_FACTORS)) == (3, 9)
    assert {one.id for one in await stores[0].of(ALICE)} == {keys[n].id for n in range(12) if told[n] is None}
    assert await stores[1].add(ALICE, APP, alone=True, most=3) is Reason.TOO_MANY_FACTORS
    assert await stores[1].add(ALICE, APP, alone=True, most=4) is None
    newer = msgspec.structs.replace(APP, id="a2")
    assert await stores[2].add(ALICE, newer, alone=True, most=4) is None
    assert len(await stores[3].of(ALICE)) == 4


async def test_users_are_kept_apart(stores: list[FactorStore]) -> None:
    """Upper and lower case, an accent, another login instance: nobody has another's factors, nor is found as him."""
    others = [Who("static", "user:Alice", "Alice"), Who("static", "user:alíce", "alíce"), Who("corp", "id:1", "alice")]
    await stores[0].add(ALICE, APP, alone=True)
    for at, who in enumerate(others):
        assert await stores[1].of(who) == ()
        await stores[1].add(who, msgspec.structs.replace(APP, id=f"o{at}"), alone=True)
    assert await stores[2].named("alice") in ((ALICE, others[2]), (others[2], ALICE))
    assert await stores[2].clear(others[0]) == 1
    assert await stores[0].of(ALICE) == (APP,)


async def test_factors_go_under_a_new_key(url: str, stores: list[FactorStore]) -> None:
    """Sealed before the rotation, between and after: once sealed anew all of it opens without the old key."""
    await stores[0].add(ALICE, APP, alone=True)
    await stores[0].set_codes(ALICE, b"k" * 32, ["one"])
    both = FactorStore(url, Keys((NEW, OLD)))
    await both.add(ALICE, PASSKEY, alone=False)
    own = engine.make(url)
    secret, code_key = factors.PART.sealed
    assert (count(own, secret), count(own, code_key)) == ({"k1": 1, "k2": 1}, {"k1": 1})
    assert list(seal_anew(own, secret, Keys((NEW, OLD)))) == [Done(anew=1)]
    assert list(seal_anew(own, code_key, Keys((NEW, OLD)))) == [Done(anew=1)]
    own.dispose()
    assert await both.of(ALICE) == (APP, PASSKEY)
    new = FactorStore(url, Keys((NEW,)))
    assert (await new.of(ALICE), await new.code_key(ALICE)) == ((APP, PASSKEY), b"k" * 32)
    with pytest.raises(StoreError, match="key file"):
        await stores[0].of(ALICE)
    await both.close()
    await new.close()
