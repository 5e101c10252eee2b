"""The fields of a call against the types its entry declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from authgw.catalogue.model import Entry
from authgw.intake.json import loose, strict
from authgw.intake.request import Refused
from authgw.policy import kinds
from authgw.policy.decision import Deny, Element
from authgw.reasons import Reason

JSON_DEPTH = 8
# In `reveals`: every field that has no name of its own there, and the column that a field names by its value.
ANY_OTHER = "*"
ITS_VALUE = "*"
MAX_ELEMENTS = 100

# What a sort property is called in the rows.
_ALIASES = {"calldate2": "calldate"}


class Fields(msgspec.Struct, frozen=True):
    """Typed fields, or the first refusal among them. `columns`: those that the request filters or sorts by."""

    named: dict[str, str] = {}
    elements: tuple[Element, ...] = ()
    batch: bool = False
    references: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    refusal: Deny | None = None


def read(entry: Entry, fields: Mapping[str, Any]) -> Fields:
    """Check every field of the call. Fields of type `ignored` and empty ones are not in the outcome."""
    named: dict[str, str] = {}
    elements: tuple[Element, ...] = ()
    batch = False
    kinds_of, other = entry.once(_kinds)
    for name, value in fields.items():
        kind = kinds_of.get(name, other)
        if kind is None:
            return _refused(Reason.PARAM_UNKNOWN, f"{name}: this call knows no such field")
        if kind == "json" or kind == "filter":
            parsed = _elements(kind, name, value, entry)
            if isinstance(parsed, Deny):
                return Fields(refusal=parsed)
            elements, batch = parsed, isinstance(value, list) or _is_array(value)
            continue
        text = value if isinstance(value, str) else kinds.scalar(value)
        if text is None or (problem := kinds.check(kind)(text)):
            return _refused(Reason.PARAM_TYPE, f"{name}: {'must be one value' if text is None else problem}")
        if text and kind != "ignored":
            named[name] = text
    if missing := _missing(entry, named, elements):
        return _refused(Reason.PARAM_MISSING, entry.missing or missing)
    return _finished(entry, named, elements, batch)


def _kinds(entry: Entry) -> tuple[dict[str, str], str | None]:
    """The kind of every named field, and that of any other."""
    return {**dict.fromkeys(entry.where, "text"), **entry.params}, entry.params.get("*")


def _finished(entry: Entry, named: dict[str, str], elements: tuple[Element, ...], batch: bool) -> Fields:
    types, plain = entry.once(_types)
    if plain and not elements:
        return Fields(named=named)
    sorts = _sort_columns(named, elements)
    if entry.rows and (unknown := [column for column in sorts if column not in entry.rows.columns]):
        return _refused(Reason.PARAM_TYPE, f"sort: {', '.join(unknown)} is no column of the rows")
    inside = [(name, text) for element in elements for name, value in element.items() if (text := kinds.scalar(value))]
    given = [*named.items(), *inside]
    return Fields(
        named=named,
        elements=elements,
        batch=batch,
        references=tuple(name for name, _ in given if types.get(name) == "reference"),
        columns=tuple([_ALIASES.get(column, column) for column in sorts] + _filter_columns(entry, types, given)),
    )


def _types(entry: Entry) -> tuple[dict[str, str], bool]:
    """Fields and fields of elements with their kinds; and whether none of them can tell of rows or of saved filters."""
    types = {**entry.params, **entry.element}
    telling = entry.reveals or {"sort", "*"} & (types.keys() | entry.where.keys()) or "reference" in types.values()
    return types, not telling


def _refused(reason: Reason, detail: str) -> Fields:
    return Fields(refusal=Deny(reason, 400, detail))


def _is_array(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip()[:1] == "["


def _elements(kind: str, name: str, value: Any, entry: Entry) -> tuple[Element, ...] | Deny:
    if isinstance(value, str):
        parsed = loose(value) if kind == "filter" else strict(value, JSON_DEPTH)
        if isinstance(parsed, Refused):
            return Deny(parsed.reason, 400, f"{name}: {parsed.detail}")
        value = parsed
    found = value if isinstance(value, list) else [value]
    if not 0 < len(found) <= MAX_ELEMENTS:
        return Deny(Reason.PARAM_TYPE, 400, f"{name}: must hold 1 to {MAX_ELEMENTS} objects")
    for element in found:
        if not isinstance(element, dict):
            return Deny(Reason.PARAM_TYPE, 400, f"{name}: must be an object or a list of objects")
        if problem := _element_problem(element, entry):
            return Deny(Reason.PARAM_TYPE, 400, f"{name}.{problem}")
    return tuple(found)


def _element_problem(element: Element, entry: Entry) -> str | None:
    for name, needed in entry.together.items():
        if name in element and (lacking := [other for other in needed if element.get(other) in (None, "")]):
            return f"{name}: needs {', '.join(lacking)} too"
    for name, value in element.items():
        kind = entry.element.get(name)
        if kind is None:
            if "*" not in entry.element or not kinds.header_name(name):
                return f"{name}: this call knows no such field"
            kind = entry.element["*"]
        if problem := _value_problem(kind, value):
            return f"{name}: {problem}"
    return None


def _value_problem(kind: str, value: Any) -> str | None:
    if kind == "cdr-ids":
        return None if kinds.ids(value) is not None else "must be a list of call ids"
    if value is None:
        return None  # as good as not given
    text = kinds.scalar(value)
    return "must be one value" if text is None else kinds.wrong(kind, text)


def _missing(entry: Entry, named: dict[str, str], elements: tuple[Element, ...]) -> str | None:
    for group in entry.require:
        inside = [name for name in group if name in entry.element]
        if inside:
            if not all(any(element.get(name) not in (None, "") for name in inside) for element in elements):
                return f"{' or '.join(group)} must be set"
        elif entry.json_field in group:
            if not elements:
                return f"{entry.json_field} must be set"
        elif not any(name in named for name in group):
            return f"{' or '.join(group)} must be set"
    return None


def _sort_columns(named: dict[str, str], elements: tuple[Element, ...]) -> list[str]:
    asked = [fields["sort"] for fields in (named, *elements) if isinstance(fields.get("sort"), str)]
    return [key.property for text in asked for key in kinds.sort_keys(text) or []]


def _filter_columns(entry: Entry, types: dict[str, str], given: list[tuple[str, str]]) -> list[str]:
    """Columns behind the filters that are really given; a switch that is off orders nothing."""
    found = []
    for name, text in given:
        column = entry.reveals.get(name if name in types else ANY_OTHER)
        off = types.get(name) == "switch" and text in {"0", "false"}
        if column is not None and not off:
            found.append(text if column == ITS_VALUE else column)
    return found
