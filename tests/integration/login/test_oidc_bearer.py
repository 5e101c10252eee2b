"""Access tokens (RFC 9068): which ones are believed on php/api.php."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from authgw.contract import Failed, Granted, NotMine, Rejected
from kit.fake_provider import KEY, NOW, OTHER_KEY, Desk, desk, signed, unsigned
from kit.loopback import reply

pytestmark = pytest.mark.anyio
OPTIONS = {"bearer": True, "bearer_audience": "https://calls.example", "bearer_scope": "calls"}


@pytest.fixture
async def one(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Desk]:
    async with desk(tmp_path, OPTIONS) as found:
        yield found


def claims(one: Desk, **changed: Any) -> dict[str, Any]:
    """Those of a right access token but for what the test changes; None leaves a claim out."""
    right = {
        "iss": one.fake.url,
        "aud": "https://calls.example",
        "iat": int(NOW) - 3600,
        "exp": int(NOW) + 120,
        "jti": "token-1",
        "client_id": "robot",
        "sub": "sub-robot",
        "scope": "openid calls",
        "preferred_username": "robot",
        "groups": ["noc-acme"],
    }
    return {name: value for name, value in {**right, **changed}.items() if value is not None}


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT"])
async def test_who_comes_in(one: Desk, typ: str) -> None:
    """Whoever has a token for this audience and with this scope, with the rights of his groups and no session."""
    outcome = await one.plugin.bear(signed(claims(one), KEY, typ=typ))
    assert isinstance(outcome, Granted)
    assert (outcome.identity.user, outcome.identity.tenant, outcome.identity.remote) == ("robot", "acme", None)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "authgw"},
        {"aud": ["https://other.example"]},
        {"aud": None},
        {"exp": int(NOW) - 60},
        {"exp": None},
        {"exp": 1e300},
        {"iat": int(NOW) + 61},
        {"nbf": int(NOW) + 61},
        {"sub": None},
        {"scope": "openid"},
        {"scope": None},
        {"scope": ["calls"]},
        {"scope": "uncalls"},
        {"groups": []},
        {"preferred_username": None},
    ],
    ids=str,
)
async def test_who_does_not(one: Desk, changed: dict[str, Any]) -> None:
    """One claim that is not as it must be, and nobody is let in."""
    assert isinstance(await one.plugin.bear(signed(claims(one, **changed), KEY, typ="at+jwt")), Rejected)


async def test_other_tokens(one: Desk) -> None:
    """An ID token opens nothing here, nor what nobody signed; another issuer's token is another login's business."""
    for wrong in (
        one.fake.id_token(aud="https://calls.example", scope="calls"),
        signed(claims(one), KEY),
        signed(claims(one), KEY, typ="logout+jwt"),
        signed(claims(one), OTHER_KEY, kid="one", typ="at+jwt"),
        unsigned(claims(one), typ="at+jwt"),
    ):
        assert isinstance(await one.plugin.bear(wrong), Rejected)
    for foreign in (signed(claims(one, iss="https://other.example"), OTHER_KEY, typ="at+jwt"), "opaque", "a.b"):
        assert isinstance(await one.plugin.bear(foreign), NotMine)
    assert isinstance(await one.plugin.bear("a.b.c"), Rejected)


async def test_a_provider_that_is_down(one: Desk) -> None:
    """Nobody can tell whether a token is genuine: a failure, and no verdict on the token."""
    one.fake.replies["/jwks"] = reply(status="500 Internal Server Error")
    assert isinstance(await one.plugin.bear(signed(claims(one), KEY, typ="at+jwt")), Failed)


async def test_tried_for_real(one: Desk) -> None:
    """`check --connect` asks the provider who it is and for its keys, and says what is wrong with either."""
    (probe,) = one.plugin.probes()
    assert one.fake.url in probe.what
    assert await probe.run() == "is what it calls itself, and signs with one of 2 keys"
    one.fake.clock.now += 3601
    one.fake.keys = []
    assert isinstance(await probe.run(), Failed)
    one.fake.clock.now += 3601
    one.fake.says = {"issuer": "https://other.example"}
    wrong = await probe.run()
    assert isinstance(wrong, Failed)
    assert "the provider calls itself 'https://other.example'" in wrong.reason


async def test_explained_by_groups(one: Desk) -> None:
    """What groups would give can be told without anybody; of a person alone nothing can."""
    assert await one.plugin.explain("alice", None) is None
    known = await one.plugin.explain("alice", ["noc-acme"])
    assert known is not None
    assert isinstance(known.outcome, Granted)
