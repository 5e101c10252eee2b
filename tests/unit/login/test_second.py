"""Second factors behind the front: who needs one, which proofs hold, and what counts."""

from __future__ import annotations

from typing import Any

import pytest

from authgw.contract import Failed, Granted, NotMine, Rejected
from authgw.login.factors import RECOVERY, TOTP, Code, RecoveryCode, who_of
from authgw.login.outcome import LoggedIn, Pending, Turned
from authgw.login.second import Proved
from authgw.login.throttle import Limits
from authgw.reasons import Reason
from authgw.session.model import Kind, Session
from kit.codes import code_at
from kit.logins import Desk, granted
from kit.sessions import claims

pytestmark = pytest.mark.anyio
GIVEN = "JBSWY3DPEHPK3PXP"
OTHER = "KRSXG5CTMVRXEZLU"
HERE = "192.0.2.7"


def code(desk: Desk, secret: str = GIVEN, steps: int = 0) -> str:
    """What an app shows at the desk's time, so many steps later."""
    return code_at(secret, desk.clock.now + 30 * steps)


async def pending(desk: Desk) -> Pending:
    found = await desk.login()
    assert isinstance(found, Pending)
    return found


async def prove(desk: Desk, typed: str) -> Proved | Turned:
    return await desk.second.prove(await pending(desk), Code(typed), HERE, origin="page")


async def enrolled(desk: Desk, user: str = "alice", id: int = 101) -> tuple[str, tuple[str, ...]]:
    """A user of the desk with an authenticator: its secret and the recovery codes. A step later nothing is used."""
    who = who_of(claims(user, id, "corp"))
    secret = desk.factors.draft(who).secret
    codes = await desk.factors.confirm(who, secret, code(desk, secret))
    assert isinstance(codes, tuple)
    desk.clock.now += 30
    return secret, codes


@pytest.mark.parametrize(
    ("dictionary", "reason"),
    [
        ({"req_2fa": True}, Reason.ENROLMENT_NEEDED),
        ({"req_2fa": "1", "secret": GIVEN}, Reason.SECOND_FACTOR_NEEDED),
        ({"secret": GIVEN}, Reason.SECOND_FACTOR_NEEDED),
    ],
)
async def test_who_needs_a_factor(dictionary: dict[str, Any], reason: Reason) -> None:
    """Asked for by the dictionary: nobody is logged in by the password alone, and that counts as no failure."""
    desk = Desk(granted(**dictionary))
    found = await pending(desk)
    assert found.reason is reason
    assert await desk.throttle.failures("alice") == 0
    assert (desk.events[-1]["outcome"], desk.events[-1]["reason"]) == ("pending", reason.value)
    assert GIVEN not in repr(found)


async def test_whoever_has_enrolled_is_asked() -> None:
    """A factor that a user has set up himself is asked for, although his dictionary does not want one."""
    desk = Desk(granted())
    assert isinstance(await desk.login(), LoggedIn)
    await enrolled(desk)
    assert (await pending(desk)).enrolled


async def test_factors_belong_to_an_id_in_a_login() -> None:
    """The same name with another id, or in another login instance, has none of them."""
    desk = Desk(granted(id=102))
    await enrolled(desk, id=101)
    assert isinstance(await desk.login(), LoggedIn)
    assert await desk.factors.listed(who_of(claims("alice", 101, "other"))) == ()


async def test_a_code_is_good_once() -> None:
    """The right code passes; the same again, and an older one after it, are refused as used."""
    desk = Desk(granted(secret=GIVEN))
    assert await prove(desk, code(desk)) == Proved(TOTP, 0)
    for steps in (0, -1):
        again = await prove(desk, code(desk, steps=steps))
        assert isinstance(again, Turned)
        assert again.reason is Reason.SECOND_FACTOR_USED
    assert await prove(desk, code(desk, steps=1)) == Proved(TOTP, 0)


async def test_a_code_of_the_enrolment_is_used_too() -> None:
    """The code that confirmed the enrolment does not log in."""
    desk = Desk(granted())
    secret, _ = await enrolled(desk)
    found = await prove(desk, code(desk, secret, steps=-1))
    assert isinstance(found, Turned)
    assert found.reason is Reason.SECOND_FACTOR_USED


@pytest.mark.parametrize(
    ("typed", "reason"),
    [("000000", Reason.SECOND_FACTOR_WRONG), ("", Reason.SECOND_FACTOR_WRONG), (4, Reason.SECOND_FACTOR_CLOCK)],
)
async def test_wrong_codes_count(typed: Any, reason: Reason) -> None:
    """A wrong code is a failed login, also where only the clock was wrong; the product's words begin the answer."""
    desk = Desk(granted(secret=GIVEN))
    found = await prove(desk, code(desk, steps=typed) if isinstance(typed, int) else typed)
    assert isinstance(found, Turned)
    assert found.reason is reason
    assert found.text.startswith("2FA PIN code verification failed. ")
    assert await desk.throttle.failures("alice") == 1
    event, said = desk.notes[-1]
    assert (event, said["outcome"], said["reason"]) == ("factor", "refused", reason.value)


