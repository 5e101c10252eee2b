"""Sessions that are somebody else's, or no sessions at all."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from kit.attacked import PASSWORD, Site, login
from kit.tripwire import SID


def me(site: Site, cookie: str) -> str | None:
    """Whose browser session this cookie header names."""
    answer = httpx2.get(site.gateway.url + "/authgw/me", headers={"cookie": cookie})
    return answer.json()["user"] if answer.status_code == 200 else None


def opens(site: Site, cookie: str) -> int:
    """The status of a call with this cookie header."""
    return site.ask("", "/php/pcap.php?id=2", f"Cookie: {cookie}").status


def test_a_login_makes_a_session_of_its_own(site: Site) -> None:
    """CVE-2026-7507: a session that was there before the login is over after it, and its id is not taken over."""
    planted = site.browser("alice")
    sid = planted.partition("=")[2]
    answer = site.sign_in("bob", cookies={"authgw": sid})
    fresh = answer.cookies["authgw"]
    assert fresh != sid
    assert me(site, planted) is None
    assert me(site, f"authgw={fresh}") == "bob"


def test_an_id_that_was_never_given_is_not_taken(site: Site) -> None:
    """CVE-2026-7507: an id that a stranger made up names no session, after a login neither."""
    made_up = "A" * 43
    answer = site.sign_in("alice", cookies={"authgw": made_up})
    assert answer.cookies["authgw"] != made_up
    assert me(site, f"authgw={made_up}") is None


def test_what_is_no_session_opens_none(site: Site) -> None:
    """CVE-2026-19349: login attempts, form tokens, handles and the GUI's own id are no session ids."""
    with httpx2.Client(base_url=site.gateway.url) as browser:
        page = browser.get("/authgw/login")
        attempt = browser.cookies["authgw-attempt"]
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form is not None
    handle = re.findall(r'"session":"([0-9a-f]+)"', (site.gateway.folder / "audit.jsonl").read_text())
    site.ask("alice", "/php/pcap.php?id=1")
    handle += re.findall(r'"session":"([0-9a-f]+)"', (site.gateway.folder / "audit.jsonl").read_text())
    for value in (attempt, form[1], form[1].partition(".")[2], *handle[-1:], SID, page.headers["x-request-id"]):
        for name in ("PHPSESSID", "authgw", "authgw-attempt"):
            assert opens(site, f"{name}={value}") == 401
        assert me(site, f"authgw={value}") is None


def test_each_kind_of_session_has_its_own_cookie(site: Site) -> None:
    """A script's id in the browser's cookie is no session, nor the other way round; a script's opens no page."""
    script, browser = site.cookies["bob"].partition("=")[2], site.browser("bob").partition("=")[2]
    assert opens(site, f"PHPSESSID={script}") == opens(site, f"authgw={browser}") == 200
    assert opens(site, f"authgw={script}") == opens(site, f"PHPSESSID={browser}") == 401
    assert me(site, f"PHPSESSID={script}") is me(site, f"authgw={script}") is None
    site.wire.forget()
    assert site.ask("bob", "/admin.php").status == 401
    assert site.wire.seen == []


def test_two_sessions_are_none(site: Site) -> None:
    """Cookies that name two people are refused, in either order and under either name."""
    alice, bob = (site.cookies[user].partition("=")[2] for user in ("alice", "bob"))
    browser = site.browser("alice")
    site.wire.forget()
    for cookie in (
        f"PHPSESSID={alice}; PHPSESSID={bob}",
        f"PHPSESSID={bob}; PHPSESSID={alice}",
        f"{browser}; PHPSESSID={bob}",
        "; ".join(f"PHPSESSID={letter * 43}" for letter in "ABCDE") + f"; PHPSESSID={bob}",
    ):
        assert opens(site, cookie) == 400
    assert site.wire.seen == []


def test_nobody_is_signed_in_by_another_site(site: Site) -> None:
    """A login form that was made for another browser, or that another site sends, signs nobody in."""
    url = site.gateway.url
    with httpx2.Client(base_url=url) as stranger:
        page = stranger.get("/authgw/login").text
    form = re.search(r'name="form" value="([^"]+)"', page)
    assert form is not None
    fields = {"form": form[1], "user": "alice", "password": PASSWORD}
    for cookies in ({}, {"authgw-attempt": "A" * 43}):
        answer = httpx2.post(url + "/authgw/login", data=fields, cookies=cookies)
        assert (answer.status_code, answer.cookies.get("authgw")) == (400, None)
    with httpx2.Client(base_url=url) as browser:
        form = re.search(r'name="form" value="([^"]+)"', browser.get("/authgw/login").text)
        assert form is not None
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = browser.post("/authgw/login", data={**fields, "form": form[1]}, headers=headers)
            assert (answer.status_code, answer.cookies.get("authgw")) == (400, None)


@pytest.mark.parametrize("where", ["query", "form", "json", "multipart"])
def test_a_second_factor_or_session_is_never_in_a_cookie(site: Site, where: str) -> None:
    """The product's login for scripts gives its id in the body alone: no page can plant a session by a link."""
    fields = {"module": "bypass_login", "user": "alice", "pass": PASSWORD}
    url = site.gateway.url + "/php/model/sql.php"
    sent = {
        "query": lambda: httpx2.get(url, params=fields),
        "form": lambda: httpx2.post(url, data=fields),
        "json": lambda: httpx2.post(url, json=fields),
        "multipart": lambda: httpx2.post(url, files={name: (None, text) for name, text in fields.items()}),
    }
    answer = sent[where]()
    assert answer.json()["success"] is True
    assert "set-cookie" not in answer.headers


def test_a_malformed_login_is_answered_as_json(site: Site) -> None:
    """Also a browser's, also where the request itself cannot be read."""
    for query in ("user=a&pass=b&extra=1", "user=a%01&pass=b", "user[]=a&pass=b", "user=a&user=b&pass=c"):
        got = site.ask("", f"/php/model/sql.php?module=bypass_login&{query}", "Accept: text/html")
        assert got.status == 400
        assert (
            got.header(
                "content-type",
            )
            == "application/json"
        )
        assert b'"success":false' in got.body


def test_many_logins_at_once(site: Site) -> None:
    """CVE-2021-35472: sessions made at the same time are each their own user's."""
    url = site.gateway.url

    def come_in(at: int) -> tuple[str, int]:
        user = ("alice", "bob")[at % 2]
        return user, opens(site, login(url, user))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(come_in, range(16)))
    assert set(found) == {("alice", 404), ("bob", 200)}


def test_a_session_that_ended_is_over(site: Site) -> None:
    """ASVS 7.4.1: after the logout the id opens nothing, by any way out."""
    for way in ("/php/model/sql.php?module=logout", "/index.php?logout=1"):
        cookie = login(site.gateway.url, "bob")
        assert opens(site, cookie) == 200
        site.ask("", way, f"Cookie: {cookie}")
        assert opens(site, cookie) == 401
