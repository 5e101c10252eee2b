"""bypass_login: the product's login for scripts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from authgw.errors import StoreError
from authgw.intake.request import Body, Request
from authgw.login.bypass import bypass_login
from authgw.session import store
from authgw.session.model import Kind
from kit.codes import code_at
from kit.logins import Desk, by_password, granted
from kit.sessions import Clock, Room

pytestmark = pytest.mark.anyio
GIVEN = "JBSWY3DPEHPK3PXP"
ENROL = "Your account needs a second factor and has none yet."


def request(**fields: Any) -> Request:
    return Request("POST", False, "/php/model/sql.php", fields, Body.NONE, {"user_agent": "curl/8"}, {}, "192.0.2.7")


async def ask(desk: Desk, room: Room, **fields: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    answer = await bypass_login(request(**fields), desk.front, room.sessions, "PHPSESSID-demo")
    assert answer.content_type == "application/json"
    return answer.status, json.loads(answer.body), dict(answer.headers)


@pytest.fixture
def room(tmp_path: Any) -> Room:
    return Room(store.connect("memory://"), tmp_path, Clock())


async def test_the_documented_answer(room: Room) -> None:
    """The answer has exactly the documented fields; its SID is a session for scripts, and no cookie is set."""
    desk = Desk(by_password(alice="right"))
    status, said, headers = await ask(desk, room, user="alice", **{"pass": "right"})
    sid = said.pop("SID")
    assert (status, headers) == (200, {})
    assert said == {"cookie_name": "PHPSESSID-demo", "success": True, "_vm_version": 240034, "_debug": False}
    session = await room.sessions.find(sid)
    assert session is not None
    assert (session.kind, session.claims.user, session.address) == (Kind.API, "alice", "192.0.2.7")


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({}, 400, "user must be set"),
        ({"pass": "x"}, 400, "user must be set"),
        ({"user": "alice"}, 400, "password must be set"),
        ({"user": "alice", "pass": ""}, 400, "password must be set"),
        ({"user": "al\x00ice", "pass": "x"}, 400, "Invalid username or password."),
        ({"user": ["alice"], "pass": "x"}, 400, "Invalid username or password."),
        ({"user": "alice", "pass": {"$ne": 1}}, 400, "Invalid username or password."),
        ({"user": "alice", "pass": "wrong"}, 401, "Invalid username or password."),
    ],
)
async def test_failures_in_the_products_words(room: Room, fields: dict[str, Any], status: int, error: str) -> None:
    """A failure is JSON with the product's text and a status that clients act on; no session comes of it."""
    desk = Desk(by_password(alice="right"))
    got, said, _ = await ask(desk, room, **fields)
    assert (got, said) == (status, {"success": False, "error": error})
    assert await room.sessions.listed() == []


async def test_when_to_retry(room: Room) -> None:
    """Too many failures are 429 with Retry-After, also for the right password."""
    desk = Desk(by_password(alice="right"))
    for n in range(5):
        await ask(desk, room, user="alice", **{"pass": f"wrong{n}"})
    status, said, headers = await ask(desk, room, user="alice", **{"pass": "right"})
    assert (status, said["success"], headers) == (429, False, {"retry-after": "1"})


@pytest.mark.parametrize("name", ["otp", "code2fa"])
async def test_the_second_factor_reaches_the_plugin(room: Room, name: str) -> None:
    """A code sent under either of its names is part of the credentials."""
    desk = Desk(granted())
    await ask(desk, room, user="alice", **{"pass": "right", name: "123456"})
    assert desk.plugin.asked[0].otp == "123456"


@pytest.mark.parametrize("name", ["otp", "code2fa"])
async def test_a_login_with_a_code(room: Room, name: str) -> None:
    """The code of the authenticator under either name opens a session with both factors; it is good once."""
    desk = Desk(granted(secret=GIVEN))
    fields = {"pass": "right", name: code_at(GIVEN, desk.clock.now)}
    status, said, _ = await ask(desk, room, user="alice", **fields)
    assert (status, said["success"]) == (200, True)
    session = await room.sessions.find(said["SID"])
    assert session is not None
    assert (session.kind, session.factors) == (Kind.API, ("pwd", "totp"))
    status, said, _ = await ask(desk, room, user="alice", **fields)
    assert (status, said["error"]) == (
        401,
        "2FA PIN code verification failed. This code was used already; wait for the next one.",
    )


@pytest.mark.parametrize(
    ("dictionary", "code", "error", "failures"),
    [
        ({"secret": GIVEN}, None, "A second factor is needed: send its code as otp or code2fa.", 0),
        ({"secret": GIVEN}, "", "A second factor is needed: send its code as otp or code2fa.", 0),
        ({"secret": GIVEN}, "000000", "2FA PIN code verification failed. Check the code and try again.", 1),
        ({"req_2fa": True}, None, f"{ENROL} Sign in in a browser first, to set it up.", 0),
        ({"req_2fa": True}, "000000", f"{ENROL} Sign in in a browser first, to set it up.", 0),
    ],
)
async def test_a_code_that_is_missing_or_wrong(
    room: Room, dictionary: dict[str, Any], code: str | None, error: str, failures: int
) -> None:
    """A wrong code is a failure in the product's words; one that is missing is none. No session comes of either."""
    desk = Desk(granted(**dictionary))
    fields = {"pass": "right"} if code is None else {"pass": "right", "code2fa": code}
    assert (await ask(desk, room, user="alice", **fields))[:2] == (401, {"success": False, "error": error})
    assert await desk.throttle.failures("alice") == failures
    assert await room.sessions.listed() == []


async def test_no_store_no_session(room: Room) -> None:
    """A session that cannot be stored is 503 in JSON, not an error page."""

    class Gone:
        async def start(self, *_: Any, **__: Any) -> Any:
            raise StoreError("gone")

    answer = await bypass_login(request(user="alice", **{"pass": "x"}), Desk(granted()).front, Gone(), "PHPSESSID")
    assert answer.status == 503
    assert json.loads(answer.body)["success"] is False
