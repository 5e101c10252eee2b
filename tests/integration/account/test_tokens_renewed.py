"""Tokens of people whose login plugin cannot tell their rights without a password: as of the last login."""

from __future__ import annotations

import time
from typing import Any

import httpx2
import pytest

from kit.owner import Owner
from kit.world import world

SCRIPT = """
import json, pathlib

def custom_login(user, password):
    more = json.loads(pathlib.Path({file!r}).read_text())
    return {{"id": 7, "username": user, "can_cdr": 1, **more}} if password == "correct horse" else None
"""
PCAP = "/php/pcap.php?id=1"


@pytest.mark.parametrize("second", ["page", "bypass_login", "api"])
def test_a_login_renews_what_a_token_may(tmp_path_factory: pytest.TempPathFactory, second: str) -> None:
    """A right that is gone stays with a token until its owner logs in, by whichever way, and not longer."""
    folder = tmp_path_factory.mktemp("script")
    file, script = folder / "rights.json", folder / "crm.py"
    file.write_text('{"can_pcap": 1}')
    script.write_text(SCRIPT.format(file=str(file)))
    script.chmod(0o600)
    crm: dict[str, Any] = {"plugin": "script", "script": "crm.py"}
    opened = world(folder, login={"chain": ["static", "crm"]}, login_crm=crm)
    with opened as site, Owner(site.url, "alice", "correct horse") as alice:
        assert alice.sign_in().status_code == 303
        headers = {"authorization": f"Bearer {alice.token()}"}
        assert httpx2.get(site.url + PCAP, headers=headers).status_code == 200
        file.write_text("{}")
        assert httpx2.get(site.url + PCAP, headers=headers).status_code == 200
        if second == "page":
            assert alice.sign_in().status_code == 303
        elif second == "bypass_login":
            asked = {"module": "bypass_login", "user": "alice", "pass": "correct horse"}
            assert httpx2.get(site.url + "/php/model/sql.php", params=asked).json()["success"] is True
        else:
            asked = {"task": "listCdrIds", "params": '{"offset":0,"size":1}', "user": "alice"}
            asked["password"] = "correct horse"
            assert httpx2.post(site.url + "/php/api.php", data=asked).status_code == 200
        ends = time.monotonic() + 3
        while (status := httpx2.get(site.url + PCAP, headers=headers).status_code) == 200:
            assert time.monotonic() < ends
        assert status == 403
