"""SQL and debug fields: nobody sees them without can_show_sql_query."""

from __future__ import annotations

import msgspec
from msgspec import Raw

_TELLING = ("sql", "debug", "query")
# A field that only says "no debugging here" tells nothing, and clients expect it.
_EMPTY = (b"false", b"null", b'""', b"0")


def strip(body: bytes) -> bytes:
    """A JSON document without such fields on its top level; lists and everything else stay as they are."""
    if body[:1] != b"{":
        return body
    fields = msgspec.json.decode(body, type=dict[str, Raw])
    kept = {
        name: value
        for name, value in fields.items()
        if bytes(value) in _EMPTY or not any(word in name.lower() for word in _TELLING)
    }
    return body if len(kept) == len(fields) else msgspec.json.encode(kept)
