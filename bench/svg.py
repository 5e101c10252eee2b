"""Plots as SVG that reads well on light and dark pages: bars with their ranges, and latencies by percentile."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import msgspec

from bench.timing import Spread

WIDTH = 820
NAMES = 230
STEP = 30
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2933 }
.title { font-weight: 600; font-size: 15px }
.faint { fill: #5f6b7a; font-size: 12px }
.grid { stroke: #d5dbe1; stroke-width: 1 }
.range { stroke: #1f2933; stroke-width: 1.5 }
.ours { fill: #c2410c } .other { fill: #64748b }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e9ee } .faint { fill: #a3afbd } .grid { stroke: #3a4450 }
  .range { stroke: #e5e9ee } .ours { fill: #fb923c } .other { fill: #8899ad }
}
</style>"""
COLOURS = ("#c2410c", "#2563eb", "#15803d", "#7c3aed", "#b45309", "#0e7490", "#be185d", "#4d7c0f", "#64748b", "#475569")


class Bar(msgspec.Struct, frozen=True):
    name: str
    value: Spread
    ours: bool = False


def bars(title: str, unit: str, given: Sequence[Bar]) -> str:
    """Horizontal bars from zero, medians as their length and in figures, ranges as thin lines."""
    top = max((bar.value.greatest for bar in given), default=1.0) or 1.0
    room = WIDTH - NAMES - 110
    out = [_text(0, 18, title, "title"), _text(WIDTH, 18, unit, "faint", "end")]
    for at, bar in enumerate(given):
        y = 34 + at * STEP
        length = bar.value.median / top * room
        left, right = NAMES + bar.value.least / top * room, NAMES + bar.value.greatest / top * room
        out += [
            _text(NAMES - 10, y + 15, bar.name, "", "end"),
            f'<rect class="{"ours" if bar.ours else "other"}" x="{NAMES}" y="{y}" width="{length:.1f}" height="20"/>',
            f'<line class="range" x1="{left:.1f}" x2="{right:.1f}" y1="{y + 10}" y2="{y + 10}"/>',
            _text(max(right, NAMES + length) + 8, y + 15, _figure(bar.value.median)),
        ]
    return _drawn(out, 40 + len(given) * STEP)


def percentiles(title: str, curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Milliseconds (logarithmic) by percentile: 50, 90, 99, 99.9 … evenly spaced. `curves`: (share, ms) ascending."""
    points = [ms for curve in curves.values() for _, ms in curve if ms > 0]
    if not points:
        return _drawn([_text(0, 18, title, "title")], 30)
    low, high = math.floor(math.log10(min(points))), math.ceil(math.log10(max(points)) + 1e-9)
    high = max(high, low + 1)
    farthest = max(_nines(share) for curve in curves.values() for share, _ in curve)
    left, right, top, bottom = 60, WIDTH - 240, 40, 340

    def x(share: float) -> float:
        return left + _nines(share) / farthest * (right - left)

    def y(ms: float) -> float:
        return bottom - (math.log10(max(ms, 10**low)) - low) / (high - low) * (bottom - top)

    out = [_text(0, 18, title, "title")]
    for power in range(low, high + 1):
        at = y(10**power)
        out.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        out.append(_text(left - 8, at + 4, f"{_figure(10.0**power)} ms", "faint", "end"))
    for share in (0.5, 0.9, 0.99, 0.999, 0.9999):
        if _nines(share) <= farthest + 1e-9:
            at = x(share)
            out.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{bottom}"/>')
            out.append(_text(at, bottom + 18, f"{share * 100:g} %", "faint", "middle"))
    for at, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[at % len(COLOURS)]
        path = " ".join(f"{x(share):.1f},{y(ms):.1f}" for share, ms in curve)
        out.append(f'<polyline class="line" stroke="{colour}" points="{path}"/>')
        out.append(f'<rect fill="{colour}" x="{right + 24}" y="{top + at * 22}" width="14" height="4"/>')
        out.append(_text(right + 44, top + at * 22 + 7, name))
    return _drawn(out, bottom + 30)


def _nines(share: float) -> float:
    """0 for the least, 1 for 90 %, 2 for 99 % …"""
    return -math.log10(max(1 - share, 1e-9))


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    css = f' class="{kind}"' if kind else ""
    return f'<text{css} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _drawn(parts: Sequence[str], height: float) -> str:
    box = f"-10 -4 {WIDTH + 20} {height + 8:.0f}"
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">', STYLE, *parts, "</svg>", ""])
