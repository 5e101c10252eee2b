"""One case: some claims, some requests, and what comes through the gateway beside what the formula says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2

from authgw.rights.claims import Claims, Grant
from oracle import requests
from oracle.data import Record
from oracle.formula import allowed, shown_by, visible
from oracle.site import LISTING, Site, signalling


class Differs(AssertionError):
    """The gateway says something else than the formula."""


@dataclass
class Tally:
    """What a run has looked at, so that a run that looked at nothing is seen to have done so."""

    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))


@dataclass(frozen=True)
class Case:
    """One user of one site: his claims, a client that carries his session, and the case's own chance."""

    site: Site
    claims: Claims
    http: httpx2.AsyncClient
    cookie: str
    random: Random
    tally: Tally

    @property
    def simple(self) -> bool:
        """Some grant for calls has reduced rows: then only ids are compared."""
        return any("simple_cdr" in grant.limits for grant in allowed(self.claims.grants, "can_cdr"))

    def seen(self, flag: str) -> list[Record]:
        """The records that the grants with that flag show."""
        grants = allowed(self.claims.grants, flag)
        return [record for record in self.site.records if visible(grants, self.site.calls[record["ID"]])]

    async def ask(self, path: str, fields: dict[str, str], *, get: bool = False) -> httpx2.Response:
        self.tally.counts["requests"] += 1
        headers = {"cookie": self.cookie}
        if get:
            return await self.http.get(path, params=fields, headers=headers)
        return await self.http.post(path, data=fields, headers=headers)

    def agree(self, what: str, found: Any, expected: Any) -> None:
        if found != expected:
            raise Differs(f"{what}\n  gateway: {_short(found)}\n  formula: {_short(expected)}\n  {self.claims.grants}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 1500 else f"{text[:1500]}… ({len(text)})"


async def whole_case(case: Case) -> None:
    """Every comparison once. Raises Differs at the first difference."""
    seen, all_ = len(case.seen("can_cdr")), len(case.site.records)
    case.tally.counts["cases"] += 1
    case.tally.counts["cases that see part"] += 0 < seen < all_
    case.tally.counts["cases that see nothing"] += seen == 0
    await listing(case, requests.everything())
    wanted = requests.listing(case.random, case.site.records, case.site.sensors, simple=case.simple)
    await listing(case, wanted)
    await sensors(case)
    await histories(case)
    await captures(case)
    await voip_calls(case)
    await cdr_ids(case)


async def listing(case: Case, wanted: requests.Listing) -> None:
    """Total, every page, order, rows, and the total alone."""
    expected = wanted.arrange(case.seen("can_cdr"))
    fields = {**LISTING, **wanted.fields}
    total = await read(case, "suppress_results", {**fields, "suppress_results": "1"})
    case.agree(f"suppress_results {fields}", {"total": int(total["total"])}, {"total": len(expected)})
    case.agree(f"suppress_results {fields}: fields", sorted(total.keys() - {"success"}), ["total"])
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


def some_ids(case: Case, flag: str) -> list[int]:
    """A few ids that are visible, a few that are not, and one that never was."""
    seen = [record["ID"] for record in case.seen(flag)]
    others = sorted(case.site.calls.keys() - set(seen))
    ids = [*case.random.sample(seen, min(3, len(seen))), *case.random.sample(others, min(3, len(others)))]
    return [*ids, case.site.never_used()]


async def absent(case: Case, what: str, id: int, answer: httpx2.Response) -> None:
    """The answer to whoever asks for a call that does not exist for him."""
    body = {"success": False, "error": f"cdr id {id} does not exist"}
    case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 404)
    case.agree(f"{what}: body", answer.json(), body)
    case.tally.counts["absent"] += 1


async def histories(case: Case) -> None:
    """The SIP messages of a call, as the records have them."""
    grants = allowed(case.claims.grants, "can_cdr")
    for id in some_ids(case, "can_cdr"):
        fields = {"action": "brief_data", "id": str(id), "dns_lookup": "0"}
        answer = await case.ask("/php/pcap2text.php", fields, get=case.random.random() < 0.5)
        if id not in case.site.calls or not visible(grants, case.site.calls[id]):
            await absent(case, f"history of {id}", id, answer)
            continue
        case.agree(f"history of {id}: status ({answer.text[:200]})", answer.status_code, 200)
        found = [
            (row["src"], int(row["srcport"]), row["dst"], int(row["dstport"]), int(row["packet_len"]), row["type"])
            for row in answer.json()["results"]
        ]
        expected = [
            (m["src"], m["src_port"], m["dst"], m["dst_port"], m["length"], "request" if m["method"] else "response")
            for m in case.site.histories[id]
        ]
        case.agree(f"history of {id}", found, expected)
        case.tally.counts["histories"] += 1


async def captures(case: Case) -> None:
    """The bytes of the file; without RTP where only grants with no_rtp show the call, or where that is asked for."""
    if not allowed(case.claims.grants, "can_pcap"):
        answer = await case.ask("/php/pcap.php", {"id": str(case.site.records[0]["ID"])}, get=True)
        case.agree("capture without can_pcap", answer.status_code, 403)
        return
    for id in some_ids(case, "can_pcap"):
        without = case.random.random() < 0.3
        fields = {"id": str(id), **({"disable_rtp": "1"} if without else {})}
        answer = await case.ask("/php/pcap.php", fields, get=case.random.random() < 0.5)
        shown: Sequence[Grant] = ()
        if id in case.site.calls:
            shown = shown_by(case.claims.grants, "can_pcap", case.site.calls[id])
        if not shown:
            await absent(case, f"capture of {id}", id, answer)
            continue
        case.agree(f"capture of {id}: status ({answer.text[:200]})", answer.status_code, 200)
        whole = case.site.capture(id)
        without = without or all("no_rtp" in grant.limits for grant in shown)
        expected = signalling(whole) if without else whole
        case.agree(f"capture of {id}, rtp {not without}", answer.content == expected, True)
        case.tally.counts["captures"] += 1
        case.tally.counts["captures with RTP taken off"] += expected != whole


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
    one = case.random.choice(case.site.records)
    await voip(case, {"cdrId": one["ID"]}, [record for record in case.seen("can_cdr") if record is one])
    same = [record for record in case.seen("can_cdr") if record["callid"] == one["callid"]]
    await voip(case, {"callId": one["callid"]}, same)


async def voip(case: Case, wanted: dict[str, Any], expected: Sequence[Record]) -> None:
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
        case.agree(f"{what}: content", reply, [case.site.voip[int(row["cdrId"])] for row in reply])
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
