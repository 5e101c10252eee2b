"""Fields of rows that are blanked, and links in them that are hidden, for who lacks the flag to see them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from authgw.catalogue.model import Entry
from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.rights.claims import Grant

HIDDEN = ""
LINK = "[link]"
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,30}://|www\.)[^\s\"'<>]+", re.IGNORECASE)


class Masks(msgspec.Struct, frozen=True):
    """Names of row fields. Empty: rows pass as they are."""

    blank: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()

    @staticmethod
    def of(entry: Entry, grants: Sequence[Grant]) -> Masks:
        """What none of the grants lifts."""
        if not entry.mask and not entry.mask_urls:
            return NOTHING

        def kept(rules: dict[str, tuple[str, ...]]) -> frozenset[str]:
            closed = [fields for flag, fields in rules.items() if not any(flag in grant.flags for grant in grants)]
            return frozenset(name for fields in closed for name in fields)

        return Masks(kept(entry.mask), kept(entry.mask_urls))

    def row(self, raw: Raw) -> bytes:
        row = msgspec.json.decode(raw, type=dict[str, Raw])
        for name in self.blank & row.keys():
            row[name] = _raw(HIDDEN)
        for name in (self.links - self.blank) & row.keys():
            row[name] = _raw(hide_links(msgspec.json.decode(row[name])))
        return msgspec.json.encode(row)

    def document(self, body: bytes, at: str | None) -> bytes:
        """A whole reply with its rows masked."""
        if not self.blank and not self.links:
            return body
        try:
            envelope = msgspec.json.decode(body, type=dict[str, Raw])
            rows = msgspec.json.decode(envelope[at or ""], type=list[Raw]) if at in envelope else []
        except msgspec.MsgspecError as error:
            raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"rows cannot be masked: {error}") from None
        if rows:
            envelope[at or ""] = Raw(b"".join((b"[", b",".join(map(self.row, rows)), b"]")))
        return msgspec.json.encode(envelope)


NOTHING = Masks()


def hide_links(value: Any) -> Any:
    """A text without the addresses in it; anything but text is nothing to read links in."""
    return _URL.sub(LINK, value) if isinstance(value, str) else HIDDEN


def _raw(value: Any) -> Raw:
    return Raw(msgspec.json.encode(value))
