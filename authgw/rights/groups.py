"""Group templates: permissions that a user takes over by naming the group in `id_group`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from authgw.errors import ConfigError, Problem
from authgw.rights import scalars
from authgw.rights.dictionary import KEYS
from authgw.rights.read import read, unknown


class Group(msgspec.Struct, frozen=True):
    """`values`: the dictionary keys that the group states, as written; each can be read."""

    id: int
    name: str
    values: Mapping[str, Any]


Groups = Mapping[int, Group]


def load(path: Path) -> Groups:
    """The `[[group]]` tables of a TOML file, by id. Raises `ConfigError` with every problem there is."""
    try:
        return of_text(path.read_text("utf-8"), str(path))
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error}); name an existing file that the gateway may read"
        raise ConfigError([Problem(str(path), "", reason)]) from None
    except UnicodeDecodeError as error:
        reason = "is not UTF-8; save the file as UTF-8"
        raise ConfigError([Problem(str(path), f"byte {error.start}", reason)]) from None


def of_text(text: str, source: str) -> Groups:
    """The groups of a TOML text. Raises `ConfigError`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        reason = f"is not TOML: {message or error}; correct this line first"
        raise ConfigError([Problem(source, place.rstrip(")") if message else "", reason)]) from None
    problems = [
        Problem(source, scalars.name(key), "is not known here; only [[group]] tables are")
        for key in document
        if key != "group"
    ]
    tables = document.get("group", [])
    groups: dict[int, Group] = {}
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.append(Problem(source, "group", "write [[group]] with two brackets, once for each group"))
        tables = []
    for at, table in enumerate(tables, 1):
        group = _group(table, f"group {at}", source, problems)
        if group is not None and groups.setdefault(group.id, group) is not group:
            problems.append(Problem(source, f"group {at}.id", f"{group.id} is taken already; give each group its own"))
    if problems:
        raise ConfigError(problems)
    return groups


def _group(table: Mapping[str, Any], where: str, source: str, problems: list[Problem]) -> Group | None:
    before = len(problems)
    for key, value in table.items():
        wrong = _wrong(key, value)
        if wrong:
            problems.append(Problem(source, f"{where}.{scalars.name(key)}", wrong))
    if "id" not in table:
        problems.append(Problem(source, f"{where}.id", "is required: a positive whole number; add it"))
    if len(problems) > before:
        return None
    values = {key: value for key, value in table.items() if key not in ("id", "name")}
    return Group(read("id", table["id"]), read("name", table.get("name", "")), values)


def _wrong(key: str, value: Any) -> str:
    """What is wrong with one key of a group; empty if nothing is."""
    if key not in KEYS:
        return unknown(key)
    if key not in ("id", "name") and not KEYS[key].from_group:
        return "is no key of a group, only of a user; take it out"
    try:
        read(key, value)
    except ValueError as error:
        return str(error)
    return ""
