"""php/api.php, with the account's name and password or a live session; getVoipCalls and listCdrIds themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from authgw.demo.active import handle_active_call, list_active_calls
from authgw.demo.php import Asked, dumps, intval, params, text, truth
from authgw.demo.recording import get_pcap, get_voice_recording
from authgw.demo.records import column_text, headers_of
from authgw.demo.search import like, moment
from authgw.demo.share import get_share_url
from authgw.demo.site import Answer, Body, Site, failure
from authgw.demo.stats import report_summary
from authgw.demo.where import NOTHING, Where, every

SIMPLE_OUTPUT, ISO_DATES = 1, 2
# Names that mean something in getVoipCalls' params; every other one is a custom header to search by.
KNOWN = frozenset(
    {"startTime", "startTimeTo", "endTime", "callEnd", "caller", "called", "onlyConnected", "customHeaders"}
    | {"cdrId", "callId", "simpleOutput"}
)


def api(site: Site, asked: Asked) -> Answer:
    """The script: who asks, then which task."""
    refusal = refused(site, asked)
    if refusal:
        return failure(refusal)
    task = TASKS.get(asked.text("task"))
    return task(site, asked, params(asked)) if task else failure("unknown task")


def refused(site: Site, asked: Asked) -> str:
    """Why this client may not ask, or "": credentials are looked at where given, else there must be a session."""
    if not asked.given("user") and not asked.given("password") and site.live(asked):
        return ""
    if not asked.given("user"):
        return "user must be set"
    if not asked.given("password"):
        return "password must be set"
    known = site.knows(asked.text("user"), asked.text("password"))
    return "" if known else "Invalid username or password."


def get_voip_calls(site: Site, asked: Asked, elements: list[dict[str, Any]]) -> Body:
    """The calls of every element, one list after the other; one bad element fails the whole."""
    found: list[dict[str, Any]] = []
    for element in elements:
        condition = calls_where(element)
        if isinstance(condition, str):
            return failure(condition)
        query = f"select id from cdr where {condition.sql} order by calldate, id"  # noqa: S608 — values are arguments
        names = [name.strip() for name in text(element.get("customHeaders")).split(",") if name.strip()]
        for (call,) in site.records.db.execute(query, condition.args):
            record = site.records.record(call) or {}
            found.append(voip_call(record, names, simple=truth(element.get("simpleOutput"))))
    return Body(dumps(found)) if found else failure("no match cdr")


def calls_where(element: Mapping[str, Any]) -> Where | str:
    """One element of params as a condition, or the error text."""
    given = {name: value for name, value in element.items() if value not in (None, "")}
    if not given.keys() & {"startTime", "cdrId", "callId"}:
        return "startTime or cdrId or callId must be set"
    parts = [times(given, name, column, sign) for name, column, sign in TIMES if name in given]
    parts.extend(like(name, text(given[name])) for name in ("caller", "called") if name in given)
    if truth(given.get("onlyConnected")):
        parts.append(Where("connect_duration is not null"))
    if "cdrId" in given:
        parts.append(Where("id = ?", (intval(given["cdrId"]),)))
    if "callId" in given:
        parts.append(Where("callid = ?", (text(given["callId"]),)))
    parts.extend(header_is(name, text(value)) for name, value in given.items() if name not in KNOWN)
    return every(parts)


TIMES = (
    ("startTime", "calldate", ">="),
    ("startTimeTo", "calldate", "<="),
    ("endTime", "calldate", "<="),
    ("callEnd", "callend", "<="),
)


def times(given: Mapping[str, Any], name: str, column: str, sign: str) -> Where:
    """A bound in time; one that is no date matches nothing."""
    bound = moment(text(given[name]))
    return Where(f"{column} {sign} ?", (bound,)) if bound else NOTHING


def header_is(name: str, value: str) -> Where:
    """A recorded custom header of that name has that value, letter case aside."""
    held = "id in (select id from header where name = ? and value = ?)"
    return Where(held, (name.lower(), value.lower()))


def voip_call(record: Mapping[str, Any], names: list[str], *, simple: bool) -> dict[str, Any]:
    """A row of getVoipCalls, columns as the database driver gives them; headers under the names they were asked by.

    A header that the records do not have as a column is left out; one that this call came without is null.
    """
    row = {"cdrId": str(record["ID"]), "callId": record.get("fbasename")}
    if simple:
        return row
    columns = ("caller", "called", "calldate", "callend", "duration", "connect_duration", "lastSIPresponseNum")
    recorded = {name.lower(): value for name, value in headers_of(record).items()}
    return {
        **row,
        **{column: column_text(record.get(column)) for column in columns},
        **{name: column_text(recorded[name.lower()]) for name in names if name.lower() in recorded},
    }


def list_cdr_ids(site: Site, asked: Asked, elements: list[dict[str, Any]]) -> Body:
    """`size` calls from the id `offset` on, in the order of ids."""
    element = elements[0]
    if not (text(element.get("offset")) and text(element.get("size"))):
        return failure("offset and size parameters must be set")
    flags, size = asked.number("flags"), max(0, intval(element["size"]))
    query = "select id from cdr where id >= ? order by id limit ?"
    rows = site.records.db.execute(query, (intval(element["offset"]), size))
    return Body(dumps([listed(site.records.record(call) or {}, flags) for (call,) in rows]))


def listed(record: Mapping[str, Any], flags: int) -> dict[str, Any]:
    """A row of listCdrIds."""
    call = str(record["ID"])
    if flags & SIMPLE_OUTPUT:
        return {"cdrId": call}
    date = column_text(record.get("calldate"))
    return {
        "cdrId": call,
        "calldate": date.replace(" ", "T") if date and flags & ISO_DATES else date,
        "caller": record.get("caller"),
        "called": record.get("called"),
        "duration": column_text(record.get("duration")),
        "id_sensor": column_text(record.get("id_sensor")),
    }


Task = Callable[[Site, Asked, list[dict[str, Any]]], Answer]
TASKS: Mapping[str, Task] = {
    "getVoipCalls": get_voip_calls,
    "getShareURL": get_share_url,
    "getVoiceRecording": get_voice_recording,
    "getPCAP": get_pcap,
    "handleActiveCall": handle_active_call,
    "listActiveCalls": list_active_calls,
    "reportSummary": report_summary,
    "listCdrIds": list_cdr_ids,
}
