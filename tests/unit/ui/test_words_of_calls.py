"""Which calls a grant shows, in the words of its reader."""

from __future__ import annotations

import pytest

from authgw.rights.claims import Grant, HeaderLine, Scope
from authgw.rights.words import describe
from authgw.ui.texts import Texts
from authgw.ui.words import of_calls

NAMES = {2: "London", 3: "Prague"}
SCOPES = {
    "everything": (Scope(), "every call", "všechny hovory"),
    "nothing": (Scope(sensors=()), "no call: no sensor is open to you", "žádné hovory"),
    "one sensor": (Scope(sensors=(2,)), "calls from sensor London", "hovory ze senzoru London"),
    "sensors": (Scope(sensors=(2, 3, 9)), "calls from sensors London, Prague and 9", "ze senzorů London, Prague a 9"),
    "numbers": (Scope(number=("+4420%", "!+44209")), "numbers +4420%, but never +44209", "čísla +4420%, ale nikdy"),
    "hidden only": (Scope(domain=("!x.example",)), "domains of all kinds, but never x.example", "jakékoli domény"),
    "either": (Scope(ip=("192.0.2.1",), number=("1",), any_dimension=True), "addresses 192.0.2.1 or numbers 1", "nebo"),
    "vlan": (Scope(vlan=(7, 8)), "VLANs 7 and 8", "sítě VLAN 7 a 8"),
    "header": (Scope(headers_cdr=(HeaderLine(0, "X-T", "a"), HeaderLine(1, "X-U", "b"))), "X-T: a and (X-U: b)", "a ("),
    "connected": (Scope(connected_only=True), "connected calls only", "jen spojené hovory"),
}


@pytest.mark.parametrize(("scope", "english", "czech"), SCOPES.values(), ids=SCOPES.keys())
def test_in_both_languages(scope: Scope, english: str, czech: str) -> None:
    """Each part of a scope is told in both languages, and as many conditions as explain tells."""
    grant = Grant(scope=scope)
    assert english in "; ".join(of_calls(grant, NAMES, Texts("en")))
    assert czech in "; ".join(of_calls(grant, NAMES, Texts("cs")))
    assert len(of_calls(grant, NAMES, Texts("cs"))) == len(describe(grant, NAMES))


def test_limits_are_told_too() -> None:
    """What a limit takes away stands with the calls, and a long list is cut with the number of the rest."""
    grant = Grant(limits=frozenset({"no_rtp"}), scope=Scope(number=tuple(str(n) for n in range(20))))
    told = of_calls(grant, {}, Texts("en"))
    assert told == ["numbers 0, 1, 2, 3, 4, 5, 6, 7 and 12 more", "no audio and no RTP"]
