"""`authgw serve` with a directory behind it: groups decide who comes in and which tenant's calls he sees."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kit.gateway import PROGRAM, write_secret
from kit.servers import free_port
from kit.slapd import BASE, GATEWAY, GATEWAY_PASSWORD, authority, person, slapd
from kit.world import World, world

SQL = "/php/model/sql.php"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
MEMBERS = {"noc-acme": ["alice", "both"], "noc-globex": ["bob", "both"], "lookers": ["carol"], "other": ["dave"]}
ENTRIES = [
    (PEOPLE, {"objectClass": ["organizationalUnit"]}),
    (GROUPS, {"objectClass": ["organizationalUnit"]}),
    *[
        (f"uid={name},{PEOPLE}", person(name, 1000 + at, "directory-secret"))
        for at, name in enumerate(("alice", "bob", "both", "carol", "dave"), 1)
    ],
    *[
        (f"cn={name},{GROUPS}", {"objectClass": ["groupOfNames"], "member": [f"uid={m},{PEOPLE}" for m in members]})
        for name, members in MEMBERS.items()
    ],
]
MAPPING = f"""
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
name = "looker"
grants = ["can_dashboard"]
[[grant]]
group = "cn=noc-acme,{GROUPS}"
role = "operator"
tenant = "acme"
[[grant]]
group = "cn=noc-globex,{GROUPS}"
role = "operator"
tenant = "globex"
[[grant]]
group = "cn=lookers,{GROUPS}"
role = "looker"
tenant = "acme"
"""
LOCAL = {"username": "break-glass", "password": "local-secret", "id": 1, "is_admin": True}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("ldap-serve")
    write_secret(folder / "ldap.password", GATEWAY_PASSWORD)
    write_secret(folder / "mapping.toml", MAPPING)
    common = {
        "plugin": "ldap",
        "ca_file": "authority.pem",
        "base_dn": BASE,
        "bind_dn": GATEWAY,
        "bind_password_file": "ldap.password",
        "mapping": "mapping.toml",
    }
    with slapd(folder / "slapd", ENTRIES, authority(folder)) as server:
        dead = {**common, "servers": [f"ldaps://127.0.0.1:{free_port()}"], "on_failure": "next"}
        corp = {**common, "servers": [dead["servers"][0], server.ldaps]}
        login = {"chain": ["static", "dead", "corp"]}
        with world(folder, users=[LOCAL], login=login, login_dead=dead, login_corp=corp) as found:
            yield found


def logged_in(served: World, user: str, password: str = "directory-secret") -> tuple[httpx2.Client, dict[str, Any]]:
    client = httpx2.Client(base_url=served.url, timeout=30)
    answer = client.post(SQL, data={"module": "bypass_login", "user": user, "pass": password}).json()
    client.cookies.clear()
    if answer.get("SID"):
        client.headers["Cookie"] = f"{answer['cookie_name']}={answer['SID']}"
    return client, answer


def sensors(client: httpx2.Client) -> set[str]:
    fields = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-11-01T00:00:00", "fdateto": "2026-11-30T00:00:00"}
    answer = client.post(SQL, data={**fields, "limit": "500"})
    assert answer.status_code == 200, answer.text
    return {str(row["id_sensor"]) for row in answer.json()["results"]}


@pytest.mark.parametrize(("user", "seen"), [("alice", {"2"}), ("bob", {"3"}), ("both", {"2", "3"})])
def test_calls_per_tenant(served: World, user: str, seen: set[str]) -> None:
    """Everybody sees the calls of the tenants that his groups are mapped to, and of no other."""
    client, answer = logged_in(served, user)
    with contextlib.closing(client):
        assert answer["success"] is True, answer
        assert sensors(client) == seen


def test_a_role_opens_only_its_doors(served: World) -> None:
    """A group whose role has no calls lists none, whatever its tenant is."""
    client, answer = logged_in(served, "carol")
    with contextlib.closing(client):
        assert answer["success"] is True, answer
        assert client.post(SQL, data={"task": "LISTING", "module": "CDR"}).status_code in (400, 403)


@pytest.mark.parametrize(
    ("user", "password"),
    [("dave", "directory-secret"), ("alice", "wrong"), ("*", "directory-secret"), ("*)(uid=*", "directory-secret")],
)
def test_who_stays_out(served: World, user: str, password: str) -> None:
    """A group that is not mapped, a wrong password and a name that is a filter are no login."""
    client, answer = logged_in(served, user, password)
    with contextlib.closing(client):
        assert answer["success"] is False
        assert not answer.get("SID")


def test_a_local_account_needs_no_directory(served: World) -> None:
    """Whoever stands before the directory in the chain comes in without it being asked."""
    client, answer = logged_in(served, "break-glass", "local-secret")
    with contextlib.closing(client):
        assert answer["success"] is True, answer


def test_a_grant_without_sensors_does_not_start(served: World, tmp_path: Path) -> None:
    """`authgw check` refuses a mapping that forgot its sensors, and says where."""
    for name in ("ldap.password", "authority.pem", "upstream.password", "users.toml", "authgw.toml"):
        (tmp_path / name).write_bytes((served.gateway.folder / name).read_bytes())
        (tmp_path / name).chmod(0o600)
    write_secret(tmp_path / "mapping.toml", MAPPING.replace("sensors = [2]\n", ""))
    done = subprocess.run(
        [PROGRAM, "check", "--config", str(tmp_path / "authgw.toml")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert 'mapping.toml: tenant[1] "acme".sensors: is missing' in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["alice"], 0, f"grant[1] operator@acme: he is in cn=noc-acme,{GROUPS}"),
        (["alice"], 0, f"grant[2] operator@globex: he is not in cn=noc-globex,{GROUPS}"),
        (["alice"], 0, f"found     uid=alice,{PEOPLE} at ldaps://"),
        (["alice"], 0, "dead: fails: servers: none can be used"),
        (["dave"], 1, f"no line names cn=other,{GROUPS}"),
        (["dave", "--groups", f"cn=noc-acme,{GROUPS}"], 0, "corp decides: with the right password he comes in"),
        (["stranger"], 1, "corp: does not know him"),
        (["stranger"], 1, f"below {BASE}, by (&(objectClass=*)(uid=stranger))"),
        (["stranger", "--groups", f"cn=lookers,{GROUPS}"], 0, "found     nobody, id 1 stands for his"),
        (["break-glass"], 0, "static decides: with the right password he comes in"),
    ],
)
def test_explain_login_asks_the_directory(served: World, words: list[str], code: int, says: str) -> None:
    """The command says of each login what it knows, and of each line of the mapping whether it holds and why."""
    command = [PROGRAM, "explain-login", "--config", str(served.gateway.folder / "authgw.toml"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (code, ""), done.stdout
    assert says in done.stdout
