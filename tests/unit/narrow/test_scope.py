"""The scope formula, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from authgw.narrow.patterns import address_number
from authgw.narrow.scope import Facts, compile_scope, is_unscoped
from authgw.rights.claims import Grant, HeaderLine, Scope

CALL: dict[str, Any] = {
    "sensor": 2,
    "caller": "+442079460100",
    "called": "1001",
    "caller_ip": address_number("10.0.0.5"),
    "called_ip": address_number("192.168.1.9"),
    "caller_domain": "acme.example",
    "called_domain": "Carrier.example",
    "vlan": None,
    "connected": True,
    "headers": {"x-tenant": "acme", "x-site": None},
}


def facts(**changes: Any) -> Facts:
    return Facts(**{**CALL, **changes})


def lines(*found: tuple[int, str, str]) -> tuple[HeaderLine, ...]:
    return tuple(HeaderLine(*line) for line in found)


@pytest.mark.parametrize(
    ("scope", "changes", "expected"),
    [
        (Scope(), {}, True),
        (Scope(sensors=(2, 3)), {}, True),
        (Scope(sensors=(3,)), {}, False),
        (Scope(sensors=()), {}, False),
        (Scope(sensors=(2,)), {"sensor": None}, False),
        (Scope(), {"sensor": None}, True),
        # Either side is enough, and different dimensions may match on different sides.
        (Scope(number=("1001",), domain=("acme.example",)), {}, True),
        (Scope(number=("1001",), domain=("other.example",)), {}, False),
        (Scope(number=("1001",), domain=("other.example",), any_dimension=True), {}, True),
        (Scope(number=("9%",), domain=("other.example",), any_dimension=True), {}, False),
        (Scope(domain=("carrier.EXAMPLE",)), {}, True),
        # A barred number hides the call whoever the other party is; only barred ones: the rest is visible.
        (Scope(number=("+44%", "!1001")), {}, False),
        (Scope(number=("!1001",)), {"called": "1002"}, True),
        (Scope(number=("!1001",)), {"called": None, "caller": None}, True),
        (Scope(number=("!%",)), {"called": None, "caller": None}, False),
        (Scope(number=("+44%",)), {"caller": None, "called": ""}, False),
        (Scope(number=("%",)), {"caller": None, "called": ""}, True),
        (Scope(ip=("10.0.0.0/24",)), {}, True),
        (Scope(ip=("10.0.1.0/24",)), {}, False),
        (Scope(ip=("!192.168.0.0/16",)), {}, False),
        (Scope(ip=("0.0.0.0/0",)), {"caller_ip": address_number("fd00::1"), "called_ip": None}, False),
        (Scope(vlan=(100,)), {"vlan": 100}, True),
        (Scope(vlan=(100,)), {"vlan": None}, False),
        (Scope(connected_only=True), {"connected": False}, False),
        (Scope(connected_only=True), {}, True),
        (Scope(headers_cdr=lines((0, "X-Tenant", "ac%"))), {}, True),
        (Scope(headers_cdr=lines((0, "x-TENANT", "glob%"))), {}, False),
        (Scope(headers_cdr=lines((0, "X-Site", "%"))), {}, False),
        # [0,A] [1,B] [0,C] is (A and B) or C.
        (Scope(headers_cdr=lines((0, "X-Tenant", "acme"), (1, "X-Site", "%"), (0, "X-Tenant", "globex"))), {}, False),
        (Scope(headers_cdr=lines((0, "X-Tenant", "no"), (1, "X-Site", "%"), (0, "X-Tenant", "acme"))), {}, True),
        (Scope(headers_cdr=lines((0, "X-Tenant", "acme"), (1, "X-Tenant", "no"), (1, "X-Tenant", "a%"))), {}, True),
    ],
)  # fmt: skip
def test_formula(scope: Scope, changes: dict[str, Any], expected: bool) -> None:
    """Each line of the formula decides as it reads."""
    assert compile_scope(scope).judge(facts(**changes)) is expected


@pytest.mark.parametrize(
    ("scope", "known", "expected"),
    [
        (Scope(sensors=(2,)), {}, None),
        (Scope(vlan=(1,)), {"sensor": 2}, None),
        (Scope(sensors=(3,), vlan=(1,)), {"sensor": 2}, False),
        (Scope(number=("1%",)), {"caller": "12"}, True),
        (Scope(number=("1%",)), {"caller": "2"}, None),
        (Scope(number=("!1%",)), {"caller": "2"}, None),
        (Scope(number=("!1%",)), {"caller": "1"}, False),
        (Scope(number=("1%", "!9%")), {"caller": "1"}, None),
        (Scope(connected_only=True), {}, None),
        (Scope(headers_cdr=(HeaderLine(0, "X-A", "%"),)), {"headers": {}}, None),
        (Scope(headers_cdr=(HeaderLine(0, "X-A", "%"),)), {}, None),
        (Scope(number=("1",), vlan=(5,), any_dimension=True), {"caller": "1", "called": "2"}, None),
    ],
)
def test_unknown_is_not_null(scope: Scope, known: dict[str, Any], expected: bool | None) -> None:
    """A missing field leaves the answer open exactly where it could still decide."""
    assert compile_scope(scope).judge(Facts(**known)) is expected


def test_prefix_reading() -> None:
    """number_match = "prefix" makes every number pattern stand for its prefix, negative ones too."""
    scope = compile_scope(Scope(number=("+44", "!+4420")), "prefix")
    assert scope.judge(facts(caller="+4411", called="9")) is True
    assert scope.judge(facts(caller="+442079", called="9")) is False


def test_unscoped_means_every_key() -> None:
    """A grant is unscoped only if nothing in it can hide a call; message headers and the OR flag hide none."""
    assert is_unscoped(Grant(scope=Scope(headers_message=(HeaderLine(0, "a", "b"),), any_dimension=True)))
    for scope in (
        Scope(sensors=(1,)),
        Scope(sensors=()),
        Scope(ip=("!1.2.3.4",)),
        Scope(number=("%",)),
        Scope(domain=("a",)),
        Scope(vlan=(1,)),
        Scope(connected_only=True),
        Scope(headers_cdr=(HeaderLine(0, "a", "b"),)),
    ):
        assert not is_unscoped(Grant(scope=scope))
