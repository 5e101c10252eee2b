"""Changing a password at a running gateway: on the account page, and when it has expired."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kit.codes import code_at
from kit.owner import ACCOUNT, Owner, hidden
from kit.world import World, world

GIVEN = "JBSWY3DPEHPK3PXP"
OLD, NEW = "correct horse", "battery staple 22"
PLAIN = ("alice", "bob", "carol", "dave", "erin", "frank")
USERS: tuple[dict[str, Any], ...] = (
    *({"username": name, "password": OLD, "id": 101 + at, "can_cdr": True} for at, name in enumerate(PLAIN)),
    {"username": "gone", "password": OLD, "id": 201, "can_cdr": True, "password_expired": True},
    {"username": "late", "password": OLD, "id": 202, "can_cdr": True, "password_expired": True},
    {"username": "guarded", "password": OLD, "id": 205, "can_cdr": True, "password_expired": True, "secret": GIVEN},
    {"username": "kept", "password": OLD, "id": 203, "can_cdr": True, "hide_change_password": True},
    {"username": "stuck", "password": OLD, "id": 204, "password_expired": True, "hide_change_password": True},
)
PASSWORD = ACCOUNT + "/password"
IDS = {"task": "listCdrIds", "params": '{"offset":0,"size":1}'}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("passwords"), users=USERS, throttle={"address_failures": 10_000}) as found:
        yield found


def person(site: World, user: str) -> Owner:
    found = Owner(site.url, user, OLD)
    assert found.sign_in().status_code == 303
    return found


def fields(form: str, old: str = OLD, new: str = NEW, again: str | None = None) -> dict[str, str]:
    return {"form": form, "password": old, "new": new, "again": new if again is None else again}


def events(site: World, event: str) -> list[dict[str, Any]]:
    lines = (site.gateway.folder / "audit.jsonl").read_text().splitlines()
    return [found for found in map(json.loads, lines) if found["event"] == event]


def test_a_new_password(site: World) -> None:
    """The new one signs in, the old one does not; other sessions are over, tokens go on, this browser stays in."""
    with person(site, "alice") as alice, person(site, "alice") as second:
        token = alice.token()
        before = alice.http.cookies["authgw"]
        reply = alice.post(PASSWORD, fields(alice.form(PASSWORD)))
        assert (reply.status_code, reply.headers["location"]) == (303, PASSWORD + "/changed")
        assert alice.http.cookies["authgw"] != before
        assert alice.get(PASSWORD + "/changed").status_code == 200
        assert second.get(ACCOUNT).status_code == 303
        assert alice.get(ACCOUNT + "/tokens/new").status_code == 303
        script = httpx2.post(site.url + "/php/api.php", data=IDS | {"token": token})
        assert script.status_code == 200
        assert second.sign_in().status_code == 401
        assert second.sign_in(NEW).status_code == 303
    (event,) = [one for one in events(site, "password_changed") if one["user"] == "alice"]
    assert OLD not in str(event)
    text = (site.gateway.folder / "users.toml").read_text()
    assert NEW not in text
    assert re.search(r"^password_changed_at = \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("user", "old", "new", "again", "status", "said"),
    [
        ("bob", "wrong", NEW, None, 401, "Invalid username or password."),
        ("bob", "", NEW, None, 400, "Enter your username"),
        ("bob", OLD, NEW, NEW + "!", 400, "The two new passwords differ"),
        ("bob", OLD, "tiny one", None, 400, "at least 12 characters"),
        ("bob", OLD, "", None, 400, "at least 12 characters"),
        ("bob", OLD, "x" * 1025, None, 400, "too long"),
        ("bob", OLD, OLD, None, 400, "is the same as the old one"),
        ("bob", OLD, "this is BOB again", None, 400, "contains your username"),
    ],
)
def test_what_will_not_do(
    site: World, user: str, old: str, new: str, again: str | None, status: int, said: str
) -> None:
    """Each mistake is told, nothing is changed, and no password comes back in the page."""
    with person(site, user) as found:
        reply = found.post(PASSWORD, fields(found.form(PASSWORD), old, new, again))
        assert reply.status_code == status
        assert said in reply.text
        assert not new or new not in reply.text
        assert found.sign_in().status_code == 303


def test_guesses_are_counted(site: World) -> None:
    """The old password cannot be tried out here: wrong ones count as at the login, and wait the same."""
    with person(site, "carol") as carol:
        form = carol.form(PASSWORD)
        statuses = [carol.post(PASSWORD, fields(form, f"guess {n}")).status_code for n in range(7)]
        assert statuses[:5] == [401] * 5
        assert statuses[-1] == 429
        assert carol.post(PASSWORD, fields(form)).status_code == 429


@pytest.mark.parametrize(
    "headers", [{"sec_fetch_site": "cross-site"}, {"sec_fetch_dest": "empty", "sec_fetch_mode": "cors"}, {}]
)
def test_no_form_from_elsewhere(site: World, headers: dict[str, str]) -> None:
    """A form that another site or a script sends, or without this session's secret, changes nothing."""
    with person(site, "dave") as dave, person(site, "erin") as erin:
        form = (dave if headers else erin).form(PASSWORD)
        assert dave.post(PASSWORD, fields(form), **headers).status_code in (400, 403)
        assert dave.sign_in().status_code == 303


