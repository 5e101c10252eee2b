"""sql.php's delete_cdr: calls by id or by filter lose rows, files or both; this copy in memory alone is touched."""

from __future__ import annotations

from typing import Any

from authgw.demo.php import Asked, intval, params, text
from authgw.demo.search import where
from authgw.demo.site import Answer, Site, failure, json_body

WHAT = ("cdr", "files", "both")


def delete_cdr(site: Site, asked: Asked) -> Answer:
    """Delete; ids that are not there are passed over."""
    element = params(asked)[0]
    what = text(element.get("typeDelete"))
    if what not in WHAT:
        return failure("unknown typeDelete")
    calls = meant(site, element)
    if isinstance(calls, str):
        return failure(calls)
    known = [call for call in calls if call in site.records.rows]
    if what != "cdr":
        site.records.delete_files(known)
    if what != "files":
        site.records.delete_rows(known)
        for call in known:
            site.singles.pop(call, None)
            site.paused.discard(call)
    return json_body({"success": True})


def meant(site: Site, element: dict[str, Any]) -> list[int] | str:
    """The ids, or those of the calls that the filter leaves; the error text where there is neither."""
    ids, chosen = element.get("ids"), element.get("filter")
    if isinstance(ids, list) and ids:
        return [intval(call) for call in ids]
    if not isinstance(chosen, dict):
        return "ids or filter must be set"
    condition = where(Asked("POST", "", chosen, ""), site.records.sensors)
    if isinstance(condition, str):
        return condition
    query = f"select id from cdr where {condition.sql}"  # noqa: S608 — values are arguments
    return [call for (call,) in site.records.db.execute(query, condition.args)]
