"""LISTING, TOTAL, SINGLEROW and the sensors, against plain loops over cdr.jsonl and the counts of the data's README."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

Record = dict[str, Any]
SQL = "/php/model/sql.php"
ALL_DAYS = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-01-01T00:00:00"}
SENSOR_IDS = {12: 2, 13: 3, 14: 5, 15: 7}


def ask(client: TestClient, **fields: Any) -> dict[str, Any]:
    reply: dict[str, Any] = client.post(SQL, data={**ALL_DAYS, "limit": "5000", **fields}).json()
    return reply


def ids(reply: dict[str, Any]) -> set[int]:
    assert reply["total"] == str(len(reply["results"]))
    return {int(row["ID"]) for row in reply["results"]}


def chosen(records: list[Record], wanted: Callable[[Record], bool]) -> set[int]:
    return {record["ID"] for record in records if wanted(record)}


def test_every_call_is_listed_with_the_sensors_of_the_readme(client: TestClient) -> None:
    """All 235 calls come, 58, 58, 59 and 60 from the four sensors, and total is text."""
    reply = ask(client)
    assert reply["success"] is True
    assert reply["total"] == "235"
    assert Counter(row["id_sensor"] for row in reply["results"]) == {2: 58, 3: 58, 5: 59, 7: 60}
    assert Counter(row["lastSIPresponseNum"] for row in reply["results"])["200"] == 131


def test_a_row_has_the_products_columns(client: TestClient) -> None:
    """A row has exactly the documented columns, no vlan among them, text and numbers as the product mixes them."""
    row = next(row for row in ask(client)["results"] if row["ID"] == "14")
    assert row == {
        "ID": "14", "cdr_ID": "14", "calldate": "2026-11-23 15:02:12.411", "callend": "2026-11-23 15:02:25.490",
        "duration": "00:13", "_duration": 13.079, "connect_duration": 12.611, "caller": "+442079460107",
        "called": "+493023125012", "caller_domain": "acme.example", "called_domain": "carrier-a.example",
        "callername": "Helpdesk", "sipcallerip": "127.0.10.18", "sipcalledip": "127.0.99.3", "id_sensor": 2,
        "sensorname": "lon-edge-1", "lastSIPresponseNum": "200", "lastSIPresponse": "200 OK", "bye": "3",
        "whohanged": "caller", "fbasename": "4944a73d-0f14cffc@127.0.10.18", "a_ua": "Acme-Softphone/1.9.3",
        "b_ua": "CarrierA-SBC/8.3", "a_mos_f1": 4.5, "b_mos_f1": 4.5,
    }  # fmt: skip


def test_a_date_bound_is_required(client: TestClient) -> None:
    """Without fdatefrom and fdateto, or with text that is no date, the list is refused with status 200."""
    for query in ("", "&fdatefrom=", "&fdatefrom=yesterday"):
        reply = client.get(f"{SQL}?task=LISTING&module=CDR{query}")
        assert reply.status_code == 200
        assert reply.json()["success"] is False
        assert isinstance(reply.json()["error"], str)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"fdatefrom": "2026-11-23T15:05:00"}, lambda r: r["calldate"] >= "2026-11-23 15:05:00.000"),
        ({"fdateto": "2026-11-23 15:05:00"}, lambda r: r["calldate"] <= "2026-11-23 15:05:00.000"),
        ({"fdateto": "2026-11-23"}, lambda r: False),
        ({"fdatefrom": "2026-11-23T15:02:12.411", "fdateto": "2026-11-23T15:02:12.411"}, lambda r: r["ID"] == 14),
        ({"fcaller": "1001"}, lambda r: "1001" in (r["caller"], r["called"])),
        ({"fcaller": "+4420%"}, lambda r: r["caller"].startswith("+4420") or r["called"].startswith("+4420")),
        ({"fcaller": "%0100_%"}, lambda r: any("0100" in n[:-1] for n in (r["caller"], r["called"]))),
        ({"fcaller": "100_"}, lambda r: False),
        ({"fcaller": "1001", "fcalled": "1002", "fcallerd_type": "0"}, lambda r: "1001" in (r["caller"], r["called"])),
        ({"fcaller": "1001", "fcalled": "%", "fcallerd_type": "1"}, lambda r: r["caller"] == "1001"),
        ({"fcaller": "1%", "fcalled": "1003", "fcallerd_type": "1"},
         lambda r: r["caller"].startswith("1") and r["called"] == "1003"),
        ({"fcalled": "1003", "fcallerd_type": "1"}, lambda r: r["called"] == "1003"),
        ({"fcalled": "1003"}, lambda r: r["called"] == "1003"),
        ({"fcaller_domain": "ACME.example"}, lambda r: "acme.example" in (r["caller_domain"], r["called_domain"])),
        ({"fcaller_domain": "acme%", "fcalled_domain": "globex%", "fcallerd_domain_type": "1"},
         lambda r: r["caller_domain"] == "acme.example" and r["called_domain"] == "globex.example"),
        ({"fcallername": "%<SCRIPT>%"}, lambda r: "<script>" in r["callername"]),
        ({"fcallername": "zoë MÜLLER"}, lambda r: r["callername"] == "Zoë Müller"),
        ({"fcallername": "Robert'); DROP TABLE cdr;--"}, lambda r: r["callername"].startswith("Robert'")),
        ({"fsipcallerip": "127.0.99.1"}, lambda r: "127.0.99.1" in (r["sipcallerip"], r["sipcalledip"])),
        ({"fsipcallerip": "127.0.30.0/24", "fsipcalledip": "127.0.99.0/24", "fsipcallerdip_type": "1"},
         lambda r: r["sipcallerip"].startswith("127.0.30.") and r["sipcalledip"].startswith("127.0.99.")),
        ({"fsipcallerip": "::ffff:127.0.99.1"}, lambda r: "127.0.99.1" in (r["sipcallerip"], r["sipcalledip"])),
        ({"fsipcallerip": "127.0.99.x"}, lambda r: False),
        ({"fa_saddr": "127.0.10.0/24"},
         lambda r: any((a or "").startswith("127.0.10.") for a in (r["a_saddr"], r["b_saddr"]))),
        ({"fb_saddr": "127.0.99.0/24", "fab_saddr_type": "1"}, lambda r: (r["b_saddr"] or "").startswith("127.0.99.")),
        ({"fcodec": "8"}, lambda r: 8 in (r["a_payload"], r["b_payload"])),
        ({"fcodec": "0, 8"}, lambda r: r["payload"] in (0, 8)),
        ({"fcodec": "8,"}, lambda r: r["payload"] == 8),
        ({"fdurationgt": "3", "fdurationlt": "5"}, lambda r: 3 < r["duration"] < 5),
        ({"fpddgt": "0.1"}, lambda r: r["progress_time"] is not None and r["progress_time"] > 0.1),
        ({"fpddlt": "0.1"}, lambda r: r["progress_time"] is not None and r["progress_time"] < 0.1),
        ({"fsipresponse": "503"}, lambda r: r["lastSIPresponseNum"] == 503),
        ({"fbye": "true"}, lambda r: r["bye"] == 0),
        ({"fbye": "false"}, lambda r: r["bye"] == 3),
        ({"ftrunk": "true"}, lambda r: False),
        ({"ftrunk": "false"}, lambda r: True),
        ({"fa_ua": "Acme%"}, lambda r: any((u or "").startswith("Acme") for u in (r["a_ua"], r["b_ua"]))),
        ({"fb_ua": "CarrierA-SBC/8.3", "fab_ua_type": "1"}, lambda r: r["b_ua"] == "CarrierA-SBC/8.3"),
        ({"fcallid": "4944a73d-0f14cffc@127.0.10.18"}, lambda r: r["ID"] == 14),
        ({"fcallid": "%@127.0.10.18"}, lambda r: r["fbasename"].endswith("@127.0.10.18")),
        ({"fsensor_id": "12"}, lambda r: r["id_sensor"] == 2),
        ({"fsensor_id": "13,15"}, lambda r: r["id_sensor"] in (3, 7)),
        ({"fsensor_id": "2"}, lambda r: False),
        ({"fsensor_id": "-1"}, lambda r: True),
        ({"fsensor_id": "-2"}, lambda r: False),
        ({"fsipresponse": "200", "fsensor_id": "14", "fcaller": "1001"},
         lambda r: r["lastSIPresponseNum"] == 200 and r["id_sensor"] == 5 and "1001" in (r["caller"], r["called"])),
        ({"orderByLoss": "1", "orderByFixed1": "1"}, lambda r: True),
    ],
)  # fmt: skip
def test_each_parameter_selects_what_a_plain_loop_selects(
    client: TestClient, records: list[Record], fields: dict[str, str], wanted: Callable[[Record], bool]
) -> None:
    """A parameter leaves exactly the calls that a loop over cdr.jsonl with its definition leaves."""
    assert ids(ask(client, **{"fdatefrom": "", **fields} if "fdateto" in fields else fields)) == chosen(records, wanted)


@pytest.mark.parametrize("fields", [{"fcodec": "1," * 40_000}, {"fcaller": "%" * 60_000}, {"fpddgt": "1e999"}])
def test_more_than_the_database_takes(client: TestClient, fields: dict[str, str]) -> None:
    """A list or pattern over the database's bounds is refused or finds nothing; the server stands."""
    reply = ask(client, **fields)
    assert reply["success"] is False or reply["total"] == "0"
    assert ask(client)["total"] == "235"