async def test_one_count_for_passwords_and_codes() -> None:
    """Wrong passwords and wrong codes share the lock-out: after the last of them the right code is refused, too."""
    desk = Desk(
        lambda asked: granted(secret=GIVEN) if asked.password == "right" else Rejected(),
        limits=Limits(user_failures=100, max_attempts=4),
    )
    found = await pending(desk)
    for wrong in ("a", "b"):
        await desk.login(password=wrong)
    for _ in range(2):
        await desk.second.prove(found, Code("000000"), HERE, origin="page")
    late = await desk.second.prove(found, Code(code(desk)), HERE, origin="page")
    assert isinstance(late, Turned)
    assert late.reason is Reason.LOCKED_OUT


async def test_the_users_own_limit_holds_for_codes() -> None:
    """max_bad_login_attempt of the dictionary locks out after so many wrong codes."""
    desk = Desk(granted(secret=GIVEN, max_bad_login_attempt=2))
    for _ in range(2):
        await prove(desk, "000000")
    late = await desk.login()
    assert isinstance(late, Turned)
    assert late.reason is Reason.LOCKED_OUT


async def test_recovery_codes() -> None:
    """Ten codes; each works once, however it is typed, and it is said how many are left. A wrong one counts."""
    desk = Desk(granted())
    _, codes = await enrolled(desk)
    assert len(set(codes)) == 10
    found = await pending(desk)
    for typed, answer in (
        (codes[0].upper().replace("-", " "), Proved(RECOVERY, 9)),
        (codes[0], Reason.RECOVERY_WRONG),
        (codes[1], Proved(RECOVERY, 8)),
        ("00000-00000", Reason.RECOVERY_WRONG),
    ):
        said = await desk.second.prove(found, RecoveryCode(typed), HERE, origin="page")
        assert (said.reason if isinstance(said, Turned) else said) == answer
    assert await desk.throttle.failures("alice") == 2


async def test_new_recovery_codes_void_the_old_ones() -> None:
    """After new ones were made none of the old ones works; with the last factor they go altogether."""
    desk = Desk(granted())
    _, old = await enrolled(desk)
    who = who_of(claims("alice", 101, "corp"))
    new = await desk.factors.new_codes(who)
    assert set(new).isdisjoint(old)
    assert await desk.factors.verify(who, RecoveryCode(old[0])) is Reason.RECOVERY_WRONG
    assert await desk.factors.verify(who, RecoveryCode(new[0])) == Proved(RECOVERY, 9)
    [factor] = await desk.factors.listed(who)
    assert await desk.factors.remove(who, factor.id)
    assert not await desk.factors.remove(who, factor.id)
    assert await desk.factors.codes_left(who) == 0
    assert await desk.factors.verify(who, RecoveryCode(new[1])) is Reason.RECOVERY_WRONG


async def test_a_new_authenticator_takes_the_place_of_the_old_one() -> None:
    """Moving to a new phone: the old secret is no good any more, the recovery codes stay."""
    desk = Desk(granted())
    old, codes = await enrolled(desk)
    new, none = await enrolled(desk)
    assert (len(codes), none) == (10, ())
    assert isinstance(await prove(desk, code(desk, old)), Turned)
    assert await prove(desk, code(desk, new)) == Proved(TOTP, 10)


async def test_an_enrolment_needs_its_code() -> None:
    """Without the right code nothing is enrolled, and a wrong clock is told."""
    desk = Desk(granted())
    who = who_of(claims("alice", 101, "corp"))
    secret = desk.factors.draft(who).secret
    assert await desk.factors.confirm(who, secret, "000000") is Reason.SECOND_FACTOR_WRONG
    assert await desk.factors.confirm(who, secret, code(desk, secret, 5)) is Reason.SECOND_FACTOR_CLOCK
    assert await desk.factors.listed(who) == ()


async def test_calls_with_a_password_need_a_token() -> None:
    """api.php with user and password is refused in words that name API tokens, with the code as well as without."""
    desk = Desk(granted(secret=GIVEN))
    for otp in (None, code(desk)):
        found = await desk.front.api("alice", "right", otp, HERE)
        assert isinstance(found, Turned)
        assert (found.reason, found.status) == (Reason.TOKEN_NEEDED, 401)
        assert "API token" in found.text
    assert await desk.throttle.failures("alice") == 0


