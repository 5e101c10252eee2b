"""API tokens at the door: whose rights they carry, and everything that shuts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from authgw.account.token import Kind, Token
from authgw.contract import Failed, Identity, NotMine, Outcome
from authgw.rights.claims import Claims
from authgw.session.record import by_id, by_tenant, by_user
from kit.tokens import AT, Booth, People

pytestmark = pytest.mark.anyio
DAY = 86_400.0


@pytest.fixture
async def booth(tmp_path: Path) -> AsyncIterator[Booth]:
    people = People(
        alice={"password": "right", "id": 101, "can_cdr": True, "can_pcap": True, "tenant": "acme"},
        bob={"password": "other", "id": 102, "can_cdr": True},
    )
    made = Booth(tmp_path, people, address_failures=3)
    yield made
    await made.close()


def flags(claims: Claims | str) -> set[str]:
    assert isinstance(claims, Claims), claims
    return set(claims.grants[0].flags)


async def test_the_owners_rights_of_now(booth: Booth) -> None:
    """A token opens what its owner may at this time: less as soon as he may less, and more if it is for all."""
    text, _ = await booth.make()
    narrow, _ = await booth.make(kind=Kind.NARROWED, flags=("can_cdr",))
    assert flags(await booth.claims(text)) == {"can_cdr", "can_pcap"}
    assert flags(await booth.claims(narrow)) == {"can_cdr"}
    booth.people.users["alice"] |= {"can_pcap": False, "can_cdr": False, "can_messages": True}
    booth.clock.now += 60
    assert flags(await booth.claims(text)) == {"can_messages"}
    assert flags(await booth.claims(narrow)) == set()


async def test_nothing_is_asked_for_a_minute(booth: Booth) -> None:
    """Within a minute a token costs no question to its owner's plugin, and one line in the trail."""
    text, token = await booth.make()
    for _ in range(5):
        await booth.claims(text)
        booth.clock.now += 11
    assert booth.people.asked == 1
    (event,) = booth.events
    assert (event["outcome"], event["user"], event["origin"], event["token"]) == (
        "granted", "alice", "token", f"{token.id} nightly",
    )  # fmt: skip
    assert text not in str(event)


def held(booth: Booth) -> tuple[asyncio.Event, asyncio.Event]:
    """The plugin answers when the second is set; the first is, once it was asked."""
    asked, go, answer = asyncio.Event(), asyncio.Event(), booth.people.refresh

    async def refresh(identity: Identity) -> Outcome:
        outcome = await answer(identity)
        asked.set()
        await go.wait()
        return outcome

    booth.people.refresh = refresh  # type: ignore[method-assign]
    return asked, go


async def test_first_uses_at_one_moment_ask_once(booth: Booth) -> None:
    """However many use a token for the first time together, its owner's plugin is asked once, and each is judged for
    his own address; one that leaves takes the answer from nobody."""
    booth.people.users["alice"]["enable_login_ip"] = [AT]
    text, _ = await booth.make()
    asked, go = held(booth)
    uses = [asyncio.create_task(booth.claims(text)) for _ in range(20)]
    uses.append(asyncio.create_task(booth.claims(text, "192.0.2.8")))
    await asked.wait()
    uses[0].cancel()
    go.set()
    _, *others, elsewhere = await asyncio.gather(*uses, return_exceptions=True)
    assert [flags(each) for each in others if isinstance(each, Claims)] == [{"can_cdr", "can_pcap"}] * 19
    assert elsewhere == "address_not_allowed"
    assert booth.people.asked == 1


