"""API tokens at a running gateway: made on the account page, used by scripts, ended by either side."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kit.gateway import PROGRAM, SERVICE_PASSWORD
from kit.owner import ACCOUNT, Owner
from kit.world import World, world

LONDON = {"can_cdr": True, "can_pcap": True, "enable_sensors": [2]}
USERS: tuple[dict[str, Any], ...] = (
    {"username": "alice", "password": "correct horse", "id": 101, **LONDON},
    {"username": "admin", "password": "battery staple", "id": 1, "is_admin": True},
)
IDS = {"task": "listCdrIds", "params": '{"offset":0,"size":5000}'}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("tokens"), users=USERS, throttle={"address_failures": 10_000}) as found:
        yield found


@pytest.fixture(scope="module")
def alice(site: World) -> Iterator[Owner]:
    with Owner(site.url, "alice", "correct horse") as person:
        person.sign_in()
        yield person


@pytest.fixture
def script(site: World) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=site.url, timeout=30) as http:
        yield http


@pytest.fixture(scope="module")
def token(alice: Owner) -> str:
    return alice.token("for all")


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_every_way_gives_the_same(script: httpx2.Client, token: str) -> None:
    """Header, token field and password field give the very rows that the password gives."""
    with_password = script.post("/php/api.php", data=IDS | {"user": "alice", "password": "correct horse"})
    assert with_password.json()
    for fields, headers in (
        (IDS, bearer(token)),
        (IDS | {"token": token}, {}),
        (IDS | {"user": "alice", "token": token}, {}),
        (IDS | {"user": "alice", "password": token}, {}),
    ):
        assert script.post("/php/api.php", data=fields, headers=headers).json() == with_password.json()
    by_json = {"task": "listCdrIds", "token": token, "params": {"offset": 0, "size": 5000}}
    assert script.post("/php/api.php", json=by_json).json() == with_password.json()
    assert script.get("/php/api.php", params=IDS | {"token": token}).json() == with_password.json()
    one = script.get("/php/pcap.php", params={"id": with_password.json()[0]["cdrId"]}, headers=bearer(token))
    assert one.status_code == 200
    search = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-11-01T00:00:00", "suppress_results": "1"}
    total = script.post("/php/model/sql.php", data=search, headers=bearer(token)).json()["total"]
    assert int(total) == len(with_password.json())


@pytest.mark.parametrize("path", ["/admin.php", "/", "/index.php", "/cdr.php?x=1", "/php/audio/../../admin.php"])
def test_no_page_opens(script: httpx2.Client, token: str, path: str) -> None:
    """A token opens no page of the GUI, not even its owner's."""
    reply = script.get(path, headers=bearer(token))
    assert reply.status_code in (401, 404)


@pytest.mark.parametrize("path", ["", "/tokens/new", "/confirm", "/../me"])
def test_nothing_of_the_gateways_own(script: httpx2.Client, token: str, path: str) -> None:
    """With a token nobody is signed in: the account pages lead to the login, /authgw/me says 401."""
    reply = script.get(ACCOUNT + path, headers=bearer(token) | {"accept": "text/html"})
    assert reply.status_code in (303, 401)
    for cookie in ("authgw", "PHPSESSID"):
        stolen = script.get("/authgw/me", headers={"cookie": f"{cookie}={token.removeprefix('agw_')}"})
        assert stolen.status_code == 401


def test_the_licence_check_alone(script: httpx2.Client, alice: Owner) -> None:
    """A token for monitoring opens the licence check and no other call."""
    monitor = alice.token("monitoring", "licence")
    reply = script.get("/php/apilicensecheck.php?task=licenseCheck", headers=bearer(monitor))
    assert reply.status_code == 200
    for path in ("/php/pcap.php?id=1", "/php/model/sql.php?task=LISTING&module=sensors", "/php/unknown.php"):
        assert script.get(path, headers=bearer(monitor)).status_code == 403
    assert script.post("/php/api.php", data=IDS | {"token": monitor}).status_code == 403


