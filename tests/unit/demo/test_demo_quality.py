"""RTP thresholds and special orderings of LISTING, against plain loops."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Any

import pytest
from starlette.testclient import TestClient

Record = dict[str, Any]
ALL = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-01-01T00:00:00", "limit": "5000"}
# The columns of either side behind each threshold, with their factor.
HIGH = {
    "frtcp_maxjitter": ("rtcp_maxjitter", 1), "frtcp_avgjitter": ("rtcp_avgjitter_mult10", 10),
    "frtcp_maxfr": ("rtcp_maxfr", 1), "frtcp_avgfr": ("rtcp_avgfr_mult10", 10),
    "f_d50": ("d50", 1), "f_d70": ("d70", 1), "f_d90": ("d90", 1), "f_d120": ("d120", 1), "f_d150": ("d150", 1),
    "f_d200": ("d200", 1), "f_d300": ("d300", 1), "floss1": ("sl1", 1), "floss2": ("sl2", 1), "floss3": ("sl3", 1),
    "floss4": ("sl4", 1), "floss5": ("sl5", 1), "floss6": ("sl6", 1), "floss7": ("sl7", 1), "floss8": ("sl8", 1),
    "floss9": ("sl9", 1), "floss10": ("sl10", 1),
}  # fmt: skip
LOW = {"fmosf1": "mos_f1_mult10", "fmosf2": "mos_f2_mult10", "fmosadapt": "mos_adapt_mult10"}


def listed(client: TestClient, **fields: Any) -> list[int]:
    reply = client.post("/php/model/sql.php", data={**ALL, **fields}).json()
    assert reply["total"] == str(len(reply["results"]))
    return [int(row["ID"]) for row in reply["results"]]


@pytest.fixture
def measured(
    records: list[Record], tmp_path: Path, start: Callable[..., TestClient]
) -> tuple[TestClient, list[Record]]:
    """Calls with values in every quality column of one side, the other or both, and a look-alike over them."""
    random = Random(7)
    rows = [dict(record) for record in records[:60]]
    for row in rows[:40]:
        for name in [*(column for column, _ in HIGH.values()), *LOW.values()]:
            for side in "ab":
                top = 45 if "mos" in name else 60
                row[f"{side}_{name}"] = random.choice([None, random.randint(1, top)])
        row["lost"], row["delay_avg_mult100"] = random.choice([None, 0, 3, 8]), random.choice([None, 0, 250])
    (tmp_path / "cdr.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return start(tmp_path), rows


def test_thresholds(measured: tuple[TestClient, list[Record]]) -> None:
    """Each threshold leaves the calls of which either side has the value or more, of MOS the value or less."""
    client, rows = measured
    bounds = {name: (column, factor, 1) for name, (column, factor) in HIGH.items()}
    bounds |= {name: (column, 10, -1) for name, column in LOW.items()}
    for name, (column, factor, sign) in bounds.items():
        for bound in (0, 2, 2.5, 30):
            wanted = {
                row["ID"]
                for row in rows
                if any(
                    row[s + column] is not None and (row[s + column] / factor - bound) * sign >= 0 for s in ("a_", "b_")
                )
            }
            assert set(listed(client, **{name: str(bound)})) == wanted
        assert len(listed(client, **{name: ""})) == len(rows)
    assert listed(client, floss1="1", f_d50="1") == [
        i for i in listed(client, f_d50="1") if i in listed(client, floss1="1")
    ]


def test_loss_in_the_records(client: TestClient) -> None:
    """The calls with induced loss are those with bursts, the long calls with loss those with a low MOS."""
    assert set(listed(client, floss1="1")) == {76, 90, 130, 145}
    assert set(listed(client, fmosf1="4.4")) == {76, 145}
    assert set(listed(client, fmosf1="4.5")) == {14, 76, 145, 235}
    assert listed(client, frtcp_maxfr="0") == []


def worst(row: Record, column: str) -> float:
    return min((row[s + column] for s in ("a_", "b_") if row[s + column] is not None), default=float("inf"))


def fold(value: Any) -> str:
    return str(value).lower()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("orderByLoss", lambda r: -1 if r["lost"] is None else r["lost"]),
        ("orderByDelay", lambda r: -1 if r["delay_avg_mult100"] is None else r["delay_avg_mult100"]),
        ("orderByFixed1", lambda r: -worst(r, "mos_f1_mult10")),
        ("orderByFixed2", lambda r: -worst(r, "mos_f2_mult10")),
        ("orderByAdapt", lambda r: -worst(r, "mos_adapt_mult10")),
        ("orderByCallDuration", lambda r: r["duration"]),
        ("orderBySrcSIP_IP", lambda r: int(ip_address(r["sipcallerip"]))),
        ("orderByDstSIP_IP", lambda r: int(ip_address(r["sipcalledip"]))),
        ("orderBySrcNumber", lambda r: fold(r["caller"]).encode()),
        ("orderByDstNumber", lambda r: fold(r["called"]).encode()),
        ("orderByCallerName", lambda r: fold(r["callername"]).encode()),
        ("orderByLastSIPrespNum", lambda r: r["lastSIPresponseNum"]),
    ],
)
def test_special_orderings(measured: tuple[TestClient, list[Record]], name: str, key: Callable[[Record], Any]) -> None:
    """A special ordering orders first and `sort` breaks ties; off, it changes nothing."""
    client, rows = measured
    plain = [row["ID"] for row in sorted(rows, key=lambda r: (r["calldate"], r["ID"]), reverse=True)]
    by_id = sorted(rows, key=lambda r: r["ID"])
    down, up = sorted(by_id, key=key, reverse=True), sorted(by_id, key=key)
    directed = name.startswith(("orderByCall", "orderBySrc", "orderByDst", "orderByLast"))
    sort = json.dumps([{"property": "ID", "direction": "ASC"}])
    for full, wanted in ((f"{name}_asc", up), (f"{name}_desc", down)) if directed else ((name, down),):
        assert listed(client, **{full: "1", "sort": sort}) == [row["ID"] for row in wanted]
        for off in ("0", "false", ""):
            assert listed(client, **{full: off}) == plain


def test_several_special_orderings(measured: tuple[TestClient, list[Record]]) -> None:
    """Of several, the one described first orders first; without sort the newest comes first among equals."""
    client, rows = measured
    newest = sorted(rows, key=lambda r: (r["calldate"], r["ID"]), reverse=True)
    wanted = sorted(newest, key=lambda r: (-(r["lost"] if r["lost"] is not None else -1), r["lastSIPresponseNum"]))
    found = listed(client, orderByLastSIPrespNum_asc="true", orderByLoss="yes")
    assert found == [row["ID"] for row in wanted]
