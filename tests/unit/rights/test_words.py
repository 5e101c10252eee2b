"""Grants in plain English."""

from __future__ import annotations

import pytest

from authgw.rights.claims import Grant, HeaderLine, Scope
from authgw.rights.words import describe

NAMES = {2: "London", 3: "Prague"}
NESTED = (HeaderLine(0, "A", "1"), HeaderLine(1, "B", "2"), HeaderLine(1, "C", "3"), HeaderLine(0, "D", "4"))


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Scope(), ["every call"]),
        (Scope(sensors=(2, 3)), ["calls from sensors London and Prague"]),
        (Scope(sensors=(9,)), ["calls from sensor 9"]),
        (Scope(sensors=()), ["no call: no sensor is open"]),
        (Scope(sensors=(2,), number=("+4420%",)), ["calls from sensor London", "numbers +4420%"]),
        (Scope(number=("+4420%", "!+44205%")), ["numbers +4420%, but never +44205%"]),
        (Scope(number=("!1", "!2")), ["numbers of all kinds, but never 1 or 2"]),
        (Scope(ip=("10.0.0.0/8",), domain=("a", "b")), ["addresses 10.0.0.0/8", "domains a and b"]),
        (Scope(ip=("10.0.0.0/8",), domain=("a",), any_dimension=True), ["addresses 10.0.0.0/8 or domains a"]),
        (Scope(any_dimension=True), ["every call"]),
        (Scope(vlan=(1, 2, 3)), ["VLANs 1, 2 and 3"]),
        (Scope(headers_cdr=NESTED), ["calls with header A: 1 and (B: 2 or C: 3) or D: 4"]),
        (Scope(headers_message=NESTED[3:]), ["messages with header D: 4"]),
        (Scope(connected_only=True), ["connected calls only"]),
    ],
)
def test_each_part_of_a_scope_has_words(scope: Scope, words: list[str]) -> None:
    """Every condition that hides a call is said, and nothing more than that."""
    assert describe(Grant(scope=scope), NAMES) == words


def test_limits_are_said() -> None:
    """Content limits come after the scope."""
    grant = Grant(limits=frozenset({"no_rtp", "hide_change_password"}))
    assert describe(grant, {}) == ["every call", "no audio and no RTP"]


def test_long_lists_are_cut() -> None:
    """A scope of thousands of numbers is one short line that says how many more there are."""
    grant = Grant(scope=Scope(number=tuple(str(number) for number in range(1000))))
    assert describe(grant, {}) == ["numbers 0, 1, 2, 3, 4, 5, 6, 7 and 992 more"]
