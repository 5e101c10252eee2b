"""What running processes cost, from /proc: CPU time of whole trees to the nanosecond, and memory."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def tree(roots: Iterable[int]) -> list[int]:
    """The processes with these ids and all their descendants, as far as they are alive."""
    found: list[int] = []
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        try:
            tasks = list((PROC / str(pid) / "task").iterdir())
        except OSError:
            continue
        found.append(pid)
        for task in tasks:
            with contextlib.suppress(OSError):
                waiting += map(int, (task / "children").read_text().split())
    return found


def cpu_ns(roots: Iterable[int]) -> int:
    """User and system time so far, in nanoseconds, of whole trees, threads that have ended included.

    What a child process used that has ended is not in it; the servers measured here keep theirs.
    """
    total = 0
    for pid in tree(roots):
        with contextlib.suppress(OSError):
            # The CPU clock of another process, as clock_getcpuclockid(3) makes its number on Linux.
            total += time.clock_gettime_ns((~pid << 3) | 2)
    return total


def memory_mb(roots: Iterable[int]) -> tuple[float, float]:
    """PSS (shared pages divided among their users) and RSS of whole trees, in MB of 10⁶ bytes."""
    pss = rss = 0
    for pid in tree(roots):
        with contextlib.suppress(OSError):
            for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in ("Pss", "Rss"):
                    kilobytes = int(value.split()[0])
                    pss, rss = (pss + kilobytes, rss) if name == "Pss" else (pss, rss + kilobytes)
    return pss * 1024 / 1e6, rss * 1024 / 1e6
