"""Access tokens of providers: whom they let in, and what the trail has of it."""

from __future__ import annotations

from typing import Any

import pytest

from authgw.contract import Failed, Granted, NotMine, Outcome, Rejected
from authgw.doors import Visitor
from authgw.errors import StoreError
from authgw.login.access import AccessTokens
from authgw.login.chain import Instance
from authgw.login.factors import who_of
from authgw.login.outcome import Turned
from authgw.reasons import Reason
from kit.codes import code_at
from kit.logins import Desk, Scripted, granted

pytestmark = pytest.mark.anyio
TOKEN = "head.body.signature"
HERE = "192.0.2.7"


class Bearer(Scripted):
    """A provider's login whose verdict on tokens the test gives."""

    bearer = True

    def __init__(self, verdict: Any) -> None:
        super().__init__(NotMine())
        self.verdict = verdict
        self.tokens: list[str] = []

    async def bear(self, token: str) -> Outcome:
        self.tokens.append(token)
        if isinstance(self.verdict, Exception):
            raise self.verdict
        verdict: Outcome = self.verdict
        return verdict


class Judging(Bearer):
    """Takes the tokens that begin as it likes."""

    def __init__(self) -> None:
        super().__init__(NotMine())
        self.good = "good"

    async def bear(self, token: str) -> Outcome:
        self.tokens.append(token)
        return granted("robot", 7) if token.startswith(self.good) else Rejected("signature: is wrong")


class Silent(Bearer):
    bearer = False


def door(*plugins: Bearer) -> tuple[AccessTokens, Desk, list[Any]]:
    desk = Desk(NotMine(), more=tuple(Instance(f"sso{at}", plugin) for at, plugin in enumerate(plugins)))
    refused: list[Any] = []
    audit = lambda event, fields: refused.append(fields["reason"])  # noqa: E731
    return AccessTokens(desk.front, desk.throttle, audit=audit), desk, refused


async def test_who_brings_a_token() -> None:
    """Claims of the login whose token it is, with a line in the trail."""
    tokens, desk, _ = door(Bearer(NotMine()), Bearer(granted("robot", 7)))
    found = await tokens.enter(TOKEN, "192.0.2.7")
    assert isinstance(found, Visitor)
    assert (found.claims.login, found.claims.user, found.kind, found.only) == ("sso1", "robot", None, "/php/api.php")
    assert [event["origin"] for event in desk.events] == ["bearer"]


async def test_one_line_for_a_minute_of_calls() -> None:
    """Every call is judged by the plugin; the trail has one line a minute, and a new one when the rights are others."""
    plugin = Bearer(granted("robot", 7))
    tokens, desk, _ = door(plugin)
    for _ in range(5):
        await tokens.enter(TOKEN, "192.0.2.7")
    assert (len(plugin.tokens), len(desk.events)) == (5, 1)
    await tokens.enter(TOKEN, "192.0.2.8")
    assert len(desk.events) == 2
    plugin.verdict = granted("robot", 7, can_pcap=True)
    found = await tokens.enter(TOKEN, "192.0.2.7")
    assert isinstance(found, Visitor)
    assert "can_pcap" in found.claims.grants[0].flags
    desk.clock.now += 61
    await tokens.enter(TOKEN, "192.0.2.7")
    assert len(desk.events) == 4


@pytest.mark.parametrize("reason", [Reason.LOCKED_OUT, Reason.TOKEN_NEEDED, None])
async def test_what_was_let_in_may_end(reason: Reason | None) -> None:
    """A lock-out, a second factor of his own and ended sessions count at the very next call, not a minute later."""
    tokens, desk, _ = door(Bearer(granted("robot", 7)))
    found = await tokens.enter(TOKEN, "192.0.2.7")
    assert isinstance(found, Visitor)
    match reason:
        case Reason.LOCKED_OUT:
            for _ in range(10):
                await desk.throttle.failed("Robot", "192.0.2.9")
        case Reason.TOKEN_NEEDED:
            who, clock = who_of(found.claims), desk.clock
            secret = desk.factors.draft(who).secret
            await desk.factors.confirm(who, secret, code_at(secret, clock.now))
        case None:
            desk.epochs["robot"] = 1
    again = await tokens.enter(TOKEN, "192.0.2.7")
    assert (again.reason if isinstance(again, Turned) else None) is reason
    assert len(desk.events) == 2


