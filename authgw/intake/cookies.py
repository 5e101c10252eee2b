"""The Cookie header: pieces kept as they are spelt, or dropped. Nothing is decoded, unquoted or repaired."""

from __future__ import annotations

import re

from authgw.intake.request import Refused
from authgw.reasons import Reason

_PIECE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([ -~]*)")


def parse(header: str, limit: int) -> dict[str, tuple[str, ...]] | Refused:
    """Every value of every name, equal ones once, in their order.

    A piece without a name, without `=` or with bytes outside printable ASCII is dropped, as other sites of the
    domain may have set it; a value keeps its quotes and escapes, so that it names a session only if it is spelt
    exactly like one. More than `limit` pieces are refused.
    """
    pieces = header.split(";")
    if len(pieces) > limit:
        return Refused(Reason.COOKIE_MALFORMED, 400, f"Cookie: more than {limit} cookies")
    found: dict[str, tuple[str, ...]] = {}
    for piece in pieces:
        match = _PIECE.fullmatch(piece.strip(" \t"))
        if match is None:
            continue
        name, value = match.groups()
        known = found.get(name, ())
        if value not in known:
            found[name] = (*known, value)
    return found
