"""Calls under way: what the look-alike itself says runs, and which of it the formula shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from oracle.case import Case
from oracle.formula import Call, allowed, unreduced, visible

NO_VLAN = 65534


def call_of_row(row: Mapping[str, Any]) -> Call:
    """A row of listActiveCalls as the formula sees it. It carries no headers: those that a scope asks for are unknown,
    and an unknown one shows nothing."""
    return Call(
        id=0,
        sensor=row["id_sensor"],
        numbers=(row["caller"], row["called"]),
        domains=(row["callerdomain"], row["calleddomain"]),
        addresses=(row["callerip"], row["calledip"]),
        vlan=None if row["vlan"] == NO_VLAN else row["vlan"],
        headers={},
        connected=row["connect_duration"] is not None,
    )


def reduced(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of it under simple_cdr: who talks since when, on which sensor; neither addresses nor domains."""
    shown = {"callreference", "id_sensor", "caller", "called", "calldate", "duration", "connect_duration"}
    return {name: value for name, value in row.items() if name in {*shown, "lastSIPresponseNum"}}


async def active_calls(case: Case) -> None:
    """listActiveCalls: the visible rows as the product wrote them, of all sensors and of one."""
    grants = allowed(case.claims.grants, "can_activecalls")
    one = case.random.choice([*case.site.sensors, 4711])
    for wanted in ({}, {"sensorId": str(one)}):
        answer = await case.ask("/php/api.php", {"task": "listActiveCalls", "params": json.dumps(wanted)})
        what = f"listActiveCalls {wanted}"
        if not grants:
            case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 403)
            continue
        case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 200)
        rows = [row for row in case.site.active if not wanted or row["id_sensor"] == one]
        whole = unreduced(grants)
        seen = [row for row in rows if visible(grants, call_of_row(row))]
        expected = [row if visible(whole, call_of_row(row)) else reduced(row) for row in seen]
        case.agree(what, answer.json(), expected)
        case.tally.counts["active calls"] += len(expected)
