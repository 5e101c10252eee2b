"""Timing that survives a busy machine: rounds in turn, medians with their ranges, ratios inside one round."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """Median, least and greatest of the rounds; the unit is the caller's."""

    median: float
    least: float
    greatest: float

    def show(self, form: str = ".0f") -> str:
        return f"{self.median:{form}} ({self.least:{form}}–{self.greatest:{form}})"


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def in_turn(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of every work in every round. Each round runs all of them, every second round in reverse order."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    order = list(works)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name in order:
                start = time.process_time()
                works[name]()
                taken[name].append(time.process_time() - start)
            order.reverse()
    finally:
        gc.enable()
    return taken


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], figures: bool = True) -> str:
    """A Markdown table; the first column is text, the others are `figures`, or text too."""
    lines = ["| " + " | ".join(heads) + " |", "|---|" + ("---:|" if figures else "---|") * (len(heads) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