@pytest.mark.parametrize(
    ("verdict", "reason", "status"),
    [
        (Rejected("exp: has expired"), Reason.NOT_ADMITTED, 401),
        (NotMine(), Reason.NOT_ADMITTED, 401),
        (Failed("down"), Reason.LOGIN_FAILED, 503),
        (RuntimeError("boom"), Reason.LOGIN_FAILED, 503),
        (granted("robot", 7, blocked=True), Reason.BLOCKED, 401),
        (granted("robot", 7, req_2fa=True), None, 401),
        (granted("robot", 0), Reason.RIGHTS_INVALID, 401),
    ],
    ids=str,
)
async def test_who_stays_out(verdict: Granted | Exception, reason: Reason | None, status: int) -> None:
    """A token that is refused, a login that cannot be asked, a gate that is shut: nobody, and remembered by nobody."""
    tokens, _, _ = door(Bearer(verdict))
    for _ in range(2):
        found = await tokens.enter(TOKEN, "192.0.2.7")
        assert isinstance(found, Turned)
        assert found.status == status
        assert reason in (None, found.reason)


async def test_guessed_tokens_make_the_address_wait() -> None:
    """Five that open nothing, then a second, two, four: nobody judges others meanwhile, good ones neither. What has
    opened something before goes on, elsewhere nobody waits, and the trail has each."""
    plugin = Judging()
    tokens, _, refused = door(plugin)
    assert isinstance(await tokens.enter("good.0.x", HERE), Visitor)
    for guess in range(5):
        assert isinstance(await tokens.enter(f"bad.{guess}.x", HERE), Turned)
    judged = len(plugin.tokens)
    for text in ("bad.5.x", "good.1.x"):
        found = await tokens.enter(text, HERE)
        assert isinstance(found, Turned)
        assert (found.reason, found.status, found.retry_after) == (Reason.THROTTLED, 429, 1)
    assert len(plugin.tokens) == judged
    assert isinstance(await tokens.enter("good.0.x", HERE), Visitor)
    assert isinstance(await tokens.enter("good.1.x", "198.51.100.1"), Visitor)
    assert refused == ["not_admitted"] * 5 + ["throttled"] * 2


async def test_a_token_that_has_expired_is_no_guess() -> None:
    """A script that goes on with a token which once was good keeps nobody waiting; nor does one that sends the same
    wrong one over and over."""
    plugin = Judging()
    tokens, _, _ = door(plugin)
    await tokens.enter("good.0.x", HERE)
    plugin.good = "better"
    for text in ("good.0.x", "bad.0.x") * 40:
        found = await tokens.enter(text, HERE)
        assert isinstance(found, Turned)
        assert found.reason is Reason.NOT_ADMITTED
    assert isinstance(await tokens.enter("better.0.x", HERE), Visitor)


async def test_a_good_token_asks_no_store_about_guesses() -> None:
    """With the count of failures out of reach, a token that was let in a moment ago costs no question to it; one that
    opens nothing is told so as by every other way in."""
    tokens, desk, _ = door(Judging())
    asked: list[str] = []

    async def gone(address: str, token: bytes) -> None:
        asked.append(address)
        raise StoreError("gone")

    desk.throttle.refused = gone  # type: ignore[method-assign]
    assert isinstance(await tokens.enter("good.0.x", HERE), Visitor)
    assert not asked
    found = await tokens.enter("bad.0.x", HERE)
    assert isinstance(found, Turned)
    assert (found.reason, asked) == (Reason.STORE_UNAVAILABLE, [HERE])


@pytest.mark.parametrize(("text", "taken"), [(TOKEN, True), ("agw_abc", False), ("", False), ("a.b", False)])
async def test_which_texts_are_taken(text: str, taken: bool) -> None:
    """Three parts, and only where an operator has allowed it: everything else is as if it had not been sent."""
    assert door(Bearer(NotMine()))[0].takes(text) is taken
    assert door(Silent(NotMine()))[0].takes(text) is False
    assert door()[0].takes(text) is False
