"""`authgw serve` behind a proxy that says who somebody is."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from kit.gateway import write_secret
from kit.sso import LOCAL, MAPPING
from kit.world import World, world

ALICE = {"x-remote-user": "alice", "x-remote-groups": "noc-acme"}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("header")
    write_secret(folder / "mapping.toml", MAPPING)
    login = {"chain": ["static", "far", "proxy"]}
    far = {"plugin": "header", "addresses": ["10.0.0.5"], "mapping": "mapping.toml", "user_header": "X-Far-User"}
    near = {"plugin": "header", "addresses": ["127.0.0.1"], "mapping": "mapping.toml"}
    with world(folder, users=[LOCAL], login=login, login_far=far, login_proxy=near, upstream={"pages": "all"}) as found:
        yield found


def test_signed_in_without_a_form(proxied: World) -> None:
    """Whoever the proxy has identified is taken from the login page to where he was going."""
    with httpx2.Client(base_url=proxied.url, headers=ALICE) as browser:
        landed = browser.get("/admin.php", headers={"accept": "text/html"}, follow_redirects=True)
        assert landed.url.path == "/admin.php"
        told = browser.get("/authgw/me").json()
    assert (told["user"], told["login"], told["tenant"]) == ("alice", "proxy", "acme")


@pytest.mark.parametrize("dest", ["image", "iframe", "empty", "script"])
def test_nobody_is_signed_in_unasked(proxied: World, dest: str) -> None:
    """CVE-2022-21703: other sites' pages, which fetch the login without its cookies, make no sessions of whoever looks
    at them, and so end none that are too many; nor does a look at the head alone."""
    headers = {**ALICE, "sec-fetch-site": "cross-site", "sec-fetch-dest": dest}
    answer = httpx2.get(f"{proxied.url}/authgw/login", headers=headers)
    assert "authgw" not in answer.cookies
    assert "authgw" not in httpx2.head(f"{proxied.url}/authgw/login", headers=ALICE).cookies


def test_not_by_the_other_ones_header(proxied: World) -> None:
    """A header of a login whose proxy is elsewhere signs nobody in: the form is shown."""
    headers = {"x-far-user": "alice", "x-remote-groups": "", "x-far-groups": "noc-acme"}
    answer = httpx2.get(f"{proxied.url}/authgw/login", headers=headers)
    assert answer.status_code == 200
    assert 'type="password"' in answer.text
    assert "is not in addresses: ignored" in proxied.gateway.log.read_text()


def test_known_but_not_admitted(proxied: World) -> None:
    """Somebody in no group that counts is told so, in words, and may still use the form."""
    answer = httpx2.get(f"{proxied.url}/authgw/login", headers={**ALICE, "x-remote-groups": "other"})
    assert answer.status_code == 401
    assert "The service in front knows you, but your account is not allowed in here" in answer.text
    assert 'type="password"' in answer.text


def test_only_the_login_page_listens(proxied: World) -> None:
    """On every other address the headers mean nothing."""
    answer = httpx2.get(f"{proxied.url}/authgw/me", headers=ALICE)
    assert answer.status_code == 401
    assert httpx2.get(f"{proxied.url}/php/pcap.php?id=1", headers=ALICE).status_code == 401
