"""Which call is being asked: exactly one entry, or none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from authgw.catalogue.model import Entry

ANY = "*"


class Catalogue:
    """Entries by path. An exact path wins over one with {parts}, that over a longer /** folder, over a shorter.

    On one path the entry with the most `where` conditions wins; two that match equally well are no match at all.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._exact: dict[str, _Scripts] = {}
        self._parts: list[tuple[re.Pattern[str], Entry]] = []
        self._folders: list[tuple[str, Entry]] = []
        exact: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.path.endswith("/**"):
                self._folders.append((entry.path[:-2], entry))
            elif "{" in entry.path:
                self._parts.append((_pattern(entry.path), entry))
            else:
                exact.setdefault(entry.path, []).append(entry)
        self._exact = {path: _Scripts(found) for path, found in exact.items()}
        self._folders.sort(key=lambda folder: -len(folder[0]))

    def match(self, path: str, fields: Mapping[str, Any]) -> tuple[Entry, Mapping[str, Any]] | None:
        """The one entry for a normalised path below the base path, and the fields with the path's own parts put in."""
        if (entries := self._exact.get(path)) is not None:
            found = entries.match(fields)
            return None if found is None else (found, fields)
        for pattern, entry in self._parts:
            if hit := pattern.fullmatch(path):
                parts = hit.groupdict()
                if parts.keys() & fields.keys():
                    return None
                return entry, {**fields, **parts}
        for folder, entry in self._folders:
            if path.startswith(folder) and (not entry.suffixes or path.endswith(entry.suffixes)):
                return entry, fields
        return None

    def ambiguous(self) -> list[tuple[str, str]]:
        """Pairs of entries that no request could tell apart."""
        seen: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
        pairs = []
        for entry in self.entries:
            key = (entry.path, (*sorted(entry.where.items()), *((s, "suffix") for s in entry.suffixes)))
            if key in seen:
                pairs.append((entry.name, seen[key]))
            seen[key] = entry.name
        return pairs


class _Scripts:
    """The entries of one path. Those of a script with many calls are parted by the field that tells most of them
    apart (`module`, `task`), so that a look-up tries a few and not all of them."""

    def __init__(self, entries: list[Entry]) -> None:
        names = Counter(name for entry in entries for name, wanted in entry.where.items() if wanted != ANY)
        self._name = names.most_common(1)[0][0] if names else ""
        self._by_value: dict[str, list[Entry]] = {}
        self._others = [entry for entry in entries if ANY in entry.where.get(self._name, ANY)]
        for entry in entries:
            if entry not in self._others:
                for value in entry.where[self._name].split("|"):
                    self._by_value.setdefault(value, []).append(entry)

    def match(self, fields: Mapping[str, Any]) -> Entry | None:
        value = fields.get(self._name)
        named = self._by_value.get(value, ()) if isinstance(value, str) else ()
        return _most_specific([*named, *self._others], fields)


def _most_specific(entries: list[Entry], fields: Mapping[str, Any]) -> Entry | None:
    best: list[Entry] = []
    for entry in entries:
        if all(_holds(fields, name, wanted) for name, wanted in entry.where.items()):
            if best and len(entry.where) < len(best[0].where):
                continue
            if best and len(entry.where) > len(best[0].where):
                best = []
            best.append(entry)
    return best[0] if len(best) == 1 else None


def _holds(fields: Mapping[str, Any], name: str, wanted: str) -> bool:
    """`*` is any value, `a|b` one of several, `cb_*` any that begins so."""
    if name not in fields:
        return False
    if wanted == ANY:
        return True
    value = fields[name]
    return isinstance(value, str) and any(
        value.startswith(one[:-1]) if one.endswith("*") else value == one for one in wanted.split("|")
    )


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[a-z_]+\})", path)
    return re.compile("".join(f"(?P<{p[1:-1]}>[^/]+)" if p[:1] == "{" else re.escape(p) for p in parts))
