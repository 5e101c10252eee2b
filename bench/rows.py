"""Raw rows, and what is computed from them: medians with ranges, ratios inside one round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bench.timing import Spread, spread


class Row(msgspec.Struct, frozen=True):
    """One turn of one peer: `values` by name. A unit is the end of the name: cpu_us, p99_ms, pss_mb."""

    part: str
    peer: str
    load: str
    turn: int
    values: dict[str, float]


class Rows:
    """All rows of one run, found by part, peer and load."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.all = list(rows)
        self._by: dict[tuple[str, str, str], list[Row]] = {}
        for row in self.all:
            self._by.setdefault((row.part, row.peer, row.load), []).append(row)

    def peers(self, part: str) -> list[str]:
        """Those with rows in a part, in the order of their first."""
        return list(dict.fromkeys(row.peer for row in self.all if row.part == part))

    def loads(self, part: str) -> list[str]:
        return list(dict.fromkeys(row.load for row in self.all if row.part == part))

    def spread(self, part: str, peer: str, load: str, name: str) -> Spread | None:
        """None where nothing was measured."""
        values = [row.values[name] for row in self._by.get((part, peer, load), ()) if name in row.values]
        return spread(values) if values else None

    def ratio(self, part: str, name: str, one: tuple[str, str], other: tuple[str, str]) -> Spread | None:
        """How many times the other's value is the one's, round by round; `one` and `other` are peer and load."""
        ours, theirs = (self._turns(part, peer, load, name) for peer, load in (one, other))
        shared = [ours[turn] / theirs[turn] for turn in ours if theirs.get(turn)]
        return spread(shared) if shared else None

    def difference(self, part: str, name: str, one: tuple[str, str], other: tuple[str, str]) -> Spread | None:
        """By how much the one's value is more than the other's, round by round."""
        ours, theirs = (self._turns(part, peer, load, name) for peer, load in (one, other))
        shared = [ours[turn] - theirs[turn] for turn in ours if turn in theirs]
        return spread(shared) if shared else None

    def _turns(self, part: str, peer: str, load: str, name: str) -> Mapping[int, float]:
        rows: Sequence[Row] = self._by.get((part, peer, load), ())
        return {row.turn: row.values[name] for row in rows if name in row.values}


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that `share` (0 to 1) of all are not above; `ordered` ascends and is not empty."""
    at = -(-share * len(ordered) // 1)
    return ordered[min(max(int(at) - 1, 0), len(ordered) - 1)]
