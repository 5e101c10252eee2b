"""Conditions of SQL with their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec


class Where(msgspec.Struct, frozen=True):
    """A condition and its arguments; `NOTHING` never holds."""

    sql: str
    args: tuple[Any, ...] = ()


NOTHING = Where("0")


def every(parts: Sequence[Where]) -> Where:
    """All of them hold; true when there are none."""
    return Where(" and ".join(part.sql for part in parts) or "1", tuple(arg for part in parts for arg in part.args))


def either(parts: Sequence[Where]) -> Where:
    """At least one of them holds."""
    sql = " or ".join(part.sql for part in parts)
    return Where(f"({sql})", tuple(arg for part in parts for arg in part.args)) if parts else NOTHING
