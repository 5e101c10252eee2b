"""The oidc login against Keycloak: its form, its groups, its back-channel logout."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import httpx2
import pytest

from kit.gateway import write_secret
from kit.keycloak import CLIENT, SECRET, Keycloak, keycloak, realm, sign_in
from kit.servers import free_port
from kit.sso import LOCAL, MAPPING, sensors
from kit.world import World, world

PEOPLE = {"alice": ["noc-acme", "other"], "bob": ["noc-globex"], "carol": ["other"], "dave": ["noc-acme"]}
# How long Keycloak may take to tell the gateway that somebody has been logged out.
PATIENCE = 20.0


@dataclass(frozen=True)
class Site:
    world: World
    provider: Keycloak

    def browser(self) -> httpx2.Client:
        """As browsers do, it takes http on the loopback for safe enough for Secure cookies, which Keycloak sets."""
        browser = httpx2.Client(base_url=self.world.url, timeout=60)
        browser.cookies.jar.set_policy(DefaultCookiePolicy(secure_protocols=("http", "https")))
        return browser

    def sign_in(self, browser: httpx2.Client, user: str, **more: str) -> httpx2.Response:
        page = browser.get("/authgw/oidc/sso/login", follow_redirects=True)
        return sign_in(browser, page, user, **more)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("keycloak")
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"
    write_secret(folder / "sso.secret", SECRET)
    write_secret(folder / "mapping.toml", MAPPING)
    with keycloak(folder, realm(gateway, "sso", PEOPLE)) as provider:
        login = {
            "plugin": "oidc", "issuer": provider.issuer, "client_id": CLIENT, "client_secret_file": "sso.secret",
            "mapping": "mapping.toml", "title": "Keycloak",
        }  # fmt: skip
        served = world(
            folder, users=[LOCAL], port=port, login={"chain": ["static", "sso"]}, login_sso=login,
            upstream={"pages": "all"},
        )  # fmt: skip
        with served as found:
            yield Site(found, provider)


def me(browser: httpx2.Client) -> dict[str, object] | None:
    answer = browser.get("/authgw/me")
    return answer.json() if answer.status_code == 200 else None


@pytest.mark.parametrize(("user", "seen"), [("alice", {"2"}), ("bob", {"3"})])
def test_calls_per_group(site: Site, user: str, seen: set[str]) -> None:
    """Who signs in at Keycloak sees the calls of the tenants that his groups there are mapped to."""
    with site.browser() as browser:
        landed = site.sign_in(browser, user)
        assert landed.url.path == "/admin.php", landed.text[:1000]
        assert (me(browser) or {})["user"] == user
        assert sensors(browser) == seen


def test_no_group_is_no_login(site: Site) -> None:
    """Somebody whom Keycloak knows and no mapping line names has no session here."""
    with site.browser() as browser:
        assert site.sign_in(browser, "carol").status_code == 401
        assert me(browser) is None


def test_a_wrong_password_stays_there(site: Site) -> None:
    """Keycloak says so itself; nobody comes back from it."""
    with site.browser() as browser:
        landed = site.sign_in(browser, "alice", password="wrong")
        assert str(landed.url).startswith(site.provider.url)
        assert me(browser) is None


def test_back_channel_logout(site: Site) -> None:
    """Whoever is logged out at Keycloak is logged out here; others stay."""
    with site.browser() as one, site.browser() as other:
        site.sign_in(one, "dave")
        site.sign_in(other, "bob")
        assert me(one) is not None
        site.provider.admin("POST", f"users/{site.provider.user('dave')}/logout")
        deadline = time.monotonic() + PATIENCE
        while me(one) is not None and time.monotonic() < deadline:
            continue
        assert me(one) is None
        assert me(other) is not None


def test_signing_out_here_signs_out_there(site: Site) -> None:
    """After a logout the browser stands at Keycloak's own end of the session, and has to sign in anew."""
    with site.browser() as browser:
        site.sign_in(browser, "alice")
        page = browser.get("/index.php", params={"logout": "1"}, headers={"accept": "text/html"})
        assert page.status_code == 303
        assert me(browser) is None
