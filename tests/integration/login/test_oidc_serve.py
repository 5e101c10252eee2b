"""`authgw serve` with real OpenID providers behind it: who comes in, with what, and how it ends."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from authgw.login.throttle import MAX_BEGUN
from kit.provider import sign_in
from kit.servers import free_port
from kit.sso import LOCAL, MAPPING, PEOPLE, Site, sensors, site
from kit.trail import lines
from kit.world import world


@pytest.fixture(scope="module")
def sso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    options = {"sso": {"title": "Example SSO"}, "other": {"title": "Other SSO", "user_claim": "name"}}
    with site(tmp_path_factory.mktemp("oidc"), options) as found:
        yield found


def me(browser: httpx2.Client) -> dict[str, object] | None:
    answer = browser.get("/authgw/me")
    return answer.json() if answer.status_code == 200 else None


@pytest.mark.parametrize(("user", "seen"), [("sub-alice", {"2"}), ("sub-bob", {"3"}), ("sub-both", {"2", "3"})])
def test_calls_per_group(sso: Site, user: str, seen: set[str]) -> None:
    """Everybody sees the calls of the tenants that his groups at the provider are mapped to, and of no other."""
    with sso.signed_in(user) as browser:
        assert sensors(browser) == seen


def test_two_providers(sso: Site) -> None:
    """One person at two providers is two users, each with the id of his own subject and issuer."""
    with sso.signed_in("sub-alice") as one, sso.signed_in("sub-alice", "other") as two:
        first, second = me(one), me(two)
    assert first is not None
    assert second is not None
    assert (first["user"], first["login"], second["user"], second["login"]) == ("alice", "sso", "Alice A.", "other")
    assert first["id"] != second["id"]


def test_every_login_is_bound(sso: Site) -> None:
    """Each request for a code carries state, nonce and an S256 challenge of its own; each exchange its verifier."""
    for _ in range(2):
        with sso.signed_in("sub-alice"):
            pass
    asked = sso.providers["sso"].seen("/auth")
    assert {one["code_challenge_method"] for one in asked} == {"S256"}
    for name in ("state", "nonce", "code_challenge"):
        assert len({one[name] for one in asked}) == len(asked)
    given = sso.providers["sso"].seen("/token")
    assert all(len(one["code_verifier"]) >= 43 for one in given if one["grant_type"] == "authorization_code")


def test_the_login_page_has_a_button_for_each(sso: Site) -> None:
    """Form and buttons stand side by side; a button leads to its provider and back to where the person was going."""
    with sso.browser() as browser:
        page = browser.get("/authgw/login", params={"next": "/admin.php?a=1"})
        assert 'type="password"' in page.text
        assert page.text.count("Sign in with") == 2
        (address,) = re.findall(r'href="([^"]+)"[^>]*>Sign in with Example SSO', page.text)
        landed = sign_in(browser, browser.get(unescape(address), follow_redirects=True), "sub-alice")
    assert str(landed.url) == f"{sso.url}/admin.php?a=1"


def test_no_group_is_no_login(sso: Site) -> None:
    """Somebody whom the provider knows and no mapping line names is told so, in words, and has no session."""
    with sso.browser() as browser:
        landed = sso.sign_in(browser, "sub-carol")
        assert landed.status_code == 401
        assert "Example SSO knows you, but your account is not allowed in here" in landed.text
        assert me(browser) is None


@pytest.mark.parametrize("accept", ["en", "cs"])
def test_the_providers_errors_in_words(sso: Site, accept: str) -> None:
    """Whoever cancels over there reads that he did, in his language, and nothing that the address held."""
    with sso.browser() as browser:
        browser.headers["accept-language"] = accept
        started = browser.get("/authgw/oidc/sso/login")
        state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
        fields = {"state": state, "error": "access_denied", "error_description": "<svg onload=alert(1)>"}
        answer = browser.get("/authgw/oidc/sso/callback", params={**fields, "iss": sso.providers["sso"].url})
    assert answer.status_code == 401
    assert {"en": "You cancelled at Example SSO", "cs": "bylo zrušeno"}[accept] in answer.text
    assert "onload" not in answer.text


def test_another_browser_gets_nothing(sso: Site) -> None:
    """An answer that belongs to another browser's login signs nobody in, and is used up by the try."""
    with sso.browser() as attacker, sso.browser() as victim:
        answer = attacker.get("/authgw/oidc/sso/login", follow_redirects=True)
        action = re.search(r'action="([^"]+)"', answer.text)
        assert action is not None
        login = {"prompt": "login", "login": "sub-bob", "password": "any"}
        back = attacker.post(str(answer.url.join(action[1])), data=login, follow_redirects=False)
        while "/callback" not in (address := back.headers["location"]):
            back = attacker.get(address)
        victim.get("/authgw/oidc/sso/login")
        stolen = victim.get(address)
        assert stolen.status_code == 400
        assert me(victim) is None
        assert attacker.get(address).status_code == 400


