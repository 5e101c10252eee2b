"""Rows as Markdown tables and plots."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from bench import loads
from bench import storm as storms
from bench.logins import ALONE, SCRIPT, STRONG
from bench.place import Peer
from bench.rows import Rows
from bench.sockets import LOAD
from bench.steady import SHARES
from bench.svg import Bar, bars, percentiles
from bench.targets import NGINX, Verdict
from bench.timing import Spread, table
from bench.world import OURS, OURS_COLD, OURS_REDIS


def peers(present: Sequence[Peer], absent: Mapping[str, str]) -> str:
    shown = [[peer.name, peer.about] for peer in present]
    shown += [[f"{name}: absent", reason] for name, reason in absent.items()]
    return table(["who", "what"], shown, figures=False)


def shared(rows: Rows, load: str, absent: Mapping[str, str]) -> str:
    """One load on everybody: CPU, rate and latency at the limit, memory and bytes."""
    out = []
    for peer in rows.peers("saturated"):
        found = [
            rows.spread("saturated", peer, load, name) for name in ("cpu_us", "rps", "p50_ms", "p99_ms", "p999_ms")
        ]
        if found[0] is None:
            continue
        times = rows.ratio("saturated", "cpu_us", (peer, load), (NGINX, load))
        rest = [rows.spread("saturated", peer, load, name) for name in ("pss_mb", "bytes", "busy")]
        cells = [_show(found[0], ".0f"), _show(times, ".2f"), _show(found[1], ",.0f")]
        cells += [_median(each, ".2f") for each in found[2:]]
        cells += [_median(rest[0], ".0f"), _median(rest[1], ",.0f"), _median(rest[2], ".2f")]
        out.append([peer, *cells])
    out += [[name, f"absent: {reason}", *[""] * 8] for name, reason in absent.items()]
    heads = [
        "who",
        "CPU µs",
        "× nginx",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "PSS MB",
        "bytes",
        "upstream cores",
    ]
    return table(heads, out)


def own(rows: Rows) -> str:
    """authgw's own loads: sessions in the process, in Redis and remembered, and asked for in Redis each time."""
    out = []
    for load in rows.loads("saturated"):
        both = [rows.spread("saturated", peer, load, "cpu_us") for peer in (OURS, OURS_REDIS, OURS_COLD)]
        if any(both):
            rest = [rows.spread("saturated", OURS, load, name) for name in ("rps", "p50_ms", "p99_ms", "bytes")]
            store = rows.spread("saturated", OURS_COLD, load, "store_us")
            cells = [*(_show(each, ".0f") for each in both), _median(store, ".1f"), _median(rest[0], ",.0f")]
            out.append([load, *cells, *(_median(each, ".2f") for each in rest[1:3]), _median(rest[3], ",.0f")])
    heads = [
        "load",
        "CPU µs",
        "CPU µs, Redis",
        "CPU µs, Redis each time",
        "Redis' own µs",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "bytes",
    ]
    return table(heads, out)


def at_rate(rows: Rows) -> str:
    load = loads.PASSED.name
    out = []
    for peer in rows.peers("steady"):
        found = [rows.spread("steady", peer, load, name) for name in ("p50_ms", "p99_ms", "p999_ms", "cpu_us")]
        added = rows.difference("steady", "p99_ms", (peer, load), (NGINX, load))
        out.append([peer, *(_show(each, ".2f") for each in found[:3]), _show(added, ".2f"), _show(found[3], ".0f")])
    return table(["who", "p50 ms", "p99 ms", "p99.9 ms", "p99 over nginx, ms", "CPU µs"], out)


def streams(rows: Rows) -> str:
    load = loads.LARGE.name
    out = []
    for peer in rows.peers("streamed"):
        found = [rows.spread("streamed", peer, load, name) for name in ("cpu_s_gb", "mb_s", "pss_mb")]
        times = rows.ratio("streamed", "cpu_s_gb", (peer, load), (NGINX, load))
        cells = [_show(found[0], ".2f"), _show(times, ".2f"), _show(found[1], ",.0f"), _median(found[2], ".0f")]
        out.append([peer, *cells])
    return table(["who", "CPU s per GB", "× nginx", "MB/s", "PSS MB"], out)


def rest(rows: Rows) -> str:
    """Memory, logins, start."""
    out = []
    for peer in rows.peers("memory"):
        for load in rows.loads("memory"):
            if found := rows.spread("memory", peer, load, "pss_mb"):
                out.append([f"{peer}: {load}", f"{found.median:.0f} MB PSS"])
    for load in rows.loads("sessions"):
        used, held = (rows.spread("sessions", OURS, load, name) for name in ("cpu_us", "pss_mb"))
        out.append(
            [f"{load} sessions in turn: CPU µs, memory", f"{_show(used, '.0f')} µs, {_median(held, '.0f')} MB PSS"]
        )
    for load in (STRONG, SCRIPT, ALONE):
        if used := rows.spread("login", OURS, load, "cpu_ms"):
            took = rows.spread("login", OURS, load, "ms")
            out.append([f"{load}: CPU, time", f"{_show(used, '.2f')} ms, {_show(took, '.2f')} ms"])
    if ready := rows.spread("start", OURS, "ready", "s"):
        out.append(["start until ready", f"{_show(ready, '.2f')} s"])
    return table(["what", "measured"], out)


