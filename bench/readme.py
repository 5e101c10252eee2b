"""The README's figures, made from the rows of one run.

    python -m bench.readme [--from FOLDER]

Between `<!-- bench NAME -->` and `<!-- end -->` the README holds what this module makes of `bench/result/rows.jsonl`.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import ROOT, loads, report
from bench.logins import STRONG
from bench.rows import Row, Rows
from bench.sampled import OUTSIDE
from bench.sockets import LOAD
from bench.targets import NGINX, verdicts
from bench.timing import Spread, table
from bench.world import OURS, OURS_COLD

RESULT = ROOT / "bench" / "result"
UNMEASURED = "Not measured in this run yet."
"""What stands in the place of a part's figures until a run has them."""
FEWEST = 0.02
"""Parts of a call with a smaller share are shown as one."""
PLAIN = {
    "edge": "taking the request in, sending the answer out",
    "cli": "the server's side of that: sockets, HTTP/1.1",
    OUTSIDE: "uvicorn and the event loop",
    "intake": "the canonical request",
    "session": "cookie to claims",
    "catalogue": "which call it is",
    "policy": "may they",
    "narrow": "scope in, rows and objects out",
    "upstream": "asking the GUI, reading its reply",
    "gate": "the order of all that",
    "watch": "whether anybody still waits",
    "doors": "who is coming in",
    "trail": "what is written down of it",
}


def speed(rows: Rows) -> str:
    """Everybody under the pass-through call, cheapest first."""
    load = loads.PASSED.name
    out: list[tuple[float, list[str]]] = []
    for peer in rows.peers("saturated"):
        if not (used := rows.spread("saturated", peer, load, "cpu_us")):
            continue
        times = rows.ratio("saturated", "cpu_us", (peer, load), (NGINX, load))
        rate = rows.spread("saturated", peer, load, "rps")
        late = rows.spread("steady", peer, load, "p99_ms")
        held = rows.spread("saturated", peer, load, "pss_mb")
        name = f"**{peer}**" if peer.startswith(OURS) else peer
        cells = [used.show(".0f"), _one(times, ".1f"), _one(rate, ",.0f"), _one(late, ".1f"), _one(held, ".0f")]
        out.append((used.median, [name, *cells]))
    heads = ["one core", "CPU µs a call", "× nginx", "calls/s", "p99 ms at 1,000/s", "MB"]
    return table(heads, [cells for _, cells in sorted(out)])


def wanted(rows: Rows) -> str:
    return report.targets(verdicts(rows))


def parts(rows: Rows) -> str:
    """The CPU of a pass-through call by part: the sampler's shares of what was measured without it."""
    load = loads.PASSED.name
    used = rows.spread("saturated", OURS, load, "cpu_us")
    (shares,) = [row.values for row in rows.all if row.part == "profile" and row.load == load] or [{}]
    if used is None:
        return "not measured"
    large = {name: share for name, share in shares.items() if share >= FEWEST}
    out = [[name, PLAIN.get(name, ""), f"{share * used.median:.0f}"] for name, share in large.items()]
    out.append(["the rest", "", f"{(1 - sum(large.values())) * used.median:.0f}"])
    return table(["part", "what", "µs"], [*out, ["all", "", f"{used.median:.0f}"]])


def growth(rows: Rows) -> str:
    """What a call costs more by what it grows with."""
    out: list[list[str]] = []

    def add(what: str, less: Spread | None, more: Spread | None, per: int = 0) -> None:
        if less is not None and more is not None:
            one, other = less.median, more.median
            text = f"{(other - one) / per:.1f} µs each" if per else f"× {other / one:.2f}"
            out.append([what, f"{one:,.0f} µs", f"{other:,.0f} µs", text])

    def cpu(load: str, peer: str = OURS, part: str = "saturated") -> Spread | None:
        return rows.spread(part, peer, load, "cpu_us")

    half = "list of 460 rows, half kept"
    add("rows: 10, then 460, half kept", cpu("list of 10 rows, half kept"), cpu(half), 450)
    add("rows: 460, then 5,000, half kept", cpu(half), cpu("list of 5,000 rows, half kept"), 4540)
    add("a list of 460 rows: unfiltered, then half kept", cpu(loads.LIST_460.name), cpu(half))
    add("patterns of a scope: 10, then 10,000", cpu(f"{half}, 10 patterns"), cpu(f"{half}, 10,000 patterns"))
    one, thousand = (cpu(count, part="sessions") for count in ("1", "1,000"))
    add("sessions in Redis: one, then 1,000 in turn", one, thousand)
    passed = loads.PASSED.name
    add("a session: remembered, then read from Redis each time", cpu(passed), cpu(passed, OURS_COLD))
    return table(["what grows", "less", "more", "that is"], out)


