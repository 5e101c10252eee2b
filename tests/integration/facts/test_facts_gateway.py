"""A running gateway that reads facts in the product's database: what it shows, and what it does without it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from kit.call_tables import READER_PASSWORD, fill
from kit.gateway import PROGRAM
from kit.mariadb import mariadb
from kit.world import World, world
from oracle.data import VOIP_V6, records_of

VISIBLE = sorted(record["ID"] for record in records_of(VOIP_V6) if record["vlan"] == 100)
HIDDEN = next(record["ID"] for record in records_of(VOIP_V6) if record["vlan"] == 200)
USER = {"username": "vera", "password": "vera-demo", "id": 7, "can_cdr": True, "can_pcap": True, "vlan": [100]}


def voip_calls(world: World) -> httpx2.Response:
    asked = {"task": "getVoipCalls", "user": "vera", "password": "vera-demo", "params": {"startTime": "2026-11-23"}}
    return httpx2.post(f"{world.url}/php/api.php", json=asked, timeout=30)


def pcap(world: World, call_id: int) -> httpx2.Response:
    asked = {"module": "bypass_login", "user": "vera", "pass": "vera-demo"}
    login = httpx2.post(f"{world.url}/php/model/sql.php", data=asked).json()
    cookie = {"cookie": f"{login['cookie_name']}={login['SID']}"}
    return httpx2.get(f"{world.url}/php/pcap.php", params={"id": str(call_id)}, headers=cookie)


def explained(world: World, call_id: int) -> subprocess.CompletedProcess[str]:
    config = str(world.gateway.folder / "authgw.toml")
    command = [PROGRAM, "explain", "--config", config, "--user", "vera", "--row", str(call_id)]
    return subprocess.run([*command, "GET", f"/php/pcap.php?id={call_id}"], capture_output=True, text=True, check=False)


def ready(world: World) -> Any:
    return httpx2.get(f"{world.url}/authgw/readyz").json()["missing"]


def without_vlan(folder: Path) -> Path:
    """The same records for a look-alike whose SINGLEROW lacks the column."""
    folder.mkdir()
    records = [{key: value for key, value in record.items() if key != "vlan"} for record in records_of(VOIP_V6)]
    (folder / "cdr.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "sensors.jsonl").write_bytes((VOIP_V6 / "sensors.jsonl").read_bytes())
    shutil.copytree(VOIP_V6 / "pcaps", folder / "pcaps")
    return folder


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def test_a_site_whose_gui_tells_no_vlan(tmp_path: Path) -> None:
    """A scope by vlan shows its calls and no others, although the GUI's rows lack the column; explain says who told."""
    data = without_vlan(tmp_path / "data")
    with mariadb(tmp_path / "m") as server:
        url_file = tmp_path / "facts.url"
        url_file.write_text(fill(server, "voipmonitor", VOIP_V6, ipv6=True) + "\n")
        url_file.chmod(0o600)
        with world(tmp_path / "w", data, users=[USER], facts={"url_file": str(url_file)}) as site:
            assert sorted(int(row["cdrId"]) for row in voip_calls(site).json()) == VISIBLE
            assert pcap(site, VISIBLE[0]).status_code == 200
            assert pcap(site, HIDDEN).json() == {"success": False, "error": f"cdr id {HIDDEN} does not exist"}
            told = explained(site, VISIBLE[0])
            assert (told.returncode, told.stderr) == (0, "")
            assert "told by the database" in told.stdout
            assert "vlan: 100; the call has 100" in told.stdout
            assert explained(site, HIDDEN).returncode == 1
            assert ready(site) == {}
    with world(tmp_path / "without", data, users=[USER]) as site:
        assert voip_calls(site).json() == {"success": False, "error": "no match cdr"}
        assert "told by the GUI" in explained(site, VISIBLE[0]).stdout


def test_without_its_database_it_refuses_with_a_reason(tmp_path: Path) -> None:
    """What needs a look-up is refused with 503 while the database is away, and answered as soon as it is back."""
    with mariadb(tmp_path / "m") as server:
        url = fill(server, "voipmonitor", VOIP_V6, ipv6=True)
    with world(tmp_path / "w", VOIP_V6, users=[USER], facts={"url": url}) as site:
        for refused in (voip_calls(site), pcap(site, VISIBLE[0]), pcap(site, HIDDEN)):
            assert refused.status_code == 503
            assert refused.json()["reason"] == "facts_unavailable"
            assert "127.0.0.1" not in refused.text
        assert ready(site) == {"facts": "the database of facts cannot be asked"}
        assert explained(site, VISIBLE[0]).returncode == 2
        with mariadb(tmp_path / "m", port=server.port):
            assert eventually(lambda: voip_calls(site).status_code == 200)
            assert pcap(site, VISIBLE[0]).status_code == 200
        assert READER_PASSWORD not in site.gateway.log.read_text()
        assert "facts_unavailable" in site.gateway.log.read_text()


def test_it_asks_the_gui_instead_where_that_is_set(tmp_path: Path) -> None:
    """With fallback = "gui" and no database everything is answered as by the GUI, and the log says so once."""
    facts = {"url": "mysql://reader@127.0.0.1:1/voipmonitor", "fallback": "gui"}
    with world(tmp_path, VOIP_V6, users=[USER], facts=facts) as site:
        assert sorted(int(row["cdrId"]) for row in voip_calls(site).json()) == VISIBLE
        assert pcap(site, VISIBLE[0]).status_code == 200
        assert pcap(site, HIDDEN).status_code == 404
        assert "told by the GUI" in explained(site, VISIBLE[0]).stdout
        assert ready(site) == {}
        assert site.gateway.log.read_text().count("the database cannot be asked, the GUI is asked instead") == 1
