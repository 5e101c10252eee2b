"""The front: throttle, chain, gates and rights together, and what is left behind of each login."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from authgw.contract import Failed, Granted, Identity, NotMine, Rejected, Right
from authgw.errors import StoreError
from authgw.login.chain import Instance
from authgw.login.front import LoggedIn, Turned
from authgw.login.throttle import Limits
from authgw.reasons import Reason
from kit.logins import Desk, Scripted, by_password, granted

pytestmark = pytest.mark.anyio


async def test_a_right_password_gives_claims() -> None:
    """Claims name the login instance, the canonical user and his id, and one factor."""
    desk = Desk(by_password(alice="right"))
    found = await desk.login("  Ａlice".replace("Ａ", "a"))
    assert isinstance(found, LoggedIn)
    assert (found.claims.login, found.claims.user, found.claims.id, found.factors) == ("corp", "alice", 101, ("pwd",))
    assert found.claims.grants[0].flags == {"can_cdr"}


@pytest.mark.parametrize(
    ("user", "password", "reason", "status", "text"),
    [
        ("", "x", Reason.EMPTY_CREDENTIALS, 400, "user must be set"),
        ("   ", "x", Reason.EMPTY_CREDENTIALS, 400, "user must be set"),
        ("alice", "", Reason.EMPTY_CREDENTIALS, 400, "password must be set"),
        ("al\x07ice", "x", Reason.USER_MALFORMED, 400, "Invalid username or password."),
        ("x" * 300, "x", Reason.USER_MALFORMED, 400, "Invalid username or password."),
        ("alice", "x" * 1025, Reason.BAD_CREDENTIALS, 401, "Invalid username or password."),
    ],
)
async def test_no_plugin_is_asked(user: str, password: str, reason: Reason, status: int, text: str) -> None:
    """Empty and malformed credentials are answered, in the product's words, without asking any plugin."""
    desk = Desk(granted())
    found = await desk.login(user, password)
    assert (found.reason, found.status, found.text) == (reason, status, text)
    assert not desk.plugin.asked
    assert await desk.throttle.failures("alice") == 0


async def test_known_and_unknown_look_alike() -> None:
    """Over a whole series of wrong passwords, someone known gets exactly the answers of someone unknown."""
    answers: dict[str, list[Turned]] = {}
    for user in ("alice", "nobody"):
        desk = Desk(lambda asked: Rejected() if asked.user == "alice" else NotMine())
        answers[user] = []
        for n in range(14):
            answers[user].append(await desk.login(user, f"wrong{n}"))
            desk.clock.now += 3
    assert answers["alice"] == answers["nobody"]
    # One try every 3 s; after the 7th failure it takes 4 s, after the 8th 8 s, after the 9th 16 s.
    assert [each.status for each in answers["alice"]] == [401] * 7 + [429, 401, 429, 429, 401, 429, 429]
    assert all(each.retry_after > 0 for each in answers["alice"] if each.status == 429)


@pytest.mark.parametrize(
    ("dictionary", "reason", "text"),
    [
        ({"blocked": True, "blocked_reason": "unpaid"}, Reason.BLOCKED, "Your account is blocked. unpaid"),
        ({"blocked": "1"}, Reason.BLOCKED, "Your account is blocked."),
        ({"group_blocked": 1}, Reason.BLOCKED, "Your account is blocked."),
        ({"password_expired": True}, Reason.PASSWORD_EXPIRED, "Your password has expired. Ask your administrator."),
        (
            {"enable_login_ip": ["198.51.100.0/24"]},
            Reason.ADDRESS_NOT_ALLOWED,
            "Your remote address not allowed in your account.",
        ),
        ({"ip": ["10.0.0.0/99"]}, Reason.RIGHTS_INVALID, None),
        ({"can_pcap": "maybe"}, Reason.RIGHTS_INVALID, None),
    ],
)
async def test_gates_after_the_right_password(dictionary: dict[str, Any], reason: Reason, text: str | None) -> None:
    """A gate or rights that cannot be used keep out even with the right password; that is no failed guess."""
    desk = Desk(granted(**dictionary))
    found = await desk.login()
    assert isinstance(found, Turned)
    assert (found.reason, found.status) == (reason, 401)
    assert text is None or found.text == text
    assert await desk.throttle.failures("alice") == 0
    assert desk.events[-1]["reason"] == reason.value


async def test_the_wrong_password_learns_nothing() -> None:
    """With a wrong password a blocked account is refused as every other one."""
    desk = Desk(
        lambda asked: granted(blocked=True, blocked_reason="unpaid") if asked.password == "right" else Rejected()
    )
    found = await desk.login(password="wrong")
    assert (found.reason, found.text) == (Reason.BAD_CREDENTIALS, "Invalid username or password.")