def targets(given: Sequence[Verdict]) -> str:
    out = []
    for each in given:
        if each.value is None:
            out.append([each.what, "not measured", f"{each.bound:g} {each.unit}", "", "", ""])
            continue
        hoped = "" if each.stretch is None else f"{each.stretch:g} {each.unit}"
        answer = {True: "yes", False: "NO", None: ""}
        measured = f"{_show(each.value, '.2f')} {each.unit}"
        out.append(
            [each.what, measured, f"{each.bound:g} {each.unit}", answer[each.met], hoped, answer[each.stretched]]
        )
    return table(["work", "measured", "at most", "met", "stretch", "met"], out)


def sockets(rows: Rows) -> str:
    """A message to the upstream and back, over a WebSocket that is open already."""
    out = []
    for peer in rows.peers("sockets"):
        load, names = LOAD, ("cpu_us", "rps", "p50_ms", "p99_ms", "p999_ms")
        found = [rows.spread("sockets", peer, load, name) for name in names]
        times = rows.ratio("sockets", "cpu_us", (peer, load), (NGINX, load))
        cells = [_show(found[0], ".0f"), _show(times, ".2f"), _show(found[1], ",.0f")]
        out.append([peer, *cells, *(_median(each, ".2f") for each in found[2:])])
    return table(["who", "CPU µs a message", "× nginx", "messages/s", "p50 ms", "p99 ms", "p99.9 ms"], out)


def workers(rows: Rows) -> str:
    """The pass-through call by the number of processes."""
    out = []
    for load in rows.loads("workers"):
        names = ("cpu_us", "rps", "p50_ms", "p99_ms", "p999_ms", "pss_mb")
        found = [rows.spread("workers", OURS, load, name) for name in names]
        cells = [_show(found[0], ".0f"), _show(found[1], ",.0f"), *(_median(each, ".2f") for each in found[2:5])]
        out.append([load, *cells, _median(found[5], ".0f")])
    return table(["serving", "CPU µs", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "PSS MB"], out)


def storm(rows: Rows) -> str:
    """Calls at a fixed rate, alone and during a storm of logins on the same core; what became of the logins."""
    out = []
    for load in rows.loads("storm"):
        times = [rows.spread("storm", OURS, load, name) for name in ("p50_ms", "p99_ms", "p999_ms")]
        used, *logins = [rows.spread("storm", OURS, load, name) for name in ("cores", "granted", "later", "s")]
        cells = [*(_median(each, ".1f") for each in times), _median(used, ".2f")]
        out.append([load, *cells, *(_median(each, ",.0f") for each in logins)])
    calls = f"{storms.RATE:.0f} calls a second"
    heads = [calls, "p50 ms", "p99 ms", "p99.9 ms", "CPU, cores", "logins granted", "told to come again", "after s"]
    return table(heads, out)


def lists(rows: Rows) -> str:
    """CPU of a list by its length, what is kept of it, and how many patterns; what was not measured is left out."""
    out = []
    for size, kept in itertools.product(loads.SIZES, loads.KEPT):
        names = [f"list of {size:,} rows, {kept} kept, {count:,} patterns" for count in loads.PATTERNS]
        found = [rows.spread("saturated", OURS, name, "cpu_us") for name in names]
        whole = loads.LIST_460.name if size == 460 else f"list of {size:,} rows, unfiltered"
        if any(found):
            plain = rows.spread("saturated", OURS, whole, "cpu_us")
            out.append([f"{size:,}, {kept}", *(_show(each, ",.0f") for each in (plain, *found))])
    heads = ["rows, kept", "unfiltered: µs", *(f"{count:,} patterns: µs" for count in loads.PATTERNS)]
    return table(heads, out)


def wrong(given: Mapping[str, str]) -> str:
    """Loads without figures, because the answer was not the one they are about."""
    return table(["who and what", "answer"], [list(pair) for pair in given.items()], figures=False)


def plots(rows: Rows) -> dict[str, str]:
    """File name to SVG."""
    drawn: dict[str, str] = {}
    for name, load, title in (
        ("pass-through", loads.PASSED.name, "CPU of one proxied call, 2 KB of JSON"),
        ("list", loads.LIST_460.name, "CPU of a list of 460 rows (authgw checks each, the others pass it on)"),
    ):
        found = [(peer, rows.spread("saturated", peer, load, "cpu_us")) for peer in rows.peers("saturated")]
        given = [Bar(peer, value, peer.startswith(OURS)) for peer, value in found if value is not None]
        if given:
            drawn[name] = bars(title, "µs, median and range", sorted(given, key=lambda bar: bar.value.median))
    curves = {peer: _curve(rows, peer) for peer in rows.peers("steady")}
    if curves:
        drawn["latency"] = percentiles("Latency at 1,000 requests a second, by percentile", curves)
    return drawn


def _curve(rows: Rows, peer: str) -> list[tuple[float, float]]:
    found = [(share, rows.spread("steady", peer, loads.PASSED.name, f"at_{share}")) for share in SHARES]
    return [(share, value.median) for share, value in found if value is not None]


def _show(value: Spread | None, form: str) -> str:
    return "" if value is None else value.show(form)


def _median(value: Spread | None, form: str) -> str:
    return "" if value is None else f"{value.median:{form}}"
