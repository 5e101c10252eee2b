"""The GUI's page and files, and the demo's accounts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from authgw.demo.accounts import users

Record = dict[str, Any]


@pytest.mark.parametrize(
    "path",
    ["/", "/index.php", "/admin.php", '/admin.php?cdr_filter={fcallid:"x"}', "/index.php?activecalls=1&hidegrid=1"],
)
def test_the_page_is_one_static_shell(client: TestClient, path: str) -> None:
    """The start page is the same for everybody, holds no script of its own, no style, no handler, no other origin."""
    reply = client.get(path, headers={"cookie": ""})
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.text == client.get("/admin.php").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://|javascript:", reply.text)


@pytest.mark.parametrize("base", ["", "/demo"])
def test_every_file_of_the_page_is_served(start: Callable[..., TestClient], base: str) -> None:
    """What the page refers to is there, below the base path, with a type a browser takes."""
    client = start(base=base)
    page = client.get(f"{base}/admin.php").text
    refers = set(re.findall(r'(?:src|href)="([^"#/][^"]*)"', page))
    types = {path: client.get(f"{base}/{path}").headers["content-type"].partition(";")[0] for path in refers}
    assert types == {"css/shell.css": "text/css", "js/shell.js": "text/javascript", "css/icon.svg": "image/svg+xml"}


def test_the_script_writes_text_only(client: TestClient) -> None:
    """The page's script never makes markup of a call's data and asks no other origin."""
    script = client.get("/js/shell.js").text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", script)
    assert "://" not in script


def test_the_page_logs_out_at_the_gateway(client: TestClient) -> None:
    """The log-out form posts to the gateway's own path."""
    assert re.search(r'<form method="post" action="/authgw/logout">', client.get("/admin.php").text)


def account(name: str) -> dict[str, Any]:
    return next(user for user in users() if user["username"] == name)


def like(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern), re.IGNORECASE | re.DOTALL)


def tenant_calls(voip: Path, tenant: str) -> set[int]:
    """The calls in which the tenant has a part, by the ground truth."""
    truth = json.loads((voip / "ground_truth.json").read_text())["calls"]
    row = json.loads((voip / "crosscheck.json").read_text())["calls"]
    return {row[call["gt_id"]] for call in truth if tenant in (call["tenant"], call["peer_tenant"])}


def test_accounts_are_a_users_table() -> None:
    """Names and ids are unique, everybody has a password and a line for people, operators may see, fetch and hear."""
    table = users()
    assert len({user["username"] for user in table}) == len({user["id"] for user in table}) == len(table) == 5
    assert all(user["password"] and user["note"] and user["id"] > 0 for user in table)
    for name in ("acme", "globex", "initech"):
        flags = ("can_cdr", "can_pcap", "can_play_audio", "can_download_audio")
        assert account(name)["tenant"] == name
        assert all(account(name)[flag] is True for flag in flags)
        assert "is_admin" not in account(name)
    auditor = account("auditor")
    assert (auditor["no_rtp"], auditor["can_cdr"], auditor["can_pcap"]) == (True, True, True)
    assert not {"can_play_audio", "can_download_audio"} & set(auditor)


def test_acme_by_sensor_and_domain(voip: Path, records: list[Record]) -> None:
    """The domain on sensors 2, 5 and 7 is exactly the calls that Acme has a part in."""
    user = account("acme")
    seen = {
        record["ID"]
        for record in records
        if record["id_sensor"] in user["enable_sensors"]
        and any(record[side] in user["domain"] for side in ("caller_domain", "called_domain"))
    }
    assert seen == tenant_calls(voip, "acme")


def test_globex_by_number(voip: Path, records: list[Record]) -> None:
    """The pattern takes Globex's hundred numbers and no outsider's that shares the prefix, and no internal call."""
    (pattern,) = account("globex")["number"]
    hundred = {f"+121255501{last:02d}" for last in range(100)}
    assert all(like(pattern).fullmatch(number) for number in hundred)
    assert not any(like(pattern).fullmatch(n) for n in ("+12125550950", "+1212555010", "+121255501000", "12125550100"))
    seen = {r["ID"] for r in records if any(like(pattern).fullmatch(r[side]) for side in ("caller", "called"))}
    assert seen == {r["ID"] for r in records if hundred & {r["caller"], r["called"]}}
    assert seen
    assert seen < tenant_calls(voip, "globex")


def test_initech_by_network(voip: Path, records: list[Record]) -> None:
    """The network is exactly the calls that Initech has a part in."""
    assert account("initech")["ip"] == ["127.0.30.0/24"]
    sides = ("sipcallerip", "sipcalledip")
    seen = {r["ID"] for r in records if any(r[side].startswith("127.0.30.") for side in sides)}
    assert seen == tenant_calls(voip, "initech")
