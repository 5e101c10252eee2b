"""What worked against the product itself: its installer, its login, its errors."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from kit.attacked import REFUSED, Site

INJECTION = "a' UNION SELECT 'admin','admin',null,null,null,null,null,null,1,null-- -"
LOGINS = [
    ("/php/api.php", {"module": "relogin", "action": "login", "pass": "nope", "user": INJECTION}),
    ("/php/model/sql.php", {"module": "relogin", "action": "login", "pass": "nope", "user": INJECTION}),
    ("/php/model/sql.php", {"module": "login", "action": "login", "pass": "nope", "user": INJECTION}),
    ("/php/model/sql.php", {"module": "glogin", "pass": "nope", "user": INJECTION}),
    ("/php/model/sql.php", {"module": "bypass_login", "pass": "nope", "user": INJECTION}),
    ("/php/api.php", {"task": "getVoipCalls", "params": "{}", "password": "nope", "user": INJECTION}),
    ("/admin.php", {"action": "login", "user": INJECTION, "pass": "nope"}),
]
SETUP = {"SPOOLDIR": "x".ljust(8), "recheck": "annen", "setup": "1"}


@pytest.mark.parametrize("who", ["", "alice", "admin"])
@pytest.mark.parametrize("form", ["query", "form", "json", "multipart"])
@pytest.mark.parametrize(("path", "fields"), LOGINS)
def test_nobody_logs_in_behind_the_gateway(site: Site, path: str, fields: dict[str, str], form: str, who: str) -> None:
    """CVE-2021-41408, CVE-2022-24260: the product's own logins are not reached, however their fields are sent."""
    send(site, who, path, fields, form)
    assert [
        seen.target for seen in site.wire.log if INJECTION[:9] in seen.everything or "UNION" in seen.everything
    ] == []
    assert site.wire.seen == []


@pytest.mark.parametrize("who", ["", "alice", "admin"])
@pytest.mark.parametrize("form", ["query", "form", "json", "multipart"])
@pytest.mark.parametrize("path", ["/index.php", "/", "/admin.php"])
def test_nobody_sets_it_up_anew(site: Site, path: str, form: str, who: str) -> None:
    """CVE-2021-30461: the installer's forms are not reached, for administrators neither."""
    assert send(site, who, path, SETUP, form) in REFUSED | {401}
    assert site.wire.seen == []


@pytest.mark.parametrize("who", ["alice", "admin"])
def test_no_files_are_uploaded(site: Site, who: str) -> None:
    """CVE-2022-24262: a body with a file in it reaches nothing."""
    body = '--b\r\nContent-Disposition: form-data; name="file"; filename="x.php"\r\n\r\n<?php\r\n--b--\r\n'
    for path in ("/php/model/utilities.php?task=restore", "/php/model/sql.php", "/php/api.php", "/admin.php"):
        assert site.post(who, path, body, "multipart/form-data; boundary=b").status in REFUSED
    assert site.wire.seen == []


def send(site: Site, who: str, path: str, fields: dict[str, str], form: str) -> int:
    if form == "query":
        return site.ask(who, f"{path}?{urlencode(fields)}").status
    if form == "form":
        return site.post(who, path, urlencode(fields)).status
    if form == "json":
        return site.post(who, path, json.dumps(fields), "application/json").status
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
    return site.post(who, path, parts + "--b--\r\n", "multipart/form-data; boundary=b").status