def test_chosen_rights_alone(script: httpx2.Client, alice: Owner) -> None:
    """A narrowed token has the chosen flags, and a flag that its maker lacks is not there to be chosen."""
    reader = alice.token("reader", "narrowed", "7", "can_cdr", "is_admin", "can_messages")
    assert script.post("/php/api.php", data=IDS, headers=bearer(reader)).json()
    assert script.get("/php/pcap.php?id=1", headers=bearer(reader)).status_code == 403
    assert script.get("/php/model/sql.php?task=LISTING&module=message", headers=bearer(reader)).status_code == 403


def test_two_credentials_are_refused(script: httpx2.Client, token: str) -> None:
    """Who says twice who he is may mean two people: refused, whoever they are."""
    for fields, headers in (
        (IDS | {"user": "admin", "password": "battery staple"}, bearer(token)),
        (IDS | {"token": token, "password": "battery staple", "user": "admin"}, {}),
        (IDS | {"token": token}, bearer(token)),
    ):
        assert script.post("/php/api.php", data=fields, headers=headers).status_code == 400
    elsewhere = script.post("/php/api.php", data=IDS | {"user": "admin", "password": token})
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (401, "Invalid token.")


def test_a_token_wins_over_a_cookie(site: World, script: httpx2.Client, token: str) -> None:
    """What is said on purpose counts, not what a cookie jar adds; and a wrong token is not saved by a cookie."""
    with Owner(site.url, "admin", "battery staple") as admin:
        admin.sign_in()
        cookie = {"cookie": f"authgw={admin.http.cookies['authgw']}"}
    ids = script.post("/php/api.php", data=IDS, headers=bearer(token) | cookie).json()
    assert {row["id_sensor"] for row in ids} == {"2"}
    wrong = script.post("/php/api.php", data=IDS, headers=bearer("agw_" + "A" * 43) | cookie)
    assert wrong.status_code == 401
    assert wrong.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_it_goes_nowhere(site: World, script: httpx2.Client, alice: Owner) -> None:
    """Neither trail nor log of gateway or GUI ever holds a token, however it was sent; its name is in the trail."""
    kept = alice.token("kept quiet")
    script.get("/php/api.php", params=IDS | {"token": kept})
    script.get("/php/api.php", params={"task": "nonsense", "token": kept, "password": kept})
    script.get("/php/nonsense.php", params={"token": kept}, headers=bearer(kept))
    script.get("/php/pcap.php", params={"id": "999999", "token": kept}, headers=bearer(kept))
    script.get("/php/pcap.php", params={"id": "999999"}, headers=bearer(kept))
    folder = site.gateway.folder
    for path in folder.rglob("*"):
        if path.is_file():
            assert kept.removeprefix("agw_").encode() not in path.read_bytes(), path
    lines = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    assert {line["event"] for line in lines if line.get("token", "").endswith(" kept quiet")} == {
        "token_made", "login", "refusal",
    }  # fmt: skip


def test_ended_by_its_owner_and_by_an_administrator(site: World, script: httpx2.Client, alice: Owner) -> None:
    """Revoked on the page or by the command, a token is dead within a second; the others live on."""
    first, second, third = (alice.token(name) for name in ("first", "second", "third"))
    for one in (first, second, third):
        assert script.post("/php/api.php", data=IDS, headers=bearer(one)).status_code == 200
    listed = command(site.gateway.folder, "list", "--json", "--user", "alice")
    ids = {one["name"]: one["id"] for one in json.loads(listed)}
    alice.post(ACCOUNT + "/tokens/revoke", {"form": alice.form(ACCOUNT), "id": ids["first"]})
    assert script.post("/php/api.php", data=IDS, headers=bearer(first)).status_code == 401
    assert "1 token revoked" in command(site.gateway.folder, "revoke", "--id", ids["second"])
    assert until_dead(script, second) < 1.5
    assert script.post("/php/api.php", data=IDS, headers=bearer(third)).status_code == 200


def command(folder: Path, *words: str) -> str:
    line = [PROGRAM, "tokens", words[0], "--config", str(folder / "authgw.toml"), *words[1:]]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert SERVICE_PASSWORD not in done.stdout
    return done.stdout


def until_dead(script: httpx2.Client, token: str) -> float:
    """Seconds until the token opens nothing."""
    import time

    began = time.monotonic()
    while script.post("/php/api.php", data=IDS, headers=bearer(token)).status_code == 200:
        assert time.monotonic() - began < 5
    return time.monotonic() - began
