"""`make bench`: measure, print Markdown tables, keep the figures in bench/out/.

    python -m bench.run [--quick] [--rounds N] [--seed N] [--keep FOLDER] [NAME …]

Figures are medians of the rounds with least and greatest in brackets. Only ratios inside one run mean something on
another machine. Exit 1 if a target is missed; `bench/profile.py` then says why.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path
from types import ModuleType

import msgspec

from bench import ROOT, intake, lookups, scope
from bench.gateway import PARTS, QUICK, Plan, measure, shown
from bench.report import plots
from bench.rows import Row

OUT = ROOT / "bench" / "out"
SMALL: dict[str, ModuleType] = {"scope": scope, "intake": intake, "lookups": lookups}
"""Benches of a single part, without a gateway that runs."""
HOW = "what is measured has one core, load and upstream have the others."
NAMES = [*SMALL, *PARTS]
LONG = {"lookups"}
"""Not part of a quick run unless named: a database has to be filled first."""


def main() -> int:
    reader = argparse.ArgumentParser(description="Measure authgw and its peers.")
    reader.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    reader.add_argument("--quick", action="store_true", help="few and short rounds: three minutes in all")
    reader.add_argument("--rounds", type=int)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--keep", type=Path, default=OUT, metavar="FOLDER", help="where the figures go")
    given = reader.parse_args()
    if unknown := sorted(set(given.names) - set(NAMES)):
        reader.error(f"there is no bench {', '.join(unknown)}; choose from {', '.join(NAMES)}")
    names = given.names or [name for name in NAMES if not (given.quick and name in LONG)]
    given.keep = given.keep.resolve()
    # The servers that are modules of the bench are found from here.
    os.chdir(ROOT)
    given.keep.mkdir(parents=True, exist_ok=True)
    print(f"# Measured\n\n{machine()}; {HOW}", flush=True)
    missed = False
    for name in names:
        if name in SMALL:
            missed |= _small(name, given.rounds or (3 if given.quick else 15), given.seed, given.keep)
    if parts := [name for name in names if name in PARTS]:
        plan = QUICK if given.quick else Plan()
        if given.rounds:
            plan = msgspec.structs.replace(plan, rounds=given.rounds)
        missed |= _servers(parts, plan, given.keep)
    print(f"\nfigures: {given.keep}")
    return int(missed)


def _small(name: str, rounds: int, seed: int, keep: Path) -> bool:
    bench = SMALL[name]
    text, kept = bench.run(rounds, seed)
    print(f"\n## {bench.TITLE}\n\n{text}", flush=True)
    (keep / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(kept)))
    (keep / f"{name}.md").write_text(f"## {bench.TITLE}\n\n{text}\n", encoding="utf-8")
    return "| NO |" in text


def _servers(parts: list[str], plan: Plan, keep: Path) -> bool:
    before = os.getloadavg()[0]
    measured = measure(parts, plan, lambda words: print(f"bench: {words}", file=sys.stderr, flush=True))
    about = Row("machine", machine(), "", 0, {"load_before": before, "load_after": os.getloadavg()[0]})
    busy = f"Its load was {before:.1f} before and {about.values['load_after']:.1f} at the end."
    text = f"{busy}\n\n{shown(measured)}"
    print(f"\n{text}", flush=True)
    drawn = plots(measured.rows)
    for name, svg in drawn.items():
        (keep / f"{name}.svg").write_text(svg, encoding="utf-8")
    pictures = "".join(f"\n![{name}]({name}.svg)\n" for name in drawn)
    (keep / "README.md").write_text(f"# Measured\n\n{machine()}; {HOW}\n{pictures}\n{text}\n", encoding="utf-8")
    (keep / "rows.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, [about, *measured.rows.all])) + b"\n")
    return any(each.met is False for each in measured.verdicts)


def machine() -> str:
    """Where this runs, in a few words."""
    cpu = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    cores = len(os.sched_getaffinity(0))
    return f"{cpu}, {cores} cores, Linux {platform.release()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
