"""`authgw factors` beside a running gateway: what is listed, what a reset takes away, and what it leaves behind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner, Result

from authgw.cli.main import main
from kit.codes import code_at
from kit.person import Person
from kit.world import World, world

USERS: tuple[dict[str, Any], ...] = (
    {"username": "alice", "password": "right", "id": 101, "can_cdr": True, "req_2fa": True},
    {"username": "bob", "password": "right", "id": 102, "can_cdr": True},
    {"username": "carol", "password": "right", "id": 103, "can_cdr": True, "req_2fa": True},
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("factors"), users=USERS) as found:
        yield found


def run(site: World, command: str, user: str, *more: str) -> Result:
    config = str(site.gateway.folder / "authgw.toml")
    return CliRunner().invoke(main, ["factors", command, "--config", config, "--user", user, *more])


def test_a_life_of_a_factor(site: World) -> None:
    """Enrolled in a browser, listed, reset: the session is over within a second, and the next login enrols anew."""
    with Person(site.url) as alice:
        alice.login("alice", "right")
        alice.enrol()
        assert alice.status() == 200
        told = run(site, "list", "alice")
        assert told.exit_code == 0
        assert re.search(r"static id:101: totp 'Authenticator', since \S+Z, used never", told.output)
        assert "recovery codes left: 10" in told.output
        told = run(site, "reset", "alice", "--login", "static")
        assert (told.exit_code, told.output) == (0, "1 factor reset; the user's sessions are over\n")
        alice.until_over()
        assert alice.login("alice", "right") == "/authgw/login/enrol"
    lines = [json.loads(line) for line in (site.gateway.folder / "audit.jsonl").read_text().splitlines()]
    changes = [(line["what"], line["by"], line["user"]) for line in lines if line["event"] == "factors"]
    assert changes == [("enrolled", "user", "alice"), ("reset", "command line", "alice")]
    assert "recovery codes left: 0" in run(site, "list", "alice").output


@pytest.mark.parametrize(("user", "more"), [("bob", ()), ("nobody", ()), ("\x00", ()), ("alice", ("--login", "corp"))])
def test_somebody_without_factors(site: World, user: str, more: tuple[str, ...]) -> None:
    """Whoever has nothing that could be listed or reset: the command says so and ends with 1."""
    for command in ("list", "reset"):
        told = run(site, command, user, *more)
        assert told.exit_code == 1
        assert "this user has no second factor here" in told.output


def test_calls_with_a_password(site: World) -> None:
    """Whoever needs no second factor calls api.php with user and password; whoever does is told of API tokens."""
    call = {"task": "listCdrIds", "user": "bob", "password": "right", "params": {"offset": 0, "size": 1}}
    assert httpx2.post(site.url + "/php/api.php", json=call).status_code == 200
    found = httpx2.post(site.url + "/php/api.php", json={**call, "user": "alice"})
    assert found.status_code == 401
    assert "API token" in found.json()["error"]


def test_scripts_send_a_code(site: World) -> None:
    """bypass_login with the product's code2fa over HTTP: a session whose cookie works."""
    with Person(site.url) as carol:
        carol.login("carol", "right")
        secret = carol.enrol()
    address = site.url + "/php/model/sql.php?module=bypass_login"
    # The step of the enrolment is used up; the next one is within the tolerance already.
    fields = {"user": "carol", "pass": "right", "code2fa": code_at(secret, carol.now() + 30)}
    said = httpx2.post(address, data=fields).json()
    assert said["success"] is True, said
    again = httpx2.post(address, data=fields)
    assert again.status_code == 401
    assert again.json()["error"].startswith("2FA PIN code verification failed. ")
    assert httpx2.get(site.url + "/php/api.php?task=listCdrIds", headers={"cookie": f"PHPSESSID={said['SID']}"})
