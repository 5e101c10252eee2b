"""Claims: what a session may do, as grants that are never flattened: a flag of one opens no row of another."""

from __future__ import annotations

import msgspec

CLAIMS_VERSION = 1


class HeaderLine(msgspec.Struct, frozen=True):
    """One line `[level,"Header:pattern"]` of custom_headers_*: OR within a level, AND with the level before."""

    level: int
    name: str
    pattern: str


class Scope(msgspec.Struct, frozen=True):
    """The row-level part of a grant. None for sensors: all of them; (): no sensor at all.

    `ip`, `number`, `domain` hold patterns as configured, checked and with `!` kept in front.
    """

    sensors: tuple[int, ...] | None = None
    ip: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    vlan: tuple[int, ...] = ()
    headers_cdr: tuple[HeaderLine, ...] = ()
    headers_message: tuple[HeaderLine, ...] = ()
    any_dimension: bool = False
    connected_only: bool = False


class Grant(msgspec.Struct, frozen=True):
    """Flags, limits and one scope that belong together. `flags` and `limits` are dictionary keys that are on.

    `can_audit` is 0, 1 or 2; `remove_expire_hours` is crules_remove_expire_time in hours, 0: not limited.
    `label` says where the grant comes from (a mapping line, a tenant), for explain and audit.
    """

    flags: frozenset[str] = frozenset()
    limits: frozenset[str] = frozenset()
    scope: Scope = Scope()
    can_audit: int = 0
    remove_expire_hours: int = 0
    label: str = ""


class Claims(msgspec.Struct, frozen=True):
    """What is stored in a session. `login` is the login instance that answered; (login, id) names the user.

    `user` is canonical; `preferences` are the carried keys (uc_*, count_audit_log), which decide nothing.
    """

    login: str
    user: str
    id: int
    grants: tuple[Grant, ...]
    name: str = ""
    tenant: str = ""
    group_name: str = ""
    preferences: dict[str, str | int | bool] = {}
    version: int = CLAIMS_VERSION

    @property
    def is_operator(self) -> bool:
        """The gateway's operator right: is_admin without row scope."""
        return any("is_admin" in grant.flags and grant.scope == Scope() for grant in self.grants)