def test_what_is_kept_meanwhile_is_no_session(sso: Site) -> None:
    """Neither the state in the address nor the browser's mark opens anything, under any cookie's name."""
    with sso.browser() as browser:
        started = browser.get("/authgw/oidc/sso/login")
        state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
        mark = browser.cookies["authgw-redirect"]
    for value in (state, mark):
        for name in ("authgw", "PHPSESSID"):
            answer = httpx2.get(f"{sso.url}/php/pcap.php?id=1", headers={"cookie": f"{name}={value}"})
            assert answer.status_code == 401


def test_a_look_uses_nothing_up(sso: Site) -> None:
    """HEAD neither begins a login nor takes an answer."""
    for path in ("login", "callback?state=x&code=y"):
        assert httpx2.head(f"{sso.url}/authgw/oidc/sso/{path}").status_code == 405


def test_one_address_begins_so_many(tmp_path: Path) -> None:
    """Logins that are begun and never finished are remembered for a while: one address has so many of them a minute."""
    with site(tmp_path, {"sso": {}}) as found, found.browser() as browser:
        codes = [browser.get("/authgw/oidc/sso/login").status_code for _ in range(MAX_BEGUN + 1)]
        assert codes == [303] * MAX_BEGUN + [429]


def test_signing_out_at_the_provider_too(sso: Site) -> None:
    """Signing out here leads to the provider's own page, and from there back to ours."""
    with sso.signed_in("sub-alice") as browser:
        answer = browser.post("/authgw/logout", headers={"sec-fetch-site": "same-origin"})
        assert me(browser) is None
        (address,) = re.findall(r'href="(http[^"]+/session/end[^"]+)"', answer.text)
        assert answer.headers["refresh"].endswith(unescape(address))
        page = browser.get(unescape(address), follow_redirects=True)
        (secret,) = re.findall(r'name="xsrf" value="([^"]+)"', page.text)
        (action,) = re.findall(r'action="([^"]+)"', page.text)
        landed = browser.post(str(page.url.join(action)), data={"xsrf": secret, "logout": "yes"}, follow_redirects=True)
    assert landed.url.path == "/authgw/logged-out"


def end_at_the_provider(site: Site, browser: httpx2.Client, login: str = "sso") -> None:
    """The person ends his session over there, on the provider's own page."""
    page = browser.get(f"{site.providers[login].url}/session/end", follow_redirects=True)
    (secret,) = re.findall(r'name="xsrf" value="([^"]+)"', page.text)
    (action,) = re.findall(r'action="([^"]+)"', page.text)
    browser.post(str(page.url.join(action)), data={"xsrf": secret, "logout": "yes"}, follow_redirects=True)


def test_back_channel_logout(sso: Site) -> None:
    """Whoever signs out at the provider is out here within a second; his other browser's session there goes on."""
    with sso.signed_in("sub-both") as one, sso.signed_in("sub-both") as two:
        end_at_the_provider(sso, one)
        deadline = time.monotonic() + 1.0
        while me(one) is not None:
            assert time.monotonic() < deadline
        assert me(two) is not None
    told = [line for line in lines(sso.world.gateway.folder, "logout", having="by") if line["by"] == "provider"]
    assert told[-1]["login"] == "sso"
    assert told[-1]["sessions"] == 1


