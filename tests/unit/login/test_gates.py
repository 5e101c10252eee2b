"""The gates after the right password."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from authgw.contract import Identity
from authgw.login.gates import allows, consistent, needs_factor, pass_through
from authgw.reasons import Reason
from authgw.rights.claims import Grant
from authgw.rights.parse import Gates, Parsed

NOW = 1_700_000_000.0
DAY = 86_400
WHO = Identity("alice", 101)


@pytest.mark.parametrize(
    ("gate", "changed", "reason"),
    [
        ({}, None, None),
        ({"blocked": True}, None, Reason.BLOCKED),
        ({"group_blocked": True}, None, Reason.BLOCKED),
        ({"password_expired": True}, None, Reason.PASSWORD_EXPIRED),
        ({"password_expiration_days": 30}, None, None),
        ({"password_expiration_days": 30}, NOW - 29 * DAY, None),
        ({"password_expiration_days": 30}, NOW - 30 * DAY, Reason.PASSWORD_EXPIRED),
        ({"password_expiration_days": 30}, NOW + 5 * DAY, Reason.PASSWORD_EXPIRED),
        ({"enable_login_ip": ("192.0.2.0/24",)}, None, None),
        ({"enable_login_ip": ("198.51.100.0/24",)}, None, Reason.ADDRESS_NOT_ALLOWED),
        ({"enable_login_ip": ("198.51.100.0/24",), "blocked": True}, None, Reason.ADDRESS_NOT_ALLOWED),
        ({"blocked": True, "password_expired": True, "req_2fa": True}, None, Reason.BLOCKED),
    ],
)
def test_each_gate(gate: dict[str, Any], changed: float | None, reason: Reason | None) -> None:
    """Each key of the dictionary that may keep a person out does, and says which it was."""
    who = msgspec.structs.replace(WHO, password_changed_at=changed)
    stop = pass_through([Gates(**gate)], who, "192.0.2.7", NOW)
    assert (stop.reason if stop else None) is reason


@pytest.mark.parametrize("gate", [{"blocked": True}, {"enable_login_ip": ("198.51.100.1",)}])
@pytest.mark.parametrize("first", [True, False])
def test_one_shut_gate_shuts_all(gate: dict[str, Any], first: bool) -> None:
    """With several grants there is no way around the strict one, whichever comes first."""
    both = [Gates(**gate), Gates()]
    assert pass_through(both if first else both[::-1], WHO, "192.0.2.7", NOW) is not None


@pytest.mark.parametrize(
    ("gates", "needed"),
    [
        ([{}], False),
        ([{"req_2fa": True}], True),
        ([{"secret": "JBSWY3DPEHPK3PXP"}], True),
        ([{}, {"req_2fa": True}], True),
        ([{"req_2fa": True}, {}], True),
    ],
)
def test_who_needs_a_second_factor(gates: list[dict[str, Any]], needed: bool) -> None:
    """One dictionary that wants a second factor is enough."""
    assert needs_factor([Gates(**each) for each in gates]) is needed


def test_the_reason_of_a_block_is_told() -> None:
    """An administrator's words reach the blocked person, and only that person."""
    stop = pass_through([Gates(blocked=True, blocked_reason="left the company")], WHO, "192.0.2.7", NOW)
    assert stop is not None
    assert stop.note == "left the company"


@pytest.mark.parametrize(
    ("networks", "address", "expected"),
    [
        (("10.0.0.0/8",), "10.255.0.1", True),
        (("10.0.0.1",), "10.0.0.1", True),
        (("10.0.0.1",), "10.0.0.2", False),
        (("10.0.0.0/8",), "::ffff:10.1.2.3", True),  # IPv4-mapped IPv6 is the IPv4 address
        (("2001:db8::/32",), "2001:db8::1", True),
        (("2001:db8::/32",), "10.0.0.1", False),
        (("0.0.0.0/0",), "2001:db8::1", False),
        (("10.0.0.0/8", "192.0.2.7"), "192.0.2.7", True),
        (("10.0.0.0/8",), "", False),
        (("10.0.0.0/8",), "unix:", False),
    ],
)
def test_addresses(networks: tuple[str, ...], address: str, expected: bool) -> None:
    """An address is in a network or it is not; one that cannot be read is in none."""
    assert allows(networks, address) is expected


@pytest.mark.parametrize(
    ("identity", "ids", "held"),
    [
        (101, [101], True),
        (101, [102], False),
        (101, [101, 102], False),
        (0, [0], False),
        (-1, [-1], False),
        (5, [], False),
    ],
)
def test_one_person_one_id(identity: int, ids: list[int], held: bool) -> None:
    """Identity and dictionaries agree on one positive id, or there is no login."""
    parsed = [Parsed(id, Grant()) for id in ids]
    stop = consistent(Identity("alice", identity), parsed)
    assert (stop is None) is held
    assert stop is None or stop.reason is Reason.RIGHTS_INVALID
