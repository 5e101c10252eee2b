"""The values of a session as the rest of the gateway sees them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from authgw.rights.claims import Claims


class Kind(StrEnum):
    """How the session id travels. API sessions are made by bypass_login and never open pages (house.md)."""

    BROWSER = "browser"
    API = "api"


class Remote(msgspec.Struct, frozen=True):
    """What a login at a provider leaves with the session: by what the provider knows person and session there.

    `issued`: when the provider said so, seconds since 1970. `kept`: the plugin's own (a refresh token), never shown.
    """

    subject: str
    session: str = ""
    issued: float = 0.0
    kept: bytes = b""

    def __repr__(self) -> str:
        return f"Remote(subject={self.subject!r}, session={self.session!r}, issued={self.issued!r})"


class Ending(msgspec.Struct, frozen=True):
    """What a provider has ended: one session there, or all of a person's where `session` is empty.

    `issued`: when it said so, seconds since 1970. `once` names the message, which counts until `until` and only once.
    """

    subject: str
    session: str
    issued: float
    once: str
    until: float


class Confirmed(msgspec.Struct, frozen=True):
    """The login that made a session still stands, with these claims."""

    claims: Claims
    remote: Remote | None


class Over(msgspec.Struct, frozen=True):
    """The login that made a session no longer stands. `reason` is for the log."""

    reason: str


class Unanswered(msgspec.Struct, frozen=True):
    """Nobody could be asked whether it stands. `reason` is for the log; `remote`: what to keep with it all the same."""

    reason: str
    remote: Remote | None = None


class Session(msgspec.Struct, frozen=True):
    """A live session: exists only when every factor is in. Times are seconds since 1970, UTC.

    `handle` names the session in lists and the audit trail; it opens nothing. `kept`: its owner asked to be kept signed
    in.
    """

    handle: str
    kind: Kind
    claims: Claims
    started: float
    seen: float
    address: str
    agent: str
    factors: tuple[str, ...]
    remote: Remote | None = None
    kept: bool = False


class Untold(msgspec.Struct, frozen=True):
    """The login cannot tell without what its user brought, whenever it is asked."""


class SessionLimits(msgspec.Struct, frozen=True):
    """How long a session may last, in seconds, without use and at all; and how many one user may have.

    After `refresh` seconds its login is asked again; where nobody can be asked it ends after `unconfirmed`. `remember`
    stands in the place of both `idle` and `absolute` for sessions that are kept; 0: there are none.
    """

    idle: float
    absolute: float
    per_user: int
    refresh: float = 300.0
    unconfirmed: float = 3600.0
    remember: float = 0.0

    @property
    def longest(self) -> float:
        """No session lasts longer."""
        return max(self.absolute, self.remember)


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
    kept: bool = False
