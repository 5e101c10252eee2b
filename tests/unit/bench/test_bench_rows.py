"""Raw rows: medians, ratios inside one round, percentiles."""

from __future__ import annotations

import statistics

import pytest

from bench.rows import Row, Rows, percentile
from bench.timing import Spread

ROWS = Rows(
    [
        Row("saturated", "nginx", "call", 0, {"cpu_us": 10.0}),
        Row("saturated", "authgw", "call", 0, {"cpu_us": 30.0}),
        # A round in which the machine was busy with something else.
        Row("saturated", "authgw", "call", 1, {"cpu_us": 80.0}),
        Row("saturated", "nginx", "call", 1, {"cpu_us": 20.0}),
        Row("saturated", "authgw", "call", 2, {"cpu_us": 36.0}),
    ]
)


def test_spreads_are_over_the_rounds() -> None:
    """Median, least and greatest of one peer under one load; nothing where nothing was measured."""
    assert ROWS.spread("saturated", "authgw", "call", "cpu_us") == Spread(36.0, 30.0, 80.0)
    assert ROWS.spread("saturated", "authgw", "call", "rps") is None
    assert ROWS.spread("steady", "authgw", "call", "cpu_us") is None


def test_ratios_are_taken_inside_a_round() -> None:
    """A round that one of the two missed does not count, and a slow round slows both sides."""
    found = ROWS.ratio("saturated", "cpu_us", ("authgw", "call"), ("nginx", "call"))
    assert found == Spread(3.5, 3.0, 4.0)


def test_differences_are_taken_inside_a_round() -> None:
    """What is added over another is the difference of the same round."""
    found = ROWS.difference("saturated", "cpu_us", ("authgw", "call"), ("nginx", "call"))
    assert found == Spread(40.0, 20.0, 60.0)


def test_what_shares_no_round_has_no_ratio() -> None:
    """Two that were never measured in the same round are not compared."""
    assert ROWS.ratio("saturated", "cpu_us", ("authgw", "call"), ("haproxy", "call")) is None


def test_peers_keep_their_order() -> None:
    """Tables show peers in the order in which they were measured first."""
    assert ROWS.peers("saturated") == ["nginx", "authgw"]
    assert ROWS.loads("saturated") == ["call"]


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)],
)
def test_percentiles_are_values_that_were_measured(share: float, expected: float) -> None:
    """The nearest rank: the least value that so large a share does not exceed."""
    assert percentile([float(value) for value in range(1, 101)], share) == expected


def test_the_middle_of_an_odd_number_is_the_median() -> None:
    """The half percentile of an odd number of values is what the standard library calls their median."""
    values = [3.0, 5.0, 8.0, 13.0, 21.0]
    assert percentile(values, 0.5) == statistics.median(values)
