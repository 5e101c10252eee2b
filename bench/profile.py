"""Where the time of a load goes: the gateway under a sampler, at its limit for some seconds.

    python -m bench.profile [--seconds N] [LOAD …]

Prints the shares of the rooms and the 15 functions with the most time of their own. The microseconds are those under
the sampler, which are a little more than without.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from bench import ROOT, loads
from bench.loads import Load, user, usual
from bench.ours import authgw
from bench.rows import Rows
from bench.timing import table
from bench.world import World, world
from bench.wrk import saturated, tried

TOP = 15


class Taken(msgspec.Struct, frozen=True):
    """Samples: all, by function, by room; most first."""

    all: int
    own: list[tuple[str, int]]
    part: list[tuple[str, int]]


def functions(taken: Taken, cpu_us: float) -> str:
    """The functions with the most time of their own; `cpu_us` is the whole of a request."""
    rows = [[name, f"{100 * count / taken.all:.1f}", f"{cpu_us * count / taken.all:.1f}"] for name, count in taken.own]
    return table(["function", "% of CPU", "µs"], rows[:TOP])


def rooms(taken: Taken, cpu_us: float) -> str:
    rows = [[name, f"{100 * count / taken.all:.1f}", f"{cpu_us * count / taken.all:.1f}"] for name, count in taken.part]
    return table(["part", "% of CPU", "µs"], rows)


def imports() -> str:
    """What the start is made of: the modules of the gateway that take longest to import, with what they import."""
    program = ["-X", "importtime", "-c", "import authgw.app, authgw.cli.main, authgw.cli.serve"]
    ran = subprocess.run([sys.executable, *program], capture_output=True, text=True, check=True)
    found: dict[str, tuple[float, float]] = {}
    for line in ran.stderr.splitlines():
        words = line.removeprefix("import time:").split("|")
        if len(words) == 3 and words[0].strip().isdigit():
            found[words[2].strip()] = (int(words[0]) / 1e3, int(words[1]) / 1e3)
    longest = sorted(found.items(), key=lambda pair: -pair[1][1])[:TOP]
    return table(
        ["import", "own ms", "with what it imports, ms"], [[n, f"{o:.0f}", f"{w:.0f}"] for n, (o, w) in longest]
    )


def mapped(pid: int) -> dict[str, float]:
    """A process's memory by what is mapped: PSS in MB, the largest first."""
    found: dict[str, int] = {}
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            name = words[5].rpartition("/")[2] if len(words) > 5 else "[anonymous]"
        elif words[0] == "Pss:":
            found[name] = found.get(name, 0) + int(words[1])
    most = sorted(found.items(), key=lambda pair: -pair[1])[:TOP]
    return {name: kilobytes * 1024 / 1e6 for name, kilobytes in most}


def held(rows: Rows) -> str:
    """What memory is made of, idle and with many streams."""
    taken = {row.load: row.values for row in rows.all if row.part == "mapped"}
    names = dict.fromkeys(name for values in taken.values() for name in values)
    shown = [[name, *(f"{values.get(name, 0.0):.1f}" for values in taken.values())] for name in names]
    return table(["mapped, PSS in MB", *taken], shown[:TOP])


def sampled(here: World, load: Load, seconds: int) -> tuple[Taken, float]:
    """The samples of a gateway of its own under this load, and the CPU of a request in microseconds."""
    out = here.place.folder / "samples.json"
    program = [sys.executable, "-m", "bench.sampled", str(out)]
    people = usual() if load.user is None else [user(load.user)]
    with authgw(here.place, "authgw, sampled", "", people=people, program=program) as (peer, _):
        tried(peer, load)
        os.kill(peer.roots[0], signal.SIGUSR1)
        row = saturated(peer, load, seconds, 0, here)
    return msgspec.json.decode(out.read_bytes(), type=Taken), row.values["cpu_us"]


def shown(name: str, taken: Taken, cpu_us: float) -> str:
    return f"## Profile: {name}\n\n{rooms(taken, cpu_us)}\n\n{functions(taken, cpu_us)}"


def main() -> int:
    known = [load.name for load in [*loads.SHARED, *loads.OWN]]
    reader = argparse.ArgumentParser(description="Where the time of a load goes.")
    reader.add_argument("names", nargs="*", metavar="LOAD", help=f"of: {'; '.join(known)}")
    reader.add_argument("--seconds", type=int, default=5)
    given = reader.parse_args()
    os.chdir(ROOT)
    with world([]) as here:
        for name in given.names or [loads.PASSED.name]:
            print(f"\n{shown(name, *sampled(here, loads.named(name), given.seconds))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