def test_addresses_of_both_families_are_compared_as_addresses(client6: TestClient, records6: list[Record]) -> None:
    """A network of IPv6 holds its hosts and no look-alikes in text, and /0 is everything of one family."""
    sides = ("sipcallerip", "sipcalledip")

    def inside(network: str) -> set[int]:
        net = ipaddress.ip_network(network)
        return chosen(records6, lambda r: any(ipaddress.ip_address(r[side]) in net for side in sides))

    assert len(inside("::/0")) == 50
    for network in ("fd00:a::/64", "fd00:a::/48", "fd00:aa::1/128", "::/0", "0.0.0.0/0", "127.0.10.0/24"):
        assert ids(ask(client6, fsipcallerip=network)) == inside(network)
    assert ids(ask(client6, fsipcallerip="FD00:AA:0::1")) == inside("fd00:aa::1/128")


def test_calls_without_a_sensor_have_an_id_of_their_own_in_the_filter(
    client6: TestClient, records6: list[Record]
) -> None:
    """fsensor_id -2 selects the ten calls without a sensor number, beside database ids too."""
    assert len(ids(ask(client6, fsensor_id="-2"))) == 10
    assert ids(ask(client6, fsensor_id="12,-2")) == chosen(records6, lambda r: r["id_sensor"] in (11, None))
    row = next(row for row in ask(client6, fsensor_id="-2")["results"])
    assert (row["id_sensor"], row["sensorname"]) == (None, None)


