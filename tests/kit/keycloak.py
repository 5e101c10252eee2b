"""A Keycloak of a test's own: its published distribution, with a realm that it imports at its start."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx2

from kit.servers import free_port, missing, need, wait_for_port

VERSION = "26.5.6"
REALM, CLIENT, SECRET = "voip", "authgw", "keycloak-client-secret"
ADMIN, ADMIN_PASSWORD, PASSWORD = "admin", "admin-secret", "any-secret"
# Until it has set itself up and listens.
START_SECONDS = 240.0


def distribution() -> Path:
    """The unpacked distribution, which `.ci/worlds-tools` fetches. Missing: as a missing program."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = cache / "authgw-tests" / f"keycloak-{VERSION}"
    if (found / "bin" / "kc.sh").exists():
        return found
    missing(f"Keycloak {VERSION} is not in {found} (make worlds fetches it from Maven Central)")


@dataclass(frozen=True)
class Keycloak:
    """A running one. `issuer`: of its realm."""

    url: str

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/{REALM}"

    def admin(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """A call of its administration below the realm."""
        fields = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": ADMIN_PASSWORD}
        said = httpx2.post(f"{self.url}/realms/master/protocol/openid-connect/token", data=fields, timeout=30)
        headers = {"authorization": f"Bearer {said.raise_for_status().json()['access_token']}"}
        where = f"{self.url}/admin/realms/{REALM}/{path}"
        return httpx2.request(method, where, headers=headers, timeout=30, **more).raise_for_status()

    def user(self, name: str) -> str:
        """The id of a user."""
        (found,) = self.admin("GET", "users", params={"username": name, "exact": "true"}).json()
        return str(found["id"])


def realm(gateway: str, login: str, people: Mapping[str, list[str]]) -> dict[str, Any]:
    """A realm with these people in their groups, and the client as an operator registers the gateway."""
    groups = sorted({group for names in people.values() for group in names})
    mapper = {
        "name": "groups", "protocol": "openid-connect", "protocolMapper": "oidc-group-membership-mapper",
        "config": {"claim.name": "groups", "full.path": "false", "id.token.claim": "true"},
    }  # fmt: skip
    client = {
        "clientId": CLIENT, "secret": SECRET, "redirectUris": [f"{gateway}/authgw/oidc/{login}/callback"],
        "protocolMappers": [mapper],
        "attributes": {
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": f"{gateway}/authgw/logged-out",
            "backchannel.logout.url": f"{gateway}/authgw/oidc/{login}/backchannel-logout",
            "backchannel.logout.session.required": "true",
        },
    }  # fmt: skip
    users = [
        {
            "username": name, "enabled": True, "groups": names, "email": f"{name}@example.com", "emailVerified": True,
            "firstName": name.title(), "lastName": "Test", "credentials": [{"type": "password", "value": PASSWORD}],
        }
        for name, names in people.items()
    ]  # fmt: skip
    return {
        "realm": REALM, "enabled": True, "sslRequired": "none", "groups": [{"name": name} for name in groups],
        "clients": [client], "users": users,
    }  # fmt: skip


@contextlib.contextmanager
def keycloak(folder: Path, imported: Mapping[str, Any]) -> Iterator[Keycloak]:
    """A server in a copy of its distribution, which it writes to."""
    need("java")
    home = folder / "keycloak"
    shutil.copytree(distribution(), home)
    (home / "data" / "import").mkdir(parents=True)
    (home / "data" / "import" / "realm.json").write_text(json.dumps(imported))
    port = free_port()
    command = [
        str(home / "bin" / "kc.sh"), "start-dev", "--http-host=127.0.0.1", f"--http-port={port}", "--import-realm",
        f"--hostname=http://127.0.0.1:{port}",
    ]  # fmt: skip
    environment = {
        **os.environ, "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
    }  # fmt: skip
    with (folder / "keycloak.log").open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        try:
            wait_for_port(port, process, START_SECONDS)
            yield Keycloak(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def sign_in(browser: httpx2.Client, page: httpx2.Response, user: str, password: str = PASSWORD) -> httpx2.Response:
    """Fill in Keycloak's login form, and follow it back to where the login began."""
    action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    assert action is not None, page.text[:2000]
    fields = {"username": user, "password": password, "credentialId": ""}
    return browser.post(unescape(action[1]), data=fields, follow_redirects=True)
