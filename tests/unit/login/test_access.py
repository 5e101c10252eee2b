"""Access tokens of providers: whom they let in, and what the trail has of it."""

from __future__ import annotations

from typing import Any

import pytest

from authgw.contract import Failed, Granted, NotMine, Outcome, Rejected
from authgw.doors import Visitor
from authgw.login.access import AccessTokens
from authgw.login.chain import Instance
from authgw.login.factors import who_of
from authgw.login.outcome import Turned
from authgw.reasons import Reason
from kit.codes import code_at
from kit.logins import Desk, Scripted, granted

pytestmark = pytest.mark.anyio
TOKEN = "head.body.signature"


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


class Silent(Bearer):
    bearer = False


def door(*plugins: Bearer) -> tuple[AccessTokens, Desk, list[Any]]:
    desk = Desk(NotMine(), more=tuple(Instance(f"sso{at}", plugin) for at, plugin in enumerate(plugins)))
    refused: list[Any] = []
    audit = lambda event, fields: refused.append(fields["reason"])  # noqa: E731
    return AccessTokens(desk.front, audit=audit), desk, refused


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


@pytest.mark.parametrize(("text", "taken"), [(TOKEN, True), ("agw_abc", False), ("", False), ("a.b", False)])
async def test_which_texts_are_taken(text: str, taken: bool) -> None:
    """Three parts, and only where an operator has allowed it: everything else is as if it had not been sent."""
    assert door(Bearer(NotMine()))[0].takes(text) is taken
    assert door(Silent(NotMine()))[0].takes(text) is False
    assert door()[0].takes(text) is False
