"""Sessions of two workers on one Redis, asked again at a real provider whose refresh tokens count once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from kit.gateway import serving
from kit.redis import redis_server
from kit.servers import free_port
from kit.sso import PEOPLE, Site, sensors, site
from kit.trail import lines

REFRESH = {"refresh": "1s", "unconfirmed": "1h"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A gateway with its provider, and the address of a second gateway on the same store, key file and database."""
    folder = tmp_path_factory.mktemp("refresh")
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(redis_server(folder / "redis"))
        found = stack.enter_context(site(folder, {"sso": {}}, store=redis.url, sessions=REFRESH))
        port = free_port()
        config = folder / "second.toml"
        text = (folder / "authgw.toml").read_text()
        config.write_text(
            text.replace(f'listen = "127.0.0.1:{found.world.gateway.port}"', f'listen = "127.0.0.1:{port}"')
        )
        config.chmod(0o600)
        yield found, stack.enter_context(serving(config, port)).url


def until_due() -> None:
    """The gateways' own clock has to pass a second."""
    ends = time.monotonic() + 1.05
    while time.monotonic() < ends:
        time.sleep(0.05)


def test_parallel_requests_over_two_workers(two: tuple[Site, str]) -> None:
    """Whenever it is due, one of sixteen requests asks, with a token that was never sent before; nobody is out."""
    site, second = two
    with site.signed_in("sub-alice") as browser, ThreadPoolExecutor(16) as pool:
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
        for _ in range(4):
            until_due()
            urls = [f"{where}/authgw/me" for where in (site.url, second)] * 8
            answers = list(pool.map(lambda url: httpx2.get(url, headers=cookie, timeout=30).status_code, urls))
            assert answers == [200] * 16
    used = [one for one in site.providers["sso"].seen("/token") if one["grant_type"] == "refresh_token"]
    assert [one for one in used if "error" in one] == []
    assert 4 <= len(used) <= 8
    assert len({one["refresh_token"] for one in used}) == len(used)


def test_what_is_taken_away_is_felt(two: tuple[Site, str]) -> None:
    """A group taken away at the provider closes its tenant's calls within the time; the session goes on."""
    site, _ = two
    with site.signed_in("sub-both") as browser:
        assert sensors(browser) == {"2", "3"}
        site.providers["sso"].account("sub-both", {**PEOPLE["sub-both"], "groups": ["noc-acme"]})
        until_due()
        assert sensors(browser) == {"2"}
        site.providers["sso"].account("sub-both", PEOPLE["sub-both"])
        until_due()
        assert sensors(browser) == {"2"}
    with site.signed_in("sub-both") as browser:
        assert sensors(browser) == {"2", "3"}


@pytest.mark.parametrize("claims", [{"preferred_username": "bob", "groups": ["other"]}, None], ids=["no group", "gone"])
def test_who_is_out_at_the_provider_is_out_here(two: tuple[Site, str], claims: dict[str, object] | None) -> None:
    """No group that counts, or no account any more: the session is over, and the trail says why."""
    site, second = two
    with site.signed_in("sub-bob") as browser:
        site.providers["sso"].account("sub-bob", claims)
        until_due()
        assert browser.get(f"{second}/authgw/me").status_code == 401
        assert browser.get("/authgw/me").status_code == 401
    site.providers["sso"].account("sub-bob", PEOPLE["sub-bob"])
    assert lines(site.world.gateway.folder, "session_over")[-1]["login"] == "sso"


def test_rights_of_the_users_file_are_asked_for_too(tmp_path: Path) -> None:
    """Somebody taken out of users.toml is out within the time, without anybody ending his sessions."""
    with site(tmp_path, {"sso": {}}, sessions=REFRESH) as found, found.browser() as browser:
        fields = {"module": "bypass_login", "user": "break-glass", "pass": "local-secret"}
        sid = browser.post("/php/model/sql.php", data=fields).json()["SID"]
        browser.cookies.clear()
        browser.headers["Cookie"] = f"PHPSESSID={sid}"
        assert browser.get("/php/pcap.php?id=1").status_code == 200
        users = tmp_path / "users.toml"
        users.write_text(users.read_text().replace('username = "break-glass"', 'username = "somebody-else"'))
        until_due()
        assert browser.get("/php/pcap.php?id=1").status_code == 401
