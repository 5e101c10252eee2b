"""LISTING's parameters as SQL: conditions, order and page over the `cdr` table of records."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from authgw.demo.php import Asked, floatval, intval
from authgw.demo.quality import special, thresholds
from authgw.demo.records import Sensor, packed
from authgw.demo.where import NOTHING, Where, either, every

LIMIT = 30
_MOMENT = re.compile(r"\s*(\d{4})-(\d\d?)-(\d\d?)(?:[T ]+(\d\d?)(?::(\d\d?))?(?::(\d\d?)(?:\.(\d{1,6}))?)?)?")

# What may be sorted by: a column of the reply and the column that orders it.
SORTED = {
    "ID": "id", "cdr_ID": "id", "calldate": "calldate", "calldate2": "calldate", "callend": "callend",
    "duration": "duration", "_duration": "duration", "connect_duration": "connect_duration",
    "caller": "caller", "called": "called", "caller_domain": "caller_domain", "called_domain": "called_domain",
    "callername": "callername", "sipcallerip": "caller_ip", "sipcalledip": "called_ip", "id_sensor": "sensor",
    "sensorname": "sensorname", "lastSIPresponseNum": "response", "lastSIPresponse": "response_text", "bye": "bye",
    "whohanged": "whohanged", "fbasename": "fbasename", "a_ua": "a_ua", "b_ua": "b_ua", "a_mos_f1": "a_mos",
    "b_mos_f1": "b_mos",
}  # fmt: skip


def like(column: str, wanted: str) -> Where:
    """MySQL's LIKE (case-insensitive, `\\` escapes) where a `%` is given, else equality, also case-insensitive."""
    if "%" in wanted:
        return Where(f"{column} like ? escape '\\'", (wanted.lower(),))
    return Where(f"{column} = ?", (wanted.lower(),))


def within(column: str, wanted: str) -> Where:
    """The address is that host or lies in that network; what is neither matches nothing."""
    try:
        network = ipaddress.ip_network(wanted.strip(), strict=False)
    except ValueError:
        return NOTHING
    low, high = packed(network.network_address), packed(network.broadcast_address)
    return Where(f"{column} between ? and ?", (low, high))


def compared(column: str, operator: str, wanted: str) -> Where:
    return Where(f"{column} {operator} ?", (floatval(wanted),))


def moment(value: str) -> str | None:
    """A date or date and time as the database reads it, in the records' form; None if it is none."""
    match = _MOMENT.match(value)
    if not match:
        return None
    year, month, day, *clock = match.groups()
    hour, minute, second = (int(part or 0) for part in clock[:3])
    return f"{year}-{int(month):02d}-{int(day):02d} {hour:02d}:{minute:02d}:{second:02d}.{clock[3] or '':0<6}"


def sensors(value: str, known: Sequence[Sensor]) -> Where | None:
    """fsensor_id: database ids; -1 is every call, -2 the calls without a sensor number."""
    ids = {intval(part) for part in value.split(",")}
    if -1 in ids:
        return None
    numbers = [sensor.number for sensor in known if sensor.id in ids]
    parts = [Where(f"sensor in ({','.join('?' * len(numbers))})", tuple(numbers))] if numbers else []
    return either([*parts, Where("sensor is null")] if -2 in ids else parts)


def codecs(value: str) -> Where:
    """fcodec: payload numbers, of the caller's stream, of the called party's, or of the call."""
    numbers = tuple(intval(part) for part in value.split(",") if part.strip()) or (None,)
    marks = ",".join("?" * len(numbers))
    return either([Where(f"{column} in ({marks})", numbers) for column in ("a_payload", "b_payload", "payload")])


def trunk(value: str) -> Where | None:
    """ftrunk: the records know no trunk, so no call goes over one."""
    return None if value.lower() in ("false", "0") else NOTHING


def interrupted(value: str) -> Where:
    """fbye: an interrupted call is one that ended without a BYE."""
    return Where("bye <> 0") if value.lower() in ("false", "0") else Where("coalesce(bye, 0) = 0")


