"""The formula's own cases, one by one from the definition of row scope."""

from __future__ import annotations

from typing import Any

import pytest

from authgw.rights.claims import Grant, HeaderLine, Scope
from oracle.formula import Call, headers_ok, like, shows, visible


def call(**changes: Any) -> Call:
    """A connected call from 1001 at 10.0.0.1 to +4420 at 192.0.2.9 by sensor 2, no vlan."""
    usual: dict[str, Any] = {
        "id": 1,
        "sensor": 2,
        "numbers": ("1001", "+442079460100"),
        "domains": ("acme.example", "carrier.example"),
        "addresses": ("10.0.0.1", "192.0.2.9"),
        "vlan": None,
        "headers": {"x-tenant": "acme", "cell-id": None},
        "connected": True,
    }
    return Call(**{**usual, **changes})


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("222", "222", True),
        ("222", "2221", False),
        ("222%", "2221", True),
        ("222%", "222", True),
        ("%22", "1122", True),
        ("2_2", "272", True),
        ("2_2", "2772", False),
        ("2\\_2", "2_2", True),
        ("2\\_2", "272", False),
        ("100\\%", "100%", True),
        ("100\\%", "1000", False),
        ("a\\\\b", "a\\b", True),
        ("ACME.example", "acme.EXAMPLE", True),
        ("bücher.example", "BÜCHER.example", True),
        ("%a%b%", "xxaxxbxx", True),
        ("%a%b%", "xxbxxaxx", False),
        ("", "", False),
        ("%", "", True),
        ("%%", None, True),
        ("%", None, True),
        ("_", "", False),
        ("%_%", None, False),
        ("a%", None, False),
    ],
)
def test_like_is_whole_string_and_case_insensitive(pattern: str, value: str | None, expected: bool) -> None:
    """A pattern means what LIKE means by it, and an absent value meets `%` alone."""
    assert like(pattern, value) is expected


@pytest.mark.parametrize(
    ("scope", "changes", "expected"),
    [
        (Scope(), {}, True),
        (Scope(sensors=(2, 3)), {}, True),
        (Scope(sensors=(3,)), {}, False),
        (Scope(sensors=()), {}, False),
        (Scope(sensors=(2,)), {"sensor": None}, False),
        (Scope(), {"sensor": None}, True),
        (Scope(vlan=(100,)), {}, False),
        (Scope(vlan=(100,)), {"vlan": 100}, True),
        (Scope(vlan=(0,)), {"vlan": 0}, True),
        (Scope(vlan=(0,)), {"vlan": None}, False),
        (Scope(connected_only=True), {}, True),
        (Scope(connected_only=True), {"connected": False}, False),
        (Scope(ip=("10.0.0.0/8",)), {}, True),
        (Scope(ip=("192.0.2.9",)), {}, True),
        (Scope(ip=("192.0.2.0",)), {}, False),
        (Scope(ip=("10.0.0.77/24",)), {}, True),
        (Scope(ip=("0.0.0.0/0",)), {}, True),
        (Scope(ip=("::/0",)), {}, False),
        (Scope(ip=("0.0.0.0/0",)), {"addresses": ("fd00::1", None)}, False),
        (Scope(ip=("::/0",)), {"addresses": ("fd00::1", None)}, True),
        (Scope(ip=("10.0.0.0/8",)), {"addresses": ("::ffff:10.0.0.1", None)}, True),
        (Scope(ip=("::ffff:10.0.0.0/104",)), {}, True),
        (Scope(ip=("::/0",)), {"addresses": ("::ffff:10.0.0.1", None)}, False),
        (Scope(ip=("fd00:a::/64",)), {"addresses": ("fd00:aa::1", "fd00:a:0:1::2")}, False),
        (Scope(ip=("10.0.0.0/8", "!192.0.2.0/24")), {}, False),
        (Scope(ip=("!198.51.100.0/24",)), {}, True),
        (Scope(number=("1001",)), {}, True),
        (Scope(number=("+4420%",)), {}, True),
        (Scope(number=("100",)), {}, False),
        (Scope(number=("!1001",)), {}, False),
        (Scope(number=("%", "!+44%")), {}, False),
        (Scope(number=("%",)), {"numbers": (None, "")}, True),
        (Scope(number=("!%",)), {"numbers": (None, "")}, False),
        (Scope(number=("!1%",)), {"numbers": (None, "")}, True),
        (Scope(number=("1001",), domain=("carrier.example",)), {}, True),
        (Scope(number=("1001",), domain=("other.example",)), {}, False),
        (Scope(number=("1001",), domain=("other.example",), any_dimension=True), {}, True),
        (Scope(number=("9",), domain=("other.example",), any_dimension=True), {}, False),
        (Scope(any_dimension=True), {}, True),
        (Scope(sensors=(3,), number=("1001",), any_dimension=True), {}, False),
    ],
)
def test_a_scope_shows_what_the_definition_says(scope: Scope, changes: dict[str, Any], expected: bool) -> None:
    """Sensor, vlan, connected and every dimension, with sides, bars and either family."""
    assert shows(scope, call(**changes)) is expected


def lines(*each: tuple[int, str]) -> tuple[HeaderLine, ...]:
    """Lines that hold on the call below where the name is in capitals."""
    return tuple(HeaderLine(level, name, "yes") for level, name in each)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lines((0, "A"), (1, "B"), (0, "c")), True),
        (lines((0, "A"), (1, "b"), (0, "c")), False),
        (lines((0, "A"), (1, "b"), (0, "C")), True),
        (lines((0, "a"), (1, "B"), (0, "c")), False),
        (lines((0, "A"), (1, "b"), (1, "C")), True),
        (lines((0, "A"), (1, "B"), (2, "c"), (1, "d")), False),
        (lines((0, "A"), (1, "B"), (2, "c"), (1, "D")), True),
        (lines((0, "a"), (0, "B")), True),
        (lines((0, "nobody-records-this")), False),
        ((), True),
    ],
)
def test_header_levels(given: tuple[HeaderLine, ...], expected: bool) -> None:
    """Lines of one level are alternatives, deeper ones are asked in addition; names know no letter case."""
    headers = dict.fromkeys("abcd", "yes")
    held = {line.name.lower() for line in given if line.name.isupper()}
    headers = {name: "yes" if name in held else "no" for name in headers}
    assert headers_ok(given, call(headers=headers)) is expected


def test_a_header_that_a_call_came_without_never_matches() -> None:
    """Not even `%`; an empty one does."""
    line = (HeaderLine(0, "Cell-ID", "%"),)
    assert not headers_ok(line, call(headers={"cell-id": None}))
    assert headers_ok(line, call(headers={"cell-id": ""}))


def test_grants_are_never_flattened() -> None:
    """Half of one grant and half of another show nothing."""
    split = [Grant(scope=Scope(sensors=(2,), number=("9",))), Grant(scope=Scope(sensors=(3,), number=("1001",)))]
    assert not visible(split, call())
    assert visible([*split, Grant(scope=Scope(sensors=(2,), number=("1001",)))], call())
