"""Logout tokens (OpenID Connect Back-Channel Logout 1.0, 2.4 and 2.6): which are believed; and how a browser leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from authgw.contract import Ending, Failed, Granted, Rejected
from kit.fake_provider import CLIENT, KEY, NOW, OTHER_KEY, Desk, desk, signed, unsigned
from kit.loopback import reply

pytestmark = pytest.mark.anyio
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
async def one(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


def claims(one: Desk, **changed: Any) -> dict[str, Any]:
    """Those of a right logout token but for what the test changes; None leaves a claim out."""
    right = {
        "iss": one.fake.url,
        "aud": CLIENT,
        "iat": int(NOW),
        "exp": int(NOW) + 120,
        "jti": "message-1",
        "events": {EVENT: {}},
        "sub": "sub-alice",
        "sid": "sid-1",
    }
    return {name: value for name, value in {**right, **changed}.items() if value is not None}


def token(one: Desk, **changed: Any) -> str:
    return signed(claims(one, **changed), KEY, typ="logout+jwt")


@pytest.mark.parametrize(
    ("changed", "who"),
    [({}, ("sub-alice", "sid-1")), ({"sid": None}, ("sub-alice", "")), ({"sub": None}, ("", "sid-1"))],
    ids=str,
)
async def test_who_is_out(one: Desk, changed: dict[str, Any], who: tuple[str, str]) -> None:
    """By session, by person, or by both; the message has a name, under which it counts once while it is good at all."""
    ending = await one.plugin.ended(token(one, **changed))
    assert isinstance(ending, Ending)
    assert (ending.subject, ending.session, ending.once, ending.issued) == (*who, "message-1", NOW)
    one.fake.clock.now = ending.until
    assert isinstance(await one.plugin.ended(token(one, **changed)), Rejected)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"aud": "somebody-else"},
        {"aud": None},
        {"iat": None},
        {"iat": int(NOW) + 61},
        {"iat": int(NOW) - 361},
        {"exp": None},
        {"exp": int(NOW) - 60},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 256},
        {"events": None},
        {"events": []},
        {"events": {}},
        {"events": {EVENT: None}},
        {"events": {EVENT + "x": {}}},
        {"nonce": "n"},
        {"nonce": ""},
        {"sub": None, "sid": None},
        {"sub": "", "sid": ""},
        {"sub": 7},
        {"sid": ["sid-1"]},
    ],
    ids=str,
)
async def test_what_is_no_logout(one: Desk, changed: dict[str, Any]) -> None:
    """One claim that is not as it must be, and nobody is out."""
    assert isinstance(await one.plugin.ended(token(one, **changed)), Rejected)


async def test_what_nobody_signed(one: Desk) -> None:
    """Unsigned, signed by somebody else, or another kind of token of the provider's own."""
    right = claims(one)
    for forged in (
        unsigned(right, typ="logout+jwt"),
        signed(right, OTHER_KEY, kid="one", typ="logout+jwt"),
        signed(right, KEY, typ="at+jwt"),
        signed(right, KEY, typ="JWT"),
        signed(right, KEY),
        one.fake.id_token(),
        "",
    ):
        assert isinstance(await one.plugin.ended(forged), Rejected)


async def test_a_provider_whose_keys_cannot_be_had(one: Desk) -> None:
    """Nobody can tell whether the message is genuine: nothing is obeyed."""
    one.fake.replies["/jwks"] = reply(status="500 Internal Server Error")
    assert isinstance(await one.plugin.ended(token(one)), Failed)


async def test_leaving(one: Desk) -> None:
    """The address names the session by its ID token, the client, and where to come back to."""
    outcome = await one.finish()
    assert isinstance(outcome, Granted)
    assert outcome.identity.remote is not None
    address = await one.plugin.leave(outcome.identity.remote, "https://gateway.example/authgw/logged-out")
    assert address is not None
    fields = parse_qs(urlsplit(address).query)
    assert fields["post_logout_redirect_uri"] == ["https://gateway.example/authgw/logged-out"]
    assert fields["client_id"] == [CLIENT]
    assert fields["id_token_hint"] == [one.fake.id_token()]


async def test_nowhere_to_leave_to(one: Desk) -> None:
    """A provider without such an address, or one that is down, holds nobody up."""
    outcome = await one.finish()
    assert isinstance(outcome, Granted)
    assert outcome.identity.remote is not None
    one.fake.clock.now += 3601
    one.fake.says = {"end_session_endpoint": None}
    assert await one.plugin.leave(outcome.identity.remote, "https://gateway.example/") is None
    one.fake.clock.now += 3601
    one.fake.replies["/.well-known/openid-configuration"] = reply(status="500 Internal Server Error")
    assert await one.plugin.leave(outcome.identity.remote, "https://gateway.example/") is None
