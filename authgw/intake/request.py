"""The values of intake: what came in, the one canonical request made of it, or the refusal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from authgw.reasons import Reason

# A field from query, urlencoded or multipart is text; a field of a JSON body is any JSON value.
Value = Any


class Body(StrEnum):
    """How the body was written. An absent body, and exactly `{}` under any type, count as NONE."""

    NONE = "none"
    FORM = "form"
    MULTIPART = "multipart"
    JSON = "json"


class Raw(msgspec.Struct, frozen=True):
    """A request as it came off the wire: nothing decoded, nothing trusted."""

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    peer: str


class Request(msgspec.Struct, frozen=True):
    """The canonical request: the only form that is judged, and the form that upstream is sent anew from.

    `path` is decoded, normalised and absolute. `fields` merges query and body; equal duplicates are one.
    `headers` holds only the names intake knows, lower-case with `_` for `-`.
    `cookies` keeps every value a name came with. `address` is the client's, proxies taken off.
    """

    method: str
    head: bool
    path: str
    fields: Mapping[str, Value]
    body: Body
    headers: Mapping[str, str]
    cookies: Mapping[str, tuple[str, ...]]
    address: str


class Refused(msgspec.Struct, frozen=True):
    """A refusal before any decision: a reason, the HTTP status it answers with, and where it went wrong."""

    reason: Reason
    status: int
    detail: str
