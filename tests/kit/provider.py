"""A real OpenID provider of a test's own: npm's oidc-provider on a free loopback port."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from kit.servers import free_port, missing, need, running

HERE = Path(__file__).resolve().parents[1] / "provider"


def modules() -> Path:
    """The folder with the provider's packages, which `.ci/test-tools` fills. Missing: as a missing program."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = cache / "authgw-tests" / f"provider-{lock}"
    if (found / ".complete").exists():
        return found
    missing(f"oidc-provider is not installed in {found} (make test installs it with npm)")


@dataclass(frozen=True)
class Provider:
    """A running provider. `url` is its issuer."""

    url: str

    def account(self, name: str, claims: Mapping[str, Any] | None) -> None:
        """What it says of an account from now on; None: there is no such account."""
        httpx2.put(f"{self.url}/test/accounts/{name}", content=json.dumps(claims)).raise_for_status()

    def seen(self, path: str) -> list[dict[str, Any]]:
        """The requests to an endpoint so far."""
        return [one for one in httpx2.get(f"{self.url}/test/seen").json() if one["path"] == path]


def client(gateway: str, name: str, id: str = "authgw", **more: Any) -> dict[str, Any]:
    """What an operator registers at the provider for a gateway at this address, and its login `name`."""
    return {
        "client_id": id,
        "client_secret": "client+secret/of %the gateway",
        "redirect_uris": [f"{gateway}/authgw/oidc/{name}/callback"],
        "post_logout_redirect_uris": [f"{gateway}/authgw/logged-out"],
        "backchannel_logout_uri": f"{gateway}/authgw/oidc/{name}/backchannel-logout",
        "backchannel_logout_session_required": True,
        "grant_types": ["authorization_code", "refresh_token"],
        **more,
    }


@contextlib.contextmanager
def provider(
    folder: Path, clients: Sequence[Mapping[str, Any]], accounts: Mapping[str, Mapping[str, Any]], **more: Any
) -> Iterator[Provider]:
    """A provider that holds these clients and accounts; everybody's password is good."""
    node, installed = need("node"), modules()
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "provider.json"
    config.write_text(json.dumps({"port": port, "clients": clients, "accounts": accounts, **more}))
    command = [node, str(HERE / "provider.mjs"), str(installed), str(config)]
    with running(command, port, folder / "provider.log"):
        yield Provider(f"http://127.0.0.1:{port}")


def sign_in(browser: httpx2.Client, page: httpx2.Response, user: str) -> httpx2.Response:
    """Fill in the provider's own login form, and follow it back to where the login began."""
    action = re.search(r'action="([^"]+)"', page.text)
    assert action is not None, page.text[:2000]
    return browser.post(
        str(page.url.join(action[1])), data={"prompt": "login", "login": user, "password": "any"}, follow_redirects=True
    )