async def test_a_failure_is_shared_and_not_kept(booth: Booth) -> None:
    """Where the plugin fails, all who wait are told so by one question; the next use asks again."""
    text, _ = await booth.make()
    booth.people.answer = Failed("directory down")
    assert await booth.claims(text) == "login_failed"
    found, find = [], booth.tokens.find
    _, go = held(booth)

    async def counted(known: bytes) -> Token | None:
        token = await find(known)
        found.append(token)
        if len(found) == 10:
            # Those before wait for the plugin by now: what was asked of the epochs is remembered.
            asyncio.get_running_loop().call_later(0, go.set)
        return token

    booth.tokens.find = counted  # type: ignore[method-assign]
    assert await asyncio.gather(*(booth.claims(text) for _ in range(10))) == ["login_failed"] * 10
    assert booth.people.asked == 2
    booth.people.answer = None
    assert flags(await booth.claims(text)) == {"can_cdr", "can_pcap"}


async def test_whoever_comes_after_a_change_asks_anew(booth: Booth) -> None:
    """A use that begins after the user's tokens changed does not take an answer from before that."""
    text, _ = await booth.make()
    other, gone = await booth.make(name="other")
    asked, go = held(booth)
    early = asyncio.create_task(booth.claims(text))
    await asked.wait()
    asked.clear()
    booth.people.users["alice"]["can_pcap"] = False
    await booth.tokens.revoke(gone)
    late = asyncio.create_task(booth.claims(text))
    await asked.wait()
    go.set()
    assert flags(await early) == {"can_cdr", "can_pcap"}
    assert flags(await late) == {"can_cdr"}
    assert flags(await booth.claims(text)) == {"can_cdr"}
    assert await booth.claims(other) == "token_invalid"


SHUT: dict[str, tuple[dict[str, Any], str]] = {
    "blocked": ({"blocked": True}, "blocked"),
    "address": ({"enable_login_ip": ["198.51.100.0/24"]}, "address_not_allowed"),
    "expired password": ({"password_expired": True}, "password_expired"),
    "another tenant": ({"tenant": "globex"}, "token_invalid"),
    "another id": ({"id": 999}, "token_invalid"),
    "broken rights": ({"ip": 7}, "rights_invalid"),
}


@pytest.mark.parametrize(("change", "reason"), SHUT.values(), ids=SHUT.keys())
async def test_what_shuts_a_token(booth: Booth, change: dict[str, Any], reason: str) -> None:
    """What would keep the owner out keeps his tokens out; and so does another tenant than they were made in."""
    text, _ = await booth.make()
    booth.people.users["alice"] |= change
    assert await booth.claims(text) == reason


async def test_a_second_factor_does_not(booth: Booth) -> None:
    """Who needs a second factor uses a token on the API: it was made behind that factor."""
    text, _ = await booth.make()
    booth.people.users["alice"] |= {"req_2fa": True}
    assert flags(await booth.claims(text)) == {"can_cdr", "can_pcap"}


@pytest.mark.parametrize("tells", [True, False])
async def test_the_address_counts_at_every_use(booth: Booth, tells: bool) -> None:
    """A token that was just used from an allowed address opens nothing from another one."""
    booth.people.tells = tells
    booth.people.users["alice"]["enable_login_ip"] = [AT]
    text, _ = await booth.make()
    assert isinstance(await booth.claims(text), Claims)
    assert await booth.claims(text, "192.0.2.8") == "address_not_allowed"


async def test_it_expires_to_the_second(booth: Booth) -> None:
    """A token lives as long as was said, remembered or not, and never before it was made."""
    text, token = await booth.make(days=1)
    booth.clock.now = token.expires - 1
    assert isinstance(await booth.claims(text), Claims)
    booth.clock.now = token.expires
    assert await booth.claims(text) == "token_expired"
    booth.clock.now = token.created - 1
    assert await booth.claims(text) == "token_expired"


async def test_revoked_within_a_second(booth: Booth) -> None:
    """Revoked at another instance, a token that this one remembers is dead within a second; others live on."""
    text, token = await booth.make()
    other, _ = await booth.make(name="other")
    assert isinstance(await booth.claims(text), Claims)
    elsewhere = Booth(booth_folder(booth), booth.people)
    await elsewhere.tokens.revoke(token)
    await elsewhere.close()
    booth.clock.now += 1
    assert await booth.claims(text) == "token_invalid"
    assert isinstance(await booth.claims(other), Claims)


