""" "Keep me signed in" at a running gateway with a real Redis, and over a provider and back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from authgw.cli.main import main
from kit.owner import ACCOUNT, Owner, hidden
from kit.provider import sign_in
from kit.sso import Site
from kit.sso import site as sso_site
from kit.world import World, world

OLD, NEW = "correct horse", "battery staple 22"
REMEMBER = {"remember": "30d"}
MONTH = 30 * 86_400
USERS: tuple[dict[str, Any], ...] = (
    {"username": "alice", "password": OLD, "id": 101, "can_cdr": True},
    {"username": "gone", "password": OLD, "id": 102, "can_cdr": True, "password_expired": True},
    {"username": "late", "password": OLD, "id": 103, "can_cdr": True, "password_expired": True},
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("keep"), users=USERS, store="redis", sessions=REMEMBER) as found:
        yield found


def post_login(owner: Owner, **more: str) -> httpx2.Response:
    form = owner.form("/authgw/login")
    return owner.post("/authgw/login", {"form": form, "user": owner.user, "password": OLD, **more})


def max_age(client: httpx2.Client) -> int | None:
    """Seconds for which the browser keeps the session's cookie; None: until it is closed."""
    (kept,) = [one for one in client.cookies.jar if one.name == "authgw"]
    return None if kept.expires is None else round(kept.expires - time.time())


def test_lists_tell_of_it(site: World) -> None:
    """The account page and `authgw sessions list` mark the session that is kept, and no other."""
    with Owner(site.url, "alice", OLD) as kept, Owner(site.url, "alice", OLD) as usual:
        post_login(kept, keep="1")
        post_login(usual)
        assert max_age(kept.http) in range(MONTH - 60, MONTH + 1)
        assert max_age(usual.http) is None
        text = usual.get(ACCOUNT).text
        assert re.findall("this one|kept signed in", text) == ["this one", "kept signed in"]
        config = str(site.gateway.folder / "authgw.toml")
        listed = CliRunner().invoke(main, ["sessions", "list", "--config", config, "--user", "alice"])
        assert [row.split()[-1] for row in listed.stdout.splitlines()] == ["KEPT", "yes", "-"]
        assert CliRunner().invoke(main, ["sessions", "end", "--config", config, "--user", "alice"]).exit_code == 0
        assert kept.get("/authgw/me").status_code == 401


def test_over_a_new_password_on_the_account_page(site: World) -> None:
    """The session that begins anew under the new password is kept as the one before was."""
    with Owner(site.url, "alice", OLD) as alice:
        post_login(alice, keep="1")
        path = ACCOUNT + "/password"
        alice.post(path, {"form": alice.form(path), "password": OLD, "new": NEW, "again": NEW})
        assert alice.get("/authgw/me").json()["session"]["kept"] is True
        assert max_age(alice.http) in range(MONTH - 60, MONTH + 1)


@pytest.mark.parametrize(("user", "first", "later", "kept"), [("gone", "1", "", True), ("late", "", "1", False)])
def test_over_an_expired_password(site: World, user: str, first: str, later: str, kept: bool) -> None:
    """What was ticked at the first step holds at the end, over a mistake on the way; no later field adds it."""
    with Owner(site.url, user, OLD) as owner:
        page = post_login(owner, **({"keep": first} if first else {}))
        assert 'name="keep"' not in page.text
        for again in ("another", NEW):
            sent = {"form": hidden(page.text), "user": user, "password": OLD, "new": NEW, "again": again}
            page = owner.post("/authgw/login/password", sent | ({"keep": later} if later else {}))
        assert page.status_code == 303
        assert owner.get("/authgw/me").json()["session"]["kept"] is kept


@pytest.fixture(scope="module")
def sso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    options = {"sso": {"title": "Example SSO"}}
    with sso_site(tmp_path_factory.mktemp("keep-sso"), options, sessions=REMEMBER) as found:
        yield found


def test_over_a_provider(sso: Site) -> None:
    """The login page leads to the provider in two ways; by the one that says so the session is kept."""
    for words, kept in (("Sign in with Example SSO<", False), ("Sign in with Example SSO and stay signed in", True)):
        with sso.browser() as browser:
            page = browser.get("/authgw/login", params={"next": "/admin.php?a=1"}).text
            (address,) = re.findall(rf'href="([^"]+)"[^>]*>{words}', page)
            landed = sign_in(browser, browser.get(unescape(address), follow_redirects=True), "sub-alice")
            assert str(landed.url) == f"{sso.url}/admin.php?a=1"
            assert browser.get("/authgw/me").json()["session"]["kept"] is kept


def test_no_link_from_elsewhere(sso: Site) -> None:
    """A link that another browser was given, or that somebody made up, signs in as usual and keeps nobody."""
    with sso.browser() as other:
        (theirs,) = re.findall(r"keep=([^&\"]+)", other.get("/authgw/login").text)
    for keep in ("1", theirs):
        with sso.browser() as browser:
            browser.get("/authgw/login")
            page = browser.get("/authgw/oidc/sso/login", params={"keep": keep}, follow_redirects=True)
            sign_in(browser, page, "sub-alice")
            assert browser.get("/authgw/me").json()["session"]["kept"] is False


def test_not_offered_unless_configured(tmp_path: Path) -> None:
    """Without the setting neither the tick nor the link is there, and a field that says so changes nothing."""
    with world(tmp_path, users=USERS) as plain, Owner(plain.url, "alice", OLD) as alice:
        assert "keep" not in alice.get("/authgw/login").text
        post_login(alice, keep="1")
        assert max_age(alice.http) is None
        assert alice.get("/authgw/me").json()["session"]["kept"] is False
