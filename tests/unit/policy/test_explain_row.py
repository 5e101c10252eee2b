"""Why a call is visible or not, told grant by grant."""

from __future__ import annotations

from authgw.narrow.patterns import address_number
from authgw.narrow.scope import Facts
from authgw.policy.explain_row import explain_row
from authgw.rights.claims import Claims, Grant, Scope

ADDRESS = address_number("fd00:a::1")
CALL = Facts(sensor=2, caller="+4420", called=None, caller_ip=ADDRESS, called_ip=None, vlan=None, connected=True)


def told(*scopes: Scope, facts: Facts | None = CALL) -> tuple[bool, list[str]]:
    claims = Claims("static", "u", 1, tuple(Grant(scope=scope, label=f"line {n}") for n, scope in enumerate(scopes, 1)))
    return explain_row(7, facts, claims, range(len(scopes)), "like")


def test_each_grant_and_condition_is_told() -> None:
    """Every grant with its verdict, every condition with what it wants and what the call has."""
    seen, lines = told(Scope(sensors=(3,)), Scope(number=("+44%",), ip=("fd00:a::/64",)))
    assert seen
    assert lines == [
        "row       7: visible",
        "  NO   line 1",
        "       NO   sensors: 3; the call has 2",
        "  yes  line 2",
        "       yes  ip: fd00:a::/64; the call has caller fd00:a::1, called none",
        "       yes  number: +44%; the call has caller +4420, called none",
    ]


def test_what_is_unknown_is_said_and_hides() -> None:
    """A field that nobody could tell hides the call, and the line says so."""
    seen, lines = told(Scope(vlan=(100,)), Scope(domain=("a",)))
    assert not seen
    assert "       NO   vlan: 100; the call has none" in lines
    assert "       ?    domain: a; the call has caller unknown, called unknown" in lines


def test_no_such_call() -> None:
    """A call that does not exist is told as such."""
    assert told(Scope(), facts=None) == (False, ["row       7: there is no such call"])
    assert told(Scope())[1] == ["row       7: visible", "  yes  line 1: every call"]


def test_long_lists_are_cut() -> None:
    """Ten thousand patterns do not make ten thousand lines."""
    lines = told(Scope(number=tuple(str(n) for n in range(10_000))))[1]
    assert "and 9992 more" in lines[2]
    assert len(lines) == 3
