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
_NO_TARGET = re.compile(rb"[\x00-\x20\x7f]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def query(data: bytes, limits: Limits) -> dict[str, Value] | Refused:
    """The fields of a query string: as `urlencoded`, and free of what ends a request target or its query."""
    if not data:
        return {}
    if b"#" in data or _NO_TARGET.search(data):
        return Refused(Reason.QUERY_MALFORMED, 400, "query: a space, a control byte or #")
    return urlencoded(data, limits, "query", Reason.QUERY_MALFORMED)


def urlencoded(data: bytes, limits: Limits, where: str, malformed: Reason) -> dict[str, Value] | Refused:
    """The fields of a query or an urlencoded body.

    As PHP: `&` alone separates, empty pieces count for nothing, `+` is a space, a `%` without two hexadecimal
    digits is itself, no `=` is an empty text, leading spaces of a name are not part of it.
    """
    if not data:
        return {}
    try:
        return collect(_pieces(data.decode("utf-8")), limits, where)
    except UnicodeDecodeError:
        return Refused(malformed, 400, f"{where}: not UTF-8")


def _pieces(text: str) -> list[tuple[str, str]]:
    found = []
    for piece in text.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        if "%" in piece or "+" in piece:
            found.append((_decoded(name).lstrip(" "), _decoded(value)))
        else:
            found.append((name.lstrip(" "), value))
    return found


def _decoded(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote_to_bytes(text).decode("utf-8") if "%" in text else text


def collect(pairs: Iterable[tuple[str, Value]], limits: Limits, where: str) -> dict[str, Value] | Refused:
    """One mapping of the pairs, or the refusal. A refusal tells a name only if it is a proper one.

    (An improper one may be half a password that held an unescaped `&`.)
    """
    fields: dict[str, Value] = {}
    for number, (name, value) in enumerate(pairs, 1):
        if number > limits.max_fields:
            return Refused(Reason.TOO_MANY_FIELDS, 400, f"{where}: more than {limits.max_fields} fields")
        # Almost every name is an ASCII identifier, which is quicker to see.
        proper = (name.isascii() and name.isidentifier()) or _NAME.fullmatch(name)
        if not proper or len(name) > limits.max_name:
            return Refused(Reason.FIELD_NAME, 400, f"{where}: field {number} has a name outside [A-Za-z0-9_]")
        if isinstance(value, str) and not value.isprintable() and _CONTROL.search(value):
            return Refused(Reason.FIELD_CONTROL, 400, f"{where}: control character in field {name}")
        if name in fields and fields[name] != value:
            return Refused(Reason.FIELD_TWICE, 400, f"{where}: field {name} is given twice")
        fields[name] = value
    return fields


def merge(asked: dict[str, Value], sent: dict[str, Value], limits: Limits) -> dict[str, Value] | Refused:
    """Fields asked for in the query and sent in the body as one: a name in both must mean the same text."""
    for name in asked.keys() & sent.keys():
        if as_text(asked[name]) != as_text(sent[name]):
            return Refused(Reason.FIELD_TWICE, 400, f"field {name} is given in both query and body")
    fields = sent | asked
    if len(fields) > limits.max_fields:
        return Refused(Reason.TOO_MANY_FIELDS, 400, f"more than {limits.max_fields} fields")
    return fields
