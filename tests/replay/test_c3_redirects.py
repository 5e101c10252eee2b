"""Wherever somebody is sent after the login, it is a place on this site."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

import pytest

from kit.attacked import PASSWORD, Site

EVIL = [
    *("https://evil.example", "http://evil.example", "//evil.example", "///evil.example", "/\\evil.example"),
    *("\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "/%09/evil.example", "/%5cevil.example"),
    *("/%2f%2fevil.example", "https:evil.example", "https:/evil.example", "javascript:alert(1)", "data:text/html,x"),
    *("/.//evil.example", "/x/..//evil.example", "/%2e%2e//evil.example", " //evil.example", "/ /evil.example"),
    *("//evil.example@gw", "/;@evil.example", "////evil.example/%2f..", "/a//evil.example", "?//evil.example"),
    *("/\x00/evil.example", "/\u2028/evil", "\u3000//evil.example", "/\uff0fevil.example", "/%0d%0aLocation:%20x"),
    *("/authgw/logout", "/authgw/login?next=//evil.example", "evil.example", ".evil.example", "#//evil.example"),
]


def local(address: str) -> None:
    """An absolute path on this very site, for every reader of addresses."""
    assert address.startswith("/")
    assert not re.match(r"/[/\\]", unquote(address))
    assert not re.search(r"[\x00-\x20\\]", unquote(address.partition("?")[0]))
    assert urlsplit(address).netloc == ""
    assert not address.startswith("/authgw/log")


@pytest.mark.parametrize("target", EVIL, ids=[f"CVE-2020-11053-{at}" for at in range(len(EVIL))])
def test_next_stays_here(site: Site, target: str) -> None:
    """CVE-2020-5233, CVE-2020-4037, CVE-2021-21291, CVE-2026-83589: neither the form nor the login leads elsewhere."""
    page = site.ask("", f"/authgw/login?next={quote(target, safe='')}")
    if page.status == 200:
        offered = re.search(rb'name="next" value="([^"]*)"', page.body)
        assert offered is not None
        local(offered[1].decode())
    answer = site.sign_in("alice", {"next": target, "password": PASSWORD})
    if answer.status_code == 303:
        local(answer.headers["location"])
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize("host", ["evil.example", "evil.example:443", "127.0.0.1.evil.example"])
def test_the_host_decides_no_redirect(site: Site, host: str) -> None:
    """CVE-2026-48895: an address of another host in Host is in no redirect."""
    for target in ("/admin.php?x=1", "/authgw/login", "/authgw/logout", "/index.php?logout=1"):
        got = site.ask("", target, "Accept: text/html", host=host)
        assert "evil" not in got.head
        assert b"evil" not in got.body


def test_logout_has_no_target(site: Site) -> None:
    """CVE-2021-29456, CVE-2021-29651: the way out leads to one page, whatever is asked for."""
    for parameter in ("rd", "next", "url", "redirect", "return", "post_logout_redirect_uri"):
        got = site.ask("", f"/authgw/logout?{parameter}=https://evil.example", "Accept: text/html")
        assert (got.status, got.header("location")) == (303, "/authgw/logged-out")


def test_assets_are_names(site: Site) -> None:
    """CVE-2025-4123, CVE-2025-6023: no path leads out of the gateway's own files."""
    for name in ("..%2f..%2fetc/passwd", "..%5cx", "%2e%2e/x", "//evil.example", "\\evil", "", ".", "x.css"):
        got = site.ask("", f"/authgw/static/{name}")
        assert got.status in {400, 404}, (name, got)
        assert got.header("location") is None


def test_a_password_in_an_address_is_not_carried_on(site: Site) -> None:
    """A link with a password in it leads to the login page without it."""
    got = site.ask("", "/index.php?user=alice&password=topsecret", "Accept: text/html")
    assert (got.status, got.header("location")) == (303, "/authgw/login?next=%2Findex.php")
