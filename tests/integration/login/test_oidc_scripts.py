"""Scripts with access tokens of a real provider, and the GUI's own link to sign out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from kit.sso import PEOPLE, Site, site
from kit.trail import lines

AUDIENCE = "https://calls.example"
ROBOT = {
    "client_id": "robot",
    "client_secret": "robot-secret",
    "redirect_uris": [],
    "response_types": [],
    "grant_types": ["client_credentials"],
}
CALL = {"task": "listCdrIds", "params": {"offset": 0, "size": 500}}


@pytest.fixture(scope="module")
def sso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    people = {**PEOPLE, "robot": {"preferred_username": "robot", "groups": ["noc-acme"]}}
    options = {
        "sso": {"bearer": True, "bearer_audience": AUDIENCE, "bearer_scope": "calls"},
        "closed": {},
    }
    offers = {"access": AUDIENCE}
    folder = tmp_path_factory.mktemp("scripts")
    with site(folder, options, people=people, offers=offers, others=[ROBOT]) as found:
        yield found


def token(site: Site, login: str = "sso", scope: str = "calls") -> str:
    fields = {"grant_type": "client_credentials", "resource": AUDIENCE, "scope": scope}
    asked = httpx2.post(f"{site.providers[login].url}/token", data=fields, auth=("robot", "robot-secret"))
    assert asked.status_code == 200, asked.text
    return str(asked.json()["access_token"])


def call(site: Site, text: str, **more: Any) -> httpx2.Response:
    return httpx2.post(f"{site.url}/php/api.php", json={**CALL, **more}, headers={"authorization": f"Bearer {text}"})


def test_a_script_with_a_token(sso: Site) -> None:
    """It gets the calls of its groups' tenants, and no others; one line of the trail for many calls."""
    text = token(sso)
    for _ in range(3):
        answer = call(sso, text)
        assert answer.status_code == 200, answer.text
        assert {row["id_sensor"] for row in answer.json()} == {"2"}
    told = [line for line in lines(sso.world.gateway.folder, "login") if line["origin"] == "bearer"]
    assert [(line["user"], line["login"], line["outcome"]) for line in told] == [("robot", "sso", "granted")]


def test_php_api_alone(sso: Site) -> None:
    """The token opens no other address."""
    headers = {"authorization": f"Bearer {token(sso)}"}
    for path in ("/php/pcap.php?id=1", "/admin.php", "/authgw/me", "/php/model/sql.php?task=LISTING&module=CDR"):
        assert httpx2.get(f"{sso.url}{path}", headers=headers).status_code in (401, 403), path


def test_where_the_operator_has_not_allowed_it(sso: Site) -> None:
    """Another provider's token, for the same audience, opens nothing: that login has no `bearer`."""
    answer = call(sso, token(sso, "closed"))
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize("change", ["x", "", ".", "e30."], ids=str)
def test_a_token_that_was_touched(sso: Site, change: str) -> None:
    """Cut or changed it is nobody's."""
    text = token(sso)
    assert call(sso, text[:-9] + change).status_code == 401


def test_two_credentials(sso: Site) -> None:
    """A token and a password in one call are refused: whose call would it be?"""
    assert call(sso, token(sso), user="break-glass", password="local-secret").status_code == 400


def test_the_guis_own_sign_out(sso: Site) -> None:
    """The GUI's link ends the session here, and leads on to the provider."""
    with sso.signed_in("sub-alice") as browser:
        answer = browser.get("/index.php?logout=1", headers={"accept": "text/html", "sec-fetch-mode": "navigate"})
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(sso.providers["sso"].url + "/session/end?")
        assert browser.get("/authgw/me").status_code == 401
