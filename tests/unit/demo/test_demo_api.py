"""api.php and the licence checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

Record = dict[str, Any]
API = "/php/api.php"
WHO = {"user": "authgw", "password": "service-password"}
SINCE = {"startTime": "2026-01-01"}


def ask(client: TestClient, task: str, params: Any, **fields: Any) -> Any:
    """The call as JSON body, without a session."""
    body = {"task": task, **WHO, "params": params, **fields}
    return client.post(API, json=body, headers={"cookie": ""}).json()


def voip_calls(client: TestClient, **params: Any) -> list[int]:
    """The ids that getVoipCalls answers; [] for its empty form."""
    reply = ask(client, "getVoipCalls", params)
    if reply == {"success": False, "error": "no match cdr"}:
        return []
    return [int(row["cdrId"]) for row in reply]


def chosen(records: list[Record], wanted: Callable[[Record], bool]) -> list[int]:
    ordered = sorted(records, key=lambda r: (r["calldate"], r["ID"]))
    return [record["ID"] for record in ordered if wanted(record)]


def test_every_way_to_ask(client: TestClient) -> None:
    """Query, form, multipart, JSON and JSON without a content type answer alike, by credentials or by session."""
    params = {"cdrId": "14"}
    text = json.dumps(params)
    fields = {"task": "getVoipCalls", **WHO, "params": text}
    nobody = {"cookie": ""}
    replies = [
        client.get(API, params=fields, headers=nobody),
        client.post(API, data=fields, headers=nobody),
        client.post(API, files={name: (None, value) for name, value in fields.items()}, headers=nobody),
        client.post(API, json={**fields, "params": params}, headers=nobody),
        client.post(API, content=json.dumps({**fields, "params": params}), headers=nobody),
        client.get(API, params={"task": "getVoipCalls", "params": text}),
    ]
    expected = [{
        "cdrId": "14", "callId": "4944a73d-0f14cffc@127.0.10.18", "caller": "+442079460107",
        "called": "+493023125012", "calldate": "2026-11-23 15:02:12.411", "callend": "2026-11-23 15:02:25.490",
        "duration": "13.079", "connect_duration": "12.611", "lastSIPresponseNum": "200",
    }]  # fmt: skip
    assert [reply.json() for reply in replies] == [expected] * len(replies)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "user must be set"),
        ({"user": "authgw"}, "password must be set"),
        ({"password": "x"}, "user must be set"),
        ({"user": "authgw", "password": "x"}, "Invalid username or password."),
        ({"user": "x", "password": "service-password"}, "Invalid username or password."),
        ({**WHO}, "unknown task"),
        ({**WHO, "task": "getDashboardPanel"}, "unknown task"),
        ({**WHO, "task": "listCdrIds"}, "offset and size parameters must be set"),
        ({**WHO, "task": "listCdrIds", "params": '{"offset":1}'}, "offset and size parameters must be set"),
        ({**WHO, "task": "getVoipCalls", "params": "not json"}, "startTime or cdrId or callId must be set"),
        ({**WHO, "task": "getVoipCalls", "params": '{"caller":"1001"}'}, "startTime or cdrId or callId must be set"),
        ({**WHO, "task": "getVoipCalls", "params": '{"cdrId":236}'}, "no match cdr"),
    ],
)
def test_errors(client: TestClient, fields: dict[str, str], error: str) -> None:
    """Refusals come with status 200 and the product's texts."""
    reply = client.post(API, data=fields, headers={"cookie": ""})
    assert (reply.status_code, reply.json()) == (200, {"success": False, "error": error})


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({}, lambda r: True),
        ({"startTime": "2026-11-23 15:05:00"}, lambda r: r["calldate"] >= "2026-11-23 15:05:00.000"),
        ({"startTimeTo": "2026-11-23 15:05:00"}, lambda r: r["calldate"] <= "2026-11-23 15:05:00.000"),
        ({"endTime": "2026-11-23 15:05:00"}, lambda r: r["calldate"] <= "2026-11-23 15:05:00.000"),
        ({"callEnd": "2026-11-23 15:05:00"}, lambda r: r["callend"] <= "2026-11-23 15:05:00.000"),
        ({"callEnd": "never"}, lambda r: False),
        ({"caller": "1001"}, lambda r: r["caller"] == "1001"),
        ({"caller": 1001, "called": "1%"}, lambda r: r["caller"] == "1001" and r["called"].startswith("1")),
        ({"onlyConnected": 1}, lambda r: r["connect_duration"] is not None),
        ({"onlyConnected": "0"}, lambda r: True),
        ({"X-Tenant": "acme"}, lambda r: r["custom_header__X-Tenant"] == "acme"),
        ({"x-tenant": "%"}, lambda r: r["custom_header__X-Tenant"] == "%"),
        ({"X-Other": "acme"}, lambda r: False),
        ({"callId": "4944a73d-0f14cffc@127.0.10.18"}, lambda r: r["ID"] == 14),
        ({"callId": "4944a73d-0f14cffc%"}, lambda r: False),
        ({"cdrId": "14"}, lambda r: r["ID"] == 14),
        ({"cdrId": 14, "caller": "1001"}, lambda r: False),
    ],
)
def test_get_voip_calls_selects_what_a_plain_loop_selects(
    client: TestClient, records: list[Record], params: dict[str, Any], wanted: Callable[[Record], bool]
) -> None:
    """Each key of params leaves the calls that a loop over cdr.jsonl leaves, in the order of time."""
    assert voip_calls(client, **{**SINCE, **params}) == chosen(records, wanted)


