"""Everything that lies in the database, part by part. A new part of the gateway adds a line here."""

from __future__ import annotations

from authgw.durable import factors, tokens
from authgw.durable.sealed import Part
from authgw.session import epochs, links

PARTS: tuple[Part, ...] = (
    epochs.PART,
    links.PART,
    factors.PART,
    tokens.PART,
)
