"""The types of fields. A value is taken as typed or refused; nothing is guessed, trimmed or cut off.

Empty means "not given" for every type but ids, because forms send empty fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from ipaddress import ip_network
from typing import Any

import msgspec

from authgw.intake.ids import cdr_id

MAX_TEXT = 2048
MAX_COUNT = 5000
MAX_IDS = 100
_ID = re.compile(r"[1-9][0-9]{0,18}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class SortKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One element of LISTING's `sort`."""

    property: str
    direction: str = "ASC"


_SORT = msgspec.json.Decoder(list[SortKey])


def scalar(value: Any) -> str | None:
    """A field as text: text stays, JSON numbers and booleans as PHP reads them, anything else is no scalar."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, int) else None


def wrong(kind: str, text: str) -> str | None:
    """What is wrong with a value of that kind, in words that follow the field's name; None if nothing is."""
    return check(kind)(text)


@cache
def check(kind: str) -> Callable[[str], str | None]:
    """`wrong` for one kind; the kinds of a catalogue are few."""
    test = _one_of(kind) if kind.startswith("one of ") else _CHECKS[kind]
    return test if kind == "cdr-id" else lambda text: test(text) if text else None


def _one_of(kind: str) -> Callable[[str], str | None]:
    known = frozenset(kind[7:].split("|"))
    return lambda text: None if text in known else f"must be {kind}"


def ids(value: Any) -> list[int] | None:
    """A JSON list of call ids, as numbers or digits; one to a hundred of them."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_IDS:
        return None
    texts = [scalar(item) if not isinstance(item, bool) else None for item in value]
    if any(text is None or cdr_id(text) is None for text in texts):
        return None
    return [int(text) for text in texts if text is not None]


def header_name(name: str) -> bool:
    """Whether a name can be that of a captured SIP header."""
    return _HEADER_NAME.fullmatch(name) is not None


def sort_keys(text: str) -> list[SortKey] | None:
    try:
        keys = _SORT.decode(text)
    except msgspec.MsgspecError:
        return None
    return keys if len(keys) <= 8 and all(key.direction in {"ASC", "DESC", "asc", "desc"} for key in keys) else None


def moment(text: str) -> datetime | None:
    """A date with an optional time of day, without a zone (the product's own clock)."""
    if not _DATETIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?", re.ASCII)


def _matching(pattern: str, says: str) -> Callable[[str], str | None]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: None if compiled.fullmatch(text) else says


def _text(text: str) -> str | None:
    return None if len(text) <= MAX_TEXT else f"must be at most {MAX_TEXT} characters"


def _network(text: str) -> str | None:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return "must be an IP address or network"
    return None


def _listed(check: Callable[[str], str | None]) -> Callable[[str], str | None]:
    def all_of(text: str) -> str | None:
        members = [member.strip() for member in text.split(",")]
        if len(members) > 1000:
            return "must have at most 1000 members"
        return next((problem for member in members if (problem := check(member))), None)

    return all_of


def _anything(_text: str) -> None:
    return None


_CHECKS: dict[str, Callable[[str], str | None]] = {
    "text": _text,
    "header": _text,
    "reference": _text,
    "ignored": _anything,
    "json": _anything,
    "filter": _anything,
    "flag": _matching(r"[01]", "must be 0 or 1"),
    "bool": _matching(r"true|false|0|1", "must be true or false"),
    "switch": _matching(r"[A-Za-z0-9]{1,8}", "must be a flag"),
    "int": _matching(r"-?[0-9]{1,18}", "must be a whole number"),
    "uint": _matching(r"[0-9]{1,18}", "must be a whole number, 0 or more"),
    "count": lambda text: None if _ID.fullmatch(text) and int(text) <= MAX_COUNT else f"must be 1 to {MAX_COUNT}",
    "seconds": lambda text: None if text.isascii() and text.isdigit() and int(text) <= 86400 else "must be 0 to 86400",
    "number": _matching(r"-?[0-9]{1,12}(\.[0-9]{1,9})?", "must be a number"),
    "datetime": lambda text: None if moment(text) else "must be a date, like 2026-11-23T15:00:00",
    "ip": _network,
    "ip-list": _listed(_network),
    "int-list": _listed(_matching(r"[0-9]{1,9}", "must be a comma list of whole numbers")),
    "sensor-ids": _listed(_matching(r"[0-9]{1,9}|-1|-2", "must be a comma list of sensor ids")),
    "null": lambda _text: "must be null",
    "token": _matching(r"[A-Za-z0-9._~-]{1,128}", "must be a token"),
    "cdr-id": lambda text: None if cdr_id(text) is not None else "must be an id: digits, no leading zero",
    "sort": lambda text: None if sort_keys(text) is not None else "must be a JSON list of {property, direction}",
    "name": lambda name: None if header_name(name) else "must be a header's name",
    "names": _listed(lambda name: None if header_name(name) else "must be a comma list of header names"),
}
