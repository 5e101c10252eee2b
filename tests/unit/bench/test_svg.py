"""Plots: well-formed SVG with lengths true to the values."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from bench.svg import Bar, bars, percentiles
from bench.timing import Spread

SVG = "{http://www.w3.org/2000/svg}"


def widths(drawn: str) -> list[float]:
    return [float(bar.get("width", "")) for bar in ET.fromstring(drawn).iter(f"{SVG}rect")]


def test_bars_are_as_long_as_their_medians() -> None:
    """Twice the value is twice the bar, from zero."""
    drawn = bars("t", "µs", [Bar("a", Spread(10, 9, 11)), Bar("b", Spread(20, 18, 40), ours=True)])
    first, second = widths(drawn)
    assert second == pytest.approx(2 * first, abs=0.1)


def test_ranges_go_from_least_to_greatest() -> None:
    """The thin line of a bar covers what the rounds covered, on the same scale."""
    drawn = bars("t", "µs", [Bar("a", Spread(20, 10, 40))])
    (length,) = widths(drawn)
    (line,) = ET.fromstring(drawn).iter(f"{SVG}line")
    left, right = float(line.get("x1", "")), float(line.get("x2", ""))
    assert right - left == pytest.approx(length * 1.5, abs=0.2)


def test_names_cannot_break_a_plot() -> None:
    """A name with markup in it is text."""
    drawn = bars("<t>", "µs", [Bar("a & <b>", Spread(1, 1, 1))])
    texts = [text.text for text in ET.fromstring(drawn).iter(f"{SVG}text")]
    assert "a & <b>" in texts
    assert "<t>" in texts


def test_plots_are_for_light_and_dark_pages() -> None:
    """Colours follow the reader's scheme; no script and nothing from elsewhere is in a plot."""
    drawn = bars("t", "µs", [Bar("a", Spread(1, 1, 1))])
    assert "prefers-color-scheme: dark" in drawn
    assert "href" not in drawn
    assert "<script" not in drawn


def test_each_ten_times_more_is_one_step() -> None:
    """Latencies are on a logarithmic scale: 1 to 10 ms is as high as 10 to 100 ms; every nine is as wide."""
    drawn = percentiles("t", {"a": [(0.0, 1.0), (0.9, 10.0), (0.99, 100.0)]})
    (line,) = ET.fromstring(drawn).iter(f"{SVG}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()]
    across = [right[0] - left[0] for left, right in pairwise(points)]
    up = [left[1] - right[1] for left, right in pairwise(points)]
    assert across[0] == pytest.approx(across[1], abs=0.2)
    assert up[0] == pytest.approx(up[1], abs=0.2)
    assert up[0] > 0


def test_a_plot_of_nothing_is_a_plot() -> None:
    """A run without measurements draws an empty picture instead of failing."""
    ET.fromstring(percentiles("t", {}))
    ET.fromstring(bars("t", "µs", []))
