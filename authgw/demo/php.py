"""PHP's reading of a request: $_GET, $_POST and $_REQUEST, loose numbers, cookies; and JSON as PHP writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

# post_max_size and max_input_vars as Debian's php.ini has them: what is over is dropped without a word.
BODY_LIMIT = 8 * 1024 * 1024
VARIABLES = 1000
_LONG = 2**63 - 1
_NUMBER = re.compile(r"[ \t\n\r\v\f]*([+-]?)(\d+(?:\.\d*)?|\.\d+)((?:[eE][+-]?\d+)?)")


class Asked(msgspec.Struct, frozen=True):
    """A request as the product's scripts see it. `path` is below the GUI's base path.

    `fields` is $_REQUEST (POST over GET) with the members of a JSON body on top; values are text,
    those of a JSON body any JSON value. `sid` is the session cookie's value or "". `host` is the Host header.
    """

    method: str
    path: str
    fields: Mapping[str, Any]
    sid: str
    host: str = ""

    def text(self, name: str) -> str:
        """The field as PHP text; "" when absent or an array."""
        return text(self.fields.get(name))

    def number(self, name: str) -> int:
        """The field as `(int)` reads it; 0 when absent."""
        return intval(self.fields.get(name))

    def given(self, name: str) -> bool:
        """Whether the field is there and not empty text."""
        return self.text(name) != ""


def params(asked: Asked) -> list[dict[str, Any]]:
    """`params`: one object or an array of them, as JSON or as its text; anything else counts as one empty object."""
    value = asked.fields.get("params")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if isinstance(value, list):
        return [element for element in value if isinstance(element, dict)] or [{}]
    return [value if isinstance(value, dict) else {}]


def text(value: Any) -> str:
    """`(string)$value`: true is "1", false and null are "", arrays are nothing to search for."""
    if isinstance(value, str):
        return value
    if value is None or value is False or isinstance(value, dict | list):
        return ""
    return "1" if value is True else str(value)


def intval(value: Any) -> int:
    """`(int)$value`: leading number of the text, fractions cut off, exponents read, clamped to 64 bits."""
    if isinstance(value, bool | int):
        return max(-_LONG - 1, min(_LONG, int(value)))
    number = floatval(value)
    match = _NUMBER.match(text(value))
    if match and match[2].isdigit() and not match[3] and len(match[2]) < 19:
        return int(match[1] + match[2])
    return int(max(-_LONG - 1, min(_LONG, number)))


def floatval(value: Any) -> float:
    """`(float)$value`: the leading number of the text, or 0; what overflows is clamped, never infinite."""
    match = _NUMBER.match(text(value)[:64])
    return max(-1e300, min(1e300, float("".join(match.groups())))) if match else 0.0


def truth(value: Any) -> bool:
    """`(bool)$value`, and the word "false" as the product's forms send it."""
    return bool(value) if isinstance(value, dict | list) else text(value) not in ("", "0", "false")


def name_of(raw: str) -> str:
    """The name a variable gets in PHP: spaces in front go, dots and spaces become `_`, `a[b]` is an array `a`."""
    raw = raw.lstrip(" ").partition("\0")[0]
    head, bracket, rest = raw.partition("[")
    if bracket and head and "]" in rest:
        return head.replace(".", "_").replace(" ", "_") + "[]"
    return raw.replace(".", "_").replace(" ", "_").replace("[", "_", 1)


def put(fields: dict[str, Any], raw: str, value: Any) -> None:
    """Add one variable as PHP does: the last one wins, an array becomes a list."""
    name = name_of(raw)
    if name.endswith("[]"):
        before = fields.get(name[:-2])
        fields[name[:-2]] = [*before, value] if isinstance(before, list) else [value]
    elif name:
        fields[name] = value


def variables(encoded: str) -> dict[str, Any]:
    """A query or an urlencoded body."""
    fields: dict[str, Any] = {}
    for part in encoded.split("&")[:VARIABLES]:
        name, _, value = part.partition("=")
        if name:
            put(fields, unquote_plus(name), unquote_plus(value))
    return fields


def json_fields(body: bytes) -> dict[str, Any] | None:
    """The members of a JSON object body, whatever its content type says; None when it is no such thing."""
    if body.lstrip()[:1] != b"{":
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return {key: _clean(member) for key, member in value.items()} if isinstance(value, dict) else None


def _clean(value: Any) -> Any:
    """Half a surrogate pair has no UTF-8 form; the database would not take it."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def cookie(header: str, name: str) -> str:
    """A cookie's value; of several of that name PHP takes the first."""
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value.strip()
    return ""


def dumps(value: Any) -> bytes:
    """`json_encode($value)`: ASCII, slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()
