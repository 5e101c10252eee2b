"""delete_cdr on a copy of the records."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

SQL = "/php/model/sql.php"
ALL = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-01-01T00:00:00", "limit": "5000"}


def delete(client: TestClient, **params: Any) -> Any:
    fields = {"task": "delete_cdr", "module": "CDR", "params": json.dumps(params)}
    return client.post(SQL, data=fields).json()


def listed(client: TestClient, **fields: str) -> set[int]:
    reply = client.post(SQL, data={**ALL, **fields}).json()
    assert reply["total"] == str(len(reply["results"]))
    return {int(row["ID"]) for row in reply["results"]}


def seen(client: TestClient, call: int) -> tuple[bool, bool, bool, bool, bool]:
    """Whether there are: the single row, the capture, the audio, a SIP history, the call in api.php."""
    row = client.get(f"{SQL}?module=CDR&task=SINGLEROW&ID={call}").json()["total"] == "1"
    capture = client.get(f"/php/pcap.php?id={call}").content[:4] == b"\xd4\xc3\xb2\xa1"
    audio = client.get(f"/php/{call}.wav").content[:4] == b"RIFF"
    history = bool(client.get(f"/php/pcap2text.php?action=brief_data&id={call}").json().get("total"))
    asked = {"task": "getVoipCalls", "params": {"cdrId": call}}
    return row, capture, audio, history, isinstance(client.post("/php/api.php", json=asked).json(), list)


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ("cdr", (False, False, False, False, False)),
        ("files", (True, False, False, False, True)),
        ("both", (False, False, False, False, False)),
    ],
)
def test_deleting_by_id(client: TestClient, what: str, left: tuple[bool, ...]) -> None:
    """The named calls, and no others, lose their rows, their files or both, also after they were looked at."""
    assert seen(client, 12) == seen(client, 78) == (True, True, True, True, True)
    assert delete(client, typeDelete=what, ids=[12, "5", 999]) == {"success": True}
    assert seen(client, 12) == left
    assert seen(client, 78) == (True, True, True, True, True)
    assert listed(client) == set(range(1, 236)) - (set() if what == "files" else {5, 12})


def test_a_deleted_call_is_nowhere(client: TestClient, records: list[dict[str, Any]]) -> None:
    """It is no leg, no active call and in no statistic any more."""
    call_id = next(record["callid"] for record in records if record["ID"] == 118)
    delete(client, typeDelete="cdr", ids=[118])
    asked = {"task": "getPCAP", "params": {"callId": call_id, "cidInterval": 60}}
    reply = client.post("/php/api.php", json=asked)
    assert reply.headers["content-disposition"] == 'attachment; filename="voipmonitor-181.pcap"'
    assert len(client.post("/php/api.php", json={"task": "listActiveCalls"}).json()) == 130
    stats = client.post(SQL, data={**ALL, "module": "CDR_stats"}).json()["results"]
    assert sum(int(row["cnt_all"]) for row in stats) == 234


def test_deleting_by_filter(client: TestClient, records: list[dict[str, Any]]) -> None:
    """The filter form deletes what LISTING shows for it; without a date bound it is refused."""
    chosen = {"fsipresponse": "503", "fdatefrom": "2026-01-01T00:00:00"}
    wanted = {record["ID"] for record in records if record["lastSIPresponseNum"] == 503}
    assert delete(client, typeDelete="both", filter={"fsipresponse": "503"})["success"] is False
    assert listed(client, fsipresponse="503") == wanted != set()
    assert delete(client, typeDelete="both", filter=chosen) == {"success": True}
    assert listed(client) == set(range(1, 236)) - wanted


@pytest.mark.parametrize("params", [{}, {"ids": [1]}, {"typeDelete": "all", "ids": [1]}, {"typeDelete": "cdr"},
                                    {"typeDelete": "cdr", "ids": []}])  # fmt: skip
def test_deleting_nothing(client: TestClient, params: dict[str, Any]) -> None:
    """What names no kind or no calls is refused and deletes nothing; so it is without a session."""
    assert delete(client, **params)["success"] is False
    client_session = client.headers["cookie"]
    client.headers["cookie"] = ""
    assert delete(client, typeDelete="both", ids=[1])["error"] == {"type": "no_session"}
    client.headers["cookie"] = client_session
    assert len(listed(client)) == 235


def test_the_records_stay(start: Callable[..., TestClient], voip: Path) -> None:
    """Nothing on disk changes, and another look-alike over the same folder has every call."""

    def digest() -> str:
        return sha256(b"".join(path.read_bytes() for path in sorted(voip.rglob("*")) if path.is_file())).hexdigest()

    before, first = digest(), start()
    delete(first, typeDelete="both", ids=list(range(1, 236)))
    assert listed(first) == set()
    assert digest() == before
    assert len(listed(start())) == 235