@pytest.mark.parametrize(
    "answer",
    [
        Granted(Identity("alice", 101), ()),
        Granted(Identity("alice", 102), granted().rights),
        Granted(Identity("alice", 0), (Right({"can_cdr": True}),)),
        Granted(Identity("\x00", 101), granted().rights),
        Granted(Identity("alice", 101), (granted().rights[0], Right({"id": 7, "can_cdr": True}))),
    ],
)
async def test_an_identity_that_does_not_hold(answer: Granted) -> None:
    """No rights, no id, two ids or no name: a plugin's mistake is no login, and never an invented id."""
    desk = Desk(answer)
    found = await desk.login()
    assert (found.reason, found.status) == (Reason.RIGHTS_INVALID, 401)


async def test_the_rights_are_told_to_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    """The log names key and plugin of a dictionary that cannot be used; the person is sent to the administrator."""
    desk = Desk(granted(ip=["10.0.0.0/99"]))
    found = await desk.login()
    assert "ip" in caplog.text
    assert "corp" in caplog.text
    assert "10.0.0.0" not in found.text
    assert "administrator" in found.text


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Failed("down"), Reason.LOGIN_FAILED),
        (Failed("full", busy=True), Reason.LOGIN_BUSY),
        (OSError(), Reason.LOGIN_FAILED),
    ],
)
async def test_an_outage_is_no_failed_guess(answer: Any, reason: Reason) -> None:
    """A backend that cannot be asked is 503 with a time to try again, and counts against nobody."""
    desk = Desk(answer)
    for _ in range(12):
        found = await desk.login()
        assert (found.reason, found.status) == (reason, 503)
        assert found.retry_after > 0
    assert await desk.throttle.failures("alice") == 0


async def test_guesses_count_while_another_backend_is_down() -> None:
    """While the directory is out, guesses at local users do not get unlimited tries behind the 503."""
    local = Instance("local", Scripted(Rejected()))
    desk = Desk(Failed("down"), more=(local,))
    desk.front._instances = (Instance("corp", desk.plugin, on_failure="next"), local)
    statuses = [(await desk.login(password=f"w{n}")).status for n in range(8)]
    assert statuses == [503] * 5 + [429] * 3


async def test_locked_out_even_with_the_right_password() -> None:
    """After ten failures the right password opens nothing until the window is over, and the chain is not asked."""
    desk = Desk(by_password(alice="right"))
    for n in range(10):
        await desk.login(password=f"wrong{n}")
        desk.clock.now += 20
    asked = len(desk.plugin.asked)
    found = await desk.login()
    assert (found.reason, found.status) == (Reason.LOCKED_OUT, 429)
    assert len(desk.plugin.asked) == asked == 10
    desk.clock.now += 901
    assert isinstance(await desk.login(), LoggedIn)


@pytest.mark.parametrize("known_on_failure", [True, False])
async def test_a_users_own_limit_locks(known_on_failure: bool) -> None:
    """max_bad_login_attempt = 2 locks after two failures, whether the plugin can tell beforehand or only at the end."""

    def answer(asked: Any) -> Any:
        if asked.password == "right":
            return granted(max_bad_login_attempt=2)
        return Rejected("wrong", max_attempts=2 if known_on_failure else None)

    desk = Desk(answer)
    for _ in range(2):
        assert (await desk.login(password="wrong")).status == 401
    assert (await desk.login()).reason is Reason.LOCKED_OUT


async def test_a_success_clears_nothing() -> None:
    """Whoever guesses between the logins of the owner gets no more tries for it."""
    desk = Desk(by_password(alice="right"), limits=Limits(user_failures=50))
    for n in range(9):
        await desk.login(password=f"wrong{n}")
        assert isinstance(await desk.login(), LoggedIn)
    assert (await desk.login(password="wrong")).status == 401
    assert (await desk.login()).reason is Reason.LOCKED_OUT


async def test_one_count_for_page_and_calls() -> None:
    """Failures on the page make api.php wait, and the other way round."""
    desk = Desk(by_password(alice="right"))
    for n in range(5):
        await (desk.login if n % 2 else desk.api)(password=f"wrong{n}")
    assert (await desk.api()).reason is Reason.THROTTLED
    assert (await desk.login()).reason is Reason.THROTTLED


async def test_right_and_wrong_at_the_same_time() -> None:
    """Of many logins of one name at once, exactly those with the right password succeed."""
    desk = Desk(by_password(alice="right", bob="other"))
    pairs = [("alice", "right"), ("alice", "other"), ("bob", "other"), ("bob", "right")] * 2
    found = await asyncio.gather(*(desk.api(user, password) for user, password in pairs))
    assert [isinstance(each, LoggedIn) for each in found] == [
        (u == "alice" and p == "right") or (u == "bob" and p == "other") for u, p in pairs
    ]
    assert [each.claims.user for each in found if isinstance(each, LoggedIn)] == ["alice", "bob"] * 2


