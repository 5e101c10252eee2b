"""JSON read so that no other reader can read it differently."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from authgw.intake.request import Refused, Value
from authgw.reasons import Reason

DEPTH = 16
_STRING = r'"(?:[^"\\]++|\\.?)*+"?'
_BRACKETS = re.compile(_STRING + r"|[\[{]|[\]}]", re.DOTALL)
_LOOSE_KEY = re.compile(_STRING + r"|[A-Za-z_][A-Za-z0-9_]*+(?=[ \t\r\n]*+:)", re.DOTALL)
# Only through these can a control character or half a surrogate pair be in a decoded text.
_SUSPECT = re.compile("\\\\[ubf]|[\x7f-\x9f\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER_LENGTH = 40


class _Odd(ValueError):
    """What the grammar allows and this reader does not."""


def strict(data: bytes | str, depth: int = DEPTH) -> Value | Refused:
    """One JSON document (RFC 8259), or the refusal.

    Refused beyond the grammar: a key given twice, NaN and Infinity (also as an overflow such as 1e999), integers
    outside signed 64 bit (PHP makes floats of them) and `-0`, halves of surrogate pairs, control characters other
    than tab, newline and return in any text, more than `depth` levels, a byte order mark, bytes that are no UTF-8.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError:
        return Refused(Reason.JSON_MALFORMED, 400, "JSON: not UTF-8")
    if _deeper(text, depth):
        return Refused(Reason.JSON_TOO_DEEP, 400, f"JSON: more than {depth} levels")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return Refused(Reason.JSON_MALFORMED, 400, f"JSON: not well-formed at character {error.pos}")
    except _Odd as error:
        return Refused(Reason.JSON_MALFORMED, 400, f"JSON: {error}")
    return _checked(value) if _SUSPECT.search(text) else value


def loose(text: str, depth: int = DEPTH) -> Value | Refused:
    """As `strict`, but keys may be bare words: the form `{fcallid:"…"}` of links into the GUI."""
    return strict(_LOOSE_KEY.sub(_quote_key, text), depth)


def _quote_key(match: re.Match[str]) -> str:
    found = match.group()
    return found if found.startswith('"') else f'"{found}"'


def _deeper(text: str, depth: int) -> bool:
    if text.count("[") + text.count("{") <= depth:
        return False
    level = 0
    for match in _BRACKETS.finditer(text):
        token = match.group()
        if token in ("[", "{"):
            level += 1
            if level > depth:
                return True
        elif token in ("]", "}"):
            level -= 1
    return False


def _checked(value: Value) -> Value | Refused:
    """The value if all its texts are clean. Its depth is bounded already."""
    for text in _texts(value):
        if _SURROGATE.search(text):
            return Refused(Reason.JSON_MALFORMED, 400, "JSON: half of a surrogate pair")
        if _CONTROL.search(text):
            return Refused(Reason.FIELD_CONTROL, 400, "JSON: a control character in a text")
    return value


def _texts(value: Value) -> list[str]:
    found: list[str] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            found.extend(item)
            waiting.extend(item.values())
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Odd("a key is given twice")
    return found


def _integer(text: str) -> int:
    if len(text) <= 20 and text != "-0" and -(2**63) <= (number := int(text)) < 2**63:
        return number
    raise _Odd("an integer outside 64 bit")


def _float(text: str) -> float:
    if len(text) <= _NUMBER_LENGTH and math.isfinite(number := float(text)):
        return number
    raise _Odd("a number that is too large or too long")


def _constant(text: str) -> Any:
    raise _Odd("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant, strict=True
)
