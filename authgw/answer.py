"""A whole answer as a value: what the gateway itself says, as opposed to a reply that is streamed through."""

from __future__ import annotations

from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """Status, extra headers (lower-case names) and body. Framing and the standing headers are added by the gate."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def as_json(status: int, value: Any, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, msgspec.json.encode(value), "application/json", headers)


def as_text(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, text.encode(), "text/plain; charset=utf-8", headers)