async def test_calls_ask_the_plugin_once_a_minute() -> None:
    """Repeated calls with a right password cost one question a minute; a wrong one is always asked."""
    desk = Desk(by_password(alice="right"))
    for _ in range(20):
        assert isinstance(await desk.api(), LoggedIn)
    assert len(desk.plugin.asked) == 1
    await desk.api(password="wrong")
    await desk.api(password="wrong")
    assert len(desk.plugin.asked) == 3
    desk.clock.now += 61
    await desk.api()
    assert len(desk.plugin.asked) == 4
    await desk.login()
    assert len(desk.plugin.asked) == 5


async def test_what_ends_a_remembered_password() -> None:
    """An edited users file, an ended user and a lock-out are felt by the next call."""
    desk = Desk(by_password(alice="right"))
    await desk.api()
    desk.plugin.stamp = "2"
    await desk.api()
    assert len(desk.plugin.asked) == 2
    desk.epochs["alice"] = 1
    await desk.api()
    assert len(desk.plugin.asked) == 3
    for n in range(10):
        await desk.login(password=f"wrong{n}")
        desk.clock.now += 17 if n > 3 else 0
        await desk.api()
    assert (await desk.api()).reason is Reason.LOCKED_OUT


async def test_the_address_is_judged_at_every_call() -> None:
    """A password remembered from an allowed address opens nothing from another one."""
    desk = Desk(granted(enable_login_ip=["192.0.2.0/24"]))
    assert isinstance(await desk.api(address="192.0.2.7"), LoggedIn)
    assert (await desk.api(address="198.51.100.1")).reason is Reason.ADDRESS_NOT_ALLOWED
    assert isinstance(await desk.api(address="192.0.2.7"), LoggedIn)


async def test_no_store_no_login() -> None:
    """With the store gone, neither a new login nor a remembered password gets through."""

    async def gone(*_: object) -> int:
        raise StoreError("gone")

    desk = Desk(by_password(alice="right"))
    await desk.api()
    desk.throttle.locked = gone  # type: ignore[assignment, method-assign]
    assert (await desk.api()).reason is Reason.STORE_UNAVAILABLE
    found = await desk.login()
    assert (found.reason, found.status) == (Reason.STORE_UNAVAILABLE, 503)


async def test_one_event_for_each_login() -> None:
    """Each login leaves one event: who, by which plugin, outcome, reason, address, duration, origin; no password."""
    desk = Desk(by_password(alice="correct horse"))
    await desk.login(password="correct horse")
    await desk.login(password="battery staple")
    await desk.login("", "x")
    await desk.api("\x1b[31m\n" + "x" * 5000, "x")
    assert [(each["outcome"], each["reason"]) for each in desk.events] == [
        ("granted", ""),
        ("refused", "bad_credentials"),
        ("refused", "empty_credentials"),
        ("refused", "user_malformed"),
    ]
    first = desk.events[0]
    assert (first["user"], first["id"], first["login"], first["origin"]) == ("alice", 101, "corp", "page")
    assert first["address"] == "192.0.2.7"
    assert first["ms"] >= 0
    told = json.dumps(desk.events)
    assert "horse" not in told
    assert "staple" not in told
    assert all(len(each["user"]) <= 256 and each["user"].isprintable() for each in desk.events)


async def test_a_failing_plugin_is_told_as_failed() -> None:
    """What failed stands in the event as failed, also where another plugin then rejected."""
    desk = Desk(Failed("down"))
    desk.front._instances = (
        Instance("corp", desk.plugin, on_failure="next"),
        Instance("local", Scripted(Rejected("wrong"))),
    )
    await desk.login()
    assert desk.events[-1]["tried"] == ["corp: failed", "local: rejected"]
    assert desk.events[-1]["reason"] == "login_failed"


async def test_several_grants_stay_apart() -> None:
    """Two dictionaries are two grants, each with its label; nothing of them is merged."""
    rights = (
        Right({"id": 101, "can_cdr": 1, "enable_sensors": [2]}, "acme"),
        Right({"id": 101, "can_pcap": 1}, "globex"),
    )
    desk = Desk(Granted(Identity("alice", 101, tenant="acme"), rights))
    found = await desk.login()
    assert [(grant.label, set(grant.flags)) for grant in found.claims.grants] == [
        ("acme", {"can_cdr"}),
        ("globex", {"can_pcap"}),
    ]
