"""Rights in the words of people: every flag and limit of the permission dictionary, in every language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from authgw.rights.claims import Grant, HeaderLine
from authgw.ui.texts import DEFAULT, TEXTS, Texts, catalogue

_MOST_NAMED = 8

# The keys that have words, in the order in which they are told.
KEYS = tuple(catalogue(DEFAULT, "rights"))


def of_key(key: str, language: str) -> str:
    """A flag or limit in words; one without words as it is spelt."""
    return TEXTS.get(language, TEXTS[DEFAULT])[key] if key in KEYS else key


def of_flags(grant: Grant, language: str) -> list[str]:
    """What a grant opens, one phrase each, in the order of the catalogue."""
    spelt = [key for key in KEYS if key in grant.flags] + sorted(grant.flags.difference(KEYS))
    return [of_key(key, language) for key in spelt]


def of_calls(grant: Grant, sensor_names: Mapping[int, str], t: Texts) -> list[str]:
    """Which calls a grant shows, one condition each. Never empty. `rights.words.describe` says the same for logs.

    `sensor_names`: names by sensor number; a sensor without one is shown by its number.
    """
    scope = grant.scope
    found = [_sensors(scope.sensors, sensor_names, t)] if scope.sensors is not None else []
    parties = [
        _patterns(what, patterns, t)
        for what, patterns in (("ip", scope.ip), ("number", scope.number), ("domain", scope.domain))
        if patterns
    ]
    found += [f" {t('calls.or')} ".join(parties)] if scope.any_dimension and parties else parties
    if scope.vlan:
        found.append(t("calls.vlan", list=_listed([str(vlan) for vlan in scope.vlan], t("calls.and"), t)))
    if scope.headers_cdr:
        found.append(t("calls.headers_cdr", list=_headers(scope.headers_cdr, t)))
    if scope.headers_message:
        found.append(t("calls.headers_message", list=_headers(scope.headers_message, t)))
    if scope.connected_only:
        found.append(t("calls.connected"))
    limits = [of_key(limit, t.language) for limit in KEYS if limit in grant.limits]
    return [*(found or [t("calls.every")]), *limits]


def _sensors(numbers: Sequence[int], names: Mapping[int, str], t: Texts) -> str:
    if not numbers:
        return t("calls.no_sensor")
    shown = _listed([names.get(number) or str(number) for number in numbers], t("calls.and"), t)
    return t("calls.sensors" if len(numbers) > 1 else "calls.sensor", list=shown)


def _patterns(what: str, patterns: Sequence[str], t: Texts) -> str:
    shows = [pattern for pattern in patterns if not pattern.startswith("!")]
    hides = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    said = t(f"calls.{what}", list=_listed(shows, t("calls.and"), t)) if shows else t(f"calls.{what}.any")
    return said + t("calls.never", list=_listed(hides, t("calls.or"), t)) if hides else said


def _headers(lines: Sequence[HeaderLine], t: Texts) -> str:
    """Lines of one level are alternatives; a deeper line must hold as well as the one before it."""
    branches: list[str] = []
    at = 0
    while at < len(lines):
        deeper = at + 1
        while deeper < len(lines) and lines[deeper].level > lines[at].level:
            deeper += 1
        head = f"{lines[at].name}: {lines[at].pattern}"
        if deeper > at + 1:
            inner = _headers(lines[at + 1 : deeper], t)
            head += f" {t('calls.and')} ({inner})"
        branches.append(head)
        at = deeper
    return _listed(branches, t("calls.or"), t)


def _listed(items: Sequence[str], last: str, t: Texts) -> str:
    """`a, b and c`; what is too long is cut, with the number of the rest."""
    shown = list(items[:_MOST_NAMED])
    if len(items) > _MOST_NAMED:
        shown.append(t("calls.more", n=len(items) - _MOST_NAMED))
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"
