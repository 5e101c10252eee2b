"""SQL and debug fields: nobody sees them without can_show_sql_query."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw

_TELLING = re.compile("sql|debug|query", re.IGNORECASE)
# A field that only says "no debugging here" tells nothing, and clients expect it.
_EMPTY = (b"false", b"null", b'""', b"0")
# What may be the name of such a field anywhere in a document, also one written with escapes.
_MAY_TELL = re.compile(rb'(?:sql|debug|query|\\u00)[^"]{0,60}"\s*:', re.IGNORECASE)


def strip(body: bytes) -> bytes:
    """A JSON document without such fields, however deep. Where there are none its bytes stay as they are."""
    if not _may_tell(body.lower()):
        return body
    if body[:1] == b"{":
        fields = msgspec.json.decode(body, type=dict[str, Raw])
        kept = {name: value for name, value in fields.items() if not _tells(name) or bytes(value) in _EMPTY}
        if len(kept) != len(fields):
            body = msgspec.json.encode(kept)
        inside = b"".join(bytes(value) for name, value in kept.items() if not _tells(name))
    else:
        inside = body
    return body if _MAY_TELL.search(inside) is None else msgspec.json.encode(_stripped(msgspec.json.decode(body)))


def _may_tell(low: bytes) -> bool:
    """Whether some of the words is in a document in lower case. Bytes that are rare are looked for first: 268 KB of
    rows take 0.2 ms so, 0.6 ms word by word, and 4 ms by the pattern."""
    if b"q" in low and (b"sql" in low or b"query" in low):
        return True
    return b"debug" in low or (b"\\" in low and b"\\u00" in low)


def _tells(name: str) -> bool:
    return _TELLING.search(name) is not None


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if not _tells(name) or item in (False, None, "", 0)}
        return {name: _stripped(item) for name, item in kept.items()}
    return [_stripped(item) for item in value] if isinstance(value, list) else value