def sockets(rows: Rows) -> str:
    """A message there and back over a WebSocket, cheapest first."""
    out: list[tuple[float, list[str]]] = []
    for peer in rows.peers("sockets"):
        names = ("cpu_us", "rps", "p99_ms")
        used, rate, late = (rows.spread("sockets", peer, LOAD, name) for name in names)
        if used is not None:
            times = rows.ratio("sockets", "cpu_us", (peer, LOAD), (NGINX, LOAD))
            cells = [used.show(".0f"), _one(times, ".1f"), _one(rate, ",.0f"), _one(late, ".1f")]
            out.append((used.median, [f"**{peer}**" if peer == OURS else peer, *cells]))
    heads = ["one core", "CPU µs a message", "× nginx", "messages/s", "p99 ms"]
    return table(heads, [cells for _, cells in sorted(out)]) if out else UNMEASURED


def workers(rows: Rows) -> str:
    return report.workers(rows) if rows.loads("workers") else UNMEASURED


def storm(rows: Rows) -> str:
    return report.storm(rows) if rows.loads("storm") else UNMEASURED


def lists(rows: Rows) -> str:
    return report.lists(rows) if rows.loads("saturated") else UNMEASURED


def machine(rows: Rows) -> str:
    """What one core carries, where that was measured, and how busy it was with other work."""
    kinds = [
        ("calls that pass through", loads.PASSED.name),
        ("lists of 10 rows", "list of 10 rows, half kept"),
        ("lists of 460 rows", "list of 460 rows, half kept"),
    ]
    parts = []
    for what, load in kinds:
        if used := rows.spread("saturated", OURS, load, "cpu_us"):
            parts.append(f"{1e6 / used.median:,.0f} {what}")
    if streamed := rows.spread("streamed", OURS, loads.LARGE.name, "cpu_s_gb"):
        parts.append(f"{1 / streamed.median:.1f} GB of captures")
    if entered := rows.spread("login", OURS, STRONG, "cpu_ms"):
        parts.append(f"{1e3 / entered.median:.0f} logins")
    text = f"By the CPU they cost, one core carries each second: {', or '.join(parts)}."
    for row in rows.all:
        if row.part == "machine":
            before, after = row.values["load_before"], row.values["load_after"]
            text += (
                f" Measured on {row.peer}. "
                f"Its load was {before:.1f} before, {after:.1f} at the end by the bench itself: "
                "above 1 before, other work shared the cores, and all figures are larger than they would be alone."
            )
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


BLOCKS: dict[str, Callable[[Rows], str]] = {
    "speed": speed,
    "targets": wanted,
    "parts": parts,
    "growth": growth,
    "lists": lists,
    "sockets": sockets,
    "workers": workers,
    "storm": storm,
    "machine": machine,
}
_BLOCK = re.compile(r"(<!-- bench (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def read(folder: Path) -> Rows:
    lines = (folder / "rows.jsonl").read_bytes().splitlines()
    return Rows(msgspec.json.decode(line, type=Row) for line in lines)


def renewed(text: str, rows: Rows) -> str:
    """The README with every block made anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]](rows)}\n\n{found[3]}", text)


def _one(value: Spread | None, form: str) -> str:
    return "" if value is None else f"{value.median:{form}}"


def main() -> int:
    reader = argparse.ArgumentParser(description="Write a run's figures into the README.")
    reader.add_argument("--from", dest="folder", type=Path, default=RESULT, metavar="FOLDER")
    given = reader.parse_args()
    path = ROOT / "README.md"
    path.write_text(renewed(path.read_text(encoding="utf-8"), read(given.folder)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