def test_suppressed_results_leave_the_total_alone(client: TestClient) -> None:
    """suppress_results=1 answers {"total":"58"} and nothing else; TOTAL counts the same."""
    assert ask(client, suppress_results="1", fsensor_id="12") == {"total": "58"}
    assert ask(client, task="TOTAL", fsensor_id="12")["total"] == "58"


def test_simple_rows_have_the_reduced_columns(client: TestClient) -> None:
    """simple=1 leaves out domains, addresses, user agents, names, Call-IDs and quality."""
    row = ask(client, simple="1")["results"][0]
    assert set(row) == {
        "ID", "cdr_ID", "calldate", "callend", "duration", "_duration", "connect_duration", "caller", "called",
        "id_sensor", "sensorname", "lastSIPresponseNum", "lastSIPresponse",
    }  # fmt: skip


def newest_first(records: list[Record]) -> list[str]:
    ordered = sorted(records, key=lambda r: (r["calldate"], r["ID"]), reverse=True)
    return [str(record["ID"]) for record in ordered]


@pytest.mark.parametrize(
    ("fields", "begin", "end"),
    [
        ({}, 0, 30),
        ({"limit": "7"}, 0, 7),
        ({"page": "3", "limit": "20"}, 40, 60),
        ({"start": "230"}, 230, 235),
        ({"page": "3", "start": "5", "limit": "10"}, 5, 15),
        ({"page": "0"}, 0, 30),
        ({"page": "9999999999999999999"}, 235, 235),
        ({"start": "500", "limit": "10"}, 500, 510),
        ({"limit": "5000"}, 0, 235),
        ({"limit": "0"}, 0, 0),
    ],
)
def test_pages(client: TestClient, records: list[Record], fields: dict[str, str], begin: int, end: int) -> None:
    """Newest first by default; start is the offset and wins over page; 0 and 30 stand in for absent ones."""
    reply = client.post(SQL, data={**ALL_DAYS, **fields}).json()
    assert reply["total"] == "235"
    assert [row["ID"] for row in reply["results"]] == newest_first(records)[begin:end]


def test_sorting_by_several_columns(client: TestClient, records: list[Record]) -> None:
    """sort takes any number of columns; NULL is less than every value; the id decides last, descending."""
    sort = [{"property": "id_sensor", "direction": "ASC"}, {"property": "connect_duration", "direction": "DESC"}]
    ordered = sorted(records, key=lambda r: (r["id_sensor"], -(r["connect_duration"] or -1), -r["ID"]))
    reply = ask(client, sort=json.dumps(sort))
    assert [row["ID"] for row in reply["results"]] == [str(record["ID"]) for record in ordered]


