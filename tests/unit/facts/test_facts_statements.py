"""What the columns of a row say, whatever type the site stores them in."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_address
from typing import Any

import pytest
from msgspec import UNSET

from authgw.facts.schema import CDR, NEXT, Column, layout
from authgw.facts.statements import address, read_facts
from authgw.narrow.patterns import address_number
from authgw.narrow.scope import Facts


@pytest.mark.parametrize(
    ("stored", "means"),
    [
        (None, None),
        (b"", None),
        (2130709008, "127.0.10.16"),
        (0, "0.0.0.0"),
        (bytes([127, 0, 10, 16]), "127.0.10.16"),
        (ip_address("fd00:a::13").packed, "fd00:a::13"),
        (ip_address("::ffff:127.0.10.16").packed, "127.0.10.16"),
    ],
)
def test_addresses(stored: Any, means: str | None) -> None:
    """Numbers and bytes of either family are the addresses that they stand for; IPv4 in IPv6 is IPv4."""
    assert address(stored) == (None if means is None else address_number(means))


@pytest.mark.parametrize("odd", [b"\x7f\0\0", 1 << 32, -1, 1.5, "127.0.0.1"])
def test_an_odd_address_is_unknown(odd: Any) -> None:
    """What cannot be an address of that column is unknown, and so never matches."""
    assert address(odd) is UNSET


def test_a_row_as_facts() -> None:
    """Every column lands in its fact; NULL is absent, and a connect duration of 0 is one."""
    pairs = [*(("cdr", name) for name in CDR), *(("cdr_next", name) for name in (*NEXT, "custom_header__X-Tenant"))]
    where = layout([Column(*pair) for pair in pairs], {})
    assert not isinstance(where, str)
    row = (1, 2, "+44", None, 2130709008, None, "acme.example", "", 100, Decimal("0.000"), None)
    assert read_facts(row, where) == Facts(
        sensor=2,
        caller="+44",
        called=None,
        caller_ip=address_number("127.0.10.16"),
        called_ip=None,
        caller_domain="acme.example",
        called_domain="",
        vlan=100,
        connected=True,
        headers={"x-tenant": None},
    )
