"""How single values of a permission dictionary are spelt, PHP's ways included. What is none of these is no guess.

Every reader takes a value that is not null and raises `ValueError` that says what would be right.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import Any

LARGEST_ID = 2**63 - 1
MIN_SECRET_BYTES = 10
_NAME_LENGTH = 1024
_NOTE_LENGTH = 65536
_DIGITS = re.compile(r"0|[1-9][0-9]{0,18}")


def flag(value: Any) -> bool:
    """true/false, 1/0, "1"/"0" and "" as PHP writes flags; "0" is false."""
    if isinstance(value, bool):
        return value
    if type(value) is int and value in (0, 1):
        return value == 1
    if isinstance(value, str) and value in ("0", "1", ""):
        return value == "1"
    raise ValueError(f"{shown(value)} is not a flag; write true or false")


def whole(value: Any, least: int, most: int) -> int:
    """A whole number, or the decimal text of one."""
    number = None
    if type(value) is int:
        number = value
    elif isinstance(value, str) and _DIGITS.fullmatch(value):
        number = int(value)
    if number is None:
        raise ValueError(f"{shown(value)} is not a whole number; write one in digits")
    if not least <= number <= most:
        raise ValueError(f"{shown(number)} is out of range; write a number from {least} to {most}")
    return number


def audit(value: Any) -> int:
    """0, 1 or 2. A plain flag means 1: a reason is demanded."""
    if isinstance(value, bool) or value == "":
        return int(value is True)
    return whole(value, 0, 2)


def hours(value: Any) -> int:
    """A number of hours; 0, false and "" for no limit."""
    if value is False or value == "":
        return 0
    return whole(value, 0, 1_000_000)


def line(value: Any) -> str:
    """Text in one line."""
    text = note(value)
    if len(text) > _NAME_LENGTH or any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError(f"must be one line of at most {_NAME_LENGTH} characters, without control characters")
    return text


def note(value: Any) -> str:
    """Text, of several lines too."""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not text; write it in quotes")
    if len(value) > _NOTE_LENGTH or any(ord(char) < 32 and char not in "\t\r\n" for char in value):
        raise ValueError(f"must be text of at most {_NOTE_LENGTH} characters, without control characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be text that can be written as UTF-8; correct its characters") from None
    return value


def secret(value: Any) -> str:
    """Base32 text without blanks and padding, in upper case. The message never shows it."""
    text = re.sub(r"[ -]", "", value).rstrip("=").upper() if isinstance(value, str) else None
    if text is None:
        raise ValueError("is not text; write the secret as base32 text")
    try:
        decoded = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise ValueError("is not base32; write it with the letters A to Z and the digits 2 to 7") from None
    if 0 < len(decoded) < MIN_SECRET_BYTES or (text and not decoded):
        raise ValueError(f"has fewer than {MIN_SECRET_BYTES * 8} bits; make one of 32 letters and digits")
    return text


def preference(value: Any) -> str | int | bool:
    """Carried as it came; a fraction travels as its text."""
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, bool) or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    return note(value)


def shown(value: Any) -> str:
    """A value in a message: short, on one line, and at no great cost."""
    if isinstance(value, str):
        return ascii(value if len(value) <= 60 else value[:59] + "…")
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return ascii(value)
    return f"a value of type {type(value).__name__}"


def name(key: str) -> str:
    """A key as a place in a message: as it is, or in quotes where it is no plain word."""
    return key if re.fullmatch(r"\w{1,60}", key) else shown(key)
