"""The account pages against whoever shares their origin or sends people there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kit.owner import ACCOUNT, Owner
from kit.world import World, world

USERS: tuple[dict[str, Any], ...] = (
    {"username": "alice", "password": "correct horse", "id": 101, "can_cdr": True, "enable_sensors": [2]},
    {"username": "bob", "password": "battery staple", "id": 102, "can_cdr": True},
    {"username": "carol", "password": "no settings", "id": 103, "can_cdr": True, "hide_user_configuration": True},
)
FORMS = ("/confirm", "/factors/passkey", "/tokens/new", "/tokens/revoke", "/sessions/end", "/look")
FIELDS = {"name": "stolen", "kind": "full", "days": "9", "id": "others", "theme": "dark", "language": "cs"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("account"), users=USERS, throttle={"address_failures": 10_000}) as found:
        yield found


@pytest.fixture
def alice(site: World) -> Iterator[Owner]:
    with Owner(site.url, "alice", "correct horse") as person:
        assert person.sign_in().status_code == 303
        yield person


@pytest.mark.parametrize("path", ["", "/confirm", "/tokens/new"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_dest": "empty", "sec_fetch_mode": "cors"},
        {"sec_fetch_dest": "empty", "sec_fetch_mode": "same-origin"},
        {"sec_fetch_dest": "iframe"},
        {"sec_fetch_dest": "object"},
        {"sec_fetch_dest": "", "sec_fetch_mode": ""},
    ],
)
def test_no_script_reads_a_form(alice: Owner, path: str, headers: dict[str, str]) -> None:
    """What a script of the GUI can send, by fetch or frame, gets no account page and so no form's secret."""
    alice.confirm()
    reply = alice.get(ACCOUNT + path, **headers)
    assert reply.status_code == 403
    assert 'name="form"' not in reply.text


def test_no_service_worker(alice: Owner) -> None:
    """A script of the GUI's origin cannot come to stand between people and these pages: none is handed out as one."""
    for path in ("/js/gui.js", "/php/model/sql.php", "/sw.js"):
        reply = alice.get(path, sec_fetch_dest="serviceworker", sec_fetch_mode="same-origin", accept="*/*")
        assert reply.status_code == 403


def test_pages_cannot_be_framed_or_kept(alice: Owner) -> None:
    """The answer forbids frames, cuts itself off from whoever opened it, runs no script and is not kept."""
    headers = alice.get(ACCOUNT).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "https://evil.example"},
        {"sec_fetch_dest": "empty", "sec_fetch_mode": "cors"},
        {"sec_fetch_dest": "iframe"},
    ],
)
def test_no_form_from_elsewhere(alice: Owner, path: str, headers: dict[str, str]) -> None:
    """Even with the right secret, a form that another page, a frame or a script sends changes nothing."""
    alice.confirm()
    fields = FIELDS | {"form": alice.form(ACCOUNT), "password": "correct horse"}
    reply = alice.post(ACCOUNT + path, fields, **headers)
    assert reply.status_code in (400, 403)
    assert "set-cookie" not in reply.headers
    assert "stolen" not in alice.get(ACCOUNT).text


@pytest.mark.parametrize("path", FORMS)
def test_no_form_of_another(site: World, alice: Owner, path: str) -> None:
    """The secret of another session, of the login's form, an old one, or none: nothing is changed."""
    alice.confirm()
    with Owner(site.url, "bob", "battery staple") as bob, Owner(site.url, "alice", "correct horse") as elsewhere:
        bob.sign_in()
        elsewhere.sign_in()
        forms = [bob.form(ACCOUNT), elsewhere.form(ACCOUNT), alice.form("/authgw/login"), "", "1.x"]
    for form in forms:
        reply = alice.post(ACCOUNT + path, FIELDS | {"form": form, "password": "correct horse"})
        assert reply.status_code == 400
    assert "stolen" not in alice.get(ACCOUNT).text


def test_a_token_needs_the_password_again(site: World, alice: Owner) -> None:
    """Signed in is not enough: neither form nor making comes without the password, in this very session."""
    for reply in (
        alice.get(ACCOUNT + "/tokens/new"),
        alice.post(ACCOUNT + "/tokens/new", FIELDS | {"form": alice.form(ACCOUNT)}),
    ):
        assert (reply.status_code, reply.headers["location"].partition("?")[0]) == (303, ACCOUNT + "/confirm")
    with Owner(site.url, "alice", "correct horse") as elsewhere:
        elsewhere.sign_in()
        assert elsewhere.confirm().status_code == 303
        assert elsewhere.get(ACCOUNT + "/tokens/new").status_code == 200
    assert alice.get(ACCOUNT + "/tokens/new").status_code == 303
    assert "stolen" not in alice.get(ACCOUNT).text


