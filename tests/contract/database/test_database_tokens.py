"""API tokens on every database: found elsewhere, gone once, and under a new key without being issued anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from authgw.account.token import Kind, Token, digest
from authgw.durable import engine, tokens
from authgw.durable.sealed import Done, count, seal_anew
from authgw.durable.tokens import Tokens
from authgw.rights.claims import Claims, Grant, Scope
from authgw.session.epochs import Epochs
from authgw.session.keys import Key, Keys
from kit.sessions import Clock, claims

pytestmark = pytest.mark.anyio
OLD, NEW = Key("k1", b"1" * 32), Key("k2", b"2" * 32)
# Its record is larger than MariaDB's plain BLOB.
GRANTS = tuple(Grant(label="x" * 500, scope=Scope(number=(f"+{n:015}%",) * 10)) for n in range(200))
WIDE = Claims("corp", "ünï☎" * 60, 7, GRANTS, tenant="acme")


class Desk:
    """The tokens of a process with these keys, beside others on the same database."""

    def __init__(self, url: str, *keys: Key) -> None:
        self.epochs = Epochs(url, Clock())
        self.tokens = Tokens(url, Keys(keys), self.epochs, Clock())

    async def tried(self, owner: Claims, most: int) -> tuple[str, Token] | None:
        return await self.tokens.make(owner, (), name="x", kind=Kind.FULL, flags=(), seconds=3600, most=most)

    async def make(self, owner: Claims) -> tuple[str, Token]:
        made = await self.tried(owner, 5)
        assert made is not None
        return made

    async def close(self) -> None:
        await self.tokens.close()
        await self.epochs.close()


@pytest.fixture
async def desks(url: str) -> AsyncIterator[list[Desk]]:
    """One that has not been restarted since the rotation, one that has, one that knows the new key alone."""
    found = [Desk(url, OLD), Desk(url, NEW, OLD), Desk(url, NEW)]
    yield found
    for one in found:
        await one.close()


async def test_made_here_and_found_there(desks: list[Desk]) -> None:
    """A token made by one process is found whole by another, however large its owner's rights are."""
    one, other, _ = desks
    for owner in (claims(), WIDE):
        text, token = await one.make(owner)
        assert await other.tokens.find(digest(text)) == token
        assert [each.token for each in await other.tokens.of(owner)] == [token]
    assert await other.tokens.find(digest("another")) is None


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_no_more_than_one_may_have(url: str, most: int) -> None:
    """Of many instances that make a token of one user at the same moment, his first ones too, so many succeed as he
    may have, and every other user has his own; when one is revoked there is room for one."""
    desks, bob = [Desk(url, OLD) for _ in range(4)], claims("bob", 102)
    owners = [claims() if n % 2 else bob for n in range(24)]
    made = await asyncio.gather(*(desks[n % 4].tried(owner, most) for n, owner in enumerate(owners)))
    for owner in (claims(), bob):
        assert sum(one is not None and one[1].owner == owner for one in made) == most
        kept = await desks[0].tokens.of(owner)
        assert len(kept) == most
        for one in kept[:1]:
            await desks[1].tokens.revoke(one.token)
        again = await asyncio.gather(*(desk.tried(owner, most) for desk in desks))
        assert len([one for one in again if one]) == min(most, 1)
    for desk in desks:
        await desk.close()


async def test_a_token_is_revoked_once(desks: list[Desk]) -> None:
    """Of several that revoke a token exactly one did it; afterwards nobody finds it."""
    text, token = await desks[0].make(claims())
    gone = await asyncio.gather(*(desks[n % 2].tokens.revoke(token) for n in range(20)))
    assert gone.count(True) == 1
    assert await desks[1].tokens.find(digest(text)) is None


async def test_tokens_go_under_a_new_key(url: str, desks: list[Desk]) -> None:
    """Once sealed anew a token opens with the new key alone: its hash has changed with it."""
    old, both, new = desks
    made = [await old.make(claims()), await old.make(WIDE), await both.make(claims("bob", 102))]
    own, (sealed,) = engine.make(url), tokens.PART.sealed
    assert count(own, sealed) == {"k1": 2, "k2": 1}
    assert list(seal_anew(own, sealed, Keys((NEW, OLD)))) == [Done(anew=2)]
    own.dispose()
    for text, token in made:
        assert await new.tokens.find(digest(text)) == await both.tokens.find(digest(text)) == token
