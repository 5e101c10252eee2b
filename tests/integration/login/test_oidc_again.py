"""The oidc login asked again, for a session and for a person: what each answer of the provider comes to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from authgw.contract import Begun, Failed, Granted, Identity, NotMine, Rejected, Remote
from kit.fake_provider import CALLBACK, NOW, Desk, desk
from kit.loopback import reply

pytestmark = pytest.mark.anyio


@pytest.fixture
async def one(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def again(one: Desk, **more: Any) -> tuple[Identity, Any]:
    """Somebody who has signed in, and what asking again comes to."""
    outcome = await one.finish()
    assert isinstance(outcome, Granted)
    one.fake.nonce = ""
    one.fake.claims = more
    one.fake.clock.now += 300
    return outcome.identity, await one.plugin.refresh(outcome.identity)


async def test_asked_again(one: Desk) -> None:
    """New groups are new rights, and the new refresh token takes the old one's place."""
    before, outcome = await again(one, groups=["noc-globex"])
    assert isinstance(outcome, Granted)
    assert [right.label.rpartition(" ")[2] for right in outcome.rights] != []
    assert outcome.identity.id == before.id
    assert outcome.identity.remote is not None
    assert b"refresh-2" in outcome.identity.remote.kept
    assert [each.form["refresh_token"] for each in one.fake.asked if each.form.get("refresh_token")] == ["refresh-1"]


@pytest.mark.parametrize(
    "claims", [{"sub": "sub-bob"}, {"groups": ["other"]}, {"iss": "https://evil.example"}], ids=str
)
async def test_asked_again_and_out(one: Desk, claims: dict[str, Any]) -> None:
    """Another person, no group that counts, another issuer: the session is over."""
    assert isinstance((await again(one, **claims))[1], Rejected)


async def test_a_refresh_token_that_is_refused(one: Desk) -> None:
    """The provider has ended it: the session is over. A provider that is broken has not."""
    outcome = await one.finish()
    assert isinstance(outcome, Granted)
    one.fake.answers = {"error": "invalid_grant"}
    assert isinstance(await one.plugin.refresh(outcome.identity), Rejected)
    one.fake.answers = {"error": "server_error"}
    assert isinstance(await one.plugin.refresh(outcome.identity), Failed)


async def test_a_new_token_is_kept_whatever_follows(tmp_path: Path) -> None:
    """Once a refresh token was exchanged the new one counts, also where the provider then breaks down."""
    async with desk(tmp_path, {"groups_from": "userinfo"}) as found:
        found.fake.userinfo = {"sub": "sub-alice", "groups": ["noc-acme"]}
        outcome = await found.finish()
        assert isinstance(outcome, Granted)
        found.fake.replies["/userinfo"] = reply(status="500 Internal Server Error")
        failed = await found.plugin.refresh(outcome.identity)
        assert isinstance(failed, Failed)
        assert failed.remote is not None
        assert b"refresh-2" in failed.remote.kept


async def test_nothing_to_ask_with(one: Desk) -> None:
    """Without a refresh token nobody can tell; somebody who never was at the provider is not its own."""
    one.fake.answers = {"refresh_token": None}
    outcome = await one.finish()
    assert isinstance(outcome, Granted)
    assert isinstance(await one.plugin.refresh(outcome.identity), NotMine)
    assert isinstance(await one.plugin.refresh(Identity("alice", 0)), NotMine)
    assert isinstance(await one.plugin.refresh(Identity("alice", 1, remote=Remote("sub"))), NotMine)


async def test_proved_once_more(one: Desk) -> None:
    """Whoever is to prove it again is asked by the provider, and an answer that he was not asked for is none."""
    begun = await one.plugin.begin(CALLBACK, "state", again=True)
    assert isinstance(begun, Begun)
    fields = {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}
    assert (fields["prompt"], fields["max_age"]) == ("login", "0")
    one.fake.nonce = fields["nonce"]
    for at, kind in ((None, Rejected), (NOW - 361, Rejected), (NOW, Granted)):
        one.fake.claims = {"auth_time": at}
        assert isinstance(await one.finish(begun), kind)
