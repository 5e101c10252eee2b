"""Reads policy files into a catalogue. Strict: every mistake of every file is reported at once, located."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from authgw.catalogue.match import Catalogue
from authgw.catalogue.model import Entry, Rows
from authgw.errors import ConfigError, Problem

SHIPPED = ("voipmonitor",)


def shipped(name: str) -> Path:
    """Where a shipped policy lies: beside the package in a source tree, inside it once installed."""
    here = Path(__file__).resolve()
    beside = here.parents[2] / "policies" / f"{name}.toml"
    return beside if beside.is_file() else here.parent / "shipped" / f"{name}.toml"


def load(files: Sequence[str], folder: Path) -> Catalogue:
    """`files`: names of shipped policies, or paths relative to `folder`. Raises `ConfigError`."""
    problems: list[Problem] = []
    entries: list[Entry] = []
    origin: dict[str, str] = {}
    for file in files:
        path = shipped(file) if file in SHIPPED else folder / file
        for entry in _read(path, problems):
            if entry.name in origin:
                problems.append(
                    Problem(str(path), f'call "{entry.name}"', f"this name is taken already in {origin[entry.name]}")
                )
                continue
            origin[entry.name] = str(path)
            entries.append(entry)
    catalogue = Catalogue([_resolved(entry, entries, origin, problems) for entry in entries])
    for one, other in catalogue.ambiguous():
        problems.append(
            Problem(origin[one], f'call "{one}"', f'same path and conditions as call "{other}" in {origin[other]}')
        )
    if problems:
        raise ConfigError(problems)
    return catalogue


def _hint(path: Path) -> str:
    return "" if path.suffix else f"; shipped by name: {', '.join(SHIPPED)}"


def _resolved(entry: Entry, entries: list[Entry], origin: dict[str, str], problems: list[Problem]) -> Entry:
    if entry.element_of is None:
        return entry
    other = next((one for one in entries if one.name == entry.element_of), None)
    if other is None:
        problems.append(
            Problem(origin[entry.name], f'call "{entry.name}".element_of', f'there is no call "{entry.element_of}"')
        )
        return entry
    simple = other.rows.simple if other.rows is not None else other.simple
    return entry.model_copy(update={"element": other.params, "reveals": other.reveals, "simple": simple})


def _read(path: Path, problems: list[Problem]) -> list[Entry]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        problems.append(
            Problem(str(path), "", f"cannot be read: {error.strerror or error}{_hint(path)}; see policy.files")
        )
        return []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(str(path), "", f"no TOML: {error}"))
        return []
    problems.extend(
        Problem(str(path), key, "unknown table; only [[call]] is known") for key in document if key != "call"
    )
    calls = document.get("call", [])
    if not isinstance(calls, list):
        problems.append(Problem(str(path), "call", "write [[call]] with two brackets: one table per call"))
        return []
    known = {raw["name"]: raw for raw in calls if isinstance(raw, dict) and isinstance(raw.get("name"), str)}
    return [
        entry for at, raw in enumerate(calls) if (entry := _entry(path, at, _like(raw, known), problems)) is not None
    ]


def _like(raw: Any, known: dict[str, Any]) -> Any:
    """A call that says `like` takes from the other what it does not say itself, and adds to its params; no chains."""
    if not isinstance(raw, dict) or not isinstance(raw.get("like"), str):
        return raw
    other = known.get(raw["like"])
    if other is None or "like" in other:
        return {**raw, "like": 0}  # told as a mistake of this key
    own = {key: value for key, value in raw.items() if key != "like"}
    if isinstance(own.get("params"), dict) and isinstance(other.get("params"), dict):
        own["params"] = {**other["params"], **own["params"]}
    return {**other, **own}


def _entry(path: Path, at: int, raw: Any, problems: list[Problem]) -> Entry | None:
    name = raw.get("name") if isinstance(raw, dict) else None
    label = f'call "{name}"' if isinstance(name, str) else f"call[{at + 1}]"
    try:
        return Entry.model_validate(raw)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            where = ".".join([label, *(str(part) for part in item["loc"])])
            problems.append(Problem(str(path), where, _message(item["type"], str(item["msg"]), item["loc"])))
        return None


def _message(kind: str, message: str, place: tuple[int | str, ...]) -> str:
    if place == ("like",):
        return "there is no such call in this file, or it is like another one itself"
    if kind == "missing":
        return "is required; add it"
    if kind == "extra_forbidden":
        known = Rows.model_fields if place[0] == "rows" else Entry.model_fields
        near = get_close_matches(str(place[-1]), known, n=1)
        return f"is no key here; {f'did you mean {near[0]}?' if near else 'take it out'}"
    return message.removeprefix("Value error, ")
