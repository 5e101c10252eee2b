"""The password policy control of a bind, as OpenLDAP writes it."""

from __future__ import annotations

from typing import Any

import pytest

from authgw_plugins.ldap_policy import OID, expired


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("3003810100", True),  # passwordExpired
        ("3003810102", True),  # changeAfterReset
        ("3003810101", False),  # accountLocked
        ("3005a003810102", True),  # two more logins
        ("3006a0048002012c", False),  # 300 s left
        ("3000", False),
        ("", False),
        ("30", False),
        ("3003810200", False),  # says more than there is
        ("3082ffff8101", False),
        ("a003810100", False),
    ],
)
def test_what_a_control_says(value: str, verdict: bool) -> None:
    """Expired or to be changed, or not; what cannot be read says nothing."""
    assert expired({OID: {"value": bytes.fromhex(value)}}) is verdict


@pytest.mark.parametrize(
    "controls", [{}, {"1.2.3": {"value": b"\x30\x03\x81\x01\x00"}}, {OID: {}}, {OID: {"value": {}}}]
)
def test_without_the_control(controls: dict[str, Any]) -> None:
    """A directory that sends none has said nothing of age."""
    assert expired(controls) is False