def test_not_for_everybody(site: World) -> None:
    """hide_change_password closes the page and hides the way there."""
    with person(site, "kept") as kept:
        assert PASSWORD not in kept.get(ACCOUNT).text
        assert kept.get(PASSWORD).status_code == 403
        assert kept.post(PASSWORD, fields(kept.form(ACCOUNT))).status_code == 403
        assert kept.sign_in().status_code == 303


def test_an_expired_password(site: World) -> None:
    """After the right password its owner chooses a new one, and is in where he wanted to go."""
    with Owner(site.url, "gone", OLD) as gone:
        form = gone.form("/authgw/login")
        wanted = "/php/model/sql.php?task=LISTING&module=sensors"
        reply = gone.post("/authgw/login", {"form": form, "user": "gone", "password": OLD, "next": wanted})
        assert "Choose a new one" in reply.text
        assert "authgw" not in gone.http.cookies
        assert hidden(reply.text, "next") == wanted
        form = hidden(reply.text)
        more = {"user": "gone", "next": wanted}
        short = gone.post("/authgw/login/password", fields(form, new="short") | more)
        assert (short.status_code, "at least 12" in short.text) == (400, True)
        done = gone.post("/authgw/login/password", fields(form) | more)
        assert (done.status_code, done.headers["location"]) == (303, wanted)
        assert gone.http.cookies["authgw"]
        assert gone.sign_in().status_code == 401
        assert gone.sign_in(NEW).status_code == 303
    assert [one["user"] for one in events(site, "password_changed")].count("gone") == 1


def test_an_expired_password_is_no_way_round(site: World) -> None:
    """It judges the old password, is bound to the browser, and changes no password that still holds."""
    with Owner(site.url, "late", OLD) as late, Owner(site.url, "late", OLD) as other:
        form, foreign = late.form("/authgw/login"), other.form("/authgw/login")
        path = "/authgw/login/password"
        for given, headers in (
            (fields(form, "wrong"), {}),
            (fields(foreign), {}),
            (fields(""), {}),
            (fields(form), {"sec_fetch_site": "cross-site"}),
            (fields(form), {"origin": "https://evil.example"}),
        ):
            assert late.post(path, given | {"user": "late"}, **headers).status_code in (400, 401)
        assert "authgw" not in late.http.cookies
        entered = late.post(path, fields(form) | {"user": "frank"})
        assert entered.status_code == 303
        with Owner(site.url, "frank", OLD) as frank:
            assert frank.sign_in().status_code == 303
        assert "has expired" in late.post(path, fields(form) | {"user": "stuck"}).text
    assert not [one for one in events(site, "password_changed") if one["user"] in ("late", "frank", "stuck")]


def test_an_expired_password_and_a_second_factor(site: World) -> None:
    """An expired password alone takes nobody's account from him: without the second factor it stays as it is; with it
    the new one holds, and the login asks for the factor again (ASVS 6.4.3)."""
    with Owner(site.url, "guarded", OLD) as guarded:
        form = guarded.form("/authgw/login")
        shown = guarded.post("/authgw/login", {"form": form, "user": "guarded", "password": OLD}).text
        assert 'name="code"' in shown
        path, sent = "/authgw/login/password", fields(hidden(shown)) | {"user": "guarded"}
        for code in ({}, {"code": ""}, {"code": "000000"}, {"code": "aaaaa-aaaaa"}):
            reply = guarded.post(path, sent | code)
            assert (reply.status_code, 'name="code"' in reply.text) == (401, True)
        assert not [one for one in events(site, "password_changed") if one["user"] == "guarded"]
        done = guarded.post(path, sent | {"code": code_at(GIVEN, time.time())})
        assert (done.status_code, done.headers["location"]) == (303, "/authgw/login/code")
        assert "authgw" not in guarded.http.cookies
    assert [one["user"] for one in events(site, "password_changed")].count("guarded") == 1


def test_whose_administrator_changes_it(site: World) -> None:
    """Who may not change his password reads whom to ask."""
    with Owner(site.url, "stuck", OLD) as stuck:
        reply = stuck.sign_in()
        assert (reply.status_code, "Ask your administrator for a new one" in reply.text) == (401, True)


def test_passwords_that_grow_old(tmp_path: Path) -> None:
    """A password past its days has expired; once changed it is young again, which the file remembers."""
    old = {"username": "alice", "password": OLD, "id": 101, "can_cdr": True, "password_expiration_days": 30}
    with world(tmp_path, users=[old]) as site:
        file = site.gateway.folder / "users.toml"
        file.write_text(file.read_text() + "password_changed_at = 2020-02-29T12:00:00Z  # long ago\n")
        with Owner(site.url, "alice", OLD) as alice:
            form = hidden(alice.sign_in().text)
            assert alice.post("/authgw/login/password", fields(form) | {"user": "alice"}).status_code == 303
            assert alice.sign_in(NEW).status_code == 303
        text = file.read_text()
        assert "2020" not in text
        assert text.endswith("Z  # long ago\n")


def test_a_file_that_nobody_may_write(tmp_path: Path) -> None:
    """With change_password off nobody is shown the page, and passwords stay as they are."""
    user = {"username": "alice", "password": OLD, "id": 101, "can_cdr": True}
    with world(tmp_path, users=[user], login_static={"change_password": False}) as site:
        with person(site, "alice") as alice:
            assert PASSWORD not in alice.get(ACCOUNT).text
            assert "not kept here" in alice.get(PASSWORD).text
            alice.post(PASSWORD, fields(alice.form(ACCOUNT)))
            assert alice.sign_in().status_code == 303
        assert "password_changed_at" not in (site.gateway.folder / "users.toml").read_text()
