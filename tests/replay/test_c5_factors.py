"""The way between password and session: skipped, parked, repeated, taken for a session, or walked by the blocked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from kit.attacked import PASSWORD, Site
from kit.codes import code_at
from kit.gateway import Gateway, configure, gateway
from kit.person import Person

GIVEN = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OTHER = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
USERS: list[dict[str, Any]] = [
    {"username": "new", "password": PASSWORD, "id": 1, "is_admin": True, "req_2fa": True},
    {"username": "alice", "password": PASSWORD, "id": 2, "is_admin": True, "secret": GIVEN},
    {"username": "bob", "password": PASSWORD, "id": 3, "is_admin": True, "secret": OTHER},
]
STEPS = ("code", "recovery", "passkey", "enrol", "enrol-passkey", "codes", "codes.txt", "left")
UPSTREAM = {"pages": "all"}


@pytest.fixture(scope="module")
def guarded(running: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway of people with a second factor, whom no failure locks out."""
    folder = tmp_path_factory.mktemp("factors")
    limits = {"user_failures": 100, "address_failures": 1000, "max_bad_login_attempt": 100}
    with gateway(folder, running.wire.url, users=USERS, throttle=limits, upstream=UPSTREAM) as found:
        yield found


def opens(person: Person) -> bool:
    """Whether this browser gets anything that is somebody's."""
    told = [
        person.http.get(path, headers={"accept": "text/html"})
        for path in ("/admin.php", "/", "/authgw/me", "/authgw/account", "/php/model/sql.php?task=LISTING&module=CDR")
    ]
    return any(reply.status_code == 200 for reply in told)


@pytest.mark.parametrize("user", ["new", "alice"], ids=["CVE-2026-94218-enrolling", "CVE-2026-94218-proving"])
def test_a_half_login_opens_nothing(guarded: Gateway, user: str) -> None:
    """After the password alone: the GUI, the login again, the sign-out and back, another tab, and the attempt's token
    under every cookie's name lead nowhere but to the missing factor."""
    with Person(guarded.url) as person:
        stage = person.login(user, PASSWORD)
        assert not opens(person)
        for path in ("/authgw/login", "/authgw/logout", "/authgw/logged-out", "/authgw/login?next=/admin.php"):
            person.http.get(path)
            assert not opens(person)
        assert person.login(user, PASSWORD) == stage
        assert not opens(person)
        token = person.http.cookies["authgw-login"]
        with Person(guarded.url) as thief:
            for name in ("authgw", "authgw-attempt", "authgw-redirect", "PHPSESSID"):
                thief.http.cookies.set(name, token)
            assert not opens(thief)


@pytest.mark.parametrize("user", ["new", "alice"])
@pytest.mark.parametrize("step", STEPS)
def test_no_step_is_parked_or_empty(guarded: Gateway, user: str, step: str) -> None:
    """CVE-2026-49448, CVE-2026-18963: nothing, an empty form, another type, another method, a step out of order and one
    that does not exist complete no step."""
    with Person(guarded.url) as person:
        stage = person.login(user, PASSWORD)
        path = f"/authgw/login/{step}"
        told = [
            person.http.post(path),
            person.http.post(path, data={}),
            person.http.post(path, json={}),
            person.http.post(path, content=b"x=1", headers={"content-type": "text/plain"}),
            person.http.post(path, data={"code": "000000", "answer": "{}", "step": "done"}),
            *(person.http.request(method, path) for method in ("HEAD", "GET", "PUT", "PATCH", "DELETE", "OPTIONS")),
            person.http.get(path + "/../../../admin.php"),
            person.http.post("/authgw/login/done"),
            person.http.get("/authgw/login/restart"),
        ]
        assert all(reply.status_code != 500 for reply in told)
        assert not opens(person)
        assert person.http.get(stage).status_code == 200


def test_a_code_used_twice(guarded: Gateway) -> None:
    """CVE-2026-82470, CVE-2026-104105, CVE-2026-103655: the same code, and an older one after a newer."""
    now = time.time()
    bypass = {"module": "bypass_login", "user": "bob", "pass": PASSWORD}
    told = [
        httpx2.post(guarded.url + "/php/model/sql.php", data={**bypass, "otp": code_at(OTHER, at)}).status_code
        for at in (now + 30, now + 30, now, now - 30)
    ]
    assert told == [200, 401, 401, 401]


def test_calls_do_without_no_factor(guarded: Gateway) -> None:
    """CVE-2023-28862: user and password in the call, in the query, or as Basic open nothing for who has a factor."""
    call = {"task": "listCdrIds", "user": "alice", "password": PASSWORD, "params": "{}"}
    url = guarded.url + "/php/api.php"
    told = [
        httpx2.post(url, data=call),
        httpx2.get(url, params=call),
        httpx2.get(url, params={"task": "listCdrIds"}, auth=("alice", PASSWORD)),
        httpx2.post(url, data={**call, "otp": code_at(GIVEN, time.time())}),
    ]
    assert [reply.status_code for reply in told] == [401, 401, 401, 401]


def test_blocked_between_password_and_code(guarded: Gateway, running: Site) -> None:
    """CVE-2026-95754: who is blocked after the password and before the code does not come in."""
    with Person(guarded.url) as person:
        person.login("alice", PASSWORD)
        blocked = [{**user, "blocked": user["username"] == "alice"} for user in USERS]
        configure(guarded.folder, running.wire.url, port=guarded.port, users=blocked, upstream=UPSTREAM)
        reply = person.submit("/authgw/login/code", code=code_at(GIVEN, time.time()))
        assert "Your account is blocked." in reply.text
        assert not opens(person)