@pytest.mark.parametrize("token", ["", "a.b.c", "e30.e30.", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzdWItYWxpY2UifQ."], ids=str)
def test_a_logout_that_nobody_signed(sso: Site, token: str) -> None:
    """Everything but a signed logout token is answered 400, may not be stored, and ends nothing."""
    with sso.signed_in("sub-alice") as browser:
        answer = httpx2.post(f"{sso.url}/authgw/oidc/sso/backchannel-logout", data={"logout_token": token})
        assert answer.status_code == 400
        assert "no-store" in answer.headers["cache-control"]
        assert me(browser) is not None


def test_two_logout_tokens_are_none(sso: Site) -> None:
    """A field that comes twice is refused: two readers could take it for two things."""
    answer = httpx2.post(
        f"{sso.url}/authgw/oidc/sso/backchannel-logout",
        content="logout_token=a.b.c&logout_token=d.e.f",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 400


def test_a_provider_that_is_down(tmp_path: Path) -> None:
    """The gateway starts without its provider; who wants in by it is told so, and others come in."""
    (tmp_path / "mapping.toml").write_text(MAPPING)
    issuer = f"http://127.0.0.1:{free_port()}"
    down = {"plugin": "oidc", "issuer": issuer, "client_id": "authgw", "mapping": "mapping.toml", "title": "SSO"}
    login = {"chain": ["static", "down"]}
    with (
        world(tmp_path, users=[LOCAL], login=login, login_down=down) as served,
        httpx2.Client(base_url=served.url) as browser,
    ):
        answer = browser.get("/authgw/oidc/down/login")
        assert answer.status_code == 503
        assert "cannot be reached" in answer.text
        fields = {"module": "bypass_login", "user": "break-glass", "pass": "local-secret"}
        assert browser.post("/php/model/sql.php", data=fields).json()["success"] is True


def test_straight_to_the_only_provider(tmp_path: Path) -> None:
    """With `auto` the login page leads on by itself; `?local=1` shows it all the same."""
    with site(tmp_path, {"sso": {"auto": True}}, people=PEOPLE) as found, found.browser() as browser:
        page = browser.get("/admin.php", headers={"accept": "text/html"}, follow_redirects=True)
        assert str(page.url).startswith(found.providers["sso"].url)
        assert str(sign_in(browser, page, "sub-alice").url) == f"{found.url}/admin.php"
        browser.cookies.clear()
        assert 'type="password"' in browser.get("/authgw/login?local=1").text


def test_a_second_factor_after_the_provider(tmp_path: Path) -> None:
    """A role that wants a second factor gets one here: until it is in, the provider's word opens nothing."""
    wants = MAPPING.replace('name = "operator"', 'name = "operator"\nreq_2fa = true')
    with site(tmp_path, {"sso": {}}, mapping=wants) as found, found.browser() as browser:
        landed = found.sign_in(browser, "sub-alice")
        assert landed.url.path == "/authgw/login/enrol"
        assert me(browser) is None
        with found.signed_in("sub-bob") as other:
            assert me(other) is not None


def test_who_changes_his_account_proves_it_over_there(sso: Site) -> None:
    """Before a token is made the provider asks again, although it knows the person; the session stays the same one."""
    with sso.signed_in("sub-alice") as browser:
        browser.headers.update({"sec-fetch-dest": "document", "sec-fetch-mode": "navigate"})
        asked = browser.get("/authgw/account/tokens/new", follow_redirects=True)
        assert asked.url.path == "/authgw/account/confirm"
        assert 'type="password"' not in asked.text
        (address,) = re.findall(r'href="([^"]+)">Sign in with Example SSO again', asked.text)
        sent = browser.get(unescape(address), follow_redirects=True)
        assert sent.url.path.startswith("/interaction/")
        landed = sign_in(browser, sent, "sub-alice")
        before = browser.cookies["authgw"]
        assert landed.url.path == "/authgw/account/tokens/new"
        allowed = browser.get("/authgw/account/tokens/new")
        assert allowed.status_code == 200
        assert 'name="form"' in allowed.text
        assert browser.cookies["authgw"] == before


def test_somebody_else_proves_nothing(sso: Site) -> None:
    """Another account of the provider's is no proof for this one."""
    with sso.signed_in("sub-alice") as browser:
        browser.headers.update({"sec-fetch-dest": "document", "sec-fetch-mode": "navigate"})
        # At the provider somebody else sits down: it has forgotten who was there.
        for cookie in [each for each in browser.cookies.jar if not each.name.startswith("authgw")]:
            browser.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
        address = "/authgw/oidc/sso/login?again=1&next=%2Fauthgw%2Faccount%2Ftokens%2Fnew"
        landed = sign_in(browser, browser.get(address, follow_redirects=True), "sub-bob")
        assert landed.status_code == 401
        asked = browser.get("/authgw/account/tokens/new", follow_redirects=True)
        assert asked.url.path == "/authgw/account/confirm"
