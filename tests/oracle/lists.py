"""The lists of sql.php: calls, one call, sensors."""

from __future__ import annotations

from typing import Any

from oracle import requests
from oracle.case import Case
from oracle.formula import allowed, visible
from oracle.objects import some_ids
from oracle.site import LISTING


async def listing(case: Case, wanted: requests.Listing) -> None:
    """Total, every page, order, rows, and the total alone."""
    expected = wanted.arrange(case.seen("can_cdr"))
    fields = {**LISTING, **wanted.fields}
    total = await read(case, "suppress_results", {**fields, "suppress_results": "1"})
    case.agree(f"suppress_results {fields}", {"total": int(total["total"])}, {"total": len(expected)})
    case.agree(f"suppress_results {fields}: fields", sorted(total.keys() - {"success"}), ["total"])
    total = await read(case, "TOTAL", {**fields, "task": "TOTAL"})
    case.agree(f"TOTAL {fields}", int(total["total"]), len(expected))
    limit = max(1, len(expected) // case.random.randint(1, 5) + case.random.choice((-1, 0, 1)))
    by_page = case.random.random() < 0.5
    found: list[int] = []
    for number in range(len(expected) // limit + 2):
        place = {"page": str(number + 1)} if by_page else {"start": str(number * limit)}
        reply = await read(case, "LISTING", {**fields, **place, "limit": str(limit)})
        what = f"LISTING {fields} {place} limit {limit}"
        case.agree(f"{what}: total", int(reply["total"]), len(expected))
        case.agree(f"{what}: rows", len(reply["results"]), len(expected[number * limit :][:limit]))
        found += [int(row["ID"]) for row in reply["results"]]
        if not case.simple:
            rows = [case.site.rows.get(int(row["ID"])) for row in reply["results"]]
            case.agree(f"{what}: content", reply["results"], rows)
    case.agree(f"LISTING {fields}: ids", sorted(found), sorted(record["ID"] for record in expected))
    keys = {record["ID"]: wanted.keys(record) for record in case.site.records}
    order = [keys[record["ID"]] for record in expected]
    case.agree(f"LISTING {fields}: order", [keys[id] for id in found], order)
    case.tally.counts["rows"] += len(found)
    case.tally.counts["listings that filter"] += len(wanted.fields) > 2


async def read(case: Case, what: str, fields: dict[str, str]) -> Any:
    """A LISTING that must succeed."""
    answer = await case.ask("/php/model/sql.php", fields)
    case.agree(f"{what} {fields}: status ({answer.text[:300]})", answer.status_code, 200)
    reply = answer.json()
    if all(grant.scope != type(grant.scope)() for grant in case.claims.grants):
        case.agree(f"{what} {fields}: fields", sorted(reply.keys() - {"success", "total", "results"}), [])
    return reply


async def sensors(case: Case) -> None:
    """The sensors of some grant."""
    reply = await read(case, "sensors", {"task": "LISTING", "module": "sensors"})
    scopes = [grant.scope.sensors for grant in case.claims.grants]
    expected = {number: id for number, id in case.site.sensors.items() if any(s is None or number in s for s in scopes)}
    found = {int(row["id_sensor"]): int(row["id"]) for row in reply["results"]}
    case.agree("LISTING sensors", found, expected)
    if "total" in reply:
        case.agree("LISTING sensors: total", int(reply["total"]), len(expected))


async def single_rows(case: Case) -> None:
    """One call by id: its row, or the product's empty form."""
    grants = allowed(case.claims.grants, "can_cdr")
    for id in some_ids(case, "can_cdr"):
        reply = await read(case, "SINGLEROW", {"task": "SINGLEROW", "module": "CDR", "ID": str(id)})
        found = [int(row["ID"]) for row in reply["results"]]
        shown = id in case.site.calls and visible(grants, case.site.calls[id])
        case.agree(f"SINGLEROW {id}", (int(reply["total"]), found), (1, [id]) if shown else (0, []))
        if shown and not case.simple:
            expected = case.site.rows[id]
            case.agree(f"SINGLEROW {id}: content", {key: reply["results"][0].get(key) for key in expected}, expected)
