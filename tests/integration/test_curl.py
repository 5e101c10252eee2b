"""How scripts ask with curl beside the vendor's own lines, run by a shell against a running gateway."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from authgw.rights.claims import Grant, Scope
from kit.gateway import PROGRAM
from kit.servers import need
from kit.world import world
from oracle.data import VOIP, records_of
from oracle.formula import call_of, visible
from oracle.site import signalling

PASSWORD = "tell-nobody-42"
GRANTS = [Grant(frozenset({"can_cdr", "can_pcap"}), scope=Scope(sensors=(2, 5, 7), domain=("acme.example",)))]
USER = {
    "username": "alice",
    "id": 7,
    "can_cdr": True,
    "can_pcap": True,
    "enable_sensors": [2, 5, 7],
    "domain": ["acme.example"],
}
CALL = 14


@dataclass(frozen=True)
class Said:
    """What the script was answered."""

    folder: Path
    cookie: str

    def status(self, name: str) -> int:
        return int((self.folder / f"{name}.status").read_text())

    def body(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def json(self, name: str, status: int = 200) -> Any:
        assert self.status(name) == status, (name, self.status(name), self.body(name)[:500])
        return json.loads(self.body(name))


@pytest.fixture(scope="module", params=["", "/demo"], ids=["root", "demo"])
def said(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Said]:
    """The script run once for a GUI in the web root, and once for one in a folder."""
    need("curl")
    folder = tmp_path_factory.mktemp("curl")
    made = subprocess.run([PROGRAM, "hash-password"], input=PASSWORD + "\n", capture_output=True, text=True, check=True)
    user = {**USER, "password": made.stdout.strip()}
    with world(folder, users=[user], base=request.param) as found:
        (folder / "out").mkdir()
        script = Path(__file__).with_name("curl.sh")
        command = [str(script), found.url, "alice", PASSWORD, str(CALL), str(folder / "out")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        yield Said(folder / "out", "PHPSESSID" + request.param.replace("/", "-"))


def seen(**equal: Any) -> list[int]:
    """The ids that alice sees, of records with these columns."""
    return [
        record["ID"]
        for record in records_of(VOIP)
        if visible(GRANTS, call_of(record)) and all(record[name] == value for name, value in equal.items())
    ]


LOGINS = ("bypass_login", "bypass_login_get", "bypass_login_form", "bypass_login_multipart", "bypass_login_empty_json")


@pytest.mark.parametrize("name", LOGINS)
def test_login(said: Said, name: str) -> None:
    """Every way of logging in gives the documented answer, each time another session id."""
    answer = said.json(name)
    assert answer["success"] is True
    assert answer["cookie_name"] == said.cookie
    assert answer["_debug"] is False
    assert isinstance(answer["_vm_version"], int)
    assert len(answer["SID"]) >= 43
    assert len({said.json(each)["SID"] for each in LOGINS}) == len(LOGINS)


def test_a_wrong_password_says_so(said: Said) -> None:
    """401 with the product's text and no session."""
    answer = {"success": False, "error": "Invalid username or password."}
    assert answer.items() <= said.json("bypass_login_wrong", 401).items()


def test_a_cookie_with_a_path(said: Said) -> None:
    """`PHPSESSID=…; path=/` as Cookie header is that session."""
    reply = said.json("listing_cookie_with_path")
    ids = sorted({*seen(caller="1001"), *seen(called="1001")})
    assert sorted(int(row["ID"]) for row in reply["results"]) == ids
    assert int(reply["total"]) == len(ids)


def test_listing_by_form(said: Said) -> None:
    """The first 30 of alice's calls, newest first, and how many there are."""
    reply = said.json("listing_form")
    assert int(reply["total"]) == len(seen())
    assert len(reply["results"]) == 30
    dates = [row["calldate"] for row in reply["results"]]
    assert dates == sorted(dates, reverse=True)


def test_suppress_results(said: Said) -> None:
    """The total and nothing else."""
    reply = said.json("suppress_results")
    assert reply.keys() <= {"total", "success"}
    assert int(reply["total"]) == len(seen())


@pytest.mark.parametrize("name", ["listing_without_session", "listing_after_logout", "license_without_session"])
def test_no_session(said: Said, name: str) -> None:
    """401 and the body that clients know."""
    reply = said.json(name, 401)
    assert reply["success"] is False
    assert reply["error"]["type"] in ("no_session", "kill_session")


def test_captures(said: Said) -> None:
    """The file, byte for byte; without RTP where that is asked for."""
    assert CALL in seen()
    whole = (VOIP / "pcaps" / f"{CALL}.pcap").read_bytes()
    assert said.body("pcap_post") == whole
    assert said.body("pcap_disable_rtp") == signalling(whole) != whole


VOIP_CALLS = ["voip_calls_raw_get", "voip_calls_form"]


@pytest.mark.parametrize("name", VOIP_CALLS)
def test_voip_calls(said: Said, name: str) -> None:
    """The calls of one caller, with the header that was asked for."""
    reply = said.json(name)
    assert sorted(int(row["cdrId"]) for row in reply) == sorted(seen(caller="1001"))
    assert all("X-Tenant" in row for row in reply)


def test_voip_calls_without_the_right_password(said: Said) -> None:
    """A wrong password and no user are refused with the product's texts."""
    assert said.json("voip_calls_wrong", 401)["error"] == "Invalid username or password."
    assert said.json("voip_calls_no_user", 401)["error"] == "user must be set"
