"""What is read in one way only, for plugins that ask over HTTP."""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Any


def loads(text: bytes) -> Any:
    """JSON and nothing else: a key that comes twice, or a number that is none, is a ValueError."""
    return json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_constant)


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine, by its name or its number."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(name)
