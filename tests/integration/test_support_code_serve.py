"""From the code on a page that denies something to what the operator reads about it, at a running gateway."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from authgw.cli.main import main
from kit.owner import Owner
from kit.world import World, world

PASSWORD = "correct horse"
USERS: tuple[dict[str, Any], ...] = (
    {"username": "alice", "password": PASSWORD, "id": 101, "can_cdr": True, "enable_sensors": [2]},
)


@pytest.fixture(scope="module", params=["", "/demo"], ids=["root", "folder"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("codes"), users=USERS, base=request.param) as found:
        yield found


@pytest.fixture
def alice(site: World) -> Iterator[Owner]:
    with Owner(site.gateway.url, "alice", PASSWORD) as found:
        assert found.sign_in().status_code == 303
        yield found


def explain(site: World, *arguments: str) -> tuple[int, str]:
    asked = CliRunner().invoke(main, ["explain", "--config", str(site.gateway.folder / "authgw.toml"), *arguments])
    return asked.exit_code, asked.output


def test_from_the_page_to_the_explanation(site: World, alice: Owner) -> None:
    """The page's own command finds the line; the command that it names asks the same again and is refused the same."""
    page = alice.get(f"{site.base}/php/pcap.php?id=42&password=hunter2")
    assert page.status_code == 403
    command = re.search(r"<code>authgw explain --config authgw.toml --code ([0-9a-f]{12})</code>", page.text)
    assert command is not None
    assert command[1] == page.headers["x-request-id"]
    status, said = explain(site, "--code", command[1][:6].upper() + "-" + command[1][6:])
    assert status == 0
    assert "who       alice (login static, session " in said
    assert "asked     GET /php/pcap.php?id=42\n" in said
    assert "from      127.0.0.1\n" in said
    assert "hunter2" not in (site.gateway.folder / "audit.jsonl").read_text()
    again = shlex.split(said.splitlines()[-1].removeprefix("again"))
    assert again[:2] == ["authgw", "explain"]
    asked = CliRunner().invoke(main, again[1:])
    reason = re.search(r"reason    (\w+):", said)
    assert reason is not None
    assert (asked.exit_code, f"decision  deny {reason[1]}" in asked.output) == (1, True)


def test_what_a_form_or_json_said(site: World, alice: Owner) -> None:
    """The fields of a body are told as those of an address are; what could open something is not, at any depth."""
    headers = {"accept": "application/json", "sec_fetch_dest": "empty", "sec_fetch_mode": "cors"}
    fields = {"task": "nothing", "params": json.dumps({"a": 1, "user_hash": "hunter2"}), "name": "a b&c"}
    for send in ({"data": fields}, {"json": fields | {"params": {"deep": [{"api_token": "hunter2"}]}}}):
        reply = alice.http.post(
            f"{site.base}/php/model/nothing.php", headers={k.replace("_", "-"): v for k, v in headers.items()}, **send
        )
        assert reply.status_code == 403, reply.text
        status, said = explain(site, "--code", reply.json()["request_id"])
        assert status == 0
        assert "asked     POST /php/model/nothing.php?task=nothing&name=a%20b%26c\n" in said
        assert "call      none: it is not in the catalogue" in said
    assert "hunter2" not in (site.gateway.folder / "audit.jsonl").read_text()


def test_strangers_leave_no_query(site: World) -> None:
    """Of somebody without a session the line says what was tried, and nothing of what was sent."""
    with Owner(site.gateway.url, "nobody", "") as nobody:
        reply = nobody.http.post(f"{site.base}/php/pcap.php", data={"id": "1", "pw": "hunter2"})
        assert reply.status_code == 401
        status, said = explain(site, "--code", reply.headers["x-request-id"])
    assert status == 0
    assert "who       nobody that was known" in said
    assert "asked     POST /php/pcap.php\n" in said
    assert "again     cannot be asked: nobody is known who asked" in said
    assert "hunter2" not in (site.gateway.folder / "audit.jsonl").read_text()


def test_pages_of_its_own(site: World) -> None:
    """A code that one of the gateway's own pages shows is in the log, as the answer of the command says."""
    with Owner(site.gateway.url, "nobody", "") as nobody:
        page = nobody.get("/authgw/login?user[]=x")
    code = page.headers["x-request-id"]
    assert (page.status_code, code in page.text) == (400, True)
    status, said = explain(site, "--code", code)
    assert (status, "leave their codes in the log" in said) == (1, True)
