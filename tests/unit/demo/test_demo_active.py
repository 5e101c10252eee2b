"""listActiveCalls and handleActiveCall over replayed calls."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

API = "/php/api.php"
Rows = list[dict[str, Any]]


def active(client: TestClient, params: Any = None) -> Any:
    return client.post(API, json={"task": "listActiveCalls", "params": params or {}}).json()


def handle(client: TestClient, **params: Any) -> Any:
    return client.post(API, json={"task": "handleActiveCall", "params": params}).json()


def expected(record: dict[str, Any], *, numbers: bool = False) -> dict[str, Any]:
    """What the record says of its call, in the names of active calls."""
    ips = [ip_address(record[side]) for side in ("sipcallerip", "sipcalledip")]
    shown: list[Any] = [int(ip) if numbers and ip.version == 4 else str(ip) for ip in ips]
    return {
        "id_sensor": record["id_sensor"], "caller": record["caller"], "called": record["called"],
        "callerdomain": record["caller_domain"], "calleddomain": record["called_domain"],
        "callerip": shown[0], "calledip": shown[1], "calldate": record["calldate"],
        "duration": record["duration"], "connect_duration": record["connect_duration"],
        "lastSIPresponseNum": record["lastSIPresponseNum"],
        "vlan": 65534 if record["vlan"] is None else record["vlan"], "recordingpaused": 0, "replayed": True,
    }  # fmt: skip


def connected(records: Rows) -> Rows:
    return [record for record in sorted(records, key=lambda r: r["ID"]) if record["connect_duration"] is not None]


def without_reference(rows: Rows, name: str = "callreference") -> Rows:
    references = [row.pop(name) for row in rows]
    assert len(set(references)) == len(rows)
    assert all(reference.startswith("0x") and int(reference, 16) for reference in references)
    return rows


def test_active_calls_are_the_connected_calls(client: TestClient, records: Rows) -> None:
    """Every connected call of the records runs, says that it is replayed, and has a reference of its own."""
    assert without_reference(active(client)) == [expected(record) for record in connected(records)]
    assert active(client) == active(client)


@pytest.mark.parametrize("sensor", [2, "3", 5, "7", 4, "x"])
def test_active_calls_of_a_sensor(client: TestClient, records: Rows, sensor: Any) -> None:
    """sensorId is a sensor's number; one that is none has no calls."""
    wanted = [expected(r) for r in connected(records) if str(r["id_sensor"]) == str(sensor)]
    assert without_reference(active(client, {"sensorId": sensor})) == wanted
    assert bool(wanted) == (str(sensor) in "2357")


def test_numbers_and_rows(start: Callable[..., TestClient], voip6: Path, records6: Rows) -> None:
    """On request IPv4 addresses are unsigned numbers, and calls are rows below one that names the columns."""
    client = start(voip6, active_rows=True, active_numbers=True)
    names, *rows = active(client)
    found = without_reference([dict(zip(names, row, strict=True)) for row in rows], "callRef")
    assert found == [expected(record, numbers=True) for record in connected(records6)]
    assert {row["vlan"] for row in found} > {65534}
    assert active(client, {"sensorId": "99"}) == [names]
    assert int(ip_address("10.1.1.5")) == 167837957


def test_pausing(client: TestClient) -> None:
    """A paused call stays paused until it is unpaused, and no other call is."""

    def paused() -> list[str]:
        return [row["callreference"] for row in active(client) if row["recordingpaused"]]

    one = active(client, {"sensorId": "5"})[3]["callreference"]
    for _ in range(2):
        assert handle(client, sensorId="5", command="pausecall", callRef=one) == {"success": True}
        assert paused() == [one]
    assert handle(client, sensorId=5, command="unpausecall", callRef=one) == {"success": True}
    assert paused() == []


def test_pausing_what_is_not_there(client: TestClient, client6: TestClient) -> None:
    """An unknown reference, another sensor's call, no sensor and other commands are refused and change nothing."""
    one = active(client, {"sensorId": "5"})[0]["callreference"]
    good = {"sensorId": "5", "command": "pausecall", "callRef": one}
    for bad in ({"callRef": "0x1"}, {"callRef": ""}, {"sensorId": "7"}, {"sensorId": ""}, {"command": "hangup"}):
        assert handle(client, **{**good, **bad})["success"] is False
    assert not any(row["recordingpaused"] for row in active(client))
    none = next(row for row in active(client6) if row["id_sensor"] is None)["callreference"]
    assert handle(client6, command="pausecall", callRef=none) == {"success": True}
