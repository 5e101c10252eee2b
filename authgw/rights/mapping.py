"""Groups become rights: tenants (which calls), roles (which doors) and the lines that join them to a group.

    [[tenant]]
    name = "acme"
    sensors = [2, 3]                       # must be given; "all" is written out
    number = ["+4420%"]                    # and the other row keys of the permission dictionary

    [[role]]
    name = "operator"
    grants = ["can_cdr", "can_pcap"]       # what is simply on; other keys by name: can_audit = 1, no_rtp = true

    [[grant]]
    group = "cn=noc-acme,ou=groups,dc=example,dc=com"
    role = "operator"
    tenant = "acme"

Every [[grant]] line whose group the user is in gives one dictionary of its own; they are never mixed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

import msgspec

from authgw.errors import ConfigError, Problem
from authgw.rights import dn, scalars
from authgw.rights.dictionary import KEYS, Kind, Place
from authgw.rights.read import read, unknown


class Compare(StrEnum):
    """How groups are compared: as distinguished names, or as text, letter by letter."""

    DN = "dn"
    TEXT = "text"


class Line(msgspec.Struct, frozen=True):
    """One [[grant]]. `dictionary` is its role and tenant together; `label` names it: `mapping.toml grant[2] …`."""

    group: str
    role: str
    tenant: str
    label: str
    dictionary: Mapping[str, Any]
    matches: dn.Dn | str | None


class GroupMapping(msgspec.Struct, frozen=True):
    """All lines of one file, in its order."""

    source: str
    compare: Compare
    lines: tuple[Line, ...]

    def matching(self, groups: Iterable[str]) -> tuple[Line, ...]:
        """The lines for the groups that a user is in. A group that cannot be read is in no line."""
        held = {form for group in groups if (form := _form(group, self.compare)) is not None}
        return tuple(line for line in self.lines if line.matches is not None and line.matches in held)


def of_text(text: str, source: str, compare: Compare) -> GroupMapping:
    """The mapping of a TOML text. Raises `ConfigError` with every mistake.

    With `Compare.DN` a group without "=" is no distinguished name but a group of other logins that share the file:
    it matches nobody.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        reason = f"is not TOML: {message or error}; correct this line first"
        raise ConfigError([Problem(source, place.rstrip(")") if message else "", reason)]) from None
    reading = _Reading(source, document)
    tenants = reading.named("tenant", _tenant_key)
    roles = reading.named("role", _role_key)
    lines = reading.lines(tenants, roles, compare)
    if reading.problems:
        raise ConfigError(reading.problems)
    return GroupMapping(source, compare, tuple(lines))


def _form(group: object, compare: Compare) -> dn.Dn | str | None:
    if not isinstance(group, str):
        return None
    if compare is Compare.TEXT:
        return group
    try:
        return dn.normal(group)
    except ValueError:
        return None


