"""Aggregates: sql.php's module CDR_stats, and the reports of api.php's reportSummary."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from authgw.demo.php import Asked, text, truth
from authgw.demo.quality import of
from authgw.demo.records import Records
from authgw.demo.search import like, moment, page, where
from authgw.demo.site import HTML, Answer, Body, Site, failure, json_body
from authgw.demo.where import Where, either, every

Row = dict[str, str | None]
BY_RESPONSE = "lastSIPresponse"
# What may be grouped by, and the column that is searched by.
GROUPS: Mapping[str, str] = {
    BY_RESPONSE: "response_text", "lastSIPresponseNum": "response", "caller": "caller", "called": "called",
    "caller_domain": "caller_domain", "called_domain": "called_domain", "sipcallerip": "caller_ip",
    "sipcalledip": "called_ip", "id_sensor": "sensor", "a_ua": "a_ua", "b_ua": "b_ua",
}  # fmt: skip
_SUMS = (
    "count(*), count(connect_duration), total(connect_duration), coalesce(sum(response between 200 and 299), 0), "
    f"avg({of('mos')}), avg({of('loss')}), avg({of('jitter')}), avg({of('delay')})"
)


def statistics(site: Site, asked: Asked) -> Answer:
    """module CDR_stats: LISTING's filter, its calls in groups."""
    condition = where(asked, site.records.sensors)
    if isinstance(condition, str):
        return failure(condition)
    group = asked.text("group_by") or BY_RESPONSE
    if group not in GROUPS:
        return failure("unknown group_by")
    rows = groups(site.records, condition, group)
    if truth(asked.fields.get("suppress_results")):
        return json_body({"total": str(len(rows))})
    offset, limit = page(asked)
    return json_body({"total": str(len(rows)), "results": rows[offset : offset + limit]})


def groups(records: Records, condition: Where, group: str) -> list[Row]:
    """One row for each value that the calls have there, the most frequent first."""
    query = (
        f"select min(id), {_SUMS} from cdr where {condition.sql} "  # noqa: S608 — our own names
        f"group by {GROUPS[group]} order by count(*) desc, min(id)"
    )
    return [row(records.record(call) or {}, group, sums) for call, *sums in records.db.execute(query, condition.args)]


def row(example: Mapping[str, Any], group: str, sums: list[Any]) -> Row:
    """A group as the database driver gives it. `example`: the record of one of its calls.

    asr: connected calls, per cent; acd: seconds of a connected call; loss: per cent; jitter and delay: milliseconds.
    """
    calls, connected, seconds, good, mos, loss, jitter, delay = sums
    value = example.get(group)
    named = {name: None if example.get(name) is None else str(example[name]) for name in (BY_RESPONSE, *RESPONSE)}
    return {
        **(named if group in (BY_RESPONSE, "lastSIPresponseNum") else {group: None if value is None else str(value)}),
        "cnt_all": str(calls),
        "duration_all": f"{seconds:.0f}",
        "acd_all": f"{seconds / connected:.4f}" if connected else None,
        "asr_all": f"{100 * connected / calls:.4f}",
        "mos_all": _digits(mos, 8),
        "packets_lost_all": _digits(loss, 8),
        "jitter_all": _digits(jitter, 8),
        "delay_all": _digits(delay, 4),
        "cnt_ok": str(good),
        "cnt_err": str(calls - good),
        "id": None if value is None else str(value),
    }


RESPONSE = ("lastSIPresponseNum", "lastSIPresponse_id")


def _digits(value: float | None, digits: int) -> str | None:
    return None if value is None else f"{value:.{digits}f}"


# The reports that somebody has set up in this GUI, by name: one over all calls, one over those of one domain.
REPORTS: Mapping[str, Where] = {
    "test summary": Where("1"),
    "acme summary": either([like(side, "acme.example") for side in ("caller_domain", "called_domain")]),
}


def report_summary(site: Site, asked: Asked, elements: list[dict[str, Any]]) -> Answer:
    """A report over the calls of a period, by response: JSON, or without `json` a page with a table."""
    names = ("report_name", "datetime_from", "datetime_to")
    name, begin, end = (text(elements[0].get(each)) for each in names)
    since, until = moment(begin), moment(end)
    if not name or since is None or until is None:
        return failure("report_name, datetime_from and datetime_to must be set")
    if name not in REPORTS:
        return failure("unknown report")
    if ":" not in end:
        # A day is meant whole.
        until = until[:10] + " 24"
    period = Where("calldate >= ? and calldate <= ?", (since, until))
    rows = groups(site.records, every([period, REPORTS[name]]), BY_RESPONSE)
    if truth(elements[0].get("json")):
        return json_body({"success": True, **dict(zip(names, (name, begin, end), strict=True)), "results": rows})
    return Body(table(name, begin, end, rows).encode(), HTML)


def table(name: str, begin: str, end: str, rows: list[Row]) -> str:
    """The report as a page."""
    columns = (BY_RESPONSE, "cnt_all", "duration_all", "acd_all", "asr_all", "mos_all")
    head = "".join(f"<th>{column}</th>" for column in columns)
    lines = ("".join(f"<td>{escape(each[column] or '')}</td>" for column in columns) for each in rows)
    title = escape(f"{name}: {begin} – {end}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n<body>'
        f"<h1>{title}</h1>\n<table>\n<tr>{head}</tr>\n{''.join(f'<tr>{line}</tr>{chr(10)}' for line in lines)}</table>"
        "</body></html>\n"
    )
