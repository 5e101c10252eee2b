"""A permission dictionary becomes one grant, the gates before it and what is known of the person; or every problem.

What cannot be understood refuses the whole dictionary: nothing is guessed and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from authgw.errors import Problem
from authgw.rights import scalars
from authgw.rights.claims import Grant, Scope
from authgw.rights.dictionary import IMPLIED_BY_ADMIN, KEYS, Kind, Place
from authgw.rights.groups import Group, Groups
from authgw.rights.read import read, unknown


class Gates(msgspec.Struct, frozen=True):
    """What is checked before a session exists. `enable_login_ip`: networks as text, () where none are set.

    None: the dictionary says nothing. `secret`: the TOTP secret as base32, which no repr shows.
    """

    blocked: bool = False
    blocked_reason: str = ""
    group_blocked: bool = False
    password_expired: bool = False
    password_expiration_days: int | None = None
    enable_login_ip: tuple[str, ...] = ()
    max_bad_login_attempt: int | None = None
    req_2fa: bool = False
    secret: str | None = None

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name != "secret")
        return f"Gates({', '.join(shown)}, secret={'…' if self.secret else None})"


class Parsed(msgspec.Struct, frozen=True):
    """A dictionary that was understood. `warnings` are for the administrator."""

    id: int
    grant: Grant
    gates: Gates = Gates()
    username: str = ""
    name: str = ""
    group_name: str = ""
    note: str = ""
    preferences: Mapping[str, str | int | bool] = {}
    warnings: tuple[Problem, ...] = ()


class Invalid(msgspec.Struct, frozen=True):
    """A dictionary that was not understood: no login. Each problem names the source and the key."""

    problems: tuple[Problem, ...]


def parse(
    dictionary: Mapping[Any, Any], source: str, *, groups: Groups | None = None, strict: bool = False
) -> Parsed | Invalid:
    """Read one dictionary. `source` says where it comes from, in problems and warnings.

    `strict`: unknown keys are problems; otherwise they are warnings.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    stated = {str(key): value for key, value in dictionary.items()}
    stated |= _from_group(stated, source, groups, problems, warnings)
    values: dict[str, Any] = {}
    for key, value in stated.items():
        if key not in KEYS:
            (problems if strict else warnings).append(Problem(source, scalars.name(key), unknown(key)))
        elif value is not None:
            try:
                values[key] = read(key, value, partial(_note, warnings, source, key))
            except ValueError as error:
                problems.append(Problem(source, key, str(error)))
    if stated.get("id") is None:
        problems.append(Problem(source, "id", "is required: a positive whole number, unique per user; add it"))
    return Invalid(tuple(problems)) if problems else _parsed(values, tuple(warnings))


def _note(warnings: list[Problem], source: str, key: str, message: str) -> None:
    warnings.append(Problem(source, key, message))


def _from_group(
    stated: Mapping[str, Any], source: str, groups: Groups | None, problems: list[Problem], warnings: list[Problem]
) -> Mapping[str, Any]:
    """What the user's group template states, which wins over the user's own. An unknown group is a problem."""
    if stated.get("id_group") is None:
        return {}
    try:
        number = read("id_group", stated["id_group"])
    except ValueError:
        return {}  # reported with the other keys
    if number is None:
        return {}
    group = (groups or {}).get(number)
    if group is None:
        advice = "name a group of the groups file" if groups else "set [groups] file to a file that has it"
        problems.append(Problem(source, "id_group", f"there is no group {number}; {advice}"))
        return {}
    for key in _widened(stated, group):
        message = (
            f"is taken off by group {number}, which states it empty; take it out of the group if that is not meant"
        )
        warnings.append(Problem(source, key, message))
    return group.values


def _widened(stated: Mapping[str, Any], group: Group) -> list[str]:
    scope = (key for key, declared in KEYS.items() if declared.place is Place.SCOPE)
    return [key for key in scope if stated.get(key) and key in group.values and not group.values[key]]


def _parsed(values: Mapping[str, Any], warnings: tuple[Problem, ...]) -> Parsed:
    gates = {key: values[key] for key in Gates.__struct_fields__ if key in values}
    return Parsed(
        id=values["id"],
        grant=_grant(values),
        gates=Gates(**gates),
        username=values.get("username", ""),
        name=values.get("name", ""),
        group_name=values.get("group_name", ""),
        note=values.get("note", ""),
        preferences={key: value for key, value in values.items() if KEYS[key].place is Place.PREFERENCE},
        warnings=warnings,
    )


def _grant(values: Mapping[str, Any]) -> Grant:
    on = {key for key, value in values.items() if value}
    flags = {key for key in on if KEYS[key].place is Place.FLAG}
    limits = {key for key in on if KEYS[key].place is Place.LIMIT and KEYS[key].kind is Kind.FLAG}
    audit = values.get("can_audit", 0)
    if "is_admin" in flags:
        flags |= IMPLIED_BY_ADMIN
        audit = audit or 2  # the view; only an explicit 1 demands a reason
    if "simple_cdr" in limits:
        flags.discard("can_pcap")
    return Grant(
        flags=frozenset(flags),
        limits=frozenset(limits),
        scope=_scope(values),
        can_audit=audit,
        remove_expire_hours=values.get("crules_remove_expire_time", 0),
    )


def _scope(values: Mapping[str, Any]) -> Scope:
    return Scope(
        sensors=values.get("enable_sensors"),
        ip=values.get("ip", ()),
        number=values.get("number", ()),
        domain=values.get("domain", ()),
        vlan=values.get("vlan", ()),
        headers_cdr=values.get("custom_headers_cdr", ()),
        headers_message=values.get("custom_headers_message", ()),
        any_dimension=values.get("ip_number_domain_or", False),
        connected_only=values.get("show_only_connected_calls", False),
    )
