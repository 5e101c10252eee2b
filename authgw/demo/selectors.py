"""Selectors of api.php: which calls an element of params means, by id, by Call-ID or by a custom header."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from authgw.demo.php import floatval, intval, text
from authgw.demo.records import HEADER, Records
from authgw.demo.search import moment

NOTHING_SET = "cdrId or callId or custom header must be set"
NO_MATCH = "no match cdr"
# A longer interval than any call; what is over it would leave the calendar.
MAX_INTERVAL = 10 * 366 * 86_400


def selected(records: Records, element: Mapping[str, Any]) -> list[int] | str:
    """The calls, never none: the one that is meant, then its other legs by time and id. Or the error text.

    Legs are calls of the same Call-ID that began within `cidInterval` seconds of it; without an interval it is alone.
    """
    first = chosen(records, element)
    if isinstance(first, str):
        return first
    interval = min(floatval(element.get("cidInterval")), MAX_INTERVAL)
    return [first, *legs(records, first, interval)] if interval > 0 else [first]


def chosen(records: Records, element: Mapping[str, Any]) -> int | str:
    """The call that is meant, of several the earliest. An id wins over a Call-ID, that over a header."""
    if text(element.get("cdrId")):
        call = intval(element["cdrId"])
        return call if call in records.rows else f"cdr id {call} does not exist"
    if text(element.get("callId")):
        found = by_call_id(records, text(element["callId"]))
        return found[0] if found else NO_MATCH
    names = ("customHeader", "customHeaderValue", "calldate")
    name, value, day = (text(element.get(each)) for each in names)
    if not (name and value and day):
        return NOTHING_SET
    return by_header(records, name, value, day) or NO_MATCH


def by_call_id(records: Records, call_id: str) -> list[int]:
    """Every call of exactly that Call-ID, by time and id."""
    query = "select id from cdr where callid = ? order by calldate, id"
    return [call for (call,) in records.db.execute(query, (call_id,))]


def by_header(records: Records, name: str, value: str, day: str) -> int | None:
    """The day's first call with that header; a time of day counts from there on.

    The header goes by its own name or by that of its column in cdr_next; letter case aside, as is its value's.
    """
    begin = moment(day)
    if begin is None:
        return None
    query = (
        "select id from cdr where calldate >= ? and calldate < ? "
        "and id in (select id from header where name = ? and value = ?) order by calldate, id limit 1"
    )
    end = begin[:10] + " 24"
    found = records.db.execute(query, (begin, end, name.lower().removeprefix(HEADER), value.lower())).fetchone()
    return int(found[0]) if found else None


def legs(records: Records, call: int, interval: float) -> list[int]:
    """The other calls of its Call-ID that began so near to it, by time and id."""
    own, span = records.record(call) or {}, timedelta(seconds=interval)
    begun = began(own)
    others = (other for other in by_call_id(records, text(own.get("fbasename"))) if other != call)
    return [other for other in others if abs(began(records.record(other) or {}) - begun) <= span]


def began(record: Mapping[str, Any]) -> datetime:
    """When the call began. Raises ValueError where its record says no date."""
    return datetime.fromisoformat(str(record.get("calldate")))
