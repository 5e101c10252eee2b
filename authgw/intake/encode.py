"""Writing the canonical request anew, in the one spelling that PHP reads back exactly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

from authgw.intake.request import Value

_NAME = re.compile(r"[A-Za-z0-9_]+")
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")


def query(fields: Iterable[tuple[str, str]]) -> bytes:
    """Fields as a query string or urlencoded body: everything outside RFC 3986's unreserved set as %XX.

    A name that PHP would spell differently (outside `[A-Za-z0-9_]`) is a ValueError: no caller may have one.
    """
    written = []
    for name, value in fields:
        if not _NAME.fullmatch(name):
            raise ValueError("a field name that PHP would change")
        written.append(f"{name}={value if _PLAIN.fullmatch(value) else quote(value, safe='')}")
    return "&".join(written).encode("ascii")


def path(path: str) -> bytes:
    """A canonical path, percent-encoded for a request line."""
    return quote(path, safe="/").encode("ascii")


def as_text(value: Value) -> str:
    """The text of a field value in a form. Texts stay; lists, objects and numbers are compact strict JSON.

    true and false are "1" and "0", which PHP takes for true and false (the text "false" would be true);
    null is the empty text, which is what PHP turns null into.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
