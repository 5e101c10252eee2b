"""`make bench`: measure, print Markdown tables, keep the figures in bench/out/.

    python bench/run.py [--rounds N] [--seed N] [NAME …]

Figures are medians of the rounds with least and greatest in brackets. Only ratios inside one run mean something on
another machine. Exit 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path
from types import ModuleType

import msgspec

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))  # kit: starters of real servers

import intake
import path
import scope

OUT = Path(__file__).resolve().parent / "out"
BENCHES: dict[str, ModuleType] = {"scope": scope, "intake": intake, "path": path}


def main() -> int:
    reader = argparse.ArgumentParser(description="Measure authgw.")
    reader.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHES)} (default: all)")
    reader.add_argument("--rounds", type=int, default=15)
    reader.add_argument("--seed", type=int, default=1)
    given = reader.parse_args()
    if unknown := sorted(set(given.names) - BENCHES.keys()):
        reader.error(f"there is no bench {', '.join(unknown)}; choose from {', '.join(BENCHES)}")
    OUT.mkdir(exist_ok=True)
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, {given.rounds} rounds")
    missed = False
    for name in given.names or BENCHES:
        bench = BENCHES[name]
        shown, kept = bench.run(given.rounds, given.seed)
        print(f"\n## {bench.TITLE}\n\n{shown}", flush=True)
        missed |= "| NO |" in shown
        (OUT / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(kept)))
        (OUT / f"{name}.md").write_text(f"## {bench.TITLE}\n\n{shown}\n", encoding="utf-8")
    print(f"\nfigures: {OUT.relative_to(Path.cwd()) if OUT.is_relative_to(Path.cwd()) else OUT}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
