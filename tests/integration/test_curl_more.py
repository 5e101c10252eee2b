"""The other curl lines of the Web API description, run by a shell against a running gateway."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kit.servers import need
from kit.world import World, world
from oracle.data import VOIP, records_of

RECORD = next(
    record
    for record in records_of(VOIP)
    if record["wav"] and "acme.example" in (record["caller_domain"], record["called_domain"])
)
FLAGS = [
    "can_cdr",
    "can_pcap",
    "can_download_audio",
    "can_activecalls",
    "can_listen_active_call",
    "can_report_functions",
    "can_cdr_share_local_public",
    "can_cdr_share_local_private",
    "can_cdr_share_voipmonitor_org",
]
ALL = dict.fromkeys(FLAGS, True)
USERS = [
    {"username": "whole", "password": "secret", "id": 1, **ALL},
    {"username": "acme", "password": "secret", "id": 2, **ALL, "domain": ["acme.example"]},
]


@dataclass(frozen=True)
class Said:
    """What the script of one user was answered."""

    user: str
    folder: Path
    site: World

    def status(self, name: str) -> int:
        return int((self.folder / f"{name}.status").read_text())

    def body(self, name: str, status: int = 200) -> bytes:
        body = (self.folder / name).read_bytes()
        assert self.status(name) == status, (name, self.status(name), body[:300])
        return body

    def link(self, name: str) -> str:
        found: dict[str, Any] = json.loads(self.body(name))
        return next(text for text in found.values() if isinstance(text, str) and text.startswith("http"))


def under_way(site: World, user: str) -> dict[str, Any]:
    """One call under way that the user sees."""
    params = {"task": "listActiveCalls", "user": user, "password": "secret", "params": {}}
    rows = httpx2.post(f"{site.url}/php/api.php", json=params).json()
    found: dict[str, Any] = next(row for row in rows if row["id_sensor"] is not None)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("more"), users=USERS) as found:
        yield found


@pytest.fixture(scope="module", params=["whole", "acme"])
def said(request: pytest.FixtureRequest, site: World, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """The script run by somebody without row scope, and by somebody with one."""
    need("curl")
    out = tmp_path_factory.mktemp("out")
    active = under_way(site, request.param)
    script = str(Path(__file__).with_name("curl_more.sh"))
    command = [script, site.url, request.param, "secret", str(RECORD["ID"]), RECORD["fbasename"]]
    command += [active["callreference"], str(active["id_sensor"]), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return Said(request.param, out, site)


def test_recordings(said: Said) -> None:
    """The audio of the call, by id and by Call-ID, by POST and GET; cut; zipped; and the words for nothing."""
    audio = (VOIP / RECORD["wav"]).read_bytes()
    for name in ("post", "get", "call_id_post", "call_id_get", "interval"):
        assert said.body(f"recording_{name}") == audio, name
    cut = said.body("recording_after_connect")
    assert cut[:4] == b"RIFF"
    assert 44 < len(cut) < len(audio)
    archive = zipfile.ZipFile(io.BytesIO(said.body("recording_zip")))
    assert archive.read(f"{RECORD['ID']}.wav") == audio
    assert json.loads(said.body("recording_nothing", 400))["error"] == "cdrId or callId or custom header must be set"


def test_captures(said: Said) -> None:
    """The capture by Call-ID, alone, with its other legs (here none), and zipped."""
    capture = (VOIP / "pcaps" / f"{RECORD['ID']}.pcap").read_bytes()
    assert said.body("pcap") == said.body("pcap_interval") == said.body("pcap_merge") == capture
    archive = zipfile.ZipFile(io.BytesIO(said.body("pcap_zip")))
    assert [archive.read(name) for name in archive.namelist()] == [capture]


def test_calls_under_way(said: Said) -> None:
    """Only the sensor's calls, by POST and GET alike; pausing and going on are done."""
    rows = json.loads(said.body("active_post"))
    assert rows
    assert rows == json.loads(said.body("active_get"))
    assert len({row["id_sensor"] for row in rows}) == 1
    for name in ("pause_post", "unpause_get"):
        assert json.loads(said.body(name))["success"] is True


def test_reports(said: Said) -> None:
    """A report comes for users without row scope, and is refused to others."""
    for name in ("report_post", "report_get"):
        if said.user == "whole":
            assert json.loads(said.body(name))
        else:
            assert json.loads(said.body(name, 403))["reason"] == "unscoped_only"


@pytest.mark.parametrize(
    "name", ["share_rtp_interval", "share_rtp", "share_sip", "share_history", "self_protected_link"]
)
def test_public_links_open(said: Said, name: str) -> None:
    """Each link leads to the gateway and shows the call to anybody."""
    link = said.link(name)
    assert link.startswith(said.site.url)
    assert f"Call {RECORD['ID']}" in httpx2.get(link).text


def test_the_other_kinds_of_links(said: Said) -> None:
    """A link for users asks for a session; one of the vendor's server stays as it is."""
    assert httpx2.get(said.link("self_login_link")).status_code == 401
    assert not said.link("share_link").startswith(said.site.url)
