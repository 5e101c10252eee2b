"""Messages, registrations and the other sections of sql.php."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

Record = dict[str, Any]
SQL = "/php/model/sql.php"
NAMES = {2: "lon-edge-1", 3: "nyc-edge-1", 5: "core-mirror", 7: "prg-edge-1"}


def listing(client: TestClient, module: str, **fields: str) -> dict[str, Any]:
    fields = {"task": "LISTING", "module": module, "limit": "5000", **fields}
    reply: dict[str, Any] = client.post(SQL, data=fields).json()
    return reply


def results(client: TestClient, module: str, **fields: str) -> list[Record]:
    reply = listing(client, module, **fields)
    assert reply["success"] is True
    assert reply["total"] == str(len(reply["results"]))
    rows: list[Record] = reply["results"]
    return rows


def ids(rows: list[Record]) -> list[int]:
    return [int(row["ID"]) for row in rows]


def read(folder: Path, name: str) -> list[Record]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def newest(rows: list[Record], time: str) -> list[int]:
    return [row["ID"] for row in sorted(rows, key=lambda r: (r[time], r["ID"]), reverse=True)]


def test_messages(client: TestClient, voip: Path) -> None:
    """Every message comes, newest first, with its text and parties, and without a vlan column."""
    messages = read(voip, "messages.jsonl")
    rows = results(client, "message")
    assert ids(rows) == newest(messages, "calldate")
    assert len(rows) == 27
    assert Counter(row["custom_header__X-Tenant"] for row in rows) == {"acme": 9, "globex": 9, "initech": 9}
    by_id = {message["ID"]: message for message in messages}
    for row in rows:
        message = by_id[int(row["ID"])]
        same = ("calldate", "caller", "called", "caller_domain", "called_domain", "sipcallerip", "sipcalledip", "a_ua",
                "message", "contenttype", "fbasename", "id_sensor", "b_ua")  # fmt: skip
        assert [row[name] for name in same] == [message[name] for name in same]
        assert row["content_length"] == str(message["content_length"])
        assert not {"vlan", "caller_reverse", "table"} & set(row)
        assert (
            row["sensorname"] == {2: "lon-edge-1", 3: "nyc-edge-1", 5: "core-mirror", 7: "prg-edge-1"}[row["id_sensor"]]
        )


@pytest.mark.parametrize(
    ("module", "table", "count"),
    [
        ("register", "register_state", 18),
        ("register_state", "register_state", 18),
        ("register_failed", "register_failed", 9),
    ],
)
def test_registrations(client: TestClient, voip: Path, module: str, table: str, count: int) -> None:
    """Registrations that hold and failed ones are told apart, newest first."""
    wanted = [record for record in read(voip, "registers.jsonl") if record["table"] == table]
    rows = results(client, module)
    assert ids(rows) == newest(wanted, "created_at")
    assert len(rows) == count
    assert {"from_num", "to_domain", "sipcallerip", "digestusername", "ua", "id_sensor"} <= set(rows[0])
    assert not {"vlan", "table"} & set(rows[0])


def test_bounds_sensors_and_pages(client: TestClient, voip: Path) -> None:
    """Times bound inclusively, fsensor_id takes database ids, start and limit cut a page out, the total stays."""
    messages = read(voip, "messages.jsonl")
    times = sorted(message["calldate"] for message in messages)
    within = [message for message in messages if times[5] <= message["calldate"] <= times[20]]
    assert ids(results(client, "message", fdatefrom=times[5], fdateto=times[20])) == newest(within, "calldate")
    assert ids(results(client, "message", fsensor_id="13")) == newest(
        [m for m in messages if m["id_sensor"] == 3], "calldate"
    )
    assert len(results(client, "message", fsensor_id="12,-1")) == 27
    assert results(client, "message", fsensor_id="3") == []
    part = listing(client, "message", start="25", limit="30")
    assert (part["total"], ids(part["results"])) == ("27", newest(messages, "calldate")[25:])
    assert listing(client, "message", suppress_results="1") == {"total": "27"}


def test_sorting(client: TestClient, voip: Path) -> None:
    """sort takes any column of the section, several of them, and passes over what is none or not shown."""
    registers = [record for record in read(voip, "registers.jsonl") if record["table"] == "register_state"]
    sort = [{"property": "digestrealm", "direction": "ASC"}, {"property": "from_num", "direction": "DESC"}]
    by_time = sorted(registers, key=lambda r: (r["created_at"], r["ID"]), reverse=True)
    wanted = sorted(sorted(by_time, key=lambda r: r["from_num"], reverse=True), key=lambda r: r["digestrealm"])
    assert ids(results(client, "register_state", sort=json.dumps(sort))) == [record["ID"] for record in wanted]
    for sort_text in ('[{"property":"vlan","direction":"ASC"},{"property":"nothing"}]', "{", "[1]"):
        assert ids(results(client, "register_state", sort=sort_text)) == [record["ID"] for record in by_time]
    oldest = ids(results(client, "register_state", sort='[{"property":"calldate2","direction":"ASC"}]'))
    assert [record["created_at"] for i in oldest for record in registers if record["ID"] == i] == sorted(
        record["created_at"] for record in registers
    )


def test_rows_without_a_sensor(client6: TestClient) -> None:
    """fsensor_id -2 finds the messages without a sensor number and the registrations that are stored with 0."""
    assert {row["id_sensor"] for row in results(client6, "message", fsensor_id="-2")} == {None}
    assert len(results(client6, "message", fsensor_id="-2")) == 4
    found = results(client6, "register_state", fsensor_id="-2") + results(client6, "register_failed", fsensor_id="-2")
    assert [row["id_sensor"] for row in found] == [0] * 4


@pytest.mark.parametrize("module", ["sip_msg", "audit_log", "alerts", "message_stats", "cb_ip", "users_groups", "SPY"])
def test_sections_without_records(client: TestClient, module: str) -> None:
    """Sections that the records have nothing for are empty lists, for sessions; other tasks there are denied."""
    assert listing(client, module) == {"success": True, "total": "0", "results": []}
    assert client.post(SQL, data={"module": module, "task": "delete"}).text == "access denied"
    reply = client.post(SQL, data={"module": module, "task": "LISTING"}, headers={"cookie": ""}).json()
    assert reply["error"] == {"type": "no_session"}


def test_a_folder_without_messages(start: Callable[..., TestClient], tmp_path: Path, records: list[Record]) -> None:
    """A folder with nothing but calls has empty sections."""
    (tmp_path / "cdr.jsonl").write_text(json.dumps(records[0]))
    for module in ("message", "register", "register_failed"):
        assert results(start(tmp_path), module) == []