def test_a_call_id_that_two_sensors_saw(client: TestClient, records: list[Record]) -> None:
    """A Call-ID recorded twice gives both calls."""
    twice = next(record for record in records if record["ID"] == 118)["fbasename"]
    assert sorted(voip_calls(client, callId=twice)) == [118, 181]


def test_an_array_of_params_gives_one_list_after_the_other(client: TestClient) -> None:
    """The elements' calls are concatenated, an empty element adds nothing, a bad one fails the whole."""
    both = ask(client, "getVoipCalls", [{"cdrId": 14}, {"cdrId": 236}, {"cdrId": 2, "customHeaders": "X-Tenant"}])
    assert [row["cdrId"] for row in both] == ["14", "2"]
    assert ["X-Tenant" in row for row in both] == [False, True]
    assert ask(client, "getVoipCalls", [{"cdrId": 14}, {}])["success"] is False


def test_headers_come_by_the_name_they_were_asked_by(client: TestClient, records: list[Record]) -> None:
    """Asked headers are there, null where the call has none, and one that is never recorded is left out."""
    params = {**SINCE, "customHeaders": "x-tenant, X-Other"}
    values = {int(row["cdrId"]): row["x-tenant"] for row in ask(client, "getVoipCalls", params)}
    assert values == {record["ID"]: record["custom_header__X-Tenant"] for record in records}
    assert "X-Other" not in ask(client, "getVoipCalls", params)[0]


def test_simple_output(client: TestClient) -> None:
    """simpleOutput leaves the two ids."""
    assert [set(row) for row in ask(client, "getVoipCalls", {"cdrId": 1, "simpleOutput": 1})] == [{"cdrId", "callId"}]


def test_list_cdr_ids(client: TestClient, records: list[Record]) -> None:
    """The offset is an id and inclusive, the size a number of calls; past the end there are fewer, or none."""

    def listed(offset: Any, size: Any) -> list[str]:
        return [row["cdrId"] for row in ask(client, "listCdrIds", {"offset": offset, "size": size})]

    assert listed(1, 3) == ["1", "2", "3"]
    assert listed("230", "100") == ["230", "231", "232", "233", "234", "235"]
    assert listed(0, 1) == ["1"]
    assert listed(236, 5) == []
    assert listed(5, 0) == []
    (row,) = ask(client, "listCdrIds", {"offset": 14, "size": 1})
    assert row == {"cdrId": "14", "calldate": "2026-11-23 15:02:12.411", "caller": "+442079460107",
                   "called": "+493023125012", "duration": "13.079", "id_sensor": "2"}  # fmt: skip


def test_flags_of_list_cdr_ids(client: TestClient) -> None:
    """Flag 2 writes dates with a T, flag 1 leaves the ids."""
    params = {"offset": 14, "size": 1}
    assert ask(client, "listCdrIds", params, flags=2)[0]["calldate"] == "2026-11-23T15:02:12.411"
    assert ask(client, "listCdrIds", params, flags="1") == [{"cdrId": "14"}]


def test_ids_with_gaps(start: Callable[..., TestClient], tmp_path: Path, records: list[Record]) -> None:
    """Where ids have gaps, an offset inside one begins with the next call."""
    few = [record for record in records if record["ID"] in (3, 9, 40)]
    (tmp_path / "cdr.jsonl").write_text("\n".join(json.dumps(record) for record in few))
    rows = ask(start(tmp_path), "listCdrIds", {"offset": 4, "size": 2})
    assert [row["cdrId"] for row in rows] == ["9", "40"]


def test_licence_checks(client: TestClient) -> None:
    """Both checks say that all is well, in the documented form."""
    for task in ("licenseCheck", "licenseCallsLimitCheck"):
        reply = client.get(f"/php/apilicensecheck.php?task={task}").json()
        assert (reply["status"], type(reply["message"])) == (0, str)
    assert client.get("/php/apilicensecheck.php?task=x").json()["success"] is False