@pytest.mark.parametrize("password", ["wrong", "", "battery staple"])
def test_another_password_proves_nothing(alice: Owner, password: str) -> None:
    """A wrong password, none, or somebody else's opens nothing."""
    reply = alice.confirm(password)
    assert reply.status_code in (400, 401)
    assert 'role="alert"' in reply.text
    assert alice.get(ACCOUNT + "/tokens/new").status_code == 303


def test_a_proof_goes_with_its_session(alice: Owner) -> None:
    """Who signs in anew has proved nothing yet in the new session."""
    alice.confirm()
    assert alice.get(ACCOUNT + "/tokens/new").status_code == 200
    alice.sign_in()
    assert alice.get(ACCOUNT + "/tokens/new").status_code == 303


@pytest.mark.parametrize("next", ["https://evil.example", "//evil.example", "/admin.php", ACCOUNT + "/confirm", ""])
def test_where_a_proof_leads(alice: Owner, next: str) -> None:
    """To a page of the account and to no other place."""
    assert alice.confirm(next=next).headers["location"] == ACCOUNT


def test_nobody_signed_in(site: World) -> None:
    """Without a session every account page leads to the login and back."""
    with Owner(site.url, "alice", "") as nobody:
        for path in ("", "/confirm", "/tokens/new"):
            reply = nobody.get(ACCOUNT + path)
            assert (reply.status_code, reply.headers["location"]) == (303, "/authgw/login?next=%2Fauthgw%2Faccount")


def test_no_settings_page(site: World) -> None:
    """hide_user_configuration closes every page and every form of the account."""
    with Owner(site.url, "carol", "no settings") as carol:
        carol.sign_in()
        for path in ("", "/confirm", "/tokens/new"):
            assert carol.get(ACCOUNT + path).status_code == 403
        for path in FORMS:
            assert carol.post(ACCOUNT + path, FIELDS).status_code == 403
        assert carol.get("/authgw/me").status_code == 200


def test_other_peoples_sessions_and_tokens(site: World, alice: Owner) -> None:
    """One ends one's own sessions and tokens alone, whatever id is given; and sees no others."""
    with Owner(site.url, "bob", "battery staple") as bob:
        bob.sign_in()
        bob.token("of bob")
        page = bob.get(ACCOUNT).text
        assert "of bob" in page
        assert "of bob" not in alice.get(ACCOUNT).text
        handle = bob.get("/authgw/me").json()
        assert handle["user"] == "bob"
        id = page.partition('class="code">')[2].partition("<")[0]
        form = alice.form(ACCOUNT)
        alice.post(ACCOUNT + "/tokens/revoke", {"form": form, "id": id})
        alice.post(ACCOUNT + "/sessions/end", {"form": form, "id": "others"})
        assert "of bob" in bob.get(ACCOUNT).text


def test_ending_other_sessions(site: World, alice: Owner) -> None:
    """Ended sessions are over at once, scripts' ones too; this one goes on."""
    with Owner(site.url, "alice", "correct horse") as second, Owner(site.url, "alice", "correct horse") as third:
        second.sign_in()
        sid = third.http.get(
            "/php/model/sql.php", params={"module": "bypass_login", "user": "alice", "pass": "correct horse"}
        ).json()["SID"]
        page = alice.get(ACCOUNT).text
        assert page.count('name="id" value="') >= 3
        assert "Firefox" in page
        assert page.count("this one") == 1
        alice.post(ACCOUNT + "/sessions/end", {"form": alice.form(ACCOUNT), "id": "others"})
        assert second.get(ACCOUNT).status_code == 303
        listing = {"task": "LISTING", "module": "sensors"}
        gone = third.http.get("/php/model/sql.php", params=listing, headers={"cookie": f"PHPSESSID={sid}"})
        assert gone.status_code == 401
    assert alice.get(ACCOUNT).status_code == 200


def test_language_and_theme(alice: Owner) -> None:
    """What is chosen holds on every page of the gateway, and wins over what the browser asks for."""
    form = alice.form(ACCOUNT)
    alice.post(ACCOUNT + "/look", {"form": form, "language": "cs", "theme": "dark"})
    for path in (ACCOUNT, "/authgw/login", "/authgw/logged-out", "/php/unknown.php"):
        page = alice.get(path, accept_language="en")
        assert '<html lang="cs" dir="ltr" data-theme="dark">' in page.text, path
    reply = alice.post(ACCOUNT + "/look", {"form": form, "language": "en;x", "theme": "<script>"})
    assert "set-cookie" not in reply.headers
    alice.post(ACCOUNT + "/look", {"form": form, "language": "en", "theme": "auto"})
    assert '<html lang="en" dir="ltr">' in alice.get(ACCOUNT, accept_language="cs").text
