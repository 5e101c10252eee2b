"""Ids as text. PHP takes "12abc", " 12", "12.9", "1e1" and "+12" for integers; here they are none."""

from __future__ import annotations

import re

_ID = re.compile(r"[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1


def cdr_id(text: str) -> int | None:
    """The id that this text spells, from 1 to 2**63-1 (above it PHP would silently take that largest number)."""
    if not _ID.fullmatch(text):
        return None
    number = int(text)
    return number if number <= _LARGEST else None