async def test_what_was_remembered_ends_with_an_enrolment() -> None:
    """A password that was good for calls a moment ago is not, once its user has a second factor."""
    desk = Desk(granted())
    assert isinstance(await desk.api(), LoggedIn)
    await enrolled(desk)
    found = await desk.api()
    assert isinstance(found, Turned)
    assert found.reason is Reason.TOKEN_NEEDED


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        (NotMine(), None),
        (granted(), None),
        (granted(blocked=True), Reason.BLOCKED),
        (granted(secret=OTHER), Reason.ATTEMPT_OVER),
        (granted(id=102), Reason.RIGHTS_INVALID),
        (granted(can_cdr="maybe"), Reason.RIGHTS_INVALID),
        (Rejected("gone"), Reason.ATTEMPT_OVER),
        (Failed("no answer"), Reason.LOGIN_FAILED),
        (RuntimeError("broken"), Reason.LOGIN_FAILED),
        (None, Reason.LOGIN_FAILED),
    ],
)
async def test_the_user_is_asked_about_again(later: Any, reason: Reason | None) -> None:
    """Blocked, gone or somebody else between the password and the code (CVE-2026-95754): no login."""
    desk = Desk(granted(secret=GIVEN))
    found = await pending(desk)
    desk.plugin.later = later
    verdict = await desk.second.complete(found, ("pwd", "totp"), HERE, origin="page")
    assert (verdict.reason if isinstance(verdict, Turned) else None) is reason
    event, said = desk.notes[-1]
    assert (event, said["outcome"]) == ("login", "refused" if reason else "granted")


async def test_rights_are_those_of_now() -> None:
    """Rights that changed between the password and the code are the session's."""
    desk = Desk(granted(secret=GIVEN))
    found = await pending(desk)
    desk.plugin.later = granted(can_pcap=True)
    verdict = await desk.second.complete(found, ("pwd", "totp"), HERE, origin="page")
    assert isinstance(verdict, LoggedIn)
    assert verdict.claims.grants[0].flags == {"can_cdr", "can_pcap"}
    assert verdict.factors == ("pwd", "totp")


async def test_ended_sessions_end_the_attempt() -> None:
    """When a user's sessions are ended between the password and the code, his attempt is over."""
    desk = Desk(granted(secret=GIVEN))
    found = await pending(desk)
    desk.epochs["alice"] = 1
    verdict = await desk.second.complete(found, ("pwd", "totp"), HERE, origin="page")
    assert isinstance(verdict, Turned)
    assert verdict.reason is Reason.ATTEMPT_OVER


async def test_two_secrets_are_a_mistake() -> None:
    """Dictionaries that supply two different secrets refuse the login: none of them is guessed to be the right one."""
    one, other = granted(secret=GIVEN), granted(secret="GEZDGNBVGY3TQOJQ")
    desk = Desk(Granted(one.identity, (*one.rights, *other.rights)))
    found = await desk.login()
    assert isinstance(found, Turned)
    assert found.reason is Reason.RIGHTS_INVALID


async def test_arrived_without_a_password() -> None:
    """Somebody whom a provider has identified passes the same gates, is asked for his factor, and leaves an event."""
    for answer, kind in ((granted(), LoggedIn), (granted(secret=GIVEN), Pending), (granted(blocked=True), Turned)):
        desk = Desk(NotMine())
        found = await desk.front.arrived(answer, "corp", HERE, origin="redirect")
        assert type(found) is kind
        assert (desk.events[-1]["origin"], desk.events[-1]["login"]) == ("redirect", "corp")
    assert desk.plugin.asked == []


async def test_a_locked_out_name_does_not_arrive() -> None:
    """The lock-out holds for those who come without a password, too."""
    desk = Desk(Rejected(), limits=Limits(user_failures=100, max_attempts=1))
    await desk.login()
    found = await desk.front.arrived(granted(), "corp", HERE, origin="redirect")
    assert isinstance(found, Turned)
    assert found.reason is Reason.LOCKED_OUT


@pytest.mark.parametrize("given", [True, False])
async def test_stepping_up(given: bool) -> None:
    """Somebody signed in proves a factor again: the one his login supplies, or his own; wrong ones count."""
    desk = Desk(granted())
    secret = GIVEN if given else (await enrolled(desk))[0]
    desk.plugin.later = granted(secret=GIVEN) if given else granted()
    who = Session("h", Kind.BROWSER, claims("alice", 101, "corp"), 0.0, 0.0, HERE, "", ("pwd", "totp"))
    wrong = await desk.second.step_up(who, Code("000000"), HERE)
    assert isinstance(wrong, Turned)
    assert await desk.throttle.failures("alice") == 1
    assert isinstance(await desk.second.step_up(who, Code(code(desk, secret)), HERE), Proved)