class _Reading:
    """One file on its way in, and what was wrong with it so far."""

    def __init__(self, source: str, document: Mapping[str, Any]) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self._document = document
        for key in document.keys() - {"tenant", "role", "grant"}:
            self._wrong(scalars.name(key), "is not known here; only [[tenant]], [[role]] and [[grant]] tables are")

    def _wrong(self, where: str, message: str) -> None:
        self.problems.append(Problem(self.source, where, message))

    def _tables(self, kind: str) -> list[Mapping[str, Any]]:
        tables = self._document.get(kind, [])
        if isinstance(tables, list) and all(isinstance(table, dict) for table in tables):
            return tables
        self._wrong(kind, f"write [[{kind}]] with two brackets, once for each")
        return []

    def named(self, kind: str, read_key: Any) -> dict[str, dict[str, Any]]:
        """The [[tenant]] or [[role]] tables as pieces of dictionaries, by name."""
        found: dict[str, dict[str, Any]] = {}
        for at, table in enumerate(self._tables(kind), 1):
            name = table.get("name")
            where = f'{kind}[{at}] "{name}"' if _is_name(name) else f"{kind}[{at}]"
            piece: dict[str, Any] = {}
            if not _is_name(name):
                self._wrong(f"{where}.name", "must be a name in one line; add it")
            elif name in found:
                self._wrong(f"{where}.name", "is taken already; give each its own")
            must = "sensors" if kind == "tenant" else "grants"
            if must not in table:
                self._wrong(f"{where}.{must}", _MISSING[must])
            for key, value in table.items():
                if key != "name":
                    try:
                        read_key(key, value, piece)
                    except ValueError as error:
                        self._wrong(f"{where}.{scalars.name(key)}", str(error))
            if isinstance(name, str):
                found.setdefault(name, piece)
        return found

    def lines(self, tenants: Mapping[str, Any], roles: Mapping[str, Any], compare: Compare) -> list[Line]:
        """The [[grant]] tables, joined with what they name."""
        found: dict[tuple[object, str, str], Line] = {}
        short = self.source.rpartition("/")[2]
        tables = self._tables("grant")
        for at, table in enumerate(tables, 1):
            before = len(self.problems)
            for key in table.keys() - {"group", "role", "tenant"}:
                self._wrong(f"grant[{at}].{scalars.name(key)}", "is not known here; a grant has group, role and tenant")
            role = self._one_of(table, at, "role", roles)
            tenant = self._one_of(table, at, "tenant", tenants)
            group = self._group(table.get("group"), at, compare)
            if len(self.problems) > before:
                continue
            label = f"{short} grant[{at}] {role}@{tenant}"
            line = Line(
                table["group"], role, tenant, label, {**roles[role], **tenants[tenant]}, _form(table["group"], compare)
            )
            if found.setdefault((group, role, tenant), line) is not line:
                self._wrong(f"grant[{at}]", "says the same as an earlier grant; take one of them out")
        if not tables and not self.problems:
            self._wrong("grant", "is missing: without a [[grant]] nobody could log in; add one")
        return list(found.values())

    def _one_of(self, table: Mapping[str, Any], at: int, kind: str, known: Mapping[str, Any]) -> str:
        value = table.get(kind)
        if isinstance(value, str) and value in known:
            return value
        near = get_close_matches(value[:60], known, n=1) if isinstance(value, str) else []
        advice = f"did you mean {near[0]}?" if near else f"add a [[{kind}]] of that name"
        said = "is missing; name one" if value is None else f"there is no {kind} {scalars.shown(value)}; {advice}"
        self._wrong(f"grant[{at}].{kind}", said)
        return ""

    def _group(self, value: object, at: int, compare: Compare) -> object:
        if not isinstance(value, str) or not value.strip():
            self._wrong(f"grant[{at}].group", "must be the name of a group in quotes; add it")
        elif compare is Compare.DN and "=" in value:
            try:
                return dn.normal(value)
            except ValueError as error:
                self._wrong(f"grant[{at}].group", str(error))
        return value


_MISSING = {
    "sensors": 'is missing: list the sensor numbers, or write sensors = "all" where every sensor is meant',
    "grants": "is missing: list the flags, such as can_cdr",
}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 256 and value == value.strip() and value.isprintable()


def _tenant_key(key: str, value: Any, piece: dict[str, Any]) -> None:
    """One key of a tenant into its piece of the dictionary. Nothing that is stated may come out as no limit."""
    if key == "sensors":
        if value == "all":
            return
        if not isinstance(value, list):
            raise ValueError('must be a list of sensor numbers, or "all"')
        key = "enable_sensors"
    elif key == "enable_sensors":
        raise ValueError("is called sensors here")
    elif key not in KEYS or KEYS[key].place is not Place.SCOPE:
        raise ValueError("belongs to a [[role]]" if key in KEYS else unknown(key))
    found = read(key, value)
    if found == () and key != "enable_sensors":
        raise ValueError("is empty, which would limit nothing; fill it in or take it out")
    piece[key] = value


def _role_key(key: str, value: Any, piece: dict[str, Any]) -> None:
    """One key of a role into its piece of the dictionary."""
    if key == "grants":
        _flags(value, piece)
        return
    if key not in KEYS:
        raise ValueError(unknown(key))
    place = KEYS[key].place
    if place is Place.SCOPE:
        raise ValueError("belongs to a [[tenant]]")
    if place is Place.IDENTITY or key == "secret":
        raise ValueError("is a person's own, not a role's; take it out")
    if key in piece:
        raise ValueError("is given in grants too; say it once")
    read(key, value)
    piece[key] = value


def _flags(value: Any, piece: dict[str, Any]) -> None:
    if not isinstance(value, list):
        raise ValueError('must be a list of flags, such as ["can_cdr"]')
    wrong = []
    for flag in value:
        known = KEYS.get(flag) if isinstance(flag, str) else None
        if known is None:
            wrong.append(f"{scalars.shown(flag)} {unknown(flag) if isinstance(flag, str) else 'is no flag'}")
        elif known.kind is not Kind.FLAG or known.place not in (Place.FLAG, Place.LIMIT):
            wrong.append(f"{flag} is not simply on or off; write it as a key of the role, with its value")
        elif flag in piece:
            wrong.append(f"{flag} is given twice; say it once")
        else:
            piece[flag] = True
    if wrong:
        raise ValueError("; ".join(wrong))