Condition = Callable[[str, str], Where]
PAIRS: tuple[tuple[str, str, str, str, str, Condition], ...] = (
    ("fcaller", "caller", "fcalled", "called", "fcallerd_type", like),
    ("fcaller_domain", "caller_domain", "fcalled_domain", "called_domain", "fcallerd_domain_type", like),
    ("fsipcallerip", "caller_ip", "fsipcalledip", "called_ip", "fsipcallerdip_type", within),
    ("fa_saddr", "a_ip", "fb_saddr", "b_ip", "fab_saddr_type", within),
    ("fa_ua", "a_ua", "fb_ua", "b_ua", "fab_ua_type", like),
)
SINGLES: tuple[tuple[str, Callable[[str], Where | None]], ...] = (
    ("fcallername", lambda value: like("callername", value)),
    ("fcallid", lambda value: like("fbasename", value)),
    ("fcodec", codecs),
    ("fdurationgt", lambda value: compared("duration", ">", value)),
    ("fdurationlt", lambda value: compared("duration", "<", value)),
    ("fpddgt", lambda value: compared("pdd", ">", value)),
    ("fpddlt", lambda value: compared("pdd", "<", value)),
    ("fsipresponse", lambda value: Where("response = ?", (intval(value),))),
    ("fbye", interrupted),
    ("ftrunk", trunk),
)


def pair(asked: Asked, first: str, one: str, second: str, other: str, kind: str, make: Condition) -> Where | None:
    """Two sides under a `*_type`: 1, each given side on its own; 0 or absent, either side has the first's value.

    Under 0 with nothing but the second given, that one is looked for on its own side.
    """
    wanted, wanted_other = asked.text(first), asked.text(second)
    if wanted and asked.number(kind) != 1:
        return either([make(one, wanted), make(other, wanted)])
    parts = [make(column, value) for column, value in ((one, wanted), (other, wanted_other)) if value]
    return every(parts) if parts else None


def where(asked: Asked, known: Sequence[Sensor]) -> Where | str:
    """The whole condition, or the product's error text: a list over all days is refused, the database would groan."""
    start, end = moment(asked.text("fdatefrom")), moment(asked.text("fdateto"))
    if start is None and end is None:
        return "fdatefrom or fdateto must be set"
    parts: list[Where | None] = [Where("calldate >= ?", (start,)) if start else None]
    parts.append(Where("calldate <= ?", (end,)) if end else None)
    parts.extend(pair(asked, *each) for each in PAIRS)
    parts.extend(make(asked.text(name)) for name, make in SINGLES if asked.given(name))
    if asked.given("fsensor_id"):
        parts.append(sensors(asked.text("fsensor_id"), known))
    parts.extend(thresholds(asked))
    return every([part for part in parts if part is not None])


def terms(sort: Any) -> list[tuple[str, bool]]:
    """`sort`: properties and whether they descend, 16 at most; what is no such list is empty."""
    try:
        wanted = json.loads(sort) if isinstance(sort, str) else sort
    except (ValueError, RecursionError):
        return []
    found = [term for term in wanted if isinstance(term, dict)] if isinstance(wanted, list) else []
    return [(str(term.get("property")), str(term.get("direction")).upper() == "DESC") for term in found[:16]]


def order(asked: Asked) -> str:
    """ORDER BY: special orderings, then `sort` without properties that are no column; the id decides last."""
    found = [
        f"{SORTED[name]} {'desc' if descending else 'asc'}"
        for name, descending in terms(asked.fields.get("sort"))
        if name in SORTED
    ]
    return ", ".join([*special(asked), *(found or ["calldate desc"]), "id desc"])


def page(asked: Asked) -> tuple[int, int]:
    """(offset, limit): `start` is the offset and wins over `page`; absent they are 0 and 30."""
    limit = max(0, asked.number("limit")) if asked.given("limit") else LIMIT
    if asked.given("start"):
        return max(0, asked.number("start")), limit
    return min(max(0, asked.number("page") - 1) * limit, 2**62), limit
