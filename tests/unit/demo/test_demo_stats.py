"""CDR_stats and reportSummary against plain loops and the counts of the data's README."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import pytest
from starlette.testclient import TestClient

Record = dict[str, Any]
# Calls per last SIP response, and those of Acme, as the data's README counts them.
README = {"200": 131, "404": 22, "480": 8, "486": 29, "487": 24, "503": 15, "603": 6}


def stats(client: TestClient, **fields: str) -> dict[str, Any]:
    fields = {"task": "LISTING", "module": "CDR_stats", "fdatefrom": "2026-01-01T00:00:00", **fields}
    reply: dict[str, Any] = client.post("/php/model/sql.php", data=fields).json()
    return reply


def report(client: TestClient, **params: Any) -> Any:
    asked = {"report_name": "test summary", "datetime_from": "2026-11-23", "datetime_to": "2026-11-23", **params}
    return client.post("/php/api.php", json={"task": "reportSummary", "params": asked})


def test_groups_by_response_are_those_of_the_readme(client: TestClient) -> None:
    """Without group_by there is a row per response with the vendor's columns, counted as the README counts."""
    reply = stats(client)
    assert {row["lastSIPresponseNum"]: int(row["cnt_all"]) for row in reply["results"]} == README
    assert set(reply) == {"total", "results"}
    assert reply["total"] == "7"
    assert set(reply["results"][0]) == {
        "lastSIPresponseNum", "lastSIPresponse_id", "cnt_all", "duration_all", "acd_all", "asr_all", "mos_all",
        "packets_lost_all", "jitter_all", "delay_all", "cnt_ok", "cnt_err", "lastSIPresponse", "id",
    }  # fmt: skip
    assert all(value is None or isinstance(value, str) for row in reply["results"] for value in row.values())
    counts = [int(row["cnt_all"]) for row in reply["results"]]
    assert counts == sorted(counts, reverse=True)


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


@pytest.mark.parametrize("group", ["lastSIPresponse", "caller_domain", "id_sensor", "sipcalledip", "called"])
def test_each_group_is_what_a_plain_loop_makes(client: TestClient, records: list[Record], group: str) -> None:
    """Counts, seconds, ASR, ACD and mean quality of every group are those of a loop over its calls."""
    parts: dict[Any, list[Record]] = defaultdict(list)
    for record in records:
        parts[str(record[group])].append(record)
    reply = stats(client, group_by=group, limit="5000")
    assert {row["id"] for row in reply["results"]} == set(parts)
    assert reply["total"] == str(len(parts))
    for row in reply["results"]:
        calls = parts[row["id"]]
        connected = [call["connect_duration"] for call in calls if call["connect_duration"] is not None]
        good = sum(200 <= call["lastSIPresponseNum"] < 300 for call in calls)
        assert row[group] == row["id"]
        assert [int(row[name]) for name in ("cnt_all", "cnt_ok", "cnt_err")] == [len(calls), good, len(calls) - good]
        assert float(row["duration_all"]) == pytest.approx(sum(connected), abs=0.51)
        assert float(row["asr_all"]) == pytest.approx(100 * len(connected) / len(calls), abs=1e-4)
        wanted = {"acd_all": mean(connected)}
        for name, (column, factor) in {
            "mos_all": ("mos_min_mult10", 10), "packets_lost_all": ("packet_loss_perc_mult1000", 1000),
            "jitter_all": ("jitter_mult10", 10), "delay_all": ("delay_avg_mult100", 100),
        }.items():  # fmt: skip
            wanted[name] = mean([call[column] / factor for call in calls if call[column] is not None])
        for name, value in wanted.items():
            found = None if row[name] is None else float(row[name])
            assert found == (None if value is None else pytest.approx(value, abs=1e-4))


def test_groups_of_a_filter(client: TestClient, records: list[Record]) -> None:
    """The filter of LISTING holds for groups, a date bound is needed, pages and suppress_results too."""
    twelve = stats(client, fsensor_id="12", fcaller_domain="acme.example")
    calls = [r for r in records if r["id_sensor"] == 2 and "acme.example" in (r["caller_domain"], r["called_domain"])]
    assert sum(int(row["cnt_all"]) for row in twelve["results"]) == len(calls) > 0
    assert stats(client, fdatefrom="")["success"] is False
    assert stats(client, group_by="(select 1)")["success"] is False
    assert stats(client, start="5", limit="1")["results"] == stats(client)["results"][5:6]
    assert stats(client, suppress_results="1") == {"total": "7"}


def test_reports(client: TestClient, records: list[Record]) -> None:
    """A report names itself and its period; its rows count the calls of that period, one of them Acme's alone."""
    body = report(client, json=True).json()
    assert (body["success"], body["report_name"], body["datetime_from"]) == (True, "test summary", "2026-11-23")
    assert {row["lastSIPresponseNum"]: int(row["cnt_all"]) for row in body["results"]} == README

    def count(**params: Any) -> int:
        return sum(int(row["cnt_all"]) for row in report(client, json="true", **params).json()["results"])

    assert count(report_name="acme summary") == sum(
        "acme.example" in (r["caller_domain"], r["called_domain"]) for r in records
    )
    bounds = ("2026-11-23 15:03:00", "2026-11-23 15:05:00")
    within = sum(bounds[0] <= record["calldate"] <= bounds[1] for record in records)
    assert count(datetime_from=bounds[0], datetime_to=bounds[1]) == within > 0
    assert count(datetime_from="2026-11-24", datetime_to="2026-12-24") == 0


@pytest.mark.parametrize("more", [{}, {"json": False}, {"json": "false"}])
def test_a_report_as_a_page(client: TestClient, more: dict[str, Any]) -> None:
    """Without json the report is a page with a table of the same counts."""
    reply = report(client, **more)
    assert reply.headers["content-type"].startswith("text/html")
    found = re.findall(r"<tr><td>(\d+) [^<]*</td><td>(\d+)</td>", reply.text)
    assert {code: int(count) for code, count in found} == README


@pytest.mark.parametrize(
    "params",
    [{"report_name": ""}, {"report_name": "other"}, {"datetime_from": ""}, {"datetime_to": "soon"}],
)
def test_reports_that_are_none(client: TestClient, params: dict[str, str]) -> None:
    """An unknown report and a period without two bounds are refused."""
    reply = report(client, **params)
    assert (reply.status_code, reply.json()["success"]) == (200, False)
