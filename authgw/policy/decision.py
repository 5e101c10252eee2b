"""What `decide` answers with. An allow carries its obligations; a refusal cannot be made without a reason."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from authgw.catalogue.model import Entry
from authgw.reasons import Reason

Element = dict[str, Any]


class Allow(Struct, frozen=True):
    """The call is open. `entry` is the very object that is proxied.

    `fields`: typed, as text, without those that are not forwarded. `elements`: the objects of the JSON field, and
    `batch` whether they came as an array. `grants`: positions in the claims of the grants that open the call; rows
    and objects are those visible under them. `unscoped`: one of them has no row scope. `limits`: the content limits
    that hold under every one of them.
    """

    entry: Entry
    fields: dict[str, str]
    elements: tuple[Element, ...] = ()
    batch: bool = False
    grants: tuple[int, ...] = ()
    unscoped: bool = False
    limits: frozenset[str] = frozenset()


class Deny(Struct, frozen=True):
    """The call is refused. `detail` is for people: what was missing or wrong, and in which field."""

    reason: Reason
    status: int
    detail: str
    entry: str = ""


class Condition(Struct, frozen=True):
    """One line of an explanation: what was asked, whether it held, and the particulars."""

    name: str
    held: bool
    detail: str


Decision = Allow | Deny
