"""Fields: names and values as PHP would read them, and nothing that PHP would change, drop or fold together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from authgw.intake.encode import as_text
from authgw.intake.limits import Limits
from authgw.intake.request import Refused, Value
from authgw.reasons import Reason

_NAME = re.compile(r"[A-Za-z0-9_]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def urlencoded(data: bytes, limits: Limits, where: str, malformed: Reason) -> dict[str, str] | Refused:
    """The fields of a query or an urlencoded body.

    As PHP: `&` alone separates, empty pieces count for nothing, `+` is a space, a `%` without two hexadecimal
    digits is itself, no `=` is an empty text, leading spaces of a name are not part of it.
    """
    if not data:
        return {}
    try:
        return collect(_pieces(data), limits, where)
    except UnicodeDecodeError:
        return Refused(malformed, 400, f"{where}: not UTF-8")


def _pieces(data: bytes) -> Iterable[tuple[str, str]]:
    if b"%" not in data and b"+" not in data:
        for piece in data.decode("utf-8").split("&"):
            if piece:
                name, _, text = piece.partition("=")
                yield name.lstrip(" "), text
        return
    for raw in data.split(b"&"):
        if raw:
            name_bytes, _, value = raw.partition(b"=")
            yield _decoded(name_bytes).lstrip(" "), _decoded(value)


def _decoded(data: bytes) -> str:
    if b"+" in data:
        data = data.replace(b"+", b" ")
    return (unquote_to_bytes(data) if b"%" in data else data).decode("utf-8")


def collect(pairs: Iterable[tuple[str, Value]], limits: Limits, where: str) -> dict[str, Value] | Refused:
    """One mapping of the pairs, or the refusal. A refusal tells a name only if it is a proper one.

    (An improper one may be half a password that held an unescaped `&`.)
    """
    fields: dict[str, Value] = {}
    for number, (name, value) in enumerate(pairs, 1):
        if number > limits.max_fields:
            return Refused(Reason.TOO_MANY_FIELDS, 400, f"{where}: more than {limits.max_fields} fields")
        if not _NAME.fullmatch(name) or len(name) > limits.max_name:
            return Refused(Reason.FIELD_NAME, 400, f"{where}: field {number} has a name outside [A-Za-z0-9_]")
        if isinstance(value, str) and not value.isprintable() and _CONTROL.search(value):
            return Refused(Reason.FIELD_CONTROL, 400, f"{where}: control character in field {name}")
        if name in fields and fields[name] != value:
            return Refused(Reason.FIELD_TWICE, 400, f"{where}: field {name} is given twice")
        fields[name] = value
    return fields


def merge(query: dict[str, Value], body: dict[str, Value], limits: Limits) -> dict[str, Value] | Refused:
    """Query and body as one: a name in both must mean the same text."""
    for name in query.keys() & body.keys():
        if as_text(query[name]) != as_text(body[name]):
            return Refused(Reason.FIELD_TWICE, 400, f"field {name} is given in both query and body")
    fields = body | query
    if len(fields) > limits.max_fields:
        return Refused(Reason.TOO_MANY_FIELDS, 400, f"more than {limits.max_fields} fields")
    return fields
