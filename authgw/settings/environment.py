"""Settings from the environment: AUTHGW_UPSTREAM__URL is `url` of [upstream], and wins over the file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from authgw.errors import Problem
from authgw.settings.models import SECTIONS

SOURCE = "environment"
_PREFIX = "AUTHGW_"


def overlay(
    document: dict[str, Any], environ: Mapping[str, str], problems: list[Problem]
) -> dict[tuple[str, ...], str]:
    """Put the environment's settings into `document`. Returns the variable that each of them came from.

    A variable that only looks like a setting is a problem: a mistyped bound must not pass for a set one.
    """
    origin: dict[tuple[str, ...], str] = {}
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX):
            continue
        keys = tuple(variable.removeprefix(_PREFIX).lower().split("__"))
        wrong = _unlike(keys, variable) or _put(document, keys, environ[variable])
        if wrong:
            problems.append(Problem(SOURCE, variable, wrong))
        elif len(keys) > 1:
            origin[keys] = variable
    return origin


def _unlike(keys: tuple[str, ...], variable: str) -> str:
    """What is wrong with a variable's name; empty if it is a setting's, or nothing like one."""
    if len(keys) == 1:
        section = next((name for name in SECTIONS if keys[0] == name or keys[0].startswith(name + "_")), None)
        if section is None:
            return ""
        key = keys[0].removeprefix(section).removeprefix("_").upper() or "KEY"
        return f"looks like a setting; write {_PREFIX}{section.upper()}__{key}, with two underscores, or unset it"
    if keys[0] not in SECTIONS:
        known = ", ".join(SECTIONS)
        return f"there is no section {keys[0]}; unset {variable}, or begin with one of {known}"
    if not all(keys):
        return f"a part of its name is empty; unset it, or write {_PREFIX}SECTION__KEY"
    return ""


def _put(document: dict[str, Any], keys: tuple[str, ...], text: str) -> str:
    if len(keys) == 1:
        return ""
    table = document
    for at, key in enumerate(keys[:-1]):
        below = table.setdefault(key, {})
        if not isinstance(below, dict):
            return f"{'.'.join(keys[: at + 1])} is no table; unset the variable, or write its whole value"
        table = below
    table[keys[-1]] = _value(text)
    return ""


def _value(text: str) -> Any:
    """Lists and tables as TOML writes them; everything else stays text, which the settings read."""
    if text.lstrip().startswith(("[", "{")):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except (tomllib.TOMLDecodeError, KeyError):
            return text
    return text
