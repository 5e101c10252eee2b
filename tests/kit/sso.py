"""A gateway with OpenID providers in its chain, and a browser that signs in by them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from kit.gateway import write_secret
from kit.provider import Provider, client, provider, sign_in
from kit.servers import free_port
from kit.world import World, world

SQL = "/php/model/sql.php"
LOCAL = {"username": "break-glass", "password": "local-secret", "id": 1, "is_admin": True}
MAPPING = """
[[tenant]]
name = "acme"
sensors = [2]
[[tenant]]
name = "globex"
sensors = [3]
[[role]]
name = "operator"
grants = ["can_cdr"]
[[role]]
name = "listener"
grants = ["can_cdr", "can_pcap"]
[[grant]]
group = "noc-acme"
role = "operator"
tenant = "acme"
[[grant]]
group = "noc-globex"
role = "listener"
tenant = "globex"
"""
PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "sub-alice": {"preferred_username": "alice", "name": "Alice A.", "groups": ["noc-acme", "other"]},
    "sub-bob": {"preferred_username": "bob", "groups": ["noc-globex"]},
    "sub-both": {"preferred_username": "both", "groups": ["noc-acme", "noc-globex"]},
    "sub-carol": {"preferred_username": "carol", "groups": ["other"]},
}


@dataclass(frozen=True)
class Site:
    """A gateway and its providers by the names of its logins."""

    world: World
    providers: Mapping[str, Provider]

    @property
    def url(self) -> str:
        return self.world.url

    def browser(self) -> httpx2.Client:
        """A browser of somebody's own; its cookies last as long as it."""
        return httpx2.Client(base_url=self.url, timeout=30)

    @contextlib.contextmanager
    def signed_in(self, user: str, login: str = "sso") -> Iterator[httpx2.Client]:
        """The browser of somebody who has signed in there."""
        with self.browser() as browser:
            landed = self.sign_in(browser, user, login)
            assert landed.url.path == "/admin.php", landed.text[:2000]
            yield browser

    def sign_in(self, browser: httpx2.Client, user: str, login: str = "sso") -> httpx2.Response:
        """Where the browser ends up."""
        page = browser.get(f"/authgw/oidc/{login}/login", follow_redirects=True)
        return sign_in(browser, page, user) if page.url.path.startswith("/interaction/") else page


@contextlib.contextmanager
def site(
    folder: Path,
    logins: Mapping[str, Mapping[str, Any]],
    *,
    people: Mapping[str, Mapping[str, Any]] = PEOPLE,
    offers: Mapping[str, Any] | None = None,
    registered: Mapping[str, Any] | None = None,
    mapping: str = MAPPING,
    others: Sequence[Mapping[str, Any]] = (),
    **sections: Any,
) -> Iterator[Site]:
    """`logins`: options of each [login.NAME] beside what they all need. `offers`: more of the providers' configuration,
    `registered`: of the client's there; `others`: more clients. `sections`: of authgw.toml."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        made: dict[str, Provider] = {}
        for name, options in logins.items():
            registration = client(url, name, **(registered or {}))
            found = stack.enter_context(provider(folder / name, [registration, *others], people, **(offers or {})))
            made[name] = found
            write_secret(folder / f"{name}.secret", registration["client_secret"])
            sections[f"login_{name}"] = {
                "plugin": "oidc",
                "issuer": found.url,
                "client_id": "authgw",
                "client_secret_file": f"{name}.secret",
                "mapping": "mapping.toml",
                **options,
            }
        write_secret(folder / "mapping.toml", mapping)
        login = {"chain": ["static", *logins]}
        upstream = {"pages": "all", **sections.pop("upstream", {})}
        served = world(folder, users=[LOCAL], port=port, login=login, upstream=upstream, **sections)
        yield Site(stack.enter_context(served), made)


def sensors(browser: httpx2.Client) -> set[str]:
    """The sensors of all calls that this browser is shown."""
    fields = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-11-01T00:00:00", "fdateto": "2026-11-30T00:00:00"}
    answer = browser.post(SQL, data={**fields, "limit": "500"}, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 200, answer.text
    return {str(row["id_sensor"]) for row in answer.json()["results"]}
