"""A grant in plain English, for the account page and for explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from authgw.rights.claims import Grant, HeaderLine

_MOST_NAMED = 8

_LIMITS = {
    "no_rtp": "no audio and no RTP",
    "simple_cdr": "reduced columns",
    "hide_cdr_groups": "no grouped statistics",
    "hide_license_information": "no licence information",
    "dashboard_read_only": "dashboards to look at only",
}


def describe(grant: Grant, sensor_names: Mapping[int, str]) -> list[str]:
    """Which calls the grant shows, one condition each; the limits after them. Never empty.

    `sensor_names`: names by sensor number; a sensor without one is shown by its number.
    """
    scope = grant.scope
    found = [_sensors(scope.sensors, sensor_names)] if scope.sensors is not None else []
    parties = [
        _patterns(words, patterns)
        for words, patterns in (("addresses", scope.ip), ("numbers", scope.number), ("domains", scope.domain))
        if patterns
    ]
    found += [" or ".join(parties)] if scope.any_dimension and parties else parties
    if scope.vlan:
        found.append("VLANs " + _listed([str(vlan) for vlan in scope.vlan], "and"))
    if scope.headers_cdr:
        found.append("calls with header " + _headers(scope.headers_cdr))
    if scope.headers_message:
        found.append("messages with header " + _headers(scope.headers_message))
    if scope.connected_only:
        found.append("connected calls only")
    if not found:
        found.append("every call")
    return found + [words for limit, words in _LIMITS.items() if limit in grant.limits]


def _sensors(numbers: Sequence[int], names: Mapping[int, str]) -> str:
    if not numbers:
        return "no call: no sensor is open"
    shown = _listed([names.get(number) or str(number) for number in numbers], "and")
    return f"calls from sensor{'s' if len(numbers) > 1 else ''} {shown}"


def _patterns(words: str, patterns: Sequence[str]) -> str:
    shows = [pattern for pattern in patterns if not pattern.startswith("!")]
    hides = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if not hides:
        return f"{words} {_listed(shows, 'and')}"
    return f"{words} {_listed(shows, 'and') if shows else 'of all kinds'}, but never {_listed(hides, 'or')}"


def _headers(lines: Sequence[HeaderLine]) -> str:
    """Lines of one level are alternatives; a deeper line must hold as well as the one before it."""
    branches: list[str] = []
    at = 0
    while at < len(lines):
        deeper = at + 1
        while deeper < len(lines) and lines[deeper].level > lines[at].level:
            deeper += 1
        head = f"{lines[at].name}: {lines[at].pattern}"
        if deeper > at + 1:
            inner = _headers(lines[at + 1 : deeper])
            head += f" and ({inner})" if " or " in inner else f" and {inner}"
        branches.append(head)
        at = deeper
    return _listed(branches, "or")


def _listed(items: Sequence[str], last: str) -> str:
    """`a, b and c`; what is too long is cut, with the number of the rest."""
    shown = list(items[:_MOST_NAMED])
    if len(items) > _MOST_NAMED:
        shown.append(f"{len(items) - _MOST_NAMED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"