@pytest.mark.parametrize("sort", ["", "{", "[]", "[1]", '[{"property":"(select 1)"}]', '[{"property":"calldate2"}]'])
def test_a_sort_that_says_nothing_usable(client: TestClient, records: list[Record], sort: str) -> None:
    """Unusable sorting falls back to the newest first, and a direction that is absent ascends."""
    expected = newest_first(records)
    if "calldate2" in sort:
        expected = [str(r["ID"]) for r in sorted(records, key=lambda r: (r["calldate"], -r["ID"]))]
    assert [row["ID"] for row in ask(client, sort=sort)["results"]] == expected


def test_a_single_row_has_every_column(client6: TestClient, records6: list[Record], voip6: Path) -> None:
    """SINGLEROW gives LISTING's columns, all of cdr and cdr_next, vlan and the custom headers, none of the export's."""
    listed = {row["ID"]: row for row in ask(client6)["results"]}
    nexts = {json.loads(line)["cdr_ID"] for line in (voip6 / "tables" / "cdr_next.jsonl").read_text().splitlines()}
    assert nexts == {record["ID"] for record in records6}
    for record in records6:
        reply = client6.get(SQL, params={"module": "CDR", "task": "SINGLEROW", "ID": record["ID"]}).json()
        (row,) = reply["results"]
        assert reply["total"] == "1"
        assert listed[row["ID"]].items() <= row.items()
        assert row["vlan"] == (None if record["vlan"] is None else str(record["vlan"]))
        assert row["custom_header__X-Tenant"] == record["custom_header__X-Tenant"]
        extra = {"pcap", "pcap_has_rtp", "wav", "callid", "sensor_name"}
        assert set(row) == (set(record) - extra) | set(listed[row["ID"]])


@pytest.mark.parametrize("call", ["0", "236", "-1", "abc", "", "99999999999999999999"])
def test_an_unknown_single_row_is_an_empty_result(client: TestClient, call: str) -> None:
    """No such id: success, total "0", no results."""
    reply = client.get(SQL, params={"module": "CDR", "task": "SINGLEROW", "ID": call}).json()
    assert reply == {"success": True, "total": "0", "results": []}


def test_sensors_have_database_ids_from_twelve(client: TestClient) -> None:
    """The sensors come with database ids in the order of the file, which are not their numbers."""
    reply = client.get(SQL, params={"task": "LISTING", "module": "sensors"}).json()
    assert {int(row["id"]): int(row["id_sensor"]) for row in reply["results"]} == SENSOR_IDS
    assert [row["name"] for row in reply["results"]] == ["lon-edge-1", "nyc-edge-1", "core-mirror", "prg-edge-1"]


def test_a_folder_with_nothing_but_calls(
    start: Callable[..., TestClient], tmp_path: Path, records: list[Record]
) -> None:
    """cdr.jsonl alone is enough: sensors come from the calls, other columns and headers pass, files are just absent."""
    few = [{**record, "custom_header__X-Site": "north", "extra": 1.5} for record in records[:80]]
    few[0]["id_sensor"] = 41
    (tmp_path / "cdr.jsonl").write_text("\n".join(json.dumps(record) for record in few))
    client = start(tmp_path)
    reply = client.get(SQL, params={"task": "LISTING", "module": "sensors"}).json()
    assert [(row["id"], row["id_sensor"]) for row in reply["results"]] == [("12", 2), ("13", 3), ("14", 41)]
    assert ids(ask(client, fsensor_id="14")) == {few[0]["ID"]}
    row = client.get(SQL, params={"module": "CDR", "task": "SINGLEROW", "ID": few[1]["ID"]}).json()["results"][0]
    assert (row["custom_header__X-Site"], row["extra"]) == ("north", "1.500")
    assert client.get("/php/pcap.php?id=1").json()["success"] is False
    assert client.get("/php/4.wav").json()["success"] is False
    assert client.get("/php/pcap2text.php?action=brief_data&id=1").json()["total"] == 0


def test_a_folder_without_calls_is_refused(start: Callable[..., TestClient], tmp_path: Path) -> None:
    """A folder without cdr.jsonl is named in the error."""
    with pytest.raises(FileNotFoundError, match=r"cdr\.jsonl"):
        start(tmp_path)
