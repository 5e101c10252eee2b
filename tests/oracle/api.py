"""The lists of api.php: getVoipCalls and listCdrIds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from oracle.case import Case
from oracle.data import Record
from oracle.formula import HEADER


async def voip_calls(case: Case) -> None:
    """getVoipCalls: by time and more, and by an id."""
    wanted: dict[str, Any] = {"startTime": "2026-11-23 00:00:00"}
    found = case.seen("can_cdr")
    for change in case.random.sample(("endTime", "caller", "onlyConnected"), case.random.choice((0, 1, 1, 2))):
        record = case.random.choice(case.site.records)
        if change == "endTime":
            wanted["endTime"] = end = record["calldate"][:19]
            found = [one for one in found if one["calldate"] <= end + ".000"]
        elif change == "caller" and record["caller"] and "%" not in record["caller"]:
            wanted["caller"] = caller = record["caller"]
            found = [one for one in found if (one["caller"] or "").lower() == caller.lower()]
        elif change == "onlyConnected":
            wanted["onlyConnected"] = 1
            found = [one for one in found if one["connect_duration"] is not None]
    await voip(case, wanted, found)
    if not case.simple:
        await headers(case)
    one = case.random.choice(case.site.records)
    await voip(case, {"cdrId": one["ID"]}, [record for record in case.seen("can_cdr") if record is one])
    if not case.simple:
        same = [record for record in case.seen("can_cdr") if record["callid"] == one["callid"]]
        await voip(case, {"callId": one["callid"]}, same)


async def headers(case: Case) -> None:
    """Searched by a custom header, with headers in the rows; and two searches in one array."""
    record = case.random.choice(case.site.records)
    name = case.random.choice([key[len(HEADER) :] for key in record if key.startswith(HEADER)])
    value = record[HEADER + name]
    names = {"X-Tenant", name}
    wanted = {"startTime": "2026-11-23", "customHeaders": ",".join(sorted(names))}
    found = case.seen("can_cdr")
    if value:
        wanted[name] = value
        found = [one for one in found if (one[HEADER + name] or "").lower() == value.lower()]
    more = {one["ID"]: {name: one[HEADER + name] for name in names} for one in found}
    await voip(case, wanted, found, more)
    mine = [one for one in case.seen("can_cdr") if one is record]
    both = [{"cdrId": record["ID"]}, {"callId": record["callid"]}]
    await voip(case, both, mine + [one for one in case.seen("can_cdr") if one["callid"] == record["callid"]])


async def voip(case: Case, wanted: Any, expected: Sequence[Record], more: Mapping[int, Any] | None = None) -> None:
    """One question, and the rows of these records as answer; `more`: what the rows hold beside the usual columns."""
    answer = await case.ask("/php/api.php", {"task": "getVoipCalls", "params": json.dumps(wanted)})
    what = f"getVoipCalls {wanted}"
    reply = answer.json()
    if not expected:
        case.agree(what, reply, {"success": False, "error": "no match cdr"})
        return
    case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 200)
    ids = sorted(int(row["cdrId"]) for row in reply)
    case.agree(what, ids, sorted(record["ID"] for record in expected))
    if not case.simple:
        rows = [{**case.site.voip[id], **(more or {}).get(id, {})} for id in (int(row["cdrId"]) for row in reply)]
        case.agree(f"{what}: content", reply, rows)
    case.tally.counts["rows of getVoipCalls"] += len(ids)


async def cdr_ids(case: Case) -> None:
    """listCdrIds: `size` of the user's own rows from the offset on, in the order of ids."""
    offset = case.random.choice(sorted(case.site.calls)) + case.random.choice((-1, 0, 1))
    size = case.random.choice((1, 2, 10, 50, 500))
    params = json.dumps({"offset": str(max(1, offset)), "size": str(size)})
    answer = await case.ask("/php/api.php", {"task": "listCdrIds", "params": params})
    what = f"listCdrIds {params}"
    case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 200)
    ids = sorted(record["ID"] for record in case.seen("can_cdr") if record["ID"] >= offset)
    case.agree(what, [int(row["cdrId"]) for row in answer.json()], ids[:size])
    case.tally.counts["rows of listCdrIds"] += len(ids[:size])
