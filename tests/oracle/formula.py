"""The formula of visibility as plain loops over plain values. Nothing here is fast, and nothing is shared."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authgw.rights.claims import Grant, HeaderLine, Scope

HEADER = "custom_header__"


@dataclass(frozen=True)
class Call:
    """What the formula asks about a call. None: the call has none of it.

    `headers` by lower-case name; a name that is no key there is one that nobody records.
    """

    id: int
    sensor: int | None
    numbers: tuple[str | None, str | None]
    domains: tuple[str | None, str | None]
    addresses: tuple[str | None, str | None]
    vlan: int | None
    headers: Mapping[str, str | None]
    connected: bool


def call_of(record: Mapping[str, Any]) -> Call:
    """A line of cdr.jsonl as the formula sees it."""
    return Call(
        id=record["ID"],
        sensor=record["id_sensor"],
        numbers=(record["caller"], record["called"]),
        domains=(record["caller_domain"], record["called_domain"]),
        addresses=(record["sipcallerip"], record["sipcalledip"]),
        vlan=record["vlan"],
        headers={key[len(HEADER) :].lower(): value for key, value in record.items() if key.startswith(HEADER)},
        connected=record["connect_duration"] is not None,
    )


def visible(grants: Iterable[Grant], call: Call) -> bool:
    """Some grant shows the call."""
    return any(shows(grant.scope, call) for grant in grants)


def shows(scope: Scope, call: Call) -> bool:
    """Sensor and vlan and headers and connected and parties."""
    return (
        sensor_ok(scope, call)
        and vlan_ok(scope, call)
        and headers_ok(scope.headers_cdr, call)
        and connected_ok(scope, call)
        and parties_ok(scope, call)
    )


def sensor_ok(scope: Scope, call: Call) -> bool:
    if scope.sensors is None:
        return True
    return call.sensor is not None and call.sensor in scope.sensors


def vlan_ok(scope: Scope, call: Call) -> bool:
    if not scope.vlan:
        return True
    return call.vlan is not None and call.vlan in scope.vlan


def connected_ok(scope: Scope, call: Call) -> bool:
    return call.connected or not scope.connected_only


def parties_ok(scope: Scope, call: Call) -> bool:
    """All configured dimensions, or any of them; none configured: true."""
    verdicts: list[bool] = []
    if scope.ip:
        verdicts.append(dimension(scope.ip, call.addresses, address_in))
    if scope.number:
        verdicts.append(dimension(scope.number, call.numbers, like))
    if scope.domain:
        verdicts.append(dimension(scope.domain, call.domains, like))
    if not verdicts:
        return True
    return any(verdicts) if scope.any_dimension else all(verdicts)


def dimension(patterns: Sequence[str], sides: Sequence[str | None], matches: Any) -> bool:
    """Some side meets some positive pattern, where there are positive ones; no side meets a barred one."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    barred = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if any(matches(pattern, side) for pattern in barred for side in sides):
        return False
    return not wanted or any(matches(pattern, side) for pattern in wanted for side in sides)


def address_in(network: str, address: str | None) -> bool:
    """The address is that host or in that network. Addresses and networks of ::ffff:0:0/96 are IPv4."""
    if address is None:
        return False
    try:
        wanted, given = four(network), ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(given, ipaddress.IPv6Address) and given.ipv4_mapped is not None:
        return given.ipv4_mapped in wanted
    return given in wanted and not (wanted.version == 6 and given.version == 4)


def four(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network(f"{mapped}/{network.prefixlen - 96}")
    return network


def like(pattern: str, value: str | None) -> bool:
    """SQL LIKE on the whole text, letter case aside. Empty and NULL meet patterns of `%` alone, and no other."""
    if value is None or value == "":
        return pattern != "" and set(pattern) == {"%"}
    return fits(tokens(pattern.lower()), value.lower())


def tokens(pattern: str) -> list[tuple[str, str]]:
    """The pattern's signs: ("any", ""), ("one", "") and ("is", character). A backslash takes the next one as it is."""
    found: list[tuple[str, str]] = []
    signs = iter(pattern)
    for sign in signs:
        if sign == "%":
            found.append(("any", ""))
        elif sign == "_":
            found.append(("one", ""))
        elif sign == "\\":
            found.append(("is", next(signs, "\\")))
        else:
            found.append(("is", sign))
    return found


def fits(signs: Sequence[tuple[str, str]], value: str) -> bool:
    """The table of all prefixes: after each sign, which lengths of the value may be used up."""
    lengths = {0}
    for kind, character in signs:
        if kind == "any":
            lengths = {longer for length in lengths for longer in range(length, len(value) + 1)}
        elif kind == "one":
            lengths = {length + 1 for length in lengths if length < len(value)}
        else:
            lengths = {length + 1 for length in lengths if value[length : length + 1] == character}
    return len(value) in lengths


def headers_ok(lines: Sequence[HeaderLine], call: Call) -> bool:
    """No line: true. Else some line of the lowest level holds, together with the deeper ones that follow it."""
    return not lines or some_line(lines, call)


def some_line(lines: Sequence[HeaderLine], call: Call) -> bool:
    """Lines of the first one's level are alternatives; what stands deeper below a line is asked in addition."""
    level = lines[0].level
    heads = [at for at, line in enumerate(lines) if line.level <= level]
    for at, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        below = lines[at + 1 : end]
        if line_holds(lines[at], call) and (not below or some_line(below, call)):
            return True
    return False


def line_holds(line: HeaderLine, call: Call) -> bool:
    """A header that nobody records is unknown, one that the call came without is absent: neither shows anything."""
    value = call.headers.get(line.name.lower())
    return value is not None and like(line.pattern, value)


def shown_by(grants: Iterable[Grant], flag: str, call: Call) -> list[Grant]:
    """The grants with that flag that show the call: whose limits may hold for it."""
    return [grant for grant in grants if flag in grant.flags and shows(grant.scope, call)]


def allowed(grants: Iterable[Grant], flag: str) -> list[Grant]:
    """The grants with that flag."""
    return [grant for grant in grants if flag in grant.flags]


def unreduced(grants: Iterable[Grant]) -> list[Grant]:
    """The grants that show calls whole."""
    return [grant for grant in grants if "simple_cdr" not in grant.limits]
