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
        self._by_value: dict[str, list[_Where]] = {}
        self._others = [_Where(entry) for entry in entries if ANY in entry.where.get(self._name, ANY)]
        for entry in entries:
            if (wanted := entry.where.get(self._name)) is not None and ANY not in wanted:
                for value in wanted.split("|"):
                    self._by_value.setdefault(value, []).append(_Where(entry))

    def match(self, fields: Mapping[str, Any]) -> Entry | None:
        value = fields.get(self._name)
        named = self._by_value.get(value, ()) if isinstance(value, str) else ()
        best: _Where | None = None
        alone = False
        for where in (*named, *self._others):
            if (best is None or where.count >= best.count) and where.holds(fields):
                alone = best is None or where.count > best.count
                best = where
        return best.entry if best is not None and alone else None


class _Where:
    """An entry's conditions, read once: `*` is any value, `a|b` one of several, `cb_*` any that begins so."""

    __slots__ = ("_conditions", "count", "entry")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.count = len(entry.where)
        self._conditions = [(name, *_values(wanted)) for name, wanted in entry.where.items()]

    def holds(self, fields: Mapping[str, Any]) -> bool:
        for name, exact, begins in self._conditions:
            value = fields.get(name, _ABSENT)
            if exact is None:
                if value is _ABSENT:
                    return False
            elif not isinstance(value, str) or (value not in exact and not value.startswith(begins)):
                return False
        return True


_ABSENT = object()


def _values(wanted: str) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    """The values that hold, and beginnings of them; None: any value at all."""
    if wanted == ANY:
        return None, ()
    alternatives = wanted.split("|")
    exact = frozenset(one for one in alternatives if not one.endswith("*"))
    return exact, tuple(one[:-1] for one in alternatives if one.endswith("*"))


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[a-z_]+\})", path)
    return re.compile("".join(f"(?P<{p[1:-1]}>[^/]+)" if p[:1] == "{" else re.escape(p) for p in parts))
