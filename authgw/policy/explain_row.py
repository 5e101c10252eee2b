"""Why a call is visible or not: by which grant, and which condition of its scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address

from msgspec import UNSET, UnsetType

from authgw.narrow.scope import Facts, Verdict, compile_scope, is_unscoped
from authgw.rights.claims import Claims, Scope

_SAYS = {True: "yes", False: "NO ", None: "?  "}
_V6 = 1 << 32


def explain_row(
    call_id: int, facts: Facts | None, claims: Claims, grants: Sequence[int], number_match: str
) -> tuple[bool, list[str]]:
    """Whether the call is visible under some of the grants, and the lines that say so.

    `facts`: what upstream knows of the call; None: it knows no such call. `?` marks what is not known, which hides.
    """
    if facts is None:
        return False, [f"row       {call_id}: there is no such call"]
    lines: list[str] = []
    seen = False
    for at in grants:
        grant = claims.grants[at]
        verdict = compile_scope(grant.scope, number_match).judge(facts)
        seen = seen or verdict is True
        label = grant.label or f"grant {at + 1}"
        joiner = ", any of ip, number and domain is enough" if grant.scope.any_dimension else ""
        lines.append(f"  {_SAYS[verdict]}  {label}{joiner}" + (": every call" if is_unscoped(grant) else ""))
        lines += [f"       {_SAYS[held]}  {text}" for text, held in _conditions(grant.scope, facts, number_match)]
    head = f"row       {call_id}: {'visible' if seen else 'not visible'}"
    return seen, [head, *lines]


def _conditions(scope: Scope, facts: Facts, number_match: str) -> Iterator[tuple[str, Verdict]]:
    """Each key of the scope on its own: what it wants, what the call has, and whether that fits."""
    alone: tuple[tuple[str, Scope, str, str], ...] = (
        ("sensors", Scope(sensors=scope.sensors), _list(scope.sensors), _text(facts.sensor)),
        ("connected", Scope(connected_only=scope.connected_only), "only", _text(facts.connected)),
        ("ip", Scope(ip=scope.ip), _list(scope.ip), _both(_address(facts.caller_ip), _address(facts.called_ip))),
        ("number", Scope(number=scope.number), _list(scope.number), _both(_text(facts.caller), _text(facts.called))),
        (
            "domain",
            Scope(domain=scope.domain),
            _list(scope.domain),
            _both(_text(facts.caller_domain), _text(facts.called_domain)),
        ),
        ("vlan", Scope(vlan=scope.vlan), _list(scope.vlan), _text(facts.vlan)),
        ("headers", Scope(headers_cdr=scope.headers_cdr), _headers_wanted(scope), _headers(facts)),
    )
    for name, only, wanted, has in alone:
        if only != Scope():
            yield f"{name}: {wanted}; the call has {has}", compile_scope(only, number_match).judge(facts)


def _list(values: Sequence[object] | None) -> str:
    found = [str(value) for value in values or ()]
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return (", ".join(found[:8]) or "none at all") + more


def _text(value: object) -> str:
    return "unknown" if value is UNSET else "none" if value in (None, "") else str(value)


def _address(number: int | UnsetType | None) -> str:
    if not isinstance(number, int):
        return _text(number)
    return str(IPv4Address(number) if number < _V6 else IPv6Address(number - _V6))


def _both(caller: str, called: str) -> str:
    return f"caller {caller}, called {called}"


def _headers_wanted(scope: Scope) -> str:
    return _list([f"[{line.level}] {line.name}: {line.pattern}" for line in scope.headers_cdr])


def _headers(facts: Facts) -> str:
    if not isinstance(facts.headers, dict):
        return "unknown"
    return _list([f"{name}: {_text(value)}" for name, value in facts.headers.items()])
