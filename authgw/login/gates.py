"""The gates: what is checked after the right password, before anything is opened. Pure.

The order decides what a person learns: from a wrong address not even that the account is blocked.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

import msgspec

from authgw.contract import Identity
from authgw.reasons import Reason
from authgw.rights.parse import Gates, Parsed

_DAY = 86_400.0


class Stop(msgspec.Struct, frozen=True):
    """A gate that stays shut. `note` is for the person (the reason of a block), `detail` for the log."""

    reason: Reason
    note: str = ""
    detail: str = ""


def pass_through(gates: Sequence[Gates], identity: Identity, address: str, now: float) -> Stop | None:
    """The first gate that stays shut, or None. `now`: seconds since 1970.

    Every grant's gates hold: one that is shut shuts all.
    """
    for gate in gates:
        if gate.enable_login_ip and not allows(gate.enable_login_ip, address):
            return Stop(Reason.ADDRESS_NOT_ALLOWED, detail="enable_login_ip")
    for gate in gates:
        if gate.blocked or gate.group_blocked:
            return Stop(Reason.BLOCKED, note=gate.blocked_reason, detail=_which(gate))
    for gate in gates:
        if gate.password_expired:
            return Stop(Reason.PASSWORD_EXPIRED, detail="password_expired")
        if gate.password_expiration_days and _is_old(identity, gate.password_expiration_days, now):
            return Stop(Reason.PASSWORD_EXPIRED, detail="password_expiration_days")
    return None


def needs_factor(gates: Sequence[Gates]) -> bool:
    """Whether a dictionary wants a second factor: one that wants it is enough."""
    return any(gate.req_2fa or gate.secret for gate in gates)


def secrets_of(gates: Sequence[Gates]) -> tuple[str, ...]:
    """The TOTP secrets that the dictionaries supply, each once. More than one is a mistake."""
    return tuple(dict.fromkeys(gate.secret for gate in gates if gate.secret))


def consistent(identity: Identity, parsed: Sequence[Parsed]) -> Stop | None:
    """One person, one id: a positive number, the same in the identity and in every dictionary that states one."""
    ids = {identity.id, *(each.id for each in parsed)}
    if len(ids) > 1:
        return Stop(Reason.RIGHTS_INVALID, detail=f"id: different ones for one user: {sorted(ids)}")
    if identity.id <= 0 or not parsed:
        return Stop(Reason.RIGHTS_INVALID, detail="id: must be a positive integer")
    return None


def allows(networks: Sequence[str], address: str) -> bool:
    """Whether the address lies in one of the networks. What cannot be read matches nothing."""
    try:
        client = ip_address(address)
    except ValueError:
        return False
    mapped = client.ipv4_mapped if isinstance(client, IPv6Address) else None
    return any((mapped or client) in ip_network(each, strict=False) for each in networks)


def _which(gate: Gates) -> str:
    return "blocked" if gate.blocked else "group_blocked"


def _is_old(identity: Identity, days: int, now: float) -> bool:
    """Only where the plugin knows the password's age; a time in the future is no proof of a new password."""
    changed = identity.password_changed_at
    return changed is not None and not 0 <= now - changed < days * _DAY
