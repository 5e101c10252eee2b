"""One value of the permission dictionary, read as its key wants it."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from authgw.rights import lists, scalars
from authgw.rights.dictionary import KEYS, Kind

Warn = Callable[[str], None]

_READERS: dict[Kind, Callable[[Any, Warn], Any]] = {
    Kind.ID: lambda value, _: scalars.whole(value, 1, scalars.LARGEST_ID),
    Kind.GROUP: lambda value, _: None if value == "" else scalars.whole(value, 1, scalars.LARGEST_ID),
    Kind.FLAG: lambda value, _: scalars.flag(value),
    Kind.AUDIT: lambda value, _: scalars.audit(value),
    Kind.HOURS: lambda value, _: scalars.hours(value),
    Kind.ATTEMPTS: lambda value, _: None if value == "" else scalars.whole(value, 1, 100),
    Kind.DAYS: lambda value, _: None if value == "" else scalars.whole(value, 1, 365),
    Kind.TEXT: lambda value, _: scalars.line(value),
    Kind.NOTE: lambda value, _: scalars.note(value),
    Kind.SECRET: lambda value, _: scalars.secret(value) or None,
    Kind.SENSORS: lists.sensors,
    Kind.NETWORKS: lists.networks,
    Kind.PATTERNS: lists.patterns,
    Kind.VLANS: lists.vlans,
    Kind.HEADERS: lists.headers,
    Kind.LOGIN_NETWORKS: lists.login_networks,
    Kind.PREFERENCE: lambda value, _: scalars.preference(value),
}


def read(key: str, value: Any, warn: Warn = lambda _: None) -> Any:
    """The value of a known key, not null, as its kind wants it; `warn` takes what is odd about it.

    Raises `ValueError` that says what would be right.
    """
    return _READERS[KEYS[key].kind](value, warn)


def unknown(key: str) -> str:
    """What to say of a key that no permission dictionary has."""
    near = get_close_matches(key[:60], KEYS, n=1)
    return f"is no key of the permission dictionary; {f'did you mean {near[0]}?' if near else 'take it out'}"
