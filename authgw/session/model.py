"""The values of a session as the rest of the gateway sees them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from authgw.rights.claims import Claims


class Kind(StrEnum):
    """How the session id travels. API sessions are made by bypass_login and never open pages (house.md)."""

    BROWSER = "browser"
    API = "api"


class Session(msgspec.Struct, frozen=True):
    """A live session: exists only when every factor is in. Times are seconds since 1970, UTC.

    `handle` names the session in lists and the audit trail; it opens nothing.
    """

    handle: str
    kind: Kind
    claims: Claims
    started: float
    seen: float
    address: str
    agent: str
    factors: tuple[str, ...]


class SessionLimits(msgspec.Struct, frozen=True):
    """How long a session may last, in seconds, without use and at all; and how many one user may have."""

    idle: float
    absolute: float
    per_user: int


class Listed(msgspec.Struct, frozen=True):
    """A live session as an operator sees it. Nothing in it opens anything."""

    handle: str
    user: str
    id: int
    login: str
    tenant: str
    kind: Kind
    factors: tuple[str, ...]
    address: str
    agent: str
    started: float
    seen: float
    claims: Claims
