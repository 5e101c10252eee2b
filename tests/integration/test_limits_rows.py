"""simple_cdr and show_only_connected_calls, on every way to rows and calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from authgw.rights.claims import Grant, Scope
from authgw.session.model import Kind
from kit.limited import (
    API,
    CALL,
    CALL_ID,
    DAYS,
    HEADER,
    RECORDS,
    SCOPES,
    SQL,
    UTILITIES,
    api,
    may,
    sql,
)
from kit.users import Users, users_of


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Users]:
    with users_of(tmp_path_factory.mktemp("limits")) as found:
        yield found


# ---------------------------------------------------------------- simple_cdr

SIMPLE = {
    "ID", "cdr_ID", "calldate", "callend", "duration", "_duration", "connect_duration", "caller", "called",
    "id_sensor", "sensorname", "lastSIPresponseNum", "lastSIPresponse", "cdrId",
}  # fmt: skip
# What reduced rows must not tell about the call.
HIDDEN = [
    str(RECORDS[CALL][column])
    for column in ("fbasename", "a_ua", "b_ua", "sipcallerip", "sipcalledip", "caller_domain", "called_domain")
]


@pytest.fixture(params=sorted(SCOPES))
def simple(request: pytest.FixtureRequest) -> tuple[Grant, ...]:
    """Somebody under simple_cdr, with and without row scope; he sees the call."""
    return may("simple_cdr", SCOPES[request.param], without="can_pcap")


def reduced(rows: list[dict[str, Any]]) -> None:
    assert rows
    for row in rows:
        assert row.keys() <= SIMPLE, row.keys() - SIMPLE
        assert not set(HIDDEN) & {str(value) for value in row.values()}


def test_rows_are_reduced_on_every_list(users: Users, simple: tuple[Grant, ...]) -> None:
    """LISTING, SINGLEROW, getVoipCalls and listCdrIds under simple_cdr carry reduced rows only."""
    reduced(sql(users, simple, "LISTING", **DAYS).json()["results"])
    reduced(sql(users, simple, "LISTING", **DAYS, simple="0").json()["results"])
    reduced(sql(users, simple, "SINGLEROW", ID=str(CALL)).json()["results"])
    reduced(api(users, simple, "listCdrIds", {"offset": "1", "size": "50"}).json())
    reduced(api(users, simple, "listCdrIds", {"offset": "1", "size": "50"}, flags="1").json())
    for element in ({"startTime": "2026-11-20"}, {"cdrId": CALL}, {"cdrId": CALL, "simpleOutput": 1}):
        reduced(api(users, simple, "getVoipCalls", element).json())


@pytest.mark.parametrize(
    "element",
    [
        {"startTime": "2026-11-20", "customHeaders": "X-Tenant"},
        {"startTime": "2026-11-20", "X-Tenant": "acme"},
        {"callId": CALL_ID},
    ],
    ids=json.dumps,
)
def test_nobody_searches_by_what_reduced_rows_hide(
    users: Users, simple: tuple[Grant, ...], element: dict[str, Any]
) -> None:
    """getVoipCalls neither filters by headers and Call-IDs under simple_cdr nor shows them."""
    answer = api(users, simple, "getVoipCalls", element)
    assert answer.status_code == 403, answer.text[:300]


FILTERS = [
    {"fcallid": CALL_ID},
    {"fa_ua": "%"},
    {"fb_ua": "%"},
    {"fsipcallerip": "127.0.10.12"},
    {"fsipcalledip": "127.0.0.0/8"},
    {"fcaller_domain": "acme.example"},
    {"fcalled_domain": "acme%"},
    {"fcallername": "%"},
    {"fbye": "true"},
    {"fbye": "false"},
    {"fmosf1": "0"},
    {"fcodec": "0"},
    {"fmosf1": "4"},
    {"floss1": "1"},
    {"f_d50": "1"},
    {"frtcp_maxjitter": "1"},
    {"orderBySrcSIP_IP_asc": "1"},
    {"sort": '[{"property":"a_ua","direction":"ASC"}]'},
    {"sort": '[{"property":"caller","direction":"ASC"},{"property":"fbasename","direction":"ASC"}]'},
]


@pytest.mark.parametrize("filter", FILTERS, ids=json.dumps)
def test_nobody_filters_by_what_reduced_rows_hide(users: Users, filter: dict[str, str]) -> None:
    """LISTING, its total, TOTAL, sums and cdr_filter pages refuse such filters and orders."""
    who = may("simple_cdr", without="can_pcap")
    for task, module, more in (
        ("LISTING", "CDR", {}),
        ("LISTING", "CDR", {"suppress_results": "1"}),
        ("TOTAL", "CDR", {}),
        ("LISTING", "CDR_stats", {"group_by": "lastSIPresponse"}),
    ):
        if module == "CDR_stats" and "sort" in filter:
            continue
        answer = sql(users, who, task, module, **DAYS, **filter, **more)
        assert answer.status_code == 403, (task, module, more, answer.text[:200])
    page = users.ask(who, "/admin.php", {"cdr_filter": json.dumps(filter)}, get=True, kind=Kind.BROWSER)
    assert page.status_code == 403


def test_what_reduced_rows_show_can_be_filtered_by(users: Users) -> None:
    """An order that is switched off is none, and the columns that are left may be asked for."""
    who = may("simple_cdr", without="can_pcap")
    for filter in ({"orderByLoss": "0"}, {"fcaller": "1002"}, {"sort": '[{"property":"caller","direction":"ASC"}]'}):
        assert sql(users, who, "LISTING", **DAYS, **filter).status_code == 200, filter
        page = users.ask(who, "/admin.php", {"cdr_filter": json.dumps(filter)}, get=True, kind=Kind.BROWSER)
        assert page.status_code == 200, filter


@pytest.mark.parametrize(
    "who", [may("simple_cdr"), may("simple_cdr", Scope(sensors=(2, 3, 5, 7)))], ids=["all", "sensors"]
)
def test_sums_under_simple_cdr(users: Users, who: tuple[Grant, ...]) -> None:
    """Sums hold no quality, and nobody groups by what reduced rows hide."""
    rows = sql(users, who, "LISTING", "CDR_stats", **DAYS, group_by="lastSIPresponse").json()["results"]
    assert rows
    assert not any("mos" in name or "jitter" in name or "delay" in name or "lost" in name for name in rows[0])
    for group in ("a_ua", "b_ua", "sipcallerip", "sipcalledip", "caller_domain", "called_domain"):
        answer = sql(users, who, "LISTING", "CDR_stats", **DAYS, group_by=group)
        assert answer.status_code == 403, (group, answer.text[:200])


@pytest.mark.parametrize("task", ["getVoiceRecording", "getShareURL"])
@pytest.mark.parametrize("selector", [HEADER, {**HEADER, "customHeaderValue": "nobody"}], ids=["there", "not there"])
def test_nobody_selects_by_headers_that_reduced_rows_hide(users: Users, task: str, selector: dict[str, Any]) -> None:
    """Under simple_cdr a selector by header is refused whether or not a call has it."""
    assert api(users, may("simple_cdr", without="can_pcap"), task, selector).status_code == 403


# ---------------------------------------------------------------- show_only_connected_calls

CONNECTED = {id for id, record in RECORDS.items() if record["connect_duration"] is not None}
UNCONNECTED = next(id for id in sorted(RECORDS) if id not in CONNECTED)


@pytest.fixture(params=["alone", "with sensors"])
def connected(request: pytest.FixtureRequest) -> tuple[Grant, ...]:
    sensors = (2, 3, 5, 7) if request.param == "with sensors" else None
    return may("", Scope(sensors=sensors, connected_only=True))


def test_lists_hold_connected_calls_only(users: Users, connected: tuple[Grant, ...]) -> None:
    """Rows and totals of every list."""
    listed = sql(users, connected, "LISTING", **DAYS, limit="1000").json()
    mine = {int(row["ID"]) for row in listed["results"]}
    assert mine == {id for id in CONNECTED if connected[0].scope.sensors is None or RECORDS[id]["id_sensor"]}
    totals = [
        listed["total"],
        sql(users, connected, "LISTING", **DAYS, suppress_results="1").json()["total"],
        sql(users, connected, "TOTAL", **DAYS).json()["total"],
    ]
    assert {int(total) for total in totals} == {len(mine)}
    row = sql(users, connected, "SINGLEROW", ID=str(UNCONNECTED)).json()
    assert (int(row["total"]), row["results"]) == (0, [])
    for params in ({"startTime": "2026-11-20"}, {"startTime": "2026-11-20", "onlyConnected": 0}):
        assert {int(row["cdrId"]) for row in api(users, connected, "getVoipCalls", params).json()} == mine
    nothing = {"success": False, "error": "no match cdr"}
    assert api(users, connected, "getVoipCalls", {"cdrId": UNCONNECTED}).json() == nothing
    assert api(users, connected, "getVoipCalls", {"callId": RECORDS[UNCONNECTED]["callid"]}).json() == nothing
    ids = api(users, connected, "listCdrIds", {"offset": "1", "size": "1000"}).json()
    assert {int(row["cdrId"]) for row in ids} == mine
    assert sql(users, connected, "LISTING", "CDR_stats", **DAYS, group_by="caller").status_code == 403
    running = api(users, connected, "listActiveCalls", {}).json()
    assert all(row["connect_duration"] is not None for row in running)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/php/pcap.php", {"id": "{id}"}),
        ("/php/pcap2wav.php", {"id": "{id}"}),
        ("/php/{id}.wav", {}),
        ("/php/pcap2text.php", {"action": "brief_data", "id": "{id}"}),
        ("/php/pcap2text.php", {"action": "brief", "id": "{id}"}),
        ("/php/pcap2text.php", {"action": "getMSC", "id": "{id}"}),
        (API, {"task": "getPCAP", "params": '{"cdrId":@}'}),
        (API, {"task": "getPCAP", "params": '{"cdrId":@,"cidInterval":60,"zip":true}'}),
        (API, {"task": "getVoiceRecording", "params": '{"cdrId":@}'}),
        (API, {"task": "getShareURL", "params": '{"cdrId":@}'}),
        (
            UTILITIES,
            {"task": "shareCdr", "params": '{"type":"share_cdr_show","subType":"self_protected_link","id":[@]}'},
        ),
        (SQL, {"task": "delete_cdr", "module": "CDR", "params": '{"typeDelete":"cdr","ids":[@]}'}),
    ],
)
def test_calls_that_were_not_connected_do_not_exist(
    users: Users, connected: tuple[Grant, ...], path: str, fields: dict[str, str]
) -> None:
    """No object call finds one: by id, in selectors, to share, to delete."""
    id = str(UNCONNECTED)
    filled = {name: value.replace("{id}", id).replace("@", id) for name, value in fields.items()}
    answer = users.ask(connected, path.replace("{id}", id), filled, get=path.endswith(".wav"))
    assert (answer.status_code, answer.json()["error"]) == (404, f"cdr id {id} does not exist")
    if "callId" in filled.get("params", "") or "cdrId" not in filled.get("params", ""):
        return
    by_name = {
        **filled,
        "params": filled["params"].replace(f'"cdrId":{id}', f'"callId":"{RECORDS[int(id)]["callid"]}"'),
    }
    answer = users.ask(connected, path, by_name)
    assert (answer.status_code, answer.json()["error"]) == (404, "no match cdr")