def booth_folder(booth: Booth) -> Path:
    return Path(booth.url.removeprefix("sqlite:///")).parent


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        (("", by_user("alice")), True),
        (("corp", by_user("alice")), True),
        (("", by_tenant("acme")), True),
        (("corp", by_id(101)), False),
        (("other", by_user("alice")), False),
        (("", by_user("bob")), False),
    ],
)
async def test_what_ends_tokens_for_good(booth: Booth, name: tuple[str, str], ends: bool) -> None:
    """Ending a user or a tenant ends the tokens too, for good; what a user does to his own sessions does not."""
    text, _ = await booth.make()
    assert isinstance(await booth.claims(text), Claims)
    await booth.epochs.bump(*name)
    booth.clock.now += 1
    assert (await booth.claims(text) == "token_invalid") is ends
    again, _ = await booth.make(name="again")
    assert isinstance(await booth.claims(again), Claims)


async def test_wrong_tokens_count_by_address(booth: Booth) -> None:
    """Guesses make the address wait, whoever's they are; a token that has opened something goes on, also when it has
    to be looked up anew."""
    text, _ = await booth.make()
    other, _ = await booth.make(name="other")
    assert isinstance(await booth.claims(text), Claims)
    booth.clock.now += 61
    for guess in range(5):
        assert await booth.claims(f"agw_{guess:043}") == "token_invalid"
    assert await booth.claims(other) == "throttled"
    assert isinstance(await booth.claims(text), Claims)
    assert isinstance(await booth.claims(other, "192.0.2.200"), Claims)
    booth.clock.now += 2
    assert isinstance(await booth.claims(other), Claims)


async def test_the_same_wrong_token_is_one_guess(booth: Booth) -> None:
    """A script that goes on with a token of yesterday keeps nobody waiting, and is not looked up each time."""
    other, _ = await booth.make()
    asked: list[bytes] = []
    find = booth.tokens.find

    async def watched(known: bytes) -> Token | None:
        asked.append(known)
        return await find(known)

    booth.tokens.find = watched  # type: ignore[method-assign]
    for _ in range(50):
        assert await booth.claims("agw_" + "A" * 43) == "token_invalid"
        booth.clock.now += 0.5
    assert len(asked) == 3
    assert isinstance(await booth.claims(other), Claims)


async def test_a_locked_out_user(booth: Booth) -> None:
    """Who is locked out is so with tokens too."""
    text, _ = await booth.make()
    assert isinstance(await booth.claims(text), Claims)
    for _ in range(10):
        await booth.throttle.failed("alice", "198.51.100.9")
    assert await booth.claims(text) == "locked_out"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Failed("directory down"), "login_failed"),
        (Failed("full", busy=True), "login_busy"),
        (RuntimeError("hunter2"), "login_failed"),
        (None, "token_invalid"),
    ],
)
async def test_when_nobody_can_tell(booth: Booth, answer: Any, reason: str) -> None:
    """A directory that cannot be asked opens nothing, and one that says he is gone ends the matter."""
    text, _ = await booth.make()
    booth.people.answer = answer
    if answer is None:
        del booth.people.users["alice"]
    assert await booth.claims(text) == reason
    assert "hunter2" not in str(booth.events)


async def test_rights_of_the_last_login(booth: Booth) -> None:
    """Where a plugin cannot tell, the rights of the last login hold for thirty days, and a login renews them."""
    booth.people.tells = False
    text, _ = await booth.make(days=365)
    booth.people.users["alice"]["can_pcap"] = False
    booth.clock.now += 30 * DAY
    assert flags(await booth.claims(text)) == {"can_cdr", "can_pcap"}
    booth.clock.now += 61
    assert await booth.claims(text) == "token_rights_old"
    reading = await booth.owner()
    await booth.tokens.renew(reading.claims, reading.gates)
    assert flags(await booth.claims(text)) == {"can_cdr"}
    booth.people.answer = NotMine()
    assert await booth.login.gates_of(reading.claims) is None
